// SPDX-License-Identifier: Apache-2.0
// `sworn play`: puts recording, index, verification, log lines, model and terminal together and
// runs until the viewer leaves. The only entry point that the front end needs for interactive
// replay.
#pragma once

#include "base/result.hpp"
#include "player/log_book.hpp"
#include "player/position_spec.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sworn::player {

enum class VerifyMode : std::uint8_t { background, off };

struct PlayerOptions {
  std::string file;
  std::optional<std::string> at;  // as for parse_place(): a time, "cmd 12", "event 40112", "37%"
  std::optional<std::string> search;  // a regular expression: open at its first match
  bool play = false;                  // start playing at once
  double speed = 1.0;
  std::optional<double> idle_limit_seconds;
  bool follow = false;  // stay at the end of a live session
  std::vector<std::string> log_files;
  VerifyMode verify = VerifyMode::background;
  bool cache = true;  // keyframes in ~/.cache/sworn
};

// 0 after the viewer left. Errors of opening come back as a Result, before the terminal was
// touched.
Result<int> run_player(const PlayerOptions& options);

}  // namespace sworn::player
