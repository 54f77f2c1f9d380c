// SPDX-License-Identifier: Apache-2.0
#include "audit/hook_message.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace sworn;
using namespace sworn::audit;

namespace {

const std::string k_key = "0123456789abcdef0123456789abcdef";

std::string message(const std::vector<std::string>& fields) {
  std::string out{"SW1\0", 4};
  out += k_key;
  out += '\0';
  for (const auto& field : fields) {
    out += field;
    out += '\0';
  }
  return out;
}

const std::string k_begin =
    message({"B", "1795231321.328296", "1", "7", "/tmp", "    7  ls  -l\n"});

}  // namespace

TEST_CASE("hook message: a message in one datagram") {
  HookAssembler assembler(k_key);
  std::vector<HookMessage> out;
  CHECK(assembler.feed(42, as_bytes(k_begin), out) == HookAssembler::Outcome::taken);
  REQUIRE(out.size() == 1);
  CHECK(out[0].type == HookType::begin);
  CHECK(out[0].sender == 42);
  CHECK(out[0].wall_us == 1'795'231'321'328'296);
  CHECK(out[0].cwd == "/tmp");
  CHECK(out[0].text == "ls  -l");
  CHECK(out[0].has_text);
  CHECK_FALSE(out[0].truncated);
  CHECK(assembler.open_messages() == 0);
}

TEST_CASE("hook message: cut at every byte into two datagrams it is the same") {
  for (std::size_t cut = 1; cut < k_begin.size(); ++cut) {
    CAPTURE(cut);
    HookAssembler assembler(k_key);
    std::vector<HookMessage> out;
    const auto first = assembler.feed(42, as_bytes(k_begin).first(cut), out);
    // The key must be in the first piece: nothing is kept of a sender without it.
    if (cut <= 4 + k_key.size()) {
      CHECK(first == HookAssembler::Outcome::no_key);
      CHECK(assembler.open_messages() == 0);
      continue;
    }
    CHECK(first == HookAssembler::Outcome::taken);
    CHECK(out.empty());
    CHECK(assembler.feed(42, as_bytes(k_begin).subspan(cut), out) == HookAssembler::Outcome::taken);
    REQUIRE(out.size() == 1);
    CHECK(out[0].text == "ls  -l");
  }
}

TEST_CASE("hook message: senders do not mix") {
  HookAssembler assembler(k_key);
  std::vector<HookMessage> out;
  const auto bytes = as_bytes(k_begin);
  assembler.feed(1, bytes.first(60), out);
  assembler.feed(2, bytes.first(70), out);
  assembler.feed(1, bytes.subspan(60), out);
  assembler.feed(2, bytes.subspan(70), out);
  REQUIRE(out.size() == 2);
  CHECK(out[0].sender == 1);
  CHECK(out[1].sender == 2);
  CHECK(out[0].text == out[1].text);
}

TEST_CASE("hook message: several in one datagram and one that was given up") {
  HookAssembler assembler(k_key);
  std::vector<HookMessage> out;
  const auto end = message({"E", "1795231321,328296", "3", "1 0 3", "/"});
  CHECK(assembler.feed(1, as_bytes(end + end), out) == HookAssembler::Outcome::taken);
  REQUIRE(out.size() == 2);
  CHECK(out[1].wall_us == 1'795'231'321'328'296);
  CHECK(out[1].first == "3");
  CHECK(out[1].second == "1 0 3");
  out.clear();
  assembler.feed(1, as_bytes(k_begin).first(70), out);
  CHECK(assembler.feed(1, as_bytes(end), out) == HookAssembler::Outcome::taken);
  REQUIRE(out.size() == 1);
  CHECK(out[0].type == HookType::end);
}

TEST_CASE("hook message: what is not ours is refused") {
  HookAssembler assembler(k_key);
  std::vector<HookMessage> out;
  const std::vector<std::string> bad{"x",
                                     std::string(1, '\0'),
                                     "SW1",
                                     std::string("SW1\0", 4) + "wrong key",
                                     k_begin.substr(1),
                                     std::string("SW2\0", 4) + k_key};
  for (const auto& datagram : bad) {
    CHECK(assembler.feed(1, as_bytes(datagram), out) == HookAssembler::Outcome::no_key);
  }
  CHECK(assembler.feed(1, {}, out) == HookAssembler::Outcome::taken);
  CHECK(assembler.feed(1, as_bytes(message({"?", "1", "2"})), out) ==
        HookAssembler::Outcome::malformed);
  CHECK(assembler.feed(1, as_bytes(message({"", "1", "2"})), out) ==
        HookAssembler::Outcome::malformed);
  CHECK(out.empty());
  CHECK(assembler.open_messages() == 0);
}

TEST_CASE("hook message: memory is bounded") {
  HookAssembler assembler(k_key);
  std::vector<HookMessage> out;
  for (pid_t sender = 1; sender < 200; ++sender) {  // senders that never finish
    assembler.feed(sender, as_bytes(k_begin).first(60), out);
  }
  CHECK(assembler.open_messages() <= k_max_open_messages);
  auto start = k_begin;
  start.resize(start.size() - 2);
  assembler.feed(1000, as_bytes(start), out);
  const std::string block(100'000, 'a');
  for (int i = 0; i < 30; ++i) {
    assembler.feed(1000, as_bytes(block), out);
  }
  CHECK(out.empty());
  assembler.feed(1000, as_bytes(std::string("\n\0", 2)), out);
  REQUIRE(out.size() == 1);
  CHECK(out[0].truncated);
  CHECK(out[0].text.size() == k_max_command_text);
  CHECK(out[0].text.starts_with("ls  -laaa"));
}

TEST_CASE("hook message: a header that is no header") {
  HookAssembler assembler(k_key);
  std::vector<HookMessage> out;
  const std::string block(100'000, 'a');
  auto start = message({"E", "1.000000", "0"});
  assembler.feed(1, as_bytes(start), out);
  for (int i = 0; i < 30; ++i) {
    assembler.feed(1, as_bytes(block), out);
  }
  CHECK(assembler.feed(1, as_bytes(std::string(2, '\0')), out) ==
        HookAssembler::Outcome::malformed);
  CHECK(out.empty());
  CHECK(assembler.open_messages() == 0);
}

TEST_CASE("hook message: the line out of the history list") {
  std::string text;
  CHECK(strip_history("    7  ls\n", 1, 7, text));
  CHECK(text == "ls");
  CHECK(strip_history("    7*   ls \n", 1, 7, text));
  CHECK(text == "  ls ");
  CHECK(strip_history("123456  ls\n", 1, 123'456, text));
  CHECK(text == "ls");
  CHECK(strip_history("\t ls -l\n", 1, 7, text));  // fc
  CHECK(text == "ls -l");
  CHECK(strip_history("\tls -l\n", 1, 7, text));  // fc in POSIX mode
  CHECK(text == "ls -l");
  CHECK(strip_history("    7  cat <<E\n    8  x\nE\n\n", 1, 7, text));
  CHECK(text == "cat <<E\n    8  x\nE");
  CHECK(strip_history("    6  for i in 1\n    7  do echo\n    8  done\n", 3, 8, text));
  CHECK(text == "for i in 1\ndo echo\ndone");
  for (const auto* bad : {"", "    8  ls\n", "    7 ls\n", "7  ls\n", "    7", "garbage"}) {
    CAPTURE(bad);
    CHECK_FALSE(strip_history(bad, 1, 7, text));
    CHECK(text.empty());
  }
  CHECK_FALSE(strip_history("    7  ls\n", 0, 7, text));
  CHECK_FALSE(strip_history("    7  ls\n", 9, 7, text));
  CHECK_FALSE(strip_history("    6  a\n", 2, 7, text));
  CHECK_FALSE(strip_history("    6  a\n", 18'446'744'073'709'551'615U, 7, text));
}
