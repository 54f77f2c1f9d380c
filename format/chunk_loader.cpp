// SPDX-License-Identifier: Apache-2.0
#include "format/chunk_loader.hpp"

#include "format/recovered.hpp"

namespace sworn::format {

Result<ChunkBody> ChunkLoader::fetch(const ChunkRef& ref) {
  std::array<std::byte, k_frame_bytes> head;
  TRY_ASSIGN(const auto n, file_.read_at(ref.offset, head));
  if (n != head.size()) {
    return fail(Errc::truncated, "a chunk is cut off");
  }
  TRY_ASSIGN(const auto frame, decode_frame(head));
  TRY_ASSIGN(const auto size, file_.size());
  if (frame.record_type() != (ref.recovered ? RecordType::recovered : RecordType::chunk) ||
      ref.offset + k_frame_bytes + frame.body_bytes > size) {
    return fail(Errc::corrupt, "no chunk stands where one should");
  }
  record_.resize(frame.body_bytes);
  TRY_ASSIGN(const auto m, file_.read_at(ref.offset + k_frame_bytes, record_));
  if (m != record_.size() || !crc_holds(id_, head, record_)) {
    return fail(Errc::corrupt, "a chunk is damaged");
  }
  ByteView chunk = record_;
  bool alone = false;
  if (ref.recovered) {
    TRY_ASSIGN(const auto part, recovered_part(record_));
    chunk = part.bytes;
    alone = part.content == RecoveredContent::events;
  }
  TRY_ASSIGN(auto body, decode_chunk_body(chunk));
  body.begins_group = body.begins_group || alone;
  if (body.core.chunk_no != ref.chunk_no || body.core.first_event != ref.first_event ||
      body.core.n_events != ref.n_events || body.core.t_first != ref.t_first ||
      body.core.t_last != ref.t_last || body.raw_bytes != ref.raw_bytes) {
    return fail(Errc::corrupt, "a chunk is not the one that the index names");
  }
  TRY(open_chunk(id_, opener_, body, plain_));
  return body;
}

Result<void> ChunkLoader::step(const std::vector<ChunkRef>& chunks, std::size_t place) {
  stream_valid_ = false;
  TRY_ASSIGN(const auto body, fetch(chunks[place]));
  if (body.begins_group != (chunks[place].group_start == place)) {
    return fail(Errc::corrupt, "a chunk belongs to another group");
  }
  if (body.begins_group) {
    decompressor_.begin_group();
    group_raw_ = 0;
  }
  group_raw_ += body.raw_bytes;
  if (group_raw_ > k_max_group_raw_bytes) {
    return fail(Errc::corrupt, "a group of chunks exceeds the limit of 1 MiB");
  }
  columns_.resize(body.raw_bytes);
  TRY(decompressor_.decompress(body.stored, columns_));
  core_ = body.core;
  place_ = place;
  stream_valid_ = true;
  return {};
}

Result<void> ChunkLoader::load(const std::vector<ChunkRef>& chunks, std::size_t place) {
  if (holds(place)) {
    return {};
  }
  valid_ = false;
  const std::size_t group = chunks[place].group_start;
  if (group == k_no_group || group > place) {
    return fail(Errc::corrupt, "the beginning of a chunk's group is lost");
  }
  // What made one chunk of a group unreadable does so for all behind it.
  if (group == dead_group_ && place >= dead_place_) {
    return fail(Errc::corrupt, "an earlier chunk of its group cannot be read");
  }
  const bool goes_on = stream_valid_ && place_ >= group && place_ < place;
  for (std::size_t at = goes_on ? place_ + 1 : group; at <= place; ++at) {
    const auto stepped = step(chunks, at);
    if (!stepped) {
      if (stepped.error().code != Errc::io && stepped.error().code != Errc::locked) {
        dead_group_ = group;
        dead_place_ = at;
      }
      return stepped;
    }
  }
  TRY(decode_columns(core_, columns_, events_));
  valid_ = true;
  return {};
}

}  // namespace sworn::format
