// SPDX-License-Identifier: Apache-2.0
// Decides which keystrokes are recorded, so that no secret ever reaches the recording. Pure: no
// descriptor, no clock. It owns the order and the fate of the typed bytes, which live in memory
// given by the caller (locked, kept out of core dumps) and are wiped as soon as they are decided
// and forwarded.
//
//   room() -> read into it -> on_typed() -> [announce on record] -> to_forward() -> on_forwarded()
//   -> output and time pass -> on_output(), on_sample() -> the bytes, or the fact that they were
//   hidden
//
// How a keystroke is judged, in the mode `commands`:
//   hidden   the terminal is canonical without echo, before or after; or a terminal further inside
//   is; or
//            the screen shows a question for a password while the terminal is raw. One
//            `input_hidden` for the whole answer: no bytes, no count, no time of single keys.
//   direct   raw mode of a program that reads its own keys (shell prompt, editor): kept if it is
//   not hidden
//            k_settle later; the key that ends a line may also prove itself by its echo, and so
//            must every key behind which another program reads the terminal by then.
//   echoed   canonical with echo, relays (sudo, ssh, tmux), what was pasted behind a line end, and
//   what was typed behind one before the program has answered to it and is still there k_settle
//   later: a whole
//            line is kept if the echo of all of it shows up in the output, else it is hidden.
// In the mode `all` what is not hidden is kept, without proof by echo.
#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "recorder/echo_state.hpp"
#include "recorder/echo_window.hpp"
#include "recorder/input_scanner.hpp"
#include "recorder/policy.hpp"
#include "recorder/prompt_detector.hpp"

#include <deque>
#include <optional>
#include <span>

namespace sworn::recorder {

// Takes the decisions, in the order of typing.
class InputSink {
 public:
  virtual ~InputSink() = default;
  virtual void record_input(ByteView bytes, MonoTime at) = 0;  // the view dies with the call
  virtual void record_hidden() = 0;
};

// What has to be on record before the bytes may be forwarded.
enum class Announce : std::uint8_t { nothing, typed, hidden };

class InputPolicy {
 public:
  static constexpr std::int64_t k_settle_us = 40'000;         // from forwarding to the second look
  static constexpr std::int64_t k_between_looks_us = 20'000;  // a look may search for terminals
  static constexpr std::int64_t k_echo_wait_us =
      1'000'000;                                      // for an echo that has a network in between
  static constexpr std::uint64_t k_echo_slack = 512;  // bytes of other output before the echo
  static constexpr std::size_t k_max_read = 4096;
  static constexpr std::size_t k_max_line = 8192;  // held back while waiting for its end
  static constexpr std::size_t k_max_chunks = 1024;

  // `memory` must outlive the policy; at least 4 * k_max_read bytes.
  InputPolicy(InputMode mode, std::span<std::byte> memory);
  ~InputPolicy();
  InputPolicy(const InputPolicy&) = delete;
  InputPolicy& operator=(const InputPolicy&) = delete;

  // Where the next read goes. Empty: stop reading the keyboard until something is decided or
  // forwarded.
  std::span<std::byte> room();

  // `n` bytes were read into room(); `before` was sampled just now.
  Announce on_typed(std::size_t n, const EchoState& before, MonoTime now);

  // Bytes that the program has not got yet, oldest first.
  [[nodiscard]] ByteView to_forward() const;
  void on_forwarded(std::size_t n, MonoTime now);

  void on_output(ByteView data, MonoTime now);

  // When on_sample() is wanted next; with a fresh look at the terminal where wants_look() says so,
  // else without.
  [[nodiscard]] std::optional<MonoTime> sample_due() const;
  [[nodiscard]] bool wants_look(MonoTime now) const;
  void on_sample(const EchoState* after, MonoTime now, InputSink& sink);

  // The session is over: decides all that is left. What was never forwarded is not recorded.
  void finish(const EchoState& last, MonoTime now, InputSink& sink);

 private:
  enum class Judge : std::uint8_t { drop, direct, echoed };
  enum class Hidden : std::uint8_t { no, by_terminal, until_line_end };

