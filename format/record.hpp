// SPDX-License-Identifier: Apache-2.0
// The record frame and the scanner over it. The crc is seeded with the random file id, so that
// recorded output cannot contain a frame that a rescan would take for one of this file.
// docs/format.md, "Record frame".
#pragma once

#include "base/bytes.hpp"
#include "base/file.hpp"
#include "base/result.hpp"
#include "format/constants.hpp"
#include "format/session_header.hpp"

#include <cstdint>
#include <optional>

namespace sworn::format {

struct Preamble {
  std::uint8_t major = 0;
  std::uint8_t minor = 0;
  std::uint8_t incompat = 0;
  std::uint8_t compat = 0;
  FileId file_id{};
};
Bytes encode_preamble(const Preamble& preamble);
// Errc::bad_usage: not a session file; truncated; corrupt: its crc does not hold; unsupported: a
// major or an incompat bit we do not know.
Result<Preamble> decode_preamble(ByteView bytes);

struct Frame {
  std::uint8_t type = 0;
  std::uint32_t seq = 0;
  std::uint32_t body_bytes = 0;
  std::uint32_t crc = 0;
  [[nodiscard]] RecordType record_type() const { return static_cast<RecordType>(type); }
};

// Appends frame and body to `out`.
void append_record(Bytes& out, const FileId& id, RecordType type, std::uint32_t seq, ByteView body);

// Looks at the sync word, the zero fields and the body limit; the crc needs the body.
Result<Frame> decode_frame(ByteView twenty_bytes);
bool crc_holds(const FileId& id, ByteView frame, ByteView body);

// A whole record stands at `offset` and its crc holds.
Result<bool> is_intact(const ReadFile& file, const FileId& id, std::uint64_t offset);

// The leaf of a record in the session tree. `signed_part`: the whole body, of a chunk its core
// only; the header's leaf also covers the preamble.
Digest record_leaf(RecordType type, std::uint32_t seq, ByteView signed_part);
Digest header_leaf(ByteView preamble, ByteView body);

// Sequential scan with a read-ahead buffer. Damage never ends the scan: the scanner looks for the
// next frame whose crc holds, until it has spent 4 GiB of checksums on frames that were none
// (hostile bytes); what lies behind that point counts as trailing. Views live until the next call.
class RecordScanner {
 public:
  RecordScanner(const ReadFile& file, const FileId& id, std::uint64_t offset);

  struct Record {
    std::uint64_t offset = 0;  // of the frame
    Frame frame;
    ByteView body;
    std::uint64_t skipped = 0;  // unreadable bytes before this record
    [[nodiscard]] std::uint64_t end() const { return offset + k_frame_bytes + body.size(); }
  };
  // nullopt at the end; then trailing() tells how many unreadable bytes were left.
  Result<std::optional<Record>> next();
  // As next(), but of a chunk only the first `want` bytes of the body are read, and its crc is not
  // checked. All other records are read whole.
  Result<std::optional<Record>> next_head(std::size_t want);

  [[nodiscard]] std::uint64_t position() const { return position_; }
  [[nodiscard]] std::uint64_t trailing() const { return trailing_; }

 private:
  Result<ByteView> window(std::uint64_t offset, std::size_t bytes);
  Result<std::optional<Record>> resync(std::uint64_t from);
  std::optional<Record> give_up(std::uint64_t from, std::uint64_t size);

  const ReadFile& file_;
  FileId id_;
  std::uint64_t position_;
  std::uint64_t trailing_ = 0;
  std::uint64_t searched_ = 0;  // bytes spent on frames that were none
  Bytes buffer_;
  std::uint64_t buffer_offset_ = 0;
};

}  // namespace sworn::format
