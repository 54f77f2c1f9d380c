// SPDX-License-Identifier: Apache-2.0
// What stood on the screen and when: one entry for each state of each row, with the stretch of the
// recording during which it could be seen. Searching the raw bytes would miss what programs draw
// piece by piece. Filled by one thread, searched by any; full segments are kept compressed in a
// BlobStore. Bounded: where the store is full the index ends, and says so. Derived data, never
// evidence.
#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "player/blob_store.hpp"
#include "player/matcher.hpp"
#include "player/text_segment.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace sworn::player {

// A full segment in the store.
struct SegmentRef {
  BlobRef text;
  BlobRef rows;
  BlobRef filter;
  std::uint64_t first = 0;  // the least and the greatest position in it
  std::uint64_t last = 0;
};

class TextIndex {
 public:
  explicit TextIndex(std::shared_ptr<BlobStore> store = std::make_shared<BlobStore>())
      : store_(std::move(store)) {}

  void add_segment(const TextSegment& segment);
  // Rows that are still on the screen, and the segment that is not full yet: replaced each time.
  void set_recent(std::shared_ptr<const TextSegment> recent);
  // The recent rows become a segment like all others: nothing more will come.
  void flush();
  // What a cache holds: the segments of a whole recording, in this store.
  void adopt(std::shared_ptr<BlobStore> store, std::vector<SegmentRef> segments);
  [[nodiscard]] std::vector<SegmentRef> segments() const;
  [[nodiscard]] std::shared_ptr<const TextSegment> recent() const;
  [[nodiscard]] std::shared_ptr<BlobStore> store() const;

  struct Order {
    std::uint64_t from = 0;  // segments that reach this position come first, then what follows
    bool backward = false;
    unsigned threads = 1;
  };
  // Hits come segment by segment, within one in the order of the text; never two calls of `use` at
  // a time, but from several threads. `use` may return false to stop; `cancelled` is asked between
  // segments.
  using Use = std::function<bool(std::vector<TextHit>&& hits)>;
  Result<void> search(const Matcher& matcher, const Order& order, const Use& use,
                      const std::function<bool()>& cancelled) const;

  [[nodiscard]] bool over_budget() const;
  // Why the index ends before the recording does; empty: it does not.
  [[nodiscard]] std::string trouble() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<BlobStore> store_;
  std::vector<SegmentRef> segments_;
  std::shared_ptr<const TextSegment> recent_;
  std::string trouble_;
};

}  // namespace sworn::player
