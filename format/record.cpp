// SPDX-License-Identifier: Apache-2.0
#include "format/record.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "base/crc32c.hpp"
#include "format/digest.hpp"

#include <algorithm>
#include <cstring>

namespace sworn::format {
namespace {

constexpr std::size_t k_read_ahead = 256 * 1024;

// Sync words in hostile bytes may each announce 16 MiB: what the search may spend on bodies that
// turn out to be none.
constexpr std::uint64_t k_search_budget = 1ULL << 32U;

ByteView magic_bytes() {
  return std::as_bytes(std::span(k_magic));
}

// From the type to the body length: what the crc covers of a frame.
ByteView crc_part(ByteView frame) {
  return frame.subspan(4, 12);
}

}  // namespace

Bytes encode_preamble(const Preamble& p) {
  Bytes out;
  ByteWriter w(out);
  w.bytes(magic_bytes()).u8(p.major).u8(p.minor).u8(p.incompat).u8(p.compat);
  const auto crc = crc32c(p.file_id, crc32c(out));
  w.u32(crc).bytes(p.file_id);
  return out;
}

Result<Preamble> decode_preamble(ByteView bytes) {
  if (bytes.size() < k_magic.size() ||
      !std::equal(k_magic.begin(), k_magic.end(), bytes.begin(),
                  [](std::uint8_t a, std::byte b) { return static_cast<std::byte>(a) == b; })) {
    return fail(Errc::bad_usage, "not a sworn session file (the first bytes are not its magic)");
  }
  if (bytes.size() < k_preamble_bytes) {
    return fail(Errc::truncated, "the session file ends inside its preamble");
  }
  ByteReader r(bytes.subspan(k_magic.size()));
  Preamble p;
  TRY_ASSIGN(p.major, r.u8());
  TRY_ASSIGN(p.minor, r.u8());
  TRY_ASSIGN(p.incompat, r.u8());
  TRY_ASSIGN(p.compat, r.u8());
  TRY_ASSIGN(const auto crc, r.u32());
  TRY_ASSIGN(const auto id, r.take(p.file_id.size()));
  std::copy(id.begin(), id.end(), p.file_id.begin());
  if (crc32c(p.file_id, crc32c(bytes.first(12))) != crc) {
    return fail(Errc::corrupt, "the preamble of the session file is damaged");
  }
  if (p.major != k_major) {
    return fail(Errc::unsupported, "session file version " + std::to_string(p.major) + "." +
                                       std::to_string(p.minor) + "; this build reads version " +
                                       std::to_string(k_major));
  }
  if (p.incompat != 0) {
    return fail(Errc::unsupported, "the session file needs a feature that this build lacks (bits " +
                                       std::to_string(p.incompat) + ")");
  }
  return p;
}

void append_record(Bytes& out, const FileId& id, RecordType type, std::uint32_t seq,
                   ByteView body) {
  const std::size_t start = out.size();
  ByteWriter w(out);
  w.u32(k_sync).u8(static_cast<std::uint8_t>(type)).u8(0).u16(0).u32(seq);
  w.u32(static_cast<std::uint32_t>(body.size()));
  const auto head = crc32c(crc_part(ByteView(out).subspan(start)), crc32c(id));
  w.u32(crc32c(body, head)).bytes(body);
}

Result<Frame> decode_frame(ByteView bytes) {
  ByteReader r(bytes);
  Frame f;
  TRY_ASSIGN(const auto sync, r.u32());
  TRY_ASSIGN(f.type, r.u8());
  TRY_ASSIGN(const auto flags, r.u8());
  TRY_ASSIGN(const auto reserved, r.u16());
  TRY_ASSIGN(f.seq, r.u32());
  TRY_ASSIGN(f.body_bytes, r.u32());
  TRY_ASSIGN(f.crc, r.u32());
  if (sync != k_sync || flags != 0 || reserved != 0) {
    return fail(Errc::corrupt, "no record begins here");
  }
  if (f.body_bytes > k_max_body_bytes) {
    return fail(Errc::corrupt, "a record claims more than the limit of 16 MiB");
  }
  return f;
}

bool crc_holds(const FileId& id, ByteView frame, ByteView body) {
  std::uint32_t stored = 0;
  std::memcpy(&stored, frame.data() + 16, 4);
  return crc32c(body, crc32c(crc_part(frame), crc32c(id))) == stored;
}

Result<bool> is_intact(const ReadFile& file, const FileId& id, std::uint64_t offset) {
  std::array<std::byte, k_frame_bytes> head;
  TRY_ASSIGN(const auto n, file.read_at(offset, head));
  const auto frame = n == head.size() ? decode_frame(head) : tl::unexpected(Error{});
  TRY_ASSIGN(const auto size, file.size());
  if (!frame || frame->body_bytes > size) {
    return false;
  }
  Bytes body(frame->body_bytes);
  TRY_ASSIGN(const auto m, file.read_at(offset + k_frame_bytes, body));
  return m == body.size() && crc_holds(id, head, body);
}

Digest record_leaf(RecordType type, std::uint32_t seq, ByteView signed_part) {
  Bytes head;
  ByteWriter(head).u8(k_hash_leaf).u8(static_cast<std::uint8_t>(type)).u32(seq);
  return Sha256().update(head).update(signed_part).finish();
}

Digest header_leaf(ByteView preamble, ByteView body) {
  Bytes head;
  ByteWriter(head).u8(k_hash_leaf).u8(static_cast<std::uint8_t>(RecordType::header)).u32(0);
  return Sha256().update(head).update(preamble).update(body).finish();
}

RecordScanner::RecordScanner(const ReadFile& file, const FileId& id, std::uint64_t offset)
    : file_(file), id_(id), position_(offset) {}

// A view of up to `bytes` bytes at `offset`; shorter only at the end of the file.
Result<ByteView> RecordScanner::window(std::uint64_t offset, std::size_t bytes) {
  const bool inside = offset >= buffer_offset_ && offset + bytes <= buffer_offset_ + buffer_.size();
  if (!inside) {
    buffer_.resize(std::max(bytes, k_read_ahead));
    TRY_ASSIGN(const auto n, file_.read_at(offset, buffer_));
    buffer_.resize(n);
    buffer_offset_ = offset;
  }
  const auto all = ByteView(buffer_).subspan(static_cast<std::size_t>(offset - buffer_offset_));
  return all.first(std::min(bytes, all.size()));
}

Result<std::optional<RecordScanner::Record>> RecordScanner::next() {
  TRY_ASSIGN(const auto head, window(position_, k_frame_bytes));
  if (head.empty()) {
    return std::nullopt;
  }
  const auto frame = head.size() == k_frame_bytes ? decode_frame(head) : tl::unexpected(Error{});
  if (frame) {
    TRY_ASSIGN(const auto whole, window(position_, k_frame_bytes + frame->body_bytes));
    if (whole.size() == k_frame_bytes + frame->body_bytes &&
        crc_holds(id_, whole.first(k_frame_bytes), whole.subspan(k_frame_bytes))) {
      Record record{position_, *frame, whole.subspan(k_frame_bytes), 0};
      position_ = record.end();
      return record;
    }
  }
  return resync(position_);
}

Result<std::optional<RecordScanner::Record>> RecordScanner::next_head(std::size_t want) {
  // A large body is jumped over: a small window keeps the read-ahead from reading it after all.
  std::array<std::byte, 256> small;
  const std::size_t ask = std::min(small.size(), k_frame_bytes + want);
  const bool buffered =
      position_ >= buffer_offset_ && position_ + ask <= buffer_offset_ + buffer_.size();
  if (!buffered) {
    buffer_.resize(4096);
    TRY_ASSIGN(const auto n, file_.read_at(position_, buffer_));
    buffer_.resize(n);
    buffer_offset_ = position_;
  }
  const auto view = ByteView(buffer_).subspan(static_cast<std::size_t>(position_ - buffer_offset_));
  if (view.empty()) {
    return std::nullopt;
  }
  TRY_ASSIGN(const auto file_bytes, file_.size());
  const auto frame = view.size() >= k_frame_bytes ? decode_frame(view.first(k_frame_bytes))
                                                  : tl::unexpected(Error{});
  if (!frame || frame->record_type() != RecordType::chunk ||
      position_ + k_frame_bytes + frame->body_bytes > file_bytes ||
      view.size() < k_frame_bytes + std::min<std::size_t>(want, frame->body_bytes)) {
    return next();  // checks everything, and looks further where it does not hold
  }
  Record record{position_, *frame, {}, 0};
  record.body = view.subspan(k_frame_bytes, std::min<std::size_t>(want, frame->body_bytes));
  position_ += k_frame_bytes + frame->body_bytes;
  return record;
}

std::optional<RecordScanner::Record> RecordScanner::give_up(std::uint64_t from,
                                                            std::uint64_t size) {
  trailing_ = size > from ? size - from : 0;
  position_ = std::max(size, from);
  return std::nullopt;
}

// After damage a length cannot be trusted: search for the sync word, believe only a crc that holds.
Result<std::optional<RecordScanner::Record>> RecordScanner::resync(std::uint64_t from) {
  std::array<std::byte, 4> sync;
  std::memcpy(sync.data(), &k_sync, 4);
  std::uint64_t at = from + 1;
  while (true) {
    TRY_ASSIGN(const auto view, window(at, k_read_ahead));
    const auto hit = std::search(view.begin(), view.end(), sync.begin(), sync.end());
    if (hit == view.end()) {
      if (view.size() < k_read_ahead) {
        TRY_ASSIGN(const auto size, file_.size());
        return give_up(from, size);
      }
      at += view.size() - 3;
      continue;
    }
    at += static_cast<std::uint64_t>(hit - view.begin());
    TRY_ASSIGN(const auto head, window(at, k_frame_bytes));
    const auto frame = head.size() == k_frame_bytes ? decode_frame(head) : tl::unexpected(Error{});
    if (frame) {
      searched_ += frame->body_bytes;
      if (searched_ > k_search_budget) {
        TRY_ASSIGN(const auto size, file_.size());
        return give_up(from, size);
      }
      TRY_ASSIGN(const auto whole, window(at, k_frame_bytes + frame->body_bytes));
      if (whole.size() == k_frame_bytes + frame->body_bytes &&
          crc_holds(id_, whole.first(k_frame_bytes), whole.subspan(k_frame_bytes))) {
        Record record{at, *frame, whole.subspan(k_frame_bytes), at - from};
        position_ = record.end();
        return record;
      }
    }
    ++at;
  }
}

}  // namespace sworn::format
