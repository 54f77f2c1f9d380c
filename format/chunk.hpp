// SPDX-License-Identifier: Apache-2.0
// A chunk: consecutive events stored by columns, committed to by a signed core that knows nothing
// of stored bytes. docs/format.md, "Chunk".
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "format/constants.hpp"
#include "format/event.hpp"
#include "format/merkle.hpp"
#include "format/salt.hpp"
#include "format/session_key.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace sworn::format {

// The signed part.
struct ChunkCore {
  std::uint32_t chunk_no = 0;
  std::uint32_t n_events = 0;
  std::uint64_t first_event = 0;
  MonoTime t_first;
  MonoTime t_last;
  Digest leaf_root{};
  friend bool operator==(const ChunkCore&, const ChunkCore&) = default;
};
void append_core(Bytes& out, const ChunkCore& core);
// The unsigned part between core and stored bytes.
void append_chunk_frame(Bytes& out, std::size_t raw_bytes, bool begins_group,
                        std::uint8_t salt_form, std::span<const Digest> salt_nodes);

// A chunk body, taken apart. Views into the body.
struct ChunkBody {
  ChunkCore core;
  ByteView core_bytes;
  ByteView frame_bytes;  // the eight from raw_bytes to the number of salt nodes
  std::uint32_t raw_bytes = 0;
  bool begins_group = false;
  bool encrypted = false;  // until open_chunk(): `stored` is ciphertext, the salt nodes are zero
  bool rewritten = false;
  std::uint8_t salt_form = k_salt_seed;
  std::vector<Digest> salt_nodes;
  std::optional<Digest> stored_hash;  // in encrypted sessions: as the recorder stored it
  ByteView payload;                   // behind that hash, as it is in the file
  ByteView stored;                    // zstd
};
Result<ChunkBody> decode_chunk_body(ByteView body);
// The leaf of the record; of an encrypted session it covers the hash of the ciphertext as well.
Digest chunk_leaf(std::uint32_t seq, const ChunkBody& chunk);

// --- encrypted sessions (docs/format.md, "Encryption")
// The hash that the leaf covers, computed from what is there.
Digest hash_of_stored(const FileId& id, const ChunkBody& chunk);
// Decrypts salt nodes and stored bytes; `stored` becomes a view into `plain`. Errc::locked without
// an opener, bad_seal where it does not open. Of a chunk in clear: nothing.
Result<void> open_chunk(const FileId& id, PayloadOpener* opener, ChunkBody& chunk, Bytes& plain);
// Appends what follows the core: frame, hash, ciphertext of `plain` (salt nodes and zstd). `kept`:
// the hash of the recorder, in a redacted copy; then `rewritten` is set. `sealer` null: a redacted
// copy in clear. Returns the hash of what is stored now.
struct ChunkSeal {
  std::uint32_t raw_bytes = 0;
  bool begins_group = false;
  std::uint8_t salt_form = k_salt_seed;
  std::uint16_t salt_nodes = 1;
  std::optional<Digest> kept;
};
Result<Digest> append_sealed(const FileId& id, const ChunkCore& core, const ChunkSeal& seal,
                             PayloadSealer* sealer, ByteView plain, Bytes& body);

// Only what precedes the salt: enough for a directory. `head` holds k_chunk_fixed_bytes.
Result<ChunkBody> decode_chunk_head(ByteView head);

// Collects events into columns. The columns are the raw bytes that are compressed.
class ChunkBuilder {
 public:
  void add(const EventView& event);
  [[nodiscard]] std::uint32_t n_events() const { return n_events_; }
  [[nodiscard]] std::size_t raw_bytes() const;
  // leaf_root needs `seed` and the events' data, which the columns hold. Not for redacted events: a
  // redacted copy keeps the core it was given.
  [[nodiscard]] ChunkCore core(std::uint32_t chunk_no, const Seed& seed);
  void append_columns(Bytes& out) const;
  void clear();

 private:
  struct Item {
    MonoTime t;
    MonoTime at;
    std::uint8_t kind = 0;
    std::uint32_t data_begin = 0;
    std::uint32_t data_bytes = 0;
    bool redacted = false;
  };
  std::uint32_t n_events_ = 0;
  std::uint64_t first_event_ = 0;
  std::vector<Item> items_;
  std::vector<Digest> salts_;
  Bytes kinds_;
  Bytes times_low_;
  Bytes times_high_;
  Bytes ats_;
  Bytes lengths_;
  Bytes data_;
};

// Columns -> views into `columns`. Checks every bound and that the times stay within the core's
// range.
Result<void> decode_columns(const ChunkCore& core, ByteView columns,
                            std::vector<EventView>& events);

// Leaf hash of one event; `index` is its place in the chunk.
Digest event_commitment(const Digest& salt, ByteView data);
Digest event_leaf(const EventView& event, std::uint32_t index, const Digest& commitment);
// The salts of decoded events; of redacted ones nothing useful. Errc::corrupt where the salt nodes
// do not fit them.
Result<void> event_salts(std::span<const EventView> events, const ChunkBody& chunk,
                         std::vector<Digest>& salts);
// The leaf root of decoded events, to compare with the core. Redacted events count by their
// commitment. Errors as event_salts().
Result<Digest> leaf_root(std::span<const EventView> events, const ChunkBody& chunk,
                         std::vector<Digest>& scratch);

}  // namespace sworn::format
