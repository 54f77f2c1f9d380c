// SPDX-License-Identifier: Apache-2.0
#include "player/recording.hpp"

#include "format/tail.hpp"

#include <cerrno>

namespace sworn::player {

Result<std::unique_ptr<Recording>> Recording::open(const std::string& path) {
  std::unique_ptr<Recording> recording(new Recording());
  recording->path_ = path;
  auto file = PosixReadFile::open(path);
  if (!file && file.error().sys == ENOENT && !path.ends_with(".part")) {
    auto part = PosixReadFile::open(format::part_path(path));
    if (part) {
      recording->path_ = format::part_path(path);
      file = std::move(part);
    }
  }
  if (!file) {
    return tl::make_unexpected(std::move(file).error());
  }
  recording->file_ = *std::move(file);
  TRY(recording->read_start());
  return recording;
}

format::StoredState Recording::stored_state() const {
  const auto state = format::state_of(path_);
  // A closed session has lost its ".part" name; the descriptor still is the same file.
  return state ? *state : format::StoredState::closed;
}

Result<void> Recording::read_start() {
  TRY_ASSIGN(const auto source, FileSource::open(*this));
  header_ = source->reader().header();
  TRY_ASSIGN(const auto first, source->next());
  if (!first || first->kind != format::EventKind::session_start) {
    return {};
  }
  if (auto start = format::decode_session_start(first->data)) {
    setup_.terminal = start->terminal;
    if (start->size.cols > 0 && start->size.rows > 0) {
      setup_.size = start->size;
    }
    // Of a redacted one only the picture's shape is used: it is the redactor's word.
    if (!first->redacted) {
      start_ = std::move(*start);
    }
  }
  return {};
}

Result<std::unique_ptr<EventSource>> Recording::open_source() const {
  TRY_ASSIGN(auto source, FileSource::open(*this));
  return std::unique_ptr<EventSource>(std::move(source));
}

Result<std::unique_ptr<FileSource>> FileSource::open(const Recording& recording) {
  std::unique_ptr<FileSource> source(new FileSource(recording));
  const bool live = recording.stored_state() == format::StoredState::live;
  TRY_ASSIGN(source->reader_, format::SessionReader::open(recording.file()));
  source->live_ = live && source->reader_->state() == format::FileState::open;
  TRY(source->take_tail());
  return source;
}

std::uint64_t FileSource::end_position() const {
  return reader_->event_count();
}

Result<void> FileSource::refresh() {
  // Asked first: what a recorder wrote before it closed the file must not be missed.
  const bool live = recording_.stored_state() == format::StoredState::live;
  TRY_ASSIGN([[maybe_unused]] const auto added, reader_->refresh());
  live_ = live && reader_->state() == format::FileState::open;
  return take_tail();
}

Result<void> FileSource::take_tail() {
  if (reader_->state() == format::FileState::closed) {
    return {};
  }
  const auto& chunks = reader_->chunks();
  const std::uint64_t from =
      chunks.empty() ? 0 : chunks.back().first_event + chunks.back().n_events;
  auto tail = format::read_tail(format::tail_path(recording_.path()), reader_->header().file_id,
                                from, reader_->tail_key());
  if (tail) {
    reader_->set_tail(std::move(tail->events));
  }
  // Without a tail the file itself is all there is: salvage and verify say what that means.
  return {};
}

}  // namespace sworn::player