  // Absolute positions count all bytes ever typed; they stay true when the memory is compacted.
  struct Chunk {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    MonoTime at;         // when it was typed
    MonoTime forwarded;  // when the program had all of it
    Judge judge = Judge::drop;
    bool is_started = false;  // the program has some of it
    bool is_forwarded = false;
    bool ends_line = false;
    bool raw = false;  // typed to a program that reads its own keys
    bool looked_after = false;
    bool canonical_after = false;  // ... and another one reads what is typed then
    bool hidden_after = false;     // the second look found it hidden
    std::size_t runs_left = 0;     // printable runs whose echo was not seen yet
    std::uint64_t echo_from = 0;   // place in the output where its echo may begin
  };
  struct Run {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t chunk = 0;  // number of its chunk
  };
  struct Group {  // what is decided together, at the front of chunks_
    std::size_t chunks = 0;
    bool closed = false;
  };
  enum class Verdict : std::uint8_t { wait, keep, hide };

  struct Read {  // one read(2) from the keyboard
    std::uint64_t begin = 0;
    MonoTime at;
    InputScan scan;
    bool raw = false;
  };
  // The program has had time for it, and nobody looked at the terminal since.
  void take_look(const EchoState& after, MonoTime now);
  static bool is_settled(const Chunk& chunk, MonoTime now) {
    return now.us - chunk.forwarded.us >= k_settle_us;
  }
  [[nodiscard]] const Chunk* next_to_look_after() const;
  [[nodiscard]] std::size_t index_of(std::uint64_t chunk) const {
    return static_cast<std::size_t>(chunk - first_chunk_);
  }
  void add_chunk(const Read& read, std::uint64_t begin, std::uint64_t end, Judge judge);
  void update_hidden(const EchoState& before);
  void update_enter(const EchoState& before, MonoTime now);
  Announce announce_hidden(bool answer_ends);
  [[nodiscard]] const Chunk& chunk_of(const Run& run) const {
    return chunks_[run.chunk - first_chunk_];
  }
  [[nodiscard]] std::uint64_t search_from(const Run& run) const;
  void match_echo();
  [[nodiscard]] bool front_echo_overdue(MonoTime now) const;
  [[nodiscard]] Group front_group() const;
  [[nodiscard]] Verdict judge_direct(const Chunk& chunk, MonoTime now) const;
  [[nodiscard]] Verdict judge_echoed(const Group& group, MonoTime now) const;
  void decide(MonoTime now, InputSink& sink);
  void keep(const Group& group, InputSink& sink);
  void hide(const Group& group, InputSink& sink);
  void drop_front(std::size_t chunks);
  void compact();
  [[nodiscard]] std::span<std::byte> bytes(std::uint64_t begin, std::uint64_t end) const;

  InputMode mode_;
  std::span<std::byte> memory_;
  std::uint64_t base_ = 0;       // absolute position of memory_[0]
  std::uint64_t end_ = 0;        // behind the last typed byte
  std::uint64_t forwarded_ = 0;  // everything before was forwarded
  std::size_t last_room_ = 0;
  bool finishing_ = false;
  std::uint64_t first_chunk_ = 0;   // number of chunks_.front()
  std::deque<Chunk> chunks_;        // undecided or not forwarded
  std::uint64_t next_forward_ = 0;  // number of the first chunk that the program has not got whole
  std::uint64_t next_look_ = 0;     // ... that nobody has looked after; not above next_forward_
  std::deque<Run> runs_;            // echo not seen yet, oldest first
  std::uint64_t matched_to_ = 0;    // the next echo begins here or later

  Hidden hidden_ = Hidden::no;
  bool hidden_announced_ = false;  // one input_hidden per answer
  bool echo_found_ = false;        // since the last decision
  MonoTime last_look_{};           // after forwarding
  // An Enter went to a program that reads its own keys, and what it makes of it is not known yet:
  // it may be about to start one that asks for a password.
  bool enter_open_ = false;
  std::optional<MonoTime> enter_answered_;  // first output since
  bool typed_announced_ = false;            // at most one `typed` without its outcome
  InputScanner scanner_;
  PromptDetector prompt_;
  EchoWindow window_;
};

}  // namespace sworn::recorder
