// SPDX-License-Identifier: Apache-2.0
#include "recorder/input_policy.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace {

using sworn::as_bytes;
using sworn::as_text;
using sworn::ByteView;
using sworn::MonoTime;
using sworn::recorder::Announce;
using sworn::recorder::EchoState;
using sworn::recorder::InputMode;
using sworn::recorder::InputPolicy;

constexpr EchoState k_cooked{.known = true, .canonical = true, .echo = true, .signals = true};
constexpr EchoState k_getpass{.known = true, .canonical = true, .echo = false, .signals = true};
constexpr EchoState k_readline{.known = true, .canonical = false, .echo = false, .signals = true};
constexpr EchoState k_relay{.known = true, .canonical = false, .echo = false, .signals = false};
constexpr EchoState k_inner_prompt{
    .known = true, .canonical = false, .echo = false, .signals = false, .inner_hidden = true};

// Plays the terminal, the program and the recording around one policy.
class Desk final : public sworn::recorder::InputSink {
 public:
  explicit Desk(InputMode mode = InputMode::commands) : policy_(mode, memory_) {}

  void type(std::string_view text, const EchoState& before) {
    for (std::size_t done = 0; done < text.size();) {
      const auto room = policy_.room();
      REQUIRE(!room.empty());
      const std::size_t n = std::min(room.size(), text.size() - done);
      std::ranges::copy(as_bytes(text.substr(done, n)), room.begin());
      done += n;
      switch (policy_.on_typed(n, before, now_)) {
        case Announce::nothing:
          break;
        case Announce::typed:
          log_ += "<typed>";
          break;
        case Announce::hidden:
          log_ += "<hidden>";
          break;
      }
      forward();
    }
  }
  void forward() {
    if (hold_) {
      return;
    }
    forwarded_ += as_text(policy_.to_forward());
    policy_.on_forwarded(policy_.to_forward().size(), now_);
  }
  void show(std::string_view text) { policy_.on_output(as_bytes(text), now_); }
  // Keys one by one, each echoed at once, as a person does it.
  void type_echoed(std::string_view text, const EchoState& state) {
    for (const char c : text) {
      type(std::string(1, c), state);
      if (c == '\r') {
        show("\r\n");
      } else {
        show(std::string(1, c));
      }
      pass(100'000, state);
    }
  }
  void pass(std::int64_t us, const EchoState& state) {
    const std::int64_t end = now_.us + us;
    while (const auto due = policy_.sample_due()) {
      if (due->us > end) {
        break;
      }
      now_.us = std::max(now_.us, due->us);
      const bool look = policy_.wants_look(now_);
      looks_ += look ? 1 : 0;
      policy_.on_sample(look ? &state : nullptr, now_, *this);
      REQUIRE((!policy_.sample_due() || policy_.sample_due()->us > now_.us));
    }
    now_.us = end;
  }
  void finish(const EchoState& state) { policy_.finish(state, now_, *this); }

  void record_input(ByteView bytes, MonoTime at) override {
    log_ += as_text(bytes);
    times_.push_back(at.us);
  }
  void record_hidden() override { log_ += "<hidden>"; }

  void hold(bool on) { hold_ = on; }
  [[nodiscard]] const std::string& log() const { return log_; }
  [[nodiscard]] const std::string& forwarded() const { return forwarded_; }
  [[nodiscard]] const std::vector<std::int64_t>& times() const { return times_; }
  [[nodiscard]] bool remembers(std::string_view secret) const {
    return as_text(ByteView(memory_)).find(secret) != std::string_view::npos;
  }
  InputPolicy& policy() { return policy_; }
  [[nodiscard]] MonoTime now() const { return now_; }
  [[nodiscard]] int looks() const { return looks_; }

 private:
  std::array<std::byte, 64 * 1024> memory_{};
  InputPolicy policy_;
  MonoTime now_{1'000'000};
  std::string log_;
  std::string forwarded_;
  std::vector<std::int64_t> times_;
  bool hold_ = false;
  int looks_ = 0;
};

std::size_t count(const std::string& text, std::string_view what) {
  std::size_t n = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
    ++n;
  }
  return n;
}

std::string without_announcements(std::string log) {
  for (auto at = log.find("<typed>"); at != std::string::npos; at = log.find("<typed>")) {
    log.erase(at, 7);
  }
  return log;
}

}  // namespace

