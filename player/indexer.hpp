// SPDX-License-Identifier: Apache-2.0
// The walk through the whole recording behind the player's back: keyframes, facts and the index of
// what was shown and typed, so that everything else is instant. Indexer does the work and knows no
// threads; IndexThread runs one in the background and keeps up with a live recording; IndexState is
// what both sides share.
#pragma once

#include "player/event_source.hpp"
#include "player/facts.hpp"
#include "player/input_tracker.hpp"
#include "player/keyframes.hpp"
#include "player/row_tracker.hpp"
#include "player/screen_state.hpp"
#include "player/text_index.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace sworn::player {

// Thread-safe.
class IndexState {
 public:
  // Keyframes and facts only.
  IndexState() : IndexState(nullptr) {}
  // `store`: where the text index goes; nullptr: there will be none.
  explicit IndexState(const std::shared_ptr<BlobStore>& store)
      : has_text_(store != nullptr),
        keyframes_(std::make_shared<KeyframeIndex>()),
        text_(make_text(store)),
        input_(make_text(store)),
        facts_(std::make_shared<Facts>()) {}

  [[nodiscard]] const std::shared_ptr<KeyframeIndex>& keyframes() const { return keyframes_; }
  [[nodiscard]] const std::shared_ptr<TextIndex>& text() const { return text_; }    // of the screen
  [[nodiscard]] const std::shared_ptr<TextIndex>& input() const { return input_; }  // of the keys
  [[nodiscard]] bool has_text() const { return has_text_; }
  [[nodiscard]] std::shared_ptr<const Facts> facts() const;
  void publish(std::shared_ptr<const Facts> facts);
  // All there is to know came from a cache: nobody need walk through the recording.
  [[nodiscard]] bool from_cache() const { return from_cache_; }
  void set_from_cache(bool yes) { from_cache_ = yes; }

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
  static std::shared_ptr<TextIndex> make_text(const std::shared_ptr<BlobStore>& store) {
    return store == nullptr ? std::make_shared<TextIndex>() : std::make_shared<TextIndex>(store);
  }

  const bool has_text_;
  std::atomic<bool> from_cache_{false};
  const std::shared_ptr<KeyframeIndex> keyframes_;  // these three lock themselves
  const std::shared_ptr<TextIndex> text_;
  const std::shared_ptr<TextIndex> input_;
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
  std::optional<RowTracker> rows_;
  InputTracker input_;
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
