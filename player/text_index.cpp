// SPDX-License-Identifier: Apache-2.0
#include "player/text_index.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

namespace sworn::player {

void TextIndex::add_segment(const TextSegment& segment) {
  if (segment.size() == 0 || over_budget()) {
    return;
  }
  const auto add = [&]() -> Result<SegmentRef> {
    SegmentRef ref;
    ref.first = UINT64_MAX;
    for (std::size_t i = 0; i < segment.size(); ++i) {
      const auto row = segment.at(i);
      ref.first = std::min(ref.first, row.from);
      ref.last = std::max(ref.last, row.to);
    }
    TRY_ASSIGN(const auto text, segment.pack_text());
    TRY_ASSIGN(const auto rows, segment.pack_rows());
    TRY_ASSIGN(ref.text, store_->append(text));
    TRY_ASSIGN(ref.rows, store_->append(rows));
    TRY_ASSIGN(ref.filter, store_->append(TextFilter::of(segment.text())));
    return ref;
  };
  const auto ref = add();
  const std::lock_guard lock(mutex_);
  if (ref) {
    segments_.push_back(*ref);
  } else {
    trouble_ = describe(ref.error());
  }
}

void TextIndex::set_recent(std::shared_ptr<const TextSegment> recent) {
  const std::lock_guard lock(mutex_);
  recent_ = std::move(recent);
}

void TextIndex::flush() {
  const auto rest = recent();
  if (rest != nullptr) {
    add_segment(*rest);
    set_recent(nullptr);
  }
}

void TextIndex::adopt(std::shared_ptr<BlobStore> store, std::vector<SegmentRef> segments) {
  const std::lock_guard lock(mutex_);
  store_ = std::move(store);
  segments_ = std::move(segments);
  recent_.reset();
  trouble_.clear();
}

std::vector<SegmentRef> TextIndex::segments() const {
  const std::lock_guard lock(mutex_);
  return segments_;
}

std::shared_ptr<const TextSegment> TextIndex::recent() const {
  const std::lock_guard lock(mutex_);
  return recent_;
}

std::shared_ptr<BlobStore> TextIndex::store() const {
  const std::lock_guard lock(mutex_);
  return store_;
}

bool TextIndex::over_budget() const {
  const std::lock_guard lock(mutex_);
  return !trouble_.empty();
}

std::string TextIndex::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

namespace {

// One search through the segments of a store by several threads.
class SegmentSearch {
 public:
  SegmentSearch(const Matcher& matcher, const BlobStore& store, std::vector<SegmentRef> segments,
                const TextIndex::Use& use, const std::function<bool()>& cancelled)
      : matcher_(matcher),
        store_(store),
        segments_(std::move(segments)),
        use_(use),
        cancelled_(cancelled) {}

  Result<void> run(unsigned threads) {
    std::vector<std::thread> helpers;
    for (unsigned i = 1; i < threads && i < segments_.size(); ++i) {
      helpers.emplace_back([this] { work(); });
    }
    work();
    for (auto& helper : helpers) {
      helper.join();
    }
    return error_.code == Errc::io && error_.context.empty() ? Result<void>{}
                                                             : tl::make_unexpected(error_);
  }

 private:
  void work() {
    while (!stop_ && !cancelled_()) {
      const auto i = next_++;
      if (i >= segments_.size()) {
        return;
      }
      if (auto searched = search(segments_[i]); !searched) {
        const std::lock_guard lock(mutex_);
        error_ = searched.error();
        stop_ = true;
      }
    }
  }

  Result<void> search(const SegmentRef& ref) {
    if (matcher_.required().size() >= 3) {
      TRY_ASSIGN(const auto filter, store_.read(ref.filter));
      if (!TextFilter::may_contain(filter, matcher_.required())) {
        return {};
      }
    }
    TRY_ASSIGN(const auto packed, store_.read(ref.text));
    TRY_ASSIGN(auto text, TextSegment::unpack_text(packed));
    if (!matcher_.find(text)) {
      return {};
    }
    TRY_ASSIGN(const auto rows, store_.read(ref.rows));
    TRY_ASSIGN(const auto segment, TextSegment::unpack(std::move(text), rows));
    std::vector<TextHit> hits;
    segment.search(matcher_, [&hits](TextHit&& hit) {
      hits.push_back(std::move(hit));
      return true;
    });
    if (!hits.empty()) {
      const std::lock_guard lock(mutex_);
      if (!stop_ && !use_(std::move(hits))) {
        stop_ = true;
      }
    }
    return {};
  }

  const Matcher& matcher_;
  const BlobStore& store_;
  const std::vector<SegmentRef> segments_;
  const TextIndex::Use& use_;
  const std::function<bool()>& cancelled_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  Error error_;
};

}  // namespace

Result<void> TextIndex::search(const Matcher& matcher, const Order& order, const Use& use,
                               const std::function<bool()>& cancelled) const {
  std::shared_ptr<BlobStore> store;
  std::vector<SegmentRef> segments;
  std::shared_ptr<const TextSegment> recent;
  {
    const std::lock_guard lock(mutex_);
    store = store_;
    segments = segments_;
    recent = recent_;
  }
  // What the reader would come to first is searched first.
  if (order.backward) {
    std::reverse(segments.begin(), segments.end());
    const auto it = std::find_if(segments.begin(), segments.end(), [&order](const auto& segment) {
      return segment.first <= order.from;
    });
    std::rotate(segments.begin(), it, segments.end());
  } else {
    const auto it = std::find_if(segments.begin(), segments.end(), [&order](const auto& segment) {
      return segment.last >= order.from;
    });
    std::rotate(segments.begin(), it, segments.end());
  }
  if (recent != nullptr) {
    std::vector<TextHit> hits;
    recent->search(matcher, [&hits](TextHit&& hit) {
      hits.push_back(std::move(hit));
      return true;
    });
    if (!hits.empty() && !use(std::move(hits))) {
      return {};
    }
  }
  return SegmentSearch(matcher, *store, std::move(segments), use, cancelled).run(order.threads);
}

}  // namespace sworn::player
