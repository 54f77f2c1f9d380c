// SPDX-License-Identifier: Apache-2.0
// The walk through the whole recording behind the player's back: keyframes, facts and the text
// index, so that everything else is instant. Indexer does the work and knows no threads;
// IndexThread runs one in the background and keeps up with a live recording; IndexState is what
// both sides share.
#pragma once

#include "player/event_source.hpp"
#include "player/facts.hpp"
#include "player/keyframes.hpp"
#include "player/row_tracker.hpp"
#include "player/screen_state.hpp"
#include "player/text_index.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace sworn::player {

// Thread-safe.
class IndexState {
 public:
  IndexState()
      : keyframes_(std::make_shared<KeyframeIndex>()),
        text_(std::make_shared<TextIndex>()),
        facts_(std::make_shared<Facts>()) {}

  [[nodiscard]] const std::shared_ptr<KeyframeIndex>& keyframes() const { return keyframes_; }
  [[nodiscard]] const std::shared_ptr<TextIndex>& text() const { return text_; }
  [[nodiscard]] std::shared_ptr<const Facts> facts() const;
  void publish(std::shared_ptr<const Facts> facts);

  struct Progress {
    std::uint64_t done = 0;  // events
    std::uint64_t total = 0;
    bool complete = false;
    bool live = false;  // more may come
    std::string error;  // why the index ends here
  };
  [[nodiscard]] Progress progress() const;
  void set_progress(Progress progress);

 private:
  const std::shared_ptr<KeyframeIndex> keyframes_;  // these two lock themselves
  const std::shared_ptr<TextIndex> text_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Facts> facts_;
  Progress progress_;
};

class Indexer {
 public:
  Indexer(std::unique_ptr<EventSource> source, const ScreenSetup& setup,
          std::shared_ptr<IndexState> state);

  // Walks over up to `max_events` events; false when it reached the present end.
  Result<bool> work(std::size_t max_events);
  Result<void> run_to_end();
  // A live recording may have grown.
  Result<void> refresh();
  // Makes what was found so far visible to the other side.
  void publish(bool complete);

  [[nodiscard]] const EventSource& source() const { return *source_; }

 private:
  std::unique_ptr<EventSource> source_;
  ScreenState screen_;
  std::shared_ptr<IndexState> state_;
  RowTracker rows_;
  KeyframeMaker maker_;
  FactsBuilder facts_;
  std::uint64_t position_ = 0;
  MonoTime t_ = k_before_everything;
  KeyframeIndex::Frontier cached_;  // keyframes up to here came from a cache
};

class IndexThread {
 public:
  // `notify` is called from the thread whenever something new was published.
  IndexThread(std::unique_ptr<Indexer> indexer, std::shared_ptr<IndexState> state,
              std::function<void()> notify);
  ~IndexThread();
  IndexThread(const IndexThread&) = delete;
  IndexThread& operator=(const IndexThread&) = delete;

 private:
  void run();
  bool catch_up();

  std::unique_ptr<Indexer> indexer_;
  std::shared_ptr<IndexState> state_;
  std::function<void()> notify_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace sworn::player