TEST_CASE("recorder: looks at the terminal are at most one in 20 ms, none of them too early") {
  Desk desk;
  for (int i = 0; i < 200; ++i) {  // faster than any person: 500 keys a second
    desk.type("x", k_relay);
    desk.show("x");
    desk.pass(2'000, k_relay);
  }
  CHECK(desk.looks() <= 19);
  CHECK(desk.looks() >= 10);
  // The last keys settle behind the last look; now a prompt further inside has come up, and it
  // counts for every key that nobody has looked after yet.
  desk.pass(100'000, k_inner_prompt);
  desk.finish(k_inner_prompt);
  CHECK(count(desk.log(), "<hidden>") == 1);
}

TEST_CASE("recorder: the answer to a prompt that came up between two looks is not kept") {
  Desk desk;
  desk.type_echoed("sudo ls\r", k_readline);
  // The Enter's look fell into the time before the prompt; the first letters of the answer are
  // typed before anybody looks again, with what the last search knew.
  desk.type("s", k_relay);
  desk.pass(1'000, k_relay);
  desk.type("e", k_relay);
  desk.pass(1'000, k_relay);
  desk.type("same\r", k_relay);
  desk.pass(200'000, k_inner_prompt);
  desk.finish(k_readline);
  CHECK(desk.log().find("same") == std::string::npos);
  CHECK(desk.log().find("<hidden>") != std::string::npos);
  CHECK_FALSE(desk.remembers("same"));
}

TEST_CASE(
    "recorder: a password typed ahead of its prompt to a shell that is slow to take the Enter") {
  Desk desk;
  desk.type_echoed("sudo l", k_readline);
  desk.type("s\r", k_readline);
  SUBCASE("the shell is still reading, and goes on doing so for longer than any look waits") {
    desk.pass(300'000, k_readline);
    desk.type("sesame", k_readline);
    desk.pass(300'000, k_readline);
    desk.show("s\r\n");
    desk.pass(500'000, k_getpass);
  }
  SUBCASE("it has answered a moment ago, and has not given the terminal back yet") {
    desk.show("s\r\n");
    desk.type("sesame", k_readline);
    desk.pass(500'000, k_cooked);  // sudo is being started
    desk.pass(500'000, k_getpass);
  }
  SUBCASE("letter by letter, another program reads by the time of the look") {
    desk.show("s\r\n");
    desk.pass(50'000, k_readline);
    for (const char c : std::string("sesame")) {
      desk.type(std::string(1, c), k_readline);
    }
    desk.pass(2'000'000, k_cooked);
  }
  desk.type("\r", k_getpass);
  desk.pass(2'000'000, k_readline);
  desk.finish(k_readline);
  CHECK(desk.log().find("sesame") == std::string::npos);
  CHECK(without_announcements(desk.log()).find("ses") == std::string::npos);
  CHECK(desk.log().find("<hidden>") != std::string::npos);
  CHECK_FALSE(desk.remembers("sesame"));
}

TEST_CASE("recorder: a command typed ahead is kept when the shell shows it") {
  Desk desk;
  desk.type_echoed("sleep 1\r", k_readline);
  desk.type("ls\r", k_readline);  // the shell has not taken the Enter yet
  desk.pass(100'000, k_cooked);
  desk.show("$ ls\r\n");
  desk.pass(2'000'000, k_readline);
  CHECK(without_announcements(desk.log()) == "sleep 1\rls\r");
}

TEST_CASE("recorder: keys of an editor are kept again once it has answered to an Enter") {
  Desk desk;
  desk.type("\r", k_readline);
  desk.show("\x1b[5;1H");
  desk.pass(100'000, k_readline);
  desk.type("j", k_readline);
  desk.pass(100'000, k_readline);
  desk.type("d", k_readline);
  desk.pass(100'000, k_readline);
  CHECK(without_announcements(desk.log()) == "\rjd");
}

TEST_CASE("recorder: keys at a shell prompt are announced and then kept") {
  Desk desk;
  desk.type("l", k_readline);
  CHECK(desk.log() == "<typed>");
  CHECK(desk.forwarded() == "l");
  desk.show("l");
  desk.pass(39'000, k_readline);
  CHECK(desk.log() == "<typed>");
  desk.pass(2'000, k_readline);
  CHECK(desk.log() == "<typed>l");
  CHECK(desk.times() == std::vector<std::int64_t>{1'000'000});
  desk.type("s", k_readline);
  desk.type("\r", k_readline);
  desk.pass(50'000, k_readline);
  CHECK(desk.log() == "<typed>l<typed>s\r");
}

TEST_CASE("recorder: a password typed key by key leaves one hidden event") {
  Desk desk;
  desk.show("[sudo] password for ann: ");
  for (const char c : std::string("s3cret!")) {
    desk.type(std::string(1, c), k_getpass);
    desk.pass(150'000, k_getpass);
  }
  CHECK(desk.log() == "<hidden>");
  desk.type("\r", k_getpass);
  desk.pass(1'000'000, k_cooked);
  CHECK(desk.log() == "<hidden>");
  CHECK(desk.forwarded() == "s3cret!\r");
  CHECK_FALSE(desk.remembers("s3cret"));
}

TEST_CASE("recorder: each prompt has its own hidden event") {
  Desk desk;
  desk.type("old\r", k_getpass);
  desk.type("new\r", k_getpass);
  desk.pass(10'000, k_getpass);
  desk.type("new\r", k_getpass);
  CHECK(desk.log() == "<hidden><hidden><hidden>");
  desk.type_echoed("ls\r", k_readline);
  CHECK(without_announcements(desk.log()) == "<hidden><hidden><hidden>ls\r");
}

TEST_CASE("recorder: hidden at the second look only") {
  Desk desk;
  desk.type("p", k_readline);
  desk.pass(50'000, k_getpass);
  desk.type("w", k_getpass);
  desk.type("\r", k_getpass);
  desk.pass(50'000, k_getpass);
  CHECK(desk.log() == "<typed><hidden>");
}

TEST_CASE("recorder: the command that asks for a password keeps its own line") {
  Desk desk;
  SUBCASE("typed key by key") {
    desk.type_echoed("su", k_readline);
    desk.type("\r", k_readline);
    desk.show("\r\nPassword: ");
    desk.pass(50'000, k_getpass);
  }
  SUBCASE("sent as one piece") {
    desk.type("su\r", k_readline);
    desk.show("su\r\nPassword: ");
    desk.pass(50'000, k_getpass);
  }
  SUBCASE("one piece whose echo comes late") {
    desk.type("su\r", k_readline);
    desk.pass(300'000, k_getpass);
    CHECK(desk.log() == "<typed>");
    desk.show("su\r\nPassword: ");
    desk.pass(800'000, k_getpass);
  }
  CHECK(without_announcements(desk.log()) == "su\r");
  desk.type("hunter2\r", k_getpass);
  desk.pass(2'000'000, k_cooked);
  CHECK(without_announcements(desk.log()) == "su\r<hidden>");
  CHECK_FALSE(desk.remembers("hunter2"));
}

TEST_CASE("recorder: a secret pasted behind a command is not kept") {
  Desk desk;
  desk.type("sudo id\rhunter2\r", k_readline);
  desk.show("sudo id\r\n[sudo] password for ann: ");
  desk.pass(50'000, k_getpass);
  desk.show("\r\nuid=0(root)\r\n$ ");
  desk.pass(2'000'000, k_readline);
  CHECK(desk.log() == "<typed>sudo id\r<hidden>");
  CHECK_FALSE(desk.remembers("hunter2"));
}

TEST_CASE("recorder: commands pasted one behind the other are kept when they are echoed") {
  Desk desk;
  desk.type("ls\rid\r", k_readline);
  desk.show("ls\r\nfile\r\n$ id\r\nuid=0\r\n$ ");
  desk.pass(2'000'000, k_readline);
  CHECK(desk.log() == "<typed>ls\rid\r");
}

TEST_CASE("recorder: a bracketed paste is one piece") {
  Desk desk;
  const std::string paste = "\x1b[200~for i in 1 2\rdo id\rdone\x1b[201~";
  desk.type(paste, k_readline);
  desk.pass(50'000, k_readline);
  CHECK(desk.log() == "<typed>" + paste);
}

TEST_CASE("recorder: canonical input is kept only with its echo") {
  Desk desk;
  SUBCASE("echoed") {
    desk.type_echoed("hello\r", k_cooked);
    CHECK(without_announcements(desk.log()) == "hello\r");
    CHECK(desk.times().size() == 6);
  }
  SUBCASE("echoed with colours and other output in between") {
    desk.type("hi", k_cooked);
    desk.show("\r\n[1]+ Done\r\n\x1b[32mhi\x1b[0m");
    desk.type("\r", k_cooked);
    desk.pass(2'000'000, k_cooked);
    CHECK(desk.log() == "<typed>hi\r");
  }
  SUBCASE("not echoed: the program was faster than our look at the terminal") {
    desk.type("hunter2\r", k_cooked);
    desk.show("Welcome\r\n");
    desk.pass(2'000'000, k_cooked);
    CHECK(desk.log() == "<typed><hidden>");
    CHECK_FALSE(desk.remembers("hunter2"));
  }
  SUBCASE("echoed in part only") {
    desk.type("abc", k_cooked);
    desk.show("ab");
    desk.type("\r", k_cooked);
    desk.pass(2'000'000, k_cooked);
    CHECK(desk.log() == "<typed><hidden>");
  }
  SUBCASE("the echo of the first half does not clear the second") {
    desk.type("user ", k_cooked);
    desk.show("user ");
    desk.type("secret\r", k_cooked);
    desk.pass(2'000'000, k_cooked);
    CHECK(desk.log() == "<typed><hidden>");
  }
  SUBCASE("text that was there before it was typed is no echo") {
    desk.show("hunter2\r\n");
    desk.type("hunter2\r", k_cooked);
    desk.pass(2'000'000, k_cooked);
    CHECK(desk.log() == "<typed><hidden>");
  }
  SUBCASE("an echo far behind other output is no proof") {
    desk.type("hunter2\r", k_cooked);
    desk.show(std::string(600, '.') + "hunter2");
    desk.pass(2'000'000, k_cooked);
    CHECK(desk.log() == "<typed><hidden>");
  }
}

TEST_CASE("recorder: a line without its end waits and is decided with it") {
  Desk desk;
  desk.type("par", k_cooked);
  desk.show("par");
  desk.pass(60'000'000, k_cooked);
  CHECK(desk.log() == "<typed>");
  desk.type("t\r", k_cooked);
  desk.show("t\r\n");
  desk.pass(100'000, k_cooked);
  CHECK(desk.log() == "<typed>part\r");
}

TEST_CASE("recorder: relays keep what is echoed from far away") {
  Desk desk;
  desk.type("l", k_relay);
  desk.type("s", k_relay);
  desk.pass(400'000, k_relay);
  desk.show("ls");
  desk.type("\r", k_relay);
  desk.pass(200'000, k_relay);
  CHECK(desk.log() == "<typed>ls\r");
}

TEST_CASE("recorder: a password behind a relay without any recognisable prompt") {
  Desk desk;
  desk.show("Kennung: ");
  for (const char c : std::string("hunter2")) {
    desk.type(std::string(1, c), k_relay);
    desk.pass(200'000, k_relay);
  }
  desk.type("\r", k_relay);
  desk.pass(2'000'000, k_relay);
  CHECK(count(desk.log(), "<hidden>") == 1);
  CHECK(count(desk.log(), "<typed>") == 1);
  CHECK(desk.log() == "<typed><hidden>");
  CHECK_FALSE(desk.remembers("hunter2"));
}

TEST_CASE("recorder: an inner terminal that hides") {
  Desk desk;
  desk.type("hunter2", k_inner_prompt);
  desk.pass(100'000, k_inner_prompt);
  desk.type("\r", k_inner_prompt);
  desk.pass(2'000'000, k_relay);
  CHECK(desk.log() == "<hidden>");
  desk.type_echoed("id\r", k_relay);
  CHECK(without_announcements(desk.log()) == "<hidden>id\r");
}

TEST_CASE("recorder: an inner terminal that hides by the time of the second look") {
  Desk desk;
  desk.type_echoed("su", k_relay);
  desk.type("\r", k_relay);
  desk.show("\r\n");
  desk.pass(50'000, k_inner_prompt);
  desk.type("hunter2\r", k_inner_prompt);
  desk.pass(3'000'000, k_relay);
  CHECK(without_announcements(desk.log()) == "su\r<hidden>");
}

TEST_CASE("recorder: a question for a password hides raw input until Enter") {
  Desk desk;
  EchoState state = k_readline;
  SUBCASE("of a local program") {}
  SUBCASE("behind a relay") {
    state = k_relay;
  }
  desk.show("Enter password: ");
  desk.type("h", state);
  desk.show("*");
  desk.pass(100'000, state);
  desk.type("unter2", state);
  desk.show("******");
  desk.pass(100'000, state);
  desk.type("\r", state);
  desk.show("\r\nmysql> ");
  desk.pass(2'000'000, state);
  CHECK(desk.log() == "<hidden>");
  desk.type("s", k_readline);
  desk.pass(50'000, k_readline);
  CHECK(desk.log() == "<hidden><typed>s");
}

TEST_CASE("recorder: in the mode all only prompts are hidden") {
  Desk desk(InputMode::all);
  desk.type("jjk", k_relay);
  desk.pass(50'000, k_relay);
  desk.type("quiet\r", k_cooked);
  desk.pass(50'000, k_cooked);
  desk.type("hunter2\r", k_getpass);
  desk.pass(2'000'000, k_cooked);
  CHECK(without_announcements(desk.log()) == "jjkquiet\r<hidden>");
}

TEST_CASE("recorder: in the mode none nothing is recorded") {
  Desk desk(InputMode::none);
  desk.type("ls\r", k_readline);
  desk.show("ls\r\n");
  desk.type("hunter2\r", k_getpass);
  desk.pass(2'000'000, k_cooked);
  desk.finish(k_cooked);
  CHECK(desk.log().empty());
  CHECK(desk.forwarded() == "ls\rhunter2\r");
  CHECK_FALSE(desk.remembers("ls"));
}

TEST_CASE("recorder: a terminal that cannot be read hides everything") {
  Desk desk;
  desk.type("x\r", EchoState{});
  desk.pass(2'000'000, EchoState{});
  CHECK(desk.log() == "<hidden>");
}

TEST_CASE("recorder: the end of the session decides what is left") {
  Desk desk;
  SUBCASE("kept where nothing was hidden") {
    desk.type("exit\r", k_readline);
    desk.show("exit\r\n");
    desk.finish(k_cooked);
    CHECK(desk.log() == "<typed>exit\r");
  }
  SUBCASE("hidden where the echo never came") {
    desk.type("hunter2", k_cooked);
    desk.finish(k_cooked);
    CHECK(desk.log() == "<typed><hidden>");
  }
  SUBCASE("what the program never got is not recorded") {
    desk.hold(true);
    desk.type("rm\r", k_readline);
    desk.finish(k_cooked);
    CHECK(desk.log() == "<typed>");
  }
  CHECK_FALSE(desk.remembers("hunter2"));
  CHECK_FALSE(desk.remembers("exit"));
}

TEST_CASE("recorder: a program that does not read stops the keyboard and loses nothing") {
  Desk desk;
  desk.hold(true);
  std::string sent;
  while (!desk.policy().room().empty()) {
    const std::string piece = "0123456789abcdef";
    desk.type(piece, k_readline);
    sent += piece;
  }
  CHECK(sent.size() > 4 * InputPolicy::k_max_read - 32);
  desk.hold(false);
  desk.forward();
  CHECK(desk.forwarded() == sent);
  desk.pass(100'000, k_readline);
  CHECK(without_announcements(desk.log()) == sent);
  CHECK_FALSE(desk.policy().room().empty());
}

TEST_CASE("recorder: a long paste in raw mode arrives whole and in order") {
  Desk desk;
  std::string sent;
  for (int i = 0; i < 50'000; ++i) {
    sent += static_cast<char>('a' + i % 26);
  }
  desk.type(sent, k_readline);
  desk.pass(2'000'000, k_readline);
  CHECK(desk.forwarded() == sent);
  CHECK(without_announcements(desk.log()) == sent);
}

TEST_CASE("recorder: an endless line without echo is given up in bounds") {
  Desk desk;
  for (int i = 0; i < 40; ++i) {
    desk.type(std::string(1000, 'x'), k_cooked);
    desk.pass(100'000, k_cooked);
  }
  desk.pass(2'000'000, k_cooked);
  CHECK(desk.log() == "<typed><hidden>");
}

TEST_CASE("recorder: arrow keys and tab need no echo") {
  Desk desk;
  desk.type_echoed("l", k_relay);
  desk.type("\t", k_relay);
  desk.type("\x1b[A", k_relay);
  desk.show("\r\x1b[Kcat /etc/motd");
  desk.type("\r", k_relay);
  desk.show("\r\n");
  desk.pass(2'000'000, k_relay);
  CHECK(without_announcements(desk.log()) == "l\t\x1b[A\r");
}

TEST_CASE("recorder: what must be sealed before it is passed on") {
  EchoState state = k_readline;
  state.line_chars = {std::byte{0x03}, std::byte{0x1C}, std::byte{0x1A}, std::byte{0x04}};
  CHECK(state.needs_seal(as_bytes("\r")));
  CHECK(state.needs_seal(as_bytes("abc\ndef")));
  CHECK(state.needs_seal(as_bytes("\x0f")));
  CHECK(state.needs_seal(as_bytes("\x03")));
  CHECK(state.needs_seal(as_bytes("\x1a")));
  CHECK_FALSE(state.needs_seal(as_bytes("abc\x1b[A\t\x7f")));
  state.line_chars = {};
  CHECK_FALSE(state.needs_seal(as_bytes(std::string_view("\0\x03", 2))));
}
