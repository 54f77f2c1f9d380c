// SPDX-License-Identifier: Apache-2.0
// A piece of the text index: rows of text in one buffer, so that one scan covers many of them, and
// the stretch of the recording during which each was seen. One thread while it is filled.
#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "player/matcher.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::player {

struct RowState {
  std::uint64_t since = 0;  // position at which the text began to grow into what it is
  std::uint64_t from = 0;   // position at which it was complete on the screen
  std::uint64_t to = 0;     // position at which it was gone or changed
  MonoTime t_from;
  MonoTime t_to;
  std::string_view text;  // UTF-8, unsanitised, without line feeds
};

struct TextHit {
  std::uint64_t since = 0;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  MonoTime t_from;
  MonoTime t_to;
  std::string text;
  std::size_t offset = 0;  // of the match in the text
  std::size_t length = 0;
};

class TextSegment {
 public:
  static constexpr std::size_t k_bytes = 1U << 20U;
  static constexpr std::size_t k_max_row_text = 64 * 1024;

  // Index of the new entry.
  std::size_t add(const RowState& state);
  void extend(std::size_t index, std::uint64_t to, MonoTime t_to);
  void clear();

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] bool full() const {
    return text_.size() >= k_bytes || entries_.size() * sizeof(Entry) >= 2 * k_bytes;
  }
  [[nodiscard]] RowState at(std::size_t index) const;
  [[nodiscard]] const std::string& text() const { return text_; }

  // Calls `use` for the first match in each matching row; false from it stops. True: went to the
  // end.
  bool search(const Matcher& matcher, const std::function<bool(TextHit&&)>& use) const;

  // In two parts, because most searches need the text only. The loaders are bounded and take
  // hostile bytes.
  [[nodiscard]] Result<Bytes> pack_text() const;
  [[nodiscard]] Result<Bytes> pack_rows() const;
  static Result<std::string> unpack_text(ByteView packed);
  static Result<TextSegment> unpack(std::string text, ByteView packed_rows);

 private:
  struct Entry {
    std::uint64_t since = 0;
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    MonoTime t_from;
    MonoTime t_to;
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
  };
  std::string text_;
  std::vector<Entry> entries_;
};

// Which runs of three characters a text has, whatever their case; may say yes where the answer is
// no.
class TextFilter {
 public:
  static constexpr std::size_t k_bytes = 16 * 1024;

  static Bytes of(std::string_view text);
  // `required` in small letters. A filter of another size answers yes.
  static bool may_contain(ByteView filter, std::string_view required);
};

}  // namespace sworn::player
