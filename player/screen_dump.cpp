// SPDX-License-Identifier: Apache-2.0
#include "player/screen_dump.hpp"

#include "base/printable.hpp"
#include "player/index_cache.hpp"
#include "player/position_spec.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace sworn::player {
namespace {

using nlohmann::json;

// Everything up to a place, with keyframes made on the way and the cache kept.
class Walk {
 public:
  Walk(const Recording& recording, const ScreenRequest& request)
      : recording_(recording),
        request_(request),
        cache_(recording, request.cache),
        keyframes_(state_.keyframes()) {
    // What cannot be used is as good as nothing.
    [[maybe_unused]] const auto loaded = cache_.load(state_);
  }

  Result<std::unique_ptr<Replay>> go(const Place& place);

 private:
  void save_cache(std::size_t before) const;
  Result<void> extend_to(const Place& place);

  const Recording& recording_;
  const ScreenRequest& request_;
  IndexCache cache_;
  IndexState state_;
  std::shared_ptr<KeyframeIndex> keyframes_;
};

void Walk::save_cache(std::size_t before) const {
  constexpr std::size_t k_worth_it = 16;
  if (cache_.usable() && keyframes_->all().size() >= before + k_worth_it) {
    // A cache that cannot be written is no cache: nothing is lost but time.
    [[maybe_unused]] const auto saved = cache_.save(state_, false);
  }
}

// From the last keyframe on, when the place lies behind what the keyframes cover.
Result<void> Walk::extend_to(const Place& place) {
  const auto frontier = keyframes_->frontier();
  const bool covered = frontier.complete || (place.by_position ? place.position <= frontier.position
                                                               : place.t < frontier.t);
  if (covered) {
    return {};
  }
  TRY_ASSIGN(const auto source, recording_.open_source());
  ScreenState screen(recording_.setup());
  KeyframeMaker maker(*keyframes_);
  std::uint64_t position = 0;
  MonoTime t = k_before_everything;
  if (const auto last = keyframes_->before_position(frontier.position)) {
    if (const auto snapshot = unpack(*last); snapshot && screen.load(*snapshot)) {
      position = last->position;
      t = last->t;
    }
  }
  TRY(source->seek_event(position));
  const auto total = source->end_position();
  bool complete = false;
  for (std::uint64_t n = 0;; ++n) {
    TRY_ASSIGN(const auto event, source->next());
    complete = !event.has_value();
    if (complete || (place.by_position ? event->number >= place.position : event->t > place.t)) {
      break;
    }
    screen.apply(*event);
    position = event->number + 1;
    t = event->t;
    if (position > frontier.position) {
      TRY(maker.after_event(*event, screen));
    }
    if (n % 4096 == 4095 && request_.progress) {
      request_.progress(position, total);
    }
  }
  keyframes_->set_frontier({position, t, complete});
  return {};
}

Result<std::unique_ptr<Replay>> Walk::go(const Place& place) {
  const auto before = keyframes_->all().size();
  TRY(extend_to(place));
  TRY_ASSIGN(auto source, recording_.open_source());
  auto replay = std::make_unique<Replay>(std::move(source), recording_.setup(), keyframes_);
  if (place.by_position) {
    TRY(replay->seek_position(place.position));
  } else {
    TRY(replay->seek_time(place.t));
  }
  save_cache(before);
  return replay;
}

// Of the whole recording: from the index where there is one, else from its events.
Result<std::vector<CommandItem>> commands_of(const Recording& recording, bool use_cache) {
  IndexState state;
  if (const IndexCache cache(recording, use_cache); cache.load(state) && state.from_cache()) {
    return state.facts()->commands;
  }
  TRY_ASSIGN(const auto source, recording.open_source());
  FactsBuilder facts;
  while (true) {
    TRY_ASSIGN(const auto event, source->next());
    if (!event) {
      return facts.facts().commands;
    }
    facts.add(*event);
  }
}

json colour_json(vt::Color color) {
  if (color.kind() == vt::ColorKind::rgb) {
    return fmt::format("#{:06x}", color.value());
  }
  return color.value();
}

json run_json(const Frame& picture, int row, int begin, int end) {
  const auto& style = picture.at(row, begin).style;
  std::string text;
  for (int col = begin; col < end; ++col) {
    picture.append_cell(text, row, col);
  }
  json run{{"col", begin}, {"cols", end - begin}, {"text", text}};
  if (style.fg.kind() != vt::ColorKind::none) {
    run["fg"] = colour_json(style.fg);
  }
  if (style.bg.kind() != vt::ColorKind::none) {
    run["bg"] = colour_json(style.bg);
  }
  constexpr std::array<std::pair<std::uint16_t, const char*>, 8> k_names{
      {{vt::k_bold, "bold"},
       {vt::k_dim, "dim"},
       {vt::k_italic, "italic"},
       {vt::k_underline_mask, "underline"},
       {vt::k_blink, "blink"},
       {vt::k_inverse, "inverse"},
       {vt::k_conceal, "concealed"},
       {vt::k_strike, "strike"}}};
  for (const auto& [bit, name] : k_names) {
    if ((style.attributes & bit) != 0) {
      run[name] = true;
    }
  }
  return run;
}

json row_json(const Frame& picture, int row) {
  json runs = json::array();
  const int cols = picture.size().cols;
  int begin = 0;
  while (begin < cols) {
    int end = begin + 1;
    while (end < cols && picture.at(row, end).style == picture.at(row, begin).style) {
      ++end;
    }
    const bool blank =
        picture.at(row, begin).style == Style{} &&
        picture.row_text(row, begin, end).find_first_not_of(' ') == std::string::npos;
    if (!blank || end < cols) {
      runs.push_back(run_json(picture, row, begin, end));
    }
    begin = end;
  }
  return {{"text", picture.row_text(row)}, {"runs", std::move(runs)}};
}

}  // namespace

