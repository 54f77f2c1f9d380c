// SPDX-License-Identifier: Apache-2.0
// The player without a terminal: keys and ticks in, frames out. Knows the recording only through
// Replay, IndexState and the snapshots it is given; does no I/O of its own beyond reading events
// and notes. One thread; background work reports through thread-safe objects.
#pragma once

#include "base/clock.hpp"
#include "player/audit_book.hpp"
#include "player/indexer.hpp"
#include "player/integrity.hpp"
#include "player/keymap.hpp"
#include "player/layout.hpp"
#include "player/line_editor.hpp"
#include "player/list_filter.hpp"
#include "player/log_book.hpp"
#include "player/notes.hpp"
#include "player/playback.hpp"
#include "player/position_spec.hpp"
#include "player/replay.hpp"
#include "player/search.hpp"
#include "player/selection.hpp"
#include "player/timeline.hpp"
#include "player/view.hpp"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sworn::player {

// What is known of the session before any event was played. Unsanitised.
struct SessionInfo {
  std::string file_name;
  std::string host;
  std::string user;
  std::string tty;
  std::string from;  // where an ssh connection came from
  std::string program;
  std::vector<std::string> details;  // lines of the details window
  WallTime started;  // the wall clock at the first event, where no clock event tells
  MonoTime started_mono;
  std::string zone;                           // of the recorded host, "CET"; empty: not known
  std::optional<std::int64_t> zone_offset_s;  // east of UTC, at the start
};

// A stretch of the recording that is to be copied.
struct ClipRequest {
  std::string path;
  std::optional<std::uint64_t> from;  // positions; nothing: the ends of the recording
  std::optional<std::uint64_t> to;
};

struct ModelParts {
  Clock* clock = nullptr;
  std::unique_ptr<Replay> replay;
  std::shared_ptr<IndexState> index;
  SessionInfo info;
  Notes notes;
  std::string author;                           // of notes written here
  std::function<Integrity()> integrity;         // a snapshot
  std::function<LogBookPtr()> logs;             // a snapshot; may be empty
  std::function<AuditBookPtr()> audit;          // a snapshot; may be empty
  std::function<void()> request_audit;          // has it made, or made anew
  SearchRunner run_search = run_search_inline;  // where searches are worked off
  unsigned search_threads = 1;
  std::function<Result<std::unique_ptr<EventSource>>()> open_source;  // for raw searches
  // Writes a new file; what exists is left alone.
  std::function<Result<void>(const std::string& path, std::string_view text)> write_file;
  // Says what was written.
  std::function<Result<std::string>(const ClipRequest& request)> export_clip;
  bool ascii = false;  // the terminal cannot show line drawing characters
};

class Model {
 public:
  explicit Model(ModelParts parts);

  // What to do with a key, in this order: popup, prompt, keymap.
  void handle(const Key& key);
  // Time passed or background work reported.
  void tick();
  [[nodiscard]] Frame frame(TermSize size);

  [[nodiscard]] bool quit() const { return quit_; }
  // How long the view stays right without a key, in microseconds; negative: until something is
  // reported.
  [[nodiscard]] std::int64_t next_wake_us() const;
  [[nodiscard]] bool mouse() const { return mouse_; }

  [[nodiscard]] const SearchResult& search_results() const { return *search_.results; }

  // Opens at a place, as with --at; an error is shown and returned.
  Result<void> open_at(const PlaceSpec& spec);
  void open_search(std::shared_ptr<const Matcher> matcher);
  void play() { playback_.play(); }
  void set_speed(double speed) { playback_.set_speed(speed); }
  void set_idle_limit(std::int64_t us);
  [[nodiscard]] bool index_complete() const { return progress_.complete; }

  [[nodiscard]] const Replay& replay() const { return *replay_; }
  [[nodiscard]] const Playback& playback() const { return playback_; }
  [[nodiscard]] const std::string& message() const { return message_; }

 private:
  enum class Focus : std::uint8_t { screen, commands, logs, timeline };
  enum class Popup : std::uint8_t {
    none,
    help,
    details,
    notes,
    cell,
    row_history,
    programs,
    findings
  };
  enum class PromptKind : std::uint8_t {
    none,
    go_to,
    search_forward,
    search_backward,
    filter,
    idle_limit,
    note,
    bookmark_key,
    go_bookmark_key,
    copy_file,
    export_file,
  };
  enum class ClockMode : std::uint8_t { utc, host, viewer, elapsed };
  struct List {
    ListFilter filter;
    std::vector<std::size_t> shown;  // indices of the items that pass the filter
    std::size_t built_from = 0;      // number of items that `shown` knows
    const void* built_of = nullptr;  // the collection that `shown` was made of
    std::size_t selected = 0;        // index into shown
    bool follows = true;             // the selection follows the playhead
  };
  struct PopupLine {
    std::string text;
    bool heading = false;
    std::optional<std::uint64_t> position;  // where Enter leads
  };
  struct PendingSeek {
    Place place;
    bool wait_for_facts = false;
    PlaceSpec spec;
  };

