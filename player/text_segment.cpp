// SPDX-License-Identifier: Apache-2.0
#include "player/text_segment.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "player/cache_codec.hpp"

#include <algorithm>
#include <array>

namespace sworn::player {
namespace {

constexpr std::size_t k_max_unpacked = 16U << 20U;

constexpr auto k_small = [] {
  std::array<unsigned char, 256> table{};
  for (unsigned i = 0; i < table.size(); ++i) {
    table[i] = static_cast<unsigned char>(i >= 'A' && i <= 'Z' ? i | 0x20U : i);
  }
  return table;
}();

// Number of the bit for three characters, the last one lowest.
constexpr std::uint32_t bit_of(std::uint32_t three) {
  return (three & 0xFFFFFFU) * 0x9E3779B1U >> 15U;
}
static_assert(TextFilter::k_bytes * 8 == 1U << 17U);

}  // namespace

std::size_t TextSegment::add(const RowState& state) {
  const auto text = state.text.substr(0, k_max_row_text);
  entries_.push_back({state.since, state.from, state.to, state.t_from, state.t_to,
                      static_cast<std::uint32_t>(text_.size()),
                      static_cast<std::uint32_t>(text.size())});
  text_ += text;
  text_ += '\n';
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
  return {entry.since,  entry.from, entry.to,
          entry.t_from, entry.t_to, std::string_view(text_).substr(entry.offset, entry.length)};
}

bool TextSegment::search(const Matcher& matcher, const std::function<bool(TextHit&&)>& use) const {
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
      TextHit hit{entry.since,
                  entry.from,
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

Result<Bytes> TextSegment::pack_text() const {
  return pack_bytes(as_bytes(text_));
}

Result<Bytes> TextSegment::pack_rows() const {
  constexpr std::size_t k_usual = 16;  // bytes of an entry, at most, as a rule
  Bytes raw;
  raw.reserve(k_usual * entries_.size() + k_usual);
  ByteWriter out(raw);
  out.varint(entries_.size());
  std::uint64_t position = 0;
  std::int64_t t = 0;
  for (const auto& entry : entries_) {
    out.zigzag(static_cast<std::int64_t>(entry.from - position));
    out.varint(entry.from - entry.since);
    out.varint(entry.to - entry.from);
    out.zigzag(entry.t_from.us - t);
    out.zigzag(entry.t_to.us - entry.t_from.us);
    out.varint(entry.length);
    position = entry.from;
    t = entry.t_from.us;
  }
  return pack_bytes(raw);
}

Result<std::string> TextSegment::unpack_text(ByteView packed) {
  TRY_ASSIGN(const auto raw, unpack_bytes(packed, k_max_unpacked));
  return std::string(as_text(raw));
}

Result<TextSegment> TextSegment::unpack(std::string text, ByteView packed_rows) {
  TRY_ASSIGN(const auto raw, unpack_bytes(packed_rows, k_max_unpacked));
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
    TRY_ASSIGN(const auto growing, in.varint());
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
        {position - growing, position, position + length_positions,
         MonoTime{static_cast<std::int64_t>(t)}, MonoTime{static_cast<std::int64_t>(t_to)},
         static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(length)});
    offset += length + 1;
  }
  if (!in.done() || text.size() != offset) {
    return fail(Errc::corrupt, "a part of the text index contradicts its lengths");
  }
  segment.text_ = std::move(text);
  return segment;
}

Bytes TextFilter::of(std::string_view text) {
  Bytes filter(k_bytes);
  std::uint32_t three = 0;
  for (const char c : text) {
    three = three << 8U | k_small[static_cast<unsigned char>(c)];
    const auto bit = bit_of(three);
    filter[bit / 8] |= std::byte{1} << (bit % 8);
  }
  return filter;
}

bool TextFilter::may_contain(ByteView filter, std::string_view required) {
  if (filter.size() != k_bytes) {
    return true;
  }
  std::uint32_t three = 0;
  for (std::size_t i = 0; i < required.size(); ++i) {
    three = three << 8U | k_small[static_cast<unsigned char>(required[i])];
    const auto bit = bit_of(three);
    if (i >= 2 && (filter[bit / 8] & (std::byte{1} << (bit % 8))) == std::byte{0}) {
      return false;
    }
  }
  return true;
}

}  // namespace sworn::player
