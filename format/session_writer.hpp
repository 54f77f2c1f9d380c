// SPDX-License-Identifier: Apache-2.0
// Writes one session file: events -> chunks -> tree -> seals. Append-only; the writer cannot
// express a change of what it wrote. Not thread-safe: the recorder guards it with one mutex and
// calls sync() on the AppendFile outside of it. After any error the writer is dead (every later
// call fails): what a file may hold after a failed append is decided by its readers, which stop at
// the last valid seal.
#pragma once

#include "base/clock.hpp"
#include "base/file.hpp"
#include "format/event.hpp"
#include "format/session_header.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace sworn::format {

// Source of randomness and one-time keys; a test double makes files reproducible.
class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual Result<void> fill(std::span<std::byte> out) = 0;
};
class SystemEntropy final : public Entropy {  // getrandom(2)
 public:
  Result<void> fill(std::span<std::byte> out) override;
};

enum class SealReason : std::uint8_t { interval, critical, heartbeat, saturated, final };

struct AgeRecipient;  // age_box.hpp
class TailKey;        // session_key.hpp

struct WriterOptions {
  int zstd_level = 1;
  std::size_t chunk_bytes = 256 * 1024;  // raw bytes of a chunk and of a group
  // Encrypts the session to these groups of recipients (key_box.hpp); null: in clear. Read by
  // create() only.
  const std::vector<std::vector<AgeRecipient>>* recipients = nullptr;
  bool detached_boxes = false;  // key_boxes() are the caller's to keep; the file has none
};

struct WriterTotals {
  std::uint64_t events = 0;
  std::uint64_t chunks = 0;
  std::uint64_t seals = 0;
  std::uint64_t raw_bytes = 0;     // of event data
  std::uint64_t stored_bytes = 0;  // of the file so far
};

// How far the file was sealed by its last seal: what a ledger's heartbeat names, once it is synced.
struct SealPoint {
  std::uint32_t seal_no = 0;
  std::uint64_t tree_size = 0;
  Digest root{};
};

class SessionWriter {
 public:
  // Writes preamble and header. header.file_id and header.first_key are filled in from `entropy`.
  // All references must outlive the writer.
  static Result<std::unique_ptr<SessionWriter>> create(AppendFile& file, Clock& clock,
                                                       Entropy& entropy, SessionHeader header,
                                                       WriterOptions options = {});
  ~SessionWriter();
  SessionWriter(const SessionWriter&) = delete;
  SessionWriter& operator=(const SessionWriter&) = delete;

  [[nodiscard]] const SessionHeader& header() const;

  // Of an encrypted session; empty and null for one in clear. Detached boxes must be on the disk
  // before anything is recorded. The key of the tail is given away once.
  [[nodiscard]] const std::vector<Bytes>& key_boxes() const;
  std::unique_ptr<TailKey> take_tail_key();

  // Takes the events in order: numbers must continue without a hole, times must not go back. The
  // data is copied or hashed before the call returns. Full chunks are written out on the way;
  // nothing is sealed.
  Result<void> append(std::span<const EventView> events);

  // Writes what is pending as a chunk, then a seal over all records since the last one. With
  // nothing new it writes a seal only for heartbeat and final. Prepares no key: see prepare_key().
  Result<void> seal(SealReason reason);

  // Makes one more one-time key in advance (about 25 us), so that the next seals need not; up to
  // k_keys_ahead. True while there are fewer. Optional. Who could read them in our memory could
  // also read the one that signs next and announce his own from there on: a few more give nothing
  // away.
  static constexpr std::size_t k_keys_ahead = 8;
  Result<bool> prepare_key();
  [[nodiscard]] std::size_t keys_ahead() const;

  // END record, final seal, index and footer. The writer is dead afterwards.
  struct EndTotals {
    std::uint64_t late_bytes = 0;  // output that came after the final drain
  };
  Result<void> finish(const EndTotals& totals);

  [[nodiscard]] std::uint64_t next_event_number() const;
  [[nodiscard]] std::uint64_t sealed_events() const;  // all events with a lower number are sealed
  [[nodiscard]] const WriterTotals& totals() const;
  [[nodiscard]] const std::optional<SealPoint>& last_seal() const;  // nullopt before the first

  // Gives the compressor's memory back (about 1 MiB); it returns with the next chunk, in a new
  // group.
  void release_compressor();

 private:
  struct Impl;
  explicit SessionWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sworn::format
