// SPDX-License-Identifier: Apache-2.0
// Numbers for values that do not fit into a cell: clusters of combining characters, and link
// targets. A table is bounded in entries and bytes. When it is full the owner marks what is still
// on a screen and the rest is freed; live numbers never change. All decisions depend on the values
// alone, so that a table loaded from a snapshot goes on exactly as the original would have.
#pragma once

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sworn::vt {

inline constexpr std::size_t k_cluster_length = 8;  // code points
inline constexpr std::uint32_t k_clusters = 65536;
inline constexpr std::uint32_t k_links = 65534;
inline constexpr std::size_t k_link_bytes = 2083;  // of one target: what browsers and VTE accept
inline constexpr std::size_t k_all_link_bytes = std::size_t{4} << 20U;
inline constexpr std::size_t k_all_cluster_bytes = k_clusters * k_cluster_length * 4;

// Seeded anew in each process: who writes the recording must not be able to choose collisions.
struct SeededHash {
  std::size_t operator()(std::string_view text) const noexcept;
};

class InternTable {
 public:
  struct Limits {
    std::uint32_t values;
    std::size_t value_bytes;
    std::size_t all_bytes;
  };
  explicit InternTable(const Limits& limits);

  // The number of the value, or k_none when there is no room; then the caller may collect() and ask
  // again, if may_collect() says that this is worth its cost.
  static constexpr std::uint32_t k_none = UINT32_MAX;
  [[nodiscard]] std::uint32_t find_or_add(std::string_view value);  // not empty
  [[nodiscard]] bool may_collect() const { return refusals_left_ == 0; }

  // Frees every number that is not marked. `spread` is the least count of new values between two
  // collections, chosen so that marking (which looks at each cell) stays cheap for each value.
  void collect(const std::vector<bool>& live, std::uint32_t spread);

  [[nodiscard]] std::uint32_t slots() const { return static_cast<std::uint32_t>(values_.size()); }
  [[nodiscard]] bool valid(std::uint32_t number) const {
    return number < values_.size() && !values_[number].empty();
  }
  [[nodiscard]] std::string_view value(std::uint32_t number) const {
    return number < values_.size() ? std::string_view(values_[number]) : std::string_view();
  }

  void clear();
  void save(ByteWriter& out) const;
  Result<void> load(ByteReader& in);

 private:
  [[nodiscard]] std::uint32_t take_slot(std::size_t bytes);

  Limits limits_;
  std::deque<std::string> values_;  // empty: a free slot. A deque, because index_ points into it
  std::size_t bytes_ = 0;
  std::uint32_t next_free_ = 0;      // no free slot below
  std::uint32_t slot_limit_;         // slots to use before the next collection
  std::uint32_t refusals_left_ = 0;  // new values to refuse before another collection is tried
  std::unordered_map<std::string_view, std::uint32_t, SeededHash> index_;  // views into values_
};

}  // namespace sworn::vt