Result<Place> find_place(const Recording& recording, std::string_view text, format::ClockMap* clock,
                         bool use_cache) {
  TRY_ASSIGN(const auto spec, parse_place(text));
  TRY_ASSIGN(const auto source, FileSource::open(recording));
  format::ClockMap map;
  const bool needs_clock = spec.kind == PlaceKind::wall || spec.kind == PlaceKind::time_of_day ||
                           (spec.kind == PlaceKind::from_start && spec.clock_like);
  if (needs_clock) {
    TRY_ASSIGN(map, source->reader().clock_map());
  }
  if (map.empty()) {
    map.add(recording.header().started_mono, recording.header().started);
  }
  std::vector<CommandItem> commands;
  if (spec.kind == PlaceKind::command) {
    TRY_ASSIGN(commands, commands_of(recording, use_cache));
  }
  const PlaceContext context{source->first_time(),
                             source->last_time(),
                             source->first_time(),
                             source->end_position(),
                             &map,
                             &commands};
  TRY_ASSIGN(auto place, resolve(spec, context));
  if (clock != nullptr) {
    *clock = std::move(map);
  }
  return place;
}

Result<PlacedReplay> replay_at(const Recording& recording, const ScreenRequest& request) {
  PlacedReplay placed;
  TRY_ASSIGN(const auto place, find_place(recording, request.at, &placed.clock, request.cache));
  Walk walk(recording, request);
  TRY_ASSIGN(placed.replay, walk.go(place));
  return placed;
}

Frame picture_of(const vt::Terminal& terminal) {
  const auto size = terminal.size();
  Frame picture(size);
  for (int row = 0; row < size.rows; ++row) {
    const auto cells = terminal.row(row);
    for (int col = 0; col < size.cols; ++col) {
      const auto& cell = cells[static_cast<std::size_t>(col)];
      if ((cell.attributes & vt::k_continuation) == 0) {
        const auto attributes =
            static_cast<std::uint16_t>(cell.attributes & ~(vt::k_wide | vt::k_protect));
        picture.put_cell(row, col, terminal, cell, {cell.fg, cell.bg, attributes},
                         col + 1 < size.cols);
      }
    }
  }
  return picture;
}

Result<ScreenDump> dump_screen(const ScreenRequest& request) {
  TRY_ASSIGN(const auto recording, Recording::open(request.file));
  TRY_ASSIGN(const auto placed, replay_at(*recording, request));
  const auto& terminal = placed.replay->terminal();
  const auto t = placed.replay->time();
  return ScreenDump{recording->path(),
                    format::to_hex(recording->header().file_id),
                    t,
                    placed.replay->source().first_time(),
                    placed.clock.to_wall(t),
                    placed.replay->position(),
                    terminal.size(),
                    terminal.cursor(),
                    terminal.alternate_screen(),
                    printable(terminal.title(), 400),
                    picture_of(terminal)};
}

std::string screen_as_text(const ScreenDump& dump) {
  std::string text;
  std::string blank;
  for (int row = 0; row < dump.size.rows; ++row) {
    const auto line = dump.picture.row_text(row);
    blank += '\n';
    if (!line.empty()) {
      blank.pop_back();
      text += blank + line + '\n';
      blank.clear();
    }
  }
  return text;
}

std::string screen_as_json(const ScreenDump& dump) {
  json rows = json::array();
  for (int row = 0; row < dump.size.rows; ++row) {
    rows.push_back(row_json(dump.picture, row));
  }
  const json object{
      {"schema", "sworn.screen/1"},
      {"file", printable(dump.file)},
      {"session", dump.session},
      {"event", dump.position == 0 ? json(nullptr) : json(dump.position - 1)},
      {"elapsed", static_cast<double>(dump.t.us - dump.first.us) / 1e6},
      {"time", format_rfc3339(dump.wall)},
      {"size", {{"cols", dump.size.cols}, {"rows", dump.size.rows}}},
      {"cursor",
       {{"row", dump.cursor.row}, {"col", dump.cursor.col}, {"visible", dump.cursor.visible}}},
      {"alternate_screen", dump.alternate},
      {"title", dump.title},
      {"rows", std::move(rows)}};
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace sworn::player