  // model.cpp: time and places
  void take_background();
  void seek_by(std::int64_t us);
  void go_to(const Place& place);
  void go_to_time(MonoTime t);
  void go_to_position(std::uint64_t position);
  void try_pending();
  void arrive();
  [[nodiscard]] Playhead here() const;
  void go_back(std::optional<Playhead> place);
  [[nodiscard]] PlaceContext context() const;
  void say(std::string text, BadgeLevel level = BadgeLevel::neutral);
  void fail_with(const Error& error);

  // model_clock.cpp: what the clocks show
  [[nodiscard]] WallTime wall_of(MonoTime t) const;
  [[nodiscard]] const format::ClockMap& clock_map() const;
  [[nodiscard]] std::string clock_text(MonoTime t, int digits) const;
  // The same, where the wall clock is known from elsewhere.
  [[nodiscard]] std::string clock_text(MonoTime t, WallTime wall, int digits) const;
  [[nodiscard]] std::string date_text(MonoTime t) const;
  void next_clock();
  bool set_clock(std::string_view name);

  // model_moves.cpp: from one thing of note to the next
  void step_event(int direction);
  void step_change(int direction);
  void jump_command(int direction);
  void jump_log(int direction);
  void jump_trouble(int direction);
  void show_row_history();
  void show_audit(Popup popup);
  [[nodiscard]] const CommandItem* command_of_interest() const;

  // model_actions.cpp: what keys do
  void run(Action action, const Key& key);
  void go_back_one_level(const Key& key);
  void toggle_idle();
  void open_popup(Popup popup);
  bool handle_popup(const Key& key);
  bool handle_selection(const Key& key);
  bool handle_pan(const Key& key);
  [[nodiscard]] Scope key_scope() const;

  // model_prompt.cpp: prompts and notes
  void open_prompt(PromptKind kind, std::string_view text = {});
  void handle_prompt(const Key& key);
  void handle_bookmark_key(const Key& key);
  void submit_prompt();
  void submit_place(const std::string& text);
  void submit_setting(std::string_view setting);
  void set_bookmark(const std::string& key, std::string text);
  void apply_filter(const std::string& text);
  [[nodiscard]] List& list_to_filter();
  void start_selection(bool lines);
  void copy();
  void write_copy(const std::string& path);
  void export_clip(const std::string& path);
  [[nodiscard]] Frame::Position cell_of_interest() const;
  [[nodiscard]] std::string open_here_command() const;
  [[nodiscard]] std::string prompt_label() const;
  [[nodiscard]] std::string default_file(std::string_view ending) const;

  // model_search.cpp
  [[nodiscard]] bool searching() const;
  [[nodiscard]] bool searching_prompt() const;
  void search_typed();
  void leave_search();
  void submit_search(const std::string& text, bool backward);
  void start_search(std::shared_ptr<const Matcher> matcher, SearchScope scope, bool backward);
  void take_search_result();
  void go_to_match(int direction, bool strictly);
  void search_word();
  [[nodiscard]] std::string search_help() const;

  // model_lists.cpp: the lists
  List& focused_list() { return focus_ == Focus::logs ? log_list_ : command_list_; }
  static void rebuild(List& list, std::size_t count, const void* collection,
                      const std::function<bool(std::size_t)>& accepts);
  void update_lists();
  void move_in_list(int by);
  [[nodiscard]] int page_of_list() const;
  void pan(int rows, int cols);
  void activate();
  void click(const Key& key);
  void cycle_focus(int direction);
  void toggle(Shown& shown, const Rect& now);
  [[nodiscard]] std::optional<std::size_t> current_command() const;
  [[nodiscard]] std::optional<std::size_t> current_log() const;
  // The first item that is in view, for a list pane with a title row.
  [[nodiscard]] static std::size_t top_of(const List& list, const Rect& area);

