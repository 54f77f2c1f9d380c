// SPDX-License-Identifier: Apache-2.0
#include "recorder/client/fallback.hpp"
#include "recorder/client/invocation.hpp"
#include "recorder/host/host_store.hpp"

#include <doctest/doctest.h>

namespace sworn::recorder::client {
namespace {

using Words = std::vector<std::string>;
constexpr const char* k_own = "/usr/bin/sworn-login";

Invocation read(const Words& argv, const char* original = nullptr) {
  return read_invocation(argv, original, k_own);
}

}  // namespace

TEST_CASE("client: a login, as sshd and login(1) start it") {
  const auto got = read({"-sworn-login"});
  CHECK(got.entry == host::Entry::login);
  CHECK(shell_argv(got, "/bin/bash") == Words{"-bash"});
}

TEST_CASE("client: a command, as sshd starts it") {
  const auto got = read({"sworn-login", "-c", "ls -l"});
  CHECK(got.entry == host::Entry::command);
  CHECK(shell_argv(got, "/bin/bash") == Words{"bash", "-c", "ls -l"});
}

TEST_CASE("client: su passes its own arguments on") {
  const auto got = read({"-su", "-c", "id"});
  CHECK(got.entry == host::Entry::command);
  CHECK(shell_argv(got, "/bin/sh") == Words{"-sh", "-c", "id"});
}

TEST_CASE("client: ForceCommand takes the command that the user asked for") {
  CHECK(shell_argv(read({"/usr/bin/sworn-login"}, "scp -t x"), "/bin/bash") ==
        Words{"bash", "-c", "scp -t x"});
  CHECK(shell_argv(read({"sworn-login", "-c", k_own}, "id"), "/bin/bash") ==
        Words{"bash", "-c", "id"});
  // Without one it is a login.
  CHECK(shell_argv(read({"sworn-login", "-c", k_own}), "/bin/bash") == Words{"-bash"});
}

TEST_CASE("client: a variable that the user set does not replace a command that sshd gave") {
  CHECK(shell_argv(read({"sworn-login", "-c", "id"}, "ls"), "/bin/bash") ==
        Words{"bash", "-c", "id"});
}

TEST_CASE("client: rec with its notes and a command") {
  const auto got =
      read({"sworn-login", "--rec", "--reason", "disk", "--ticket", "T-1", "--", "ls", "-l"});
  CHECK(got.entry == host::Entry::rec);
  CHECK(got.reason == "disk");
  CHECK(got.ticket == "T-1");
  CHECK(got.command == Words{"ls", "-l"});
  CHECK_FALSE(read({"sworn-login", "--rec", "--nosuch"}).problem.empty());
  CHECK_FALSE(read({"sworn-login", "--rec", "--reason"}).problem.empty());
}

TEST_CASE("client: what swornd leaves behind is what the client reads") {
  Fallback fallback;
  fallback.shell = "/bin/dash";
  fallback.break_glass = {985};
  fallback.not_recorded = {33, 34};
  const auto back = parse_fallback(fallback_text(fallback));
  REQUIRE(back);
  CHECK(back->shell == "/bin/dash");
  CHECK(back->break_glass == std::vector<std::uint32_t>{985});
  CHECK(back->not_recorded == std::vector<std::uint32_t>{33, 34});
  CHECK(parse_fallback(fallback_text(Fallback{})));
}

TEST_CASE("client: a damaged fallback is none") {
  const std::string whole = fallback_text(Fallback{});
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    const auto got = parse_fallback(std::string_view(whole).substr(0, cut));
    CAPTURE(cut);
    if (cut == 0 || whole[cut - 1] != '\n') {
      CHECK_FALSE(got);
    }
  }
  CHECK_FALSE(parse_fallback("sworn-client 2\n"));
  CHECK_FALSE(parse_fallback("sworn-client 1\nbreak_glass 1,x\n"));
  CHECK_FALSE(parse_fallback("sworn-client 1\nshell bash\n"));
}

TEST_CASE("client: without swornd nobody goes on but whom the policy names, and root") {
  Fallback terminate;
  terminate.break_glass = {985};
  terminate.not_recorded = {33};
  CHECK(judge(terminate, 1000, false, {100}) == Verdict::denied);
  CHECK(judge(terminate, 1000, false, {100, 985}) == Verdict::break_glass);
  CHECK(judge(terminate, 33, false, {33}) == Verdict::not_recorded);
  CHECK(judge(terminate, 0, true, {0}) == Verdict::break_glass);
  CHECK(judge(terminate, 0, false, {0}) == Verdict::denied);  // root of a user namespace
  Fallback alert;
  alert.may_continue = true;
  CHECK(judge(alert, 1000, false, {100}) == Verdict::unrecorded);
  const Result<Fallback> none = fail(Errc::not_found, "");
  CHECK(judge(none, 1000, false, {100}) == Verdict::denied);
  CHECK(judge(none, 0, true, {0}) == Verdict::break_glass);
}

TEST_CASE("host store: the note of a session survives, and a cut one is refused") {
  host::SessionNote note;
  note.final_path = "/var/lib/sworn/sessions/a.sworn";
  note.user = "alice";
  note.pts = "/dev/pts/3";
  note.taken = 1;
  const Bytes bytes = host::encode_note(note);
  const auto back = host::decode_note(bytes);
  REQUIRE(back);
  CHECK(back->final_path == note.final_path);
  CHECK(back->taken == 1);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    CHECK_FALSE(host::decode_note(ByteView(bytes).first(cut)));
  }
}

}  // namespace sworn::recorder::client
