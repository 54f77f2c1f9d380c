// SPDX-License-Identifier: Apache-2.0
// Time and places: what the keys that move do, and what a tick takes in.
#include "player/model.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sworn::player {
namespace {

constexpr std::int64_t k_second = 1'000'000;
constexpr std::int64_t k_tick_us = 33'000;
constexpr std::int64_t k_message_us = 5 * k_second;

format::ClockMap clock_without_events(const SessionInfo& info) {
  format::ClockMap clock;
  if (info.started.us != 0) {
    clock.add(info.started_mono, info.started);
  }
  return clock;
}

}  // namespace

Model::Model(ModelParts parts)
    : clock_(*parts.clock),
      replay_(std::move(parts.replay)),
      index_(std::move(parts.index)),
      info_(std::move(parts.info)),
      notes_(std::move(parts.notes)),
      author_(std::move(parts.author)),
      integrity_source_(std::move(parts.integrity)),
      log_source_(std::move(parts.logs)),
      audit_source_(std::move(parts.audit)),
      request_audit_(std::move(parts.request_audit)),
      run_search_(std::move(parts.run_search)),
      search_threads_(parts.search_threads),
      open_source_(std::move(parts.open_source)),
      write_file_(std::move(parts.write_file)),
      export_clip_(std::move(parts.export_clip)),
      ascii_(parts.ascii),
      facts_(index_->facts()),
      fallback_clock_(clock_without_events(info_)),
      playback_(clock_, replay_->source().first_time(), replay_->source().last_time()) {
  take_background();
  go_to_time(playback_.first());
}

void Model::say(std::string text, BadgeLevel level) {
  message_ = std::move(text);
  message_level_ = level;
  message_until_ = {clock_.mono().us + k_message_us};
}

void Model::fail_with(const Error& error) {
  say(describe(error), BadgeLevel::bad);
}

PlaceContext Model::context() const {
  return {replay_->source().first_time(),   playback_.last(), playback_.now(),
          replay_->source().end_position(), &clock_map(),     &facts_->commands};
}

Playhead Model::here() const {
  return {playback_.now(), replay_->position()};
}

std::int64_t Model::next_wake_us() const {
  if (searching()) {
    return k_tick_us;
  }
  if (playback_.state() != PlayState::paused && !pending_) {
    return playback_.state() == PlayState::following ? 2 * k_tick_us : k_tick_us;
  }
  if (replay_->source().live()) {
    return 200'000;
  }
  return message_.empty() ? -1 : std::max<std::int64_t>(0, message_until_.us - clock_.mono().us);
}

void Model::take_background() {
  progress_ = index_->progress();
  auto facts = index_->facts();
  const bool new_facts = facts != facts_;
  facts_ = std::move(facts);
  if (integrity_source_) {
    integrity_ = integrity_source_();
  }
  if (log_source_) {
    logs_ = log_source_();
  }
  if (request_audit_ && progress_.complete && !audit_requested_) {
    audit_requested_ = true;
    request_audit_();
  }
  if (audit_source_) {
    audit_ = audit_source_();
  }
  // The index thread watches a live recording; the cursor here follows only when there is something
  // new.
  if (progress_.total > replay_->source().end_position() ||
      (replay_->source().live() && progress_.complete && !progress_.live)) {
    if (auto refreshed = replay_->refresh(); !refreshed) {
      fail_with(refreshed.error());
    }
  }
  playback_.set_bounds(replay_->source().first_time(), replay_->source().last_time(),
                       replay_->source().live());
  if (new_facts && playback_.idle_limit()) {
    playback_.set_idle(playback_.idle_limit(), facts_->idle);
  }
}

void Model::tick() {
  take_background();
  if (!message_.empty() && clock_.mono() >= message_until_) {
    message_.clear();
  }
  if (pending_) {
    try_pending();
  } else if (playback_.state() != PlayState::paused) {
    const auto before = playback_.now();
    const auto t = playback_.tick();
    if (auto sought = replay_->seek_time(t); !sought) {
      playback_.pause();
      fail_with(sought.error());
    }
    if (t != before) {
      arrive();
    }
  }
  take_search_result();
  update_lists();
}

void Model::try_pending() {
  const auto pending = *pending_;
  if (pending.wait_for_facts) {
    if (auto place = resolve(pending.spec, context())) {
      pending_.reset();
      go_to(*place);
    } else if (progress_.complete) {
      pending_.reset();
      fail_with(place.error());
    }
    return;
  }
  if (!replay_->far_from_keyframes(pending.place.t)) {
    pending_.reset();
    go_to(pending.place);
  }
}

Result<void> Model::open_at(const PlaceSpec& spec) {
  auto place = resolve(spec, context());
  if (place) {
    go_to(*place);
    return {};
  }
  if (!progress_.complete && place.error().code == Errc::not_found) {
    pending_ = PendingSeek{{}, true, spec};
    return {};
  }
  fail_with(place.error());
  return tl::make_unexpected(place.error());
}

void Model::open_search(std::shared_ptr<const Matcher> matcher) {
  start_search(std::move(matcher), SearchScope::all, false);
  go_when_found_ = true;
}

void Model::arrive() {
  command_list_.follows = true;
  log_list_.follows = true;
  inspect_at_.reset();
  selection_.reset();
}

void Model::go_to(const Place& place) {
  if (place.by_position) {
    go_to_position(place.position);
  } else {
    go_to_time(place.t);
  }
}

void Model::go_to_time(MonoTime t) {
  t = std::clamp(t, playback_.first(), playback_.last());
  if (replay_->far_from_keyframes(t) && t > playback_.now()) {
    Place place;
    place.t = t;
    pending_ = PendingSeek{place, false, {}};
    return;
  }
  pending_.reset();
  if (auto sought = replay_->seek_time(t); !sought) {
    fail_with(sought.error());
    return;
  }
  playback_.go_to(t);
  arrive();
}

void Model::go_to_position(std::uint64_t position) {
  pending_.reset();
  if (auto sought = replay_->seek_position(position); !sought) {
    fail_with(sought.error());
    return;
  }
  playback_.go_to(replay_->time());
  arrive();
}

void Model::seek_by(std::int64_t us) {
  jumps_.leave(here());
  go_to_time({playback_.now().us + us});
}

void Model::go_back(std::optional<Playhead> place) {
  if (!place) {
    say("no jump to go to");
    return;
  }
  go_to_position(place->position);
  playback_.go_to(place->t);
}

void Model::set_idle_limit(std::int64_t us) {
  idle_limit_us_ = std::max<std::int64_t>(1'000, us);
  playback_.set_idle(idle_limit_us_, facts_->idle);
}

}  // namespace sworn::player
