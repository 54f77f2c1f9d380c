// SPDX-License-Identifier: Apache-2.0
// What stood on the screen and when: one entry for each state of each row, with the stretch of the
// recording during which it could be seen. Searching the raw bytes would miss what programs draw
// piece by piece. Filled by one thread, searched by any; full segments are kept compressed.
// Bounded: beyond the budget the index ends, and says so. Derived data, never evidence.
#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "player/matcher.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::player {

struct RowState {
  std::uint64_t from = 0;  // position at which the text was complete on the screen
  std::uint64_t to = 0;    // position at which it was gone or changed
  MonoTime t_from;
  MonoTime t_to;
  std::string_view text;  // UTF-8, unsanitised, without line feeds
};

struct TextHit {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  MonoTime t_from;
  MonoTime t_to;
  std::string text;
  std::size_t offset = 0;  // of the match in the text
  std::size_t length = 0;
};

// Row states under construction: text in one buffer, so that one scan covers many rows.
class TextSegment {
 public:
  static constexpr std::size_t k_bytes = 1U << 20U;

  // Index of the new entry.
  std::size_t add(const RowState& state);
  void extend(std::size_t index, std::uint64_t to, MonoTime t_to);
  void clear();

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] bool full() const {
    return text_.size() >= k_bytes || entries_.size() * sizeof(Entry) >= 2 * k_bytes;
  }
  [[nodiscard]] RowState at(std::size_t index) const;

  // Calls `use` for the first match in each matching row; false from it stops. True: went to the
  // end.
  bool search(const Matcher& matcher, const std::function<bool(TextHit)>& use) const;

  [[nodiscard]] Bytes pack() const;
  static Result<TextSegment> unpack(ByteView packed);  // bounded, takes hostile bytes

 private:
  struct Entry {
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

class TextIndex {
 public:
  static constexpr std::size_t k_budget = 768U << 20U;  // bytes, compressed

  void add_segment(const TextSegment& segment);
  // Rows that are still on the screen, and the segment that is not full yet: replaced each time.
  void set_recent(std::shared_ptr<const TextSegment> recent);

  // In no particular order. `use` may return false to stop; `cancelled` is asked between segments.
  Result<void> search(const Matcher& matcher, const std::function<bool(TextHit)>& use,
                      const std::function<bool()>& cancelled) const;

  [[nodiscard]] std::size_t packed_bytes() const;
  [[nodiscard]] bool over_budget() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const Bytes>> segments_;
  std::shared_ptr<const TextSegment> recent_;
  std::size_t bytes_ = 0;
  bool over_ = false;
};

}  // namespace sworn::player
