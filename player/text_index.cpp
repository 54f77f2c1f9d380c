// SPDX-License-Identifier: Apache-2.0
#include "player/text_index.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "player/cache_codec.hpp"

#include <algorithm>

namespace sworn::player {
namespace {

constexpr std::size_t k_max_row_text = 64 * 1024;
constexpr std::size_t k_max_unpacked = 16U << 20U;

}  // namespace

std::size_t TextSegment::add(const RowState& state) {
  const auto text = state.text.substr(0, k_max_row_text);
  Entry entry{state.from,
              state.to,
              state.t_from,
              state.t_to,
              static_cast<std::uint32_t>(text_.size()),
              static_cast<std::uint32_t>(text.size())};
  text_ += text;
  text_ += '\n';
  entries_.push_back(entry);
  return entries_.size() - 1;
}

void TextSegment::extend(std::size_t index, std::uint64_t to, MonoTime t_to) {
  entries_[index].to = to;
  entries_[index].t_to = t_to;
}

void TextSegment::clear() {
  text_.clear();
  entries_.clear();
}

RowState TextSegment::at(std::size_t index) const {
  const auto& entry = entries_[index];
  return {entry.from, entry.to, entry.t_from, entry.t_to,
          std::string_view(text_).substr(entry.offset, entry.length)};
}

bool TextSegment::search(const Matcher& matcher, const std::function<bool(TextHit)>& use) const {
  std::size_t from = 0;
  while (from < text_.size()) {
    const auto match = matcher.find(text_, from);
    if (!match) {
      return true;
    }
    const auto it = std::upper_bound(
        entries_.begin(), entries_.end(), match->offset,
        [](std::size_t wanted, const Entry& entry) { return wanted < entry.offset; });
    if (it == entries_.begin()) {
      return true;
    }
    const auto& entry = *std::prev(it);
    if (match->offset + match->length <= std::size_t{entry.offset} + entry.length) {
      TextHit hit{entry.from,
                  entry.to,
                  entry.t_from,
                  entry.t_to,
                  text_.substr(entry.offset, entry.length),
                  match->offset - entry.offset,
                  match->length};
      if (!use(std::move(hit))) {
        return false;
      }
    }
    from = std::size_t{entry.offset} + entry.length + 1;
  }
  return true;
}

Bytes TextSegment::pack() const {
  Bytes raw;
  ByteWriter out(raw);
  out.varint(entries_.size());
  std::uint64_t position = 0;
  std::int64_t t = 0;
  for (const auto& entry : entries_) {
    out.zigzag(static_cast<std::int64_t>(entry.from - position));
    out.varint(entry.to - entry.from);
    out.zigzag(entry.t_from.us - t);
    out.zigzag(entry.t_to.us - entry.t_from.us);
    out.varint(entry.length);
    position = entry.from;
    t = entry.t_from.us;
  }
  out.bytes(as_bytes(text_));
  // A part that cannot be packed is a part that cannot be searched.
  return pack_bytes(raw).value_or(Bytes{});
}

Result<TextSegment> TextSegment::unpack(ByteView packed) {
  TRY_ASSIGN(const auto raw, unpack_bytes(packed, k_max_unpacked));
  ByteReader in(raw);
  TRY_ASSIGN(const auto count, in.varint());
  if (count > raw.size()) {
    return fail(Errc::corrupt, "a part of the text index has more entries than bytes");
  }
  TextSegment segment;
  segment.entries_.reserve(static_cast<std::size_t>(count));
  std::uint64_t position = 0;
  std::uint64_t t = 0;
  std::uint64_t offset = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    TRY_ASSIGN(const auto from, in.zigzag());
    TRY_ASSIGN(const auto length_positions, in.varint());
    TRY_ASSIGN(const auto t_from, in.zigzag());
    TRY_ASSIGN(const auto t_length, in.zigzag());
    TRY_ASSIGN(const auto length, in.varint());
    if (length > k_max_row_text) {
      return fail(Errc::corrupt, "a row of the text index is too long");
    }
    position += static_cast<std::uint64_t>(from);
    t += static_cast<std::uint64_t>(t_from);
    const auto t_to = t + static_cast<std::uint64_t>(t_length);
    segment.entries_.push_back(
        {position, position + length_positions, MonoTime{static_cast<std::int64_t>(t)},
         MonoTime{static_cast<std::int64_t>(t_to)}, static_cast<std::uint32_t>(offset),
         static_cast<std::uint32_t>(length)});
    offset += length + 1;
  }
  TRY_ASSIGN(const auto text, in.take(in.left()));
  if (text.size() != offset) {
    return fail(Errc::corrupt, "a part of the text index contradicts its lengths");
  }
  segment.text_ = std::string(as_text(text));
  return segment;
}

void TextIndex::add_segment(const TextSegment& segment) {
  if (segment.size() == 0 || over_budget()) {
    return;
  }
  auto packed = std::make_shared<const Bytes>(segment.pack());
  const std::lock_guard lock(mutex_);
  bytes_ += packed->size();
  over_ = bytes_ > k_budget;
  segments_.push_back(std::move(packed));
}

void TextIndex::set_recent(std::shared_ptr<const TextSegment> recent) {
  const std::lock_guard lock(mutex_);
  recent_ = std::move(recent);
}

Result<void> TextIndex::search(const Matcher& matcher, const std::function<bool(TextHit)>& use,
                               const std::function<bool()>& cancelled) const {
  std::size_t next = 0;
  while (!cancelled()) {
    std::shared_ptr<const Bytes> packed;
    std::shared_ptr<const TextSegment> recent;
    {
      const std::lock_guard lock(mutex_);
      if (next < segments_.size()) {
        packed = segments_[next++];
      } else {
        recent = recent_;
      }
    }
    if (packed == nullptr) {
      if (recent != nullptr) {
        recent->search(matcher, use);
      }
      return {};
    }
    TRY_ASSIGN(const auto segment, TextSegment::unpack(*packed));
    if (!segment.search(matcher, use)) {
      return {};
    }
  }
  return {};
}

std::size_t TextIndex::packed_bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

bool TextIndex::over_budget() const {
  const std::lock_guard lock(mutex_);
  return over_;
}

}  // namespace sworn::player
