// SPDX-License-Identifier: Apache-2.0
// A session file as the player sees it: the file itself, opened read-only, what its first event
// says, its tail where the recorder still writes or died, and event sources on it for as many
// threads as needed. The object outlives its sources.
#pragma once

#include "base/file.hpp"
#include "format/event_payload.hpp"
#include "format/session_reader.hpp"
#include "format/store.hpp"
#include "player/event_source.hpp"
#include "player/screen_state.hpp"

#include <memory>
#include <optional>
#include <string>

namespace sworn::player {

class Recording {
 public:
  // A name without ".part" also finds the session that is still being recorded.
  static Result<std::unique_ptr<Recording>> open(const std::string& path);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const PosixReadFile& file() const { return *file_; }
  [[nodiscard]] const format::SessionHeader& header() const { return header_; }
  // Nothing where event 0 was redacted or is not readable.
  [[nodiscard]] const std::optional<format::SessionStart>& start() const { return start_; }
  [[nodiscard]] const ScreenSetup& setup() const { return setup_; }
  [[nodiscard]] format::StoredState stored_state() const;
  // Nothing of it may be left in a cache.
  [[nodiscard]] bool encrypted() const { return !header_.encryption.empty(); }

  [[nodiscard]] Result<std::unique_ptr<EventSource>> open_source() const;

 private:
  Recording() = default;
  Result<void> read_start();

  std::string path_;
  std::unique_ptr<PosixReadFile> file_;
  format::SessionHeader header_;
  std::optional<format::SessionStart> start_;
  ScreenSetup setup_;
};

// Events of a session file and of the tail beside it.
class FileSource final : public EventSource {
 public:
  static Result<std::unique_ptr<FileSource>> open(const Recording& recording);

  Result<std::optional<format::EventView>> next() override { return reader_->next(); }
  Result<void> seek_event(std::uint64_t n) override { return reader_->seek_event(n); }
  Result<void> refresh() override;
  [[nodiscard]] std::uint64_t end_position() const override;
  [[nodiscard]] MonoTime first_time() const override { return reader_->first_time(); }
  [[nodiscard]] MonoTime last_time() const override { return reader_->last_time(); }
  [[nodiscard]] bool live() const override { return live_; }

  [[nodiscard]] format::SessionReader& reader() { return *reader_; }

 private:
  explicit FileSource(const Recording& recording) : recording_(recording) {}
  Result<void> take_tail();

  const Recording& recording_;
  std::unique_ptr<format::SessionReader> reader_;
  bool live_ = false;
};

}  // namespace sworn::player
