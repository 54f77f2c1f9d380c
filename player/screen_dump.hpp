// SPDX-License-Identifier: Apache-2.0
// `sworn screen`: the rendered screen at one moment, as sanitised text or as JSON with attributes.
// Uses the keyframe cache where there is one and leaves one behind where the way was long.
#pragma once

#include "base/result.hpp"
#include "player/frame.hpp"
#include "player/position_spec.hpp"
#include "player/recording.hpp"
#include "player/replay.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sworn::player {

struct ScreenRequest {
  std::string file;
  std::string at = "end";  // as for parse_place()
  bool cache = true;
  // (events done, events in all); on long ways only, some ten times a second.
  std::function<void(std::uint64_t, std::uint64_t)> progress;
};

struct ScreenDump {
  std::string file;
  std::string session;  // hex of the file id
  MonoTime t;           // of the last event shown
  MonoTime first;       // of the recording
  WallTime wall;        // of `t` by the recorded host's clock
  std::uint64_t position = 0;
  TermSize size;
  vt::Cursor cursor;
  bool alternate = false;
  std::string title;  // sanitised
  Frame picture;      // size.cols x size.rows, sanitised
};

Result<ScreenDump> dump_screen(const ScreenRequest& request);

// Rows without trailing blanks; blank rows at the end are left out.
std::string screen_as_text(const ScreenDump& dump);
// One JSON object, schema "sworn.screen/1": rows with runs of equal attributes.
std::string screen_as_json(const ScreenDump& dump);

// The terminal's picture as sanitised cells.
Frame picture_of(const vt::Terminal& terminal);

// Where a place, as people write it, is in a recording. `clock`: the recording's, where it was
// needed.
Result<Place> find_place(const Recording& recording, std::string_view text,
                         format::ClockMap* clock = nullptr, bool use_cache = false);

// Goes to a place in a recording from scratch: keyframe cache, else a replay that leaves keyframes
// behind. For everything that needs one screen and no player. `recording` must outlive the result.
struct PlacedReplay {
  std::unique_ptr<Replay> replay;
  format::ClockMap clock;  // may be empty where the place did not need it
};
Result<PlacedReplay> replay_at(const Recording& recording, const ScreenRequest& request);

}  // namespace sworn::player
