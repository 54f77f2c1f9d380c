// SPDX-License-Identifier: Apache-2.0
#include "player/indexer.hpp"

#include <chrono>

namespace sworn::player {

std::shared_ptr<const Facts> IndexState::facts() const {
  const std::lock_guard lock(mutex_);
  return facts_;
}

void IndexState::publish(std::shared_ptr<const Facts> facts) {
  const std::lock_guard lock(mutex_);
  facts_ = std::move(facts);
}

IndexState::Progress IndexState::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

void IndexState::set_progress(Progress progress) {
  const std::lock_guard lock(mutex_);
  progress_ = std::move(progress);
}

Indexer::Indexer(std::unique_ptr<EventSource> source, const ScreenSetup& setup,
                 std::shared_ptr<IndexState> state)
    : source_(std::move(source)),
      screen_(setup),
      state_(std::move(state)),
      input_(state_->input()),
      maker_(*state_->keyframes()),
      cached_(state_->keyframes()->frontier()) {
  if (state_->has_text()) {
    rows_.emplace(screen_.terminal(), state_->text());
  }
  if (cached_.position == 0) {
    if (auto first = make_keyframe(0, k_before_everything, screen_.terminal())) {
      state_->keyframes()->add(*std::move(first));
    }
  }
}

Result<bool> Indexer::work(std::size_t max_events) {
  for (std::size_t i = 0; i < max_events; ++i) {
    TRY_ASSIGN(const auto event, source_->next());
    if (!event) {
      return false;
    }
    facts_.add(*event);
    position_ = event->number + 1;
    t_ = event->t;
    if (!rows_) {
      screen_.apply(*event);
    } else {
      input_.add(*event);
      rows_->before_event(position_, t_);
      if (screen_.apply(*event)) {
        rows_->after_event();
      }
    }
    if (position_ > cached_.position) {
      TRY(maker_.after_event(*event, screen_));
    }
  }
  return true;
}

void Indexer::publish(bool complete) {
  if (position_ >= cached_.position) {
    state_->keyframes()->set_frontier({position_, t_, complete});
  }
  if (rows_) {
    rows_->publish();
    input_.publish();
  }
  state_->publish(std::make_shared<const Facts>(facts_.facts()));
  state_->set_progress({position_, source_->end_position(), complete, source_->live(), {}});
}

Result<void> Indexer::run_to_end() {
  while (true) {
    TRY_ASSIGN(const bool more, work(65'536));
    if (!more) {
      break;
    }
  }
  publish(true);
  return {};
}

Result<void> Indexer::refresh() {
  TRY(source_->refresh());
  return source_->seek_event(position_);
}

IndexThread::IndexThread(std::unique_ptr<Indexer> indexer, std::shared_ptr<IndexState> state,
                         std::function<void()> notify)
    : indexer_(std::move(indexer)),
      state_(std::move(state)),
      notify_(std::move(notify)),
      thread_([this] { run(); }) {}

IndexThread::~IndexThread() {
  stop_ = true;
  thread_.join();
}

bool IndexThread::catch_up() {
  auto published = std::chrono::steady_clock::now();
  std::size_t batch = 256;
  while (!stop_) {
    const auto more = indexer_->work(batch);
    if (!more) {
      auto progress = state_->progress();
      indexer_->publish(true);
      progress.complete = true;
      progress.error = describe(more.error());
      state_->set_progress(progress);
      notify_();
      return false;
    }
    if (!*more) {
      indexer_->publish(true);
      notify_();
      return true;
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - published > std::chrono::milliseconds(100)) {
      indexer_->publish(false);
      notify_();
      // Copying the facts for the other side must stay a small part of the work.
      published = std::chrono::steady_clock::now() + 4 * (std::chrono::steady_clock::now() - now);
    }
  }
  return false;
}

void IndexThread::run() {
  if (state_->from_cache() || !catch_up()) {
    return;
  }
  while (!stop_ && indexer_->source().live()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    if (stop_ || !indexer_->refresh()) {
      return;
    }
    if (indexer_->source().end_position() != state_->progress().done ||
        !indexer_->source().live()) {
      if (!catch_up()) {
        return;
      }
    }
  }
}

}  // namespace sworn::player