  // model_draw.cpp: what is around the panes
  void draw_header(Frame& frame);
  void draw_timeline(Frame& frame);
  void draw_status(Frame& frame);
  void draw_prompt(Frame& frame);
  void draw_hints(Frame& frame);
  void draw_title(Frame& frame, const Rect& pane, const std::string& left, const std::string& right,
                  bool focused);
  [[nodiscard]] std::vector<std::string> status_parts() const;
  [[nodiscard]] int percent_indexed() const;
  [[nodiscard]] Badge badge() const;

  // model_draw_screen.cpp
  void draw_screen(Frame& frame);
  void draw_screen_cells(Frame& frame, const Rect& area);
  void highlight_matches(Frame& frame, int row, int view_row, int top_col, const Rect& area);
  void draw_zoom_edge(Frame& frame);
  [[nodiscard]] Frame::Position crop(const Rect& area) const;
  [[nodiscard]] std::string crop_text() const;

  // model_draw_lists.cpp
  void draw_commands(Frame& frame);
  void draw_logs(Frame& frame);
  void draw_notes(Frame& frame);
  void draw_keystrokes(Frame& frame);

  // model_popup.cpp: the windows over the panes
  void draw_popup(Frame& frame);
  [[nodiscard]] std::vector<PopupLine> popup_content() const;
  [[nodiscard]] std::vector<std::string> cell_lines() const;
  [[nodiscard]] std::vector<std::string> detail_lines() const;
  [[nodiscard]] std::vector<PopupLine> program_lines() const;
  [[nodiscard]] std::vector<PopupLine> finding_lines() const;

  Clock& clock_;
  std::unique_ptr<Replay> replay_;
  std::shared_ptr<IndexState> index_;
  SessionInfo info_;
  Notes notes_;
  std::string author_;
  std::function<Integrity()> integrity_source_;
  std::function<LogBookPtr()> log_source_;
  std::function<AuditBookPtr()> audit_source_;
  std::function<void()> request_audit_;
  SearchRunner run_search_;
  unsigned search_threads_ = 1;
  std::function<Result<std::unique_ptr<EventSource>>()> open_source_;
  std::function<Result<void>(const std::string&, std::string_view)> write_file_;
  std::function<Result<std::string>(const ClipRequest&)> export_clip_;
  bool ascii_ = false;

  std::shared_ptr<const Facts> facts_;
  Integrity integrity_;
  LogBookPtr logs_;
  AuditBookPtr audit_;
  bool audit_requested_ = false;
  IndexState::Progress progress_;
  format::ClockMap fallback_clock_;

  Playback playback_;
  JumpList jumps_;
  std::optional<PendingSeek> pending_;
  std::int64_t idle_limit_us_ = 2'000'000;

  Shown show_commands_ = Shown::by_size;
  Shown show_logs_ = Shown::by_size;
  bool show_keystrokes_ = false;
  bool show_timeline_ = true;
  Split split_ = Split::automatic;
  Timeline timeline_;
  bool zoom_ = false;
  bool pan_keys_ = false;  // Shift and arrows pan
  bool reveal_ = false;
  bool mouse_ = true;
  bool quit_ = false;
  ClockMode clock_mode_ = ClockMode::utc;
  Focus focus_ = Focus::screen;
  Popup popup_ = Popup::none;
  std::size_t popup_top_ = 0;
  std::size_t popup_selected_ = 0;
  std::vector<PopupLine> history_;  // of a row of the screen
  std::optional<Frame::Position> pan_;
  std::optional<Frame::Position> inspect_at_;  // a cell of the recorded screen
  std::optional<Selection> selection_;
  std::string to_copy_;
  std::optional<Playhead> clip_begin_;
  std::optional<Playhead> clip_end_;

  PromptKind prompt_ = PromptKind::none;
  LineEditor editor_;
  SearchScope scope_ = SearchScope::all;
  struct Search {
    std::shared_ptr<const Matcher> matcher;
    bool highlight = true;  // on the screen
    std::string typed;      // what it was made of, at the prompt
    std::shared_ptr<SearchRun> run;
    std::shared_ptr<const SearchResult> results = std::make_shared<SearchResult>();
    std::size_t result = 0;  // index of the match last gone to
    bool result_known = false;
    bool backward = false;
  };
  Search search_;
  Search search_before_;        // to come back to where the prompt is left
  bool go_when_found_ = false;  // Enter was pressed: the first match is to be gone to
  MonoTime search_patience_;    // until then a nearer match is waited for

  std::string message_;
  BadgeLevel message_level_ = BadgeLevel::neutral;
  MonoTime message_until_;

  List command_list_;
  List log_list_;
  Layout layout_;
  TermSize size_;
};

}  // namespace sworn::player
