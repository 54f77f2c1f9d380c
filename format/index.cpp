// SPDX-License-Identifier: Apache-2.0
#include "format/index.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "format/record.hpp"

namespace sworn::format {

void IndexBuilder::add(std::uint64_t offset, const ChunkCore& core, bool begins_group,
                       std::uint32_t raw_bytes) {
  ByteWriter(entries_)
      .varint(offset - last_offset_)
      .varint(core.n_events)
      .zigzag(core.t_first.us - last_time_)
      .varint(static_cast<std::uint64_t>(core.t_last.us - core.t_first.us))
      .varint(static_cast<std::uint64_t>(raw_bytes) << 1U | (begins_group ? 1U : 0U));
  last_offset_ = offset;
  last_time_ = core.t_last.us;
  ++n_;
}

Bytes IndexBuilder::encode(const FileId& id, std::uint32_t seq, std::uint64_t index_offset,
                           std::uint64_t end_offset, std::uint64_t last_seal_offset) const {
  Bytes out;
  Bytes body;
  ByteWriter(body).varint(n_).bytes(entries_);
  const bool fits = body.size() <= k_max_body_bytes;
  if (fits) {
    append_record(out, id, RecordType::index, seq++, body);
  }
  Bytes footer;
  ByteWriter(footer)
      .u64(fits ? index_offset : 0)
      .u64(end_offset)
      .u64(last_seal_offset)
      .u32(k_footer_magic);
  append_record(out, id, RecordType::footer, seq, footer);
  return out;
}

namespace {

// A record that must stand at `offset` and be of that type; false where it does not.
Result<bool> read_record(const ReadFile& file, const FileId& id, std::uint64_t offset,
                         RecordType type, Bytes& body) {
  Bytes head(k_frame_bytes);
  TRY_ASSIGN(const auto n, file.read_at(offset, head));
  const auto frame = n == head.size() ? decode_frame(head) : tl::unexpected(Error{});
  if (!frame || frame->record_type() != type) {
    return false;
  }
  TRY_ASSIGN(const auto size, file.size());
  if (frame->body_bytes > size) {
    return false;
  }
  body.resize(frame->body_bytes);
  TRY_ASSIGN(const auto m, file.read_at(offset + k_frame_bytes, body));
  return m == body.size() && crc_holds(id, head, body);
}

Result<void> decode_entries(ByteView body, IndexHint& hint) {
  ByteReader r(body);
  TRY_ASSIGN(const auto n, r.varint());
  if (n > body.size() / 5) {
    return fail(Errc::corrupt, "the index claims more chunks than it can hold");
  }
  std::uint64_t offset = 0;
  std::uint64_t event = 0;
  std::int64_t time = 0;
  std::uint32_t group = 0;
  hint.chunks.reserve(n);
  for (std::uint32_t i = 0; i < n; ++i) {
    ChunkRef ref;
    TRY_ASSIGN(const auto step, r.varint());
    TRY_ASSIGN(const auto events, r.varint());
    TRY_ASSIGN(const auto to_first, r.zigzag());
    TRY_ASSIGN(const auto to_last, r.varint());
    TRY_ASSIGN(const auto raw_and_flag, r.varint());
    if (step > (1ULL << 60U) || events > k_max_chunk_events || to_last > (1ULL << 60U) ||
        to_first < 0 || to_first > (1LL << 60U) || raw_and_flag >> 1U > k_max_chunk_raw_bytes ||
        offset > (1ULL << 60U) || time > (1LL << 60U)) {
      return fail(Errc::corrupt, "the index holds impossible values");
    }
    offset += step;
    group = (raw_and_flag & 1U) != 0 ? i : group;
    ref.offset = offset;
    ref.chunk_no = i;
    ref.n_events = static_cast<std::uint32_t>(events);
    ref.first_event = event;
    ref.t_first.us = time + to_first;
    ref.t_last.us = ref.t_first.us + static_cast<std::int64_t>(to_last);
    ref.raw_bytes = static_cast<std::uint32_t>(raw_and_flag >> 1U);
    ref.group_start = group;
    event += events;
    time = ref.t_last.us;
    hint.chunks.push_back(ref);
  }
  if (!r.done()) {
    return fail(Errc::corrupt, "bytes behind the index");
  }
  return {};
}

}  // namespace

Result<std::optional<IndexHint>> read_index(const ReadFile& file, const FileId& id) {
  TRY_ASSIGN(const auto size, file.size());
  constexpr std::uint64_t k_footer_record = k_frame_bytes + k_footer_bytes;
  if (size < k_preamble_bytes + k_footer_record) {
    return std::nullopt;
  }
  Bytes body;
  TRY_ASSIGN(const bool has_footer,
             read_record(file, id, size - k_footer_record, RecordType::footer, body));
  if (!has_footer) {
    return std::nullopt;
  }
  ByteReader r(body);
  IndexHint hint;
  const auto index_offset = r.u64();
  const auto end_offset = r.u64();
  const auto last_seal = r.u64();
  const auto magic = r.u32();
  if (!magic || *magic != k_footer_magic || *index_offset == 0 || *index_offset >= size ||
      *end_offset >= *index_offset || *last_seal >= *index_offset) {
    return std::nullopt;
  }
  hint.index_offset = *index_offset;
  hint.end_offset = *end_offset;
  hint.last_seal_offset = *last_seal;
  TRY_ASSIGN(const bool has_index,
             read_record(file, id, hint.index_offset, RecordType::index, body));
  if (!has_index || !decode_entries(body, hint)) {
    return std::nullopt;
  }
  // The end must say the same, or the index hides something.
  TRY_ASSIGN(const bool has_end, read_record(file, id, hint.end_offset, RecordType::end, body));
  if (!has_end || body.size() != k_end_bytes) {
    return std::nullopt;
  }
  ByteReader end(body);
  const std::uint64_t events = end.u64().value();
  const std::uint32_t chunks = end.u32().value();
  const std::uint64_t counted =
      hint.chunks.empty() ? 0 : hint.chunks.back().first_event + hint.chunks.back().n_events;
  if (chunks != hint.chunks.size() || events != counted) {
    return std::nullopt;
  }
  return hint;
}

}  // namespace sworn::format
