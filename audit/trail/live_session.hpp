// SPDX-License-Identifier: Apache-2.0
// Follows a session file while it is being recorded: hands out each event once, in order, as soon
// as it is on record (also from the tail, before it is sealed). Read-only; polls: a mapped tail
// raises no inotify. One thread.
#pragma once

#include "base/file.hpp"
#include "base/result.hpp"
#include "format/event.hpp"
#include "format/session_reader.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace sworn::audit::trail {

class LiveSession {
 public:
  // `path` may be the final name of a session that still has its ".part".
  static Result<std::unique_ptr<LiveSession>> open(const std::string& path);

  using Take = std::function<Result<void>(const format::EventView&)>;
  // Gives the events that came since; an error of `take` ends the call, and its event comes again.
  Result<void> poll(const Take& take);

  // Nothing more will come: closed, or its recorder died. Asked after poll().
  [[nodiscard]] bool over() const { return over_; }
  [[nodiscard]] bool crashed() const { return crashed_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] format::SessionReader& reader() { return *reader_; }
  // Start behind what is there already.
  void skip_to_end() { next_ = reader_->event_count(); }

 private:
  LiveSession() = default;
  void take_tail();

  std::string path_;
  std::unique_ptr<PosixReadFile> file_;
  std::unique_ptr<format::SessionReader> reader_;
  std::uint64_t next_ = 0;
  bool over_ = false;
  bool crashed_ = false;
};

}  // namespace sworn::audit::trail
