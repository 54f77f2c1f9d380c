// SPDX-License-Identifier: Apache-2.0
#include "audit/trail/live_session.hpp"

#include "format/store.hpp"
#include "format/tail.hpp"

#include <cerrno>

namespace sworn::audit::trail {

Result<std::unique_ptr<LiveSession>> LiveSession::open(const std::string& path) {
  std::unique_ptr<LiveSession> session(new LiveSession());
  session->path_ = path;
  auto file = PosixReadFile::open(path);
  if (!file && file.error().sys == ENOENT && !path.ends_with(".part")) {
    session->path_ = format::part_path(path);
    file = PosixReadFile::open(session->path_);
  }
  if (!file) {
    return tl::make_unexpected(std::move(file).error());
  }
  session->file_ = *std::move(file);
  TRY_ASSIGN(session->reader_, format::SessionReader::open(*session->file_));
  session->take_tail();
  return session;
}

void LiveSession::take_tail() {
  if (reader_->state() == format::FileState::closed) {
    return;
  }
  const auto& chunks = reader_->chunks();
  const std::uint64_t from =
      chunks.empty() ? 0 : chunks.back().first_event + chunks.back().n_events;
  // Without a tail the file itself is all there is.
  if (auto tail = format::read_tail(format::tail_path(path_), reader_->header().file_id, from)) {
    reader_->set_tail(std::move(tail->events));
  }
}

Result<void> LiveSession::poll(const Take& take) {
  // Asked first: what a recorder wrote before it closed the file must not be missed.
  const auto state = format::state_of(path_);
  TRY_ASSIGN([[maybe_unused]] const auto added, reader_->refresh());
  take_tail();
  if (reader_->event_count() > next_) {
    TRY(reader_->seek_event(next_));
    while (true) {
      TRY_ASSIGN(const auto event, reader_->next());
      if (!event) {
        break;
      }
      TRY(take(*event));
      next_ = event->number + 1;
    }
  }
  // A closed session has lost its ".part" name; the descriptor still is the same file.
  crashed_ = state && *state == format::StoredState::crashed &&
             reader_->state() == format::FileState::open;
  over_ = crashed_ || reader_->state() == format::FileState::closed;
  return {};
}

}  // namespace sworn::audit::trail
