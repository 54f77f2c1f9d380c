// SPDX-License-Identifier: Apache-2.0
#include "recorder/host/admin/admin.hpp"

#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/printable.hpp"
#include "recorder/client/handshake.hpp"
#include "recorder/host/config.hpp"
#include "recorder/host/packet.hpp"
#include "recorder/host/wire.hpp"
#include "recorder/message.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace sworn::recorder::host::admin {
namespace {

using nlohmann::json;

constexpr int k_answer_ms = 5'000;

std::string operand(const Words& words, std::size_t n) {
  for (const auto& word : words) {
    if (!word.starts_with("--") && n-- == 0) {
      return word;
    }
  }
  return "";
}

}  // namespace

bool has_flag(const Words& words, const std::string& flag) {
  return std::find(words.begin(), words.end(), flag) != words.end();
}

int complain(const std::string& what, const std::string& why, const std::string& remedy) {
  recorder::complain({what, why, remedy});
  return 1;
}

void print(const std::string& text) {
  static_cast<void>(write_all(STDOUT_FILENO, as_bytes(text)));
}

Result<std::string> ask_daemon(const std::string& what, const Words& words) {
  const Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, k_daemon_socket, sizeof k_daemon_socket);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail_sys(errno, "swornd does not listen on " + std::string(k_daemon_socket));
  }
  TRY(send_packet(socket.get(), encode(Query{what, words})));
  TRY_ASSIGN(const auto packet, client::wait_for_packet(socket.get(), k_answer_ms));
  TRY_ASSIGN(auto message, decode(packet.data));
  auto* report = std::get_if<Report>(&message);
  if (report == nullptr) {
    return fail(Errc::corrupt, "swornd answered with something else than a report");
  }
  if (report->ok == 0) {
    return fail(Errc::bad_usage, report->text);
  }
  return std::move(report->text);
}

int run_config(const Words& words) {
  const std::string what = operand(words, 0);
  const std::string file = operand(words, 1).empty() ? k_config_path : operand(words, 1);
  const bool as_json = has_flag(words, "--json");
  if (what != "check" && what != "show") {
    return complain("config: say what to do", "check or show", "sworn config check");
  }
  const auto loaded = load_config(file);
  if (what == "check" && as_json) {
    json list = json::array();
    for (const auto& each : loaded.findings) {
      list.push_back({{"file", each.file}, {"line", each.line}, {"reason", each.reason}});
    }
    print(json{{"schema", "sworn.config/1"}, {"file", file}, {"findings", list}}.dump(2) + "\n");
    return loaded.ok() ? 0 : 1;
  }
  for (const auto& each : loaded.findings) {
    const std::string text =
        fmt::format("{}:{}: {}\n", printable(each.file), each.line, printable(each.reason));
    static_cast<void>(write_all(what == "check" ? STDOUT_FILENO : STDERR_FILENO, as_bytes(text)));
  }
  if (!loaded.ok()) {
    return 1;
  }
  if (what == "check") {
    const bool absent = ::access(file.c_str(), F_OK) != 0;
    print(fmt::format(
        "{}: {}\n", printable(file),
        absent ? "not there: the built-in policy records everybody" : "every key is understood"));
    return 0;
  }
  if (as_json) {
    json out = json::object();
    const std::string text = describe_config(loaded.config);
    for (std::size_t at = 0; at < text.size();) {
      const auto end = text.find('\n', at);
      const auto equals = text.find('=', at);
      out[text.substr(at, equals - at)] = text.substr(equals + 1, end - equals - 1);
      at = end + 1;
    }
    print(json{{"schema", "sworn.config/1"}, {"file", file}, {"policy", out}}.dump(2) + "\n");
  } else {
    print(describe_config(loaded.config));
  }
  return 0;
}

int run_who(const Words& words) {
  const auto answer = ask_daemon("who");
  if (!answer) {
    return complain("who: nobody knows", describe(answer.error()), "systemctl status swornd");
  }
  const json report = json::parse(*answer, nullptr, false);
  if (has_flag(words, "--json")) {
    json out = report;
    out["schema"] = "sworn.who/1";
    print(out.dump(2) + "\n");
    return 0;
  }
  for (const auto& each : report.value("sessions", json::array())) {
    print(fmt::format("{:<12} {:<12} {:<12} {}  {}\n", each.value("user", ""),
                      each.value("tty", "").empty() ? "-" : each.value("tty", ""),
                      each.value("pts", "").empty() ? "streams" : each.value("pts", ""),
                      each.value("started", ""), each.value("id", "").substr(0, 8)));
  }
  if (report.value("cut", false)) {
    print("... and more\n");
  }
  return 0;
}

int run_status(const Words& words) {
  const auto answer = ask_daemon("status");
  if (!answer) {
    return complain("status: cannot tell", describe(answer.error()),
                    "a session that you started with `sworn rec` yourself has SWORN_SESSION set");
  }
  const json report = json::parse(*answer, nullptr, false);
  const bool recorded = report.value("recorded", false);
  if (has_flag(words, "--json")) {
    json out = report;
    out["schema"] = "sworn.status/1";
    print(out.dump(2) + "\n");
  } else if (!recorded) {
    print("this terminal is not recorded by this host\n");
  } else {
    print(fmt::format(
        "recorded     by session {} since {}\nuser         {} (uid {})\nterminal     "
        "{}, reached from {}{}\nin ledger    {}\n",
        report.value("id", ""), report.value("started", ""), report.value("user", ""),
        report.value("uid", 0), report.value("pts", ""), report.value("tty", ""),
        report.value("terminal_taken", false) ? ", which no other process can use"
                                              : ", which your other processes can still write to",
        report.value("in_ledger", false) ? "yes" : "no"));
    std::string policy = report.value("policy", "");
    for (std::size_t at = 0; at < policy.size();) {
      const auto end = std::min(policy.find('\n', at), policy.size());
      print("policy       " + printable(policy.substr(at, end - at)) + "\n");
      at = end + 1;
    }
  }
  return recorded ? 0 : 1;
}

}  // namespace sworn::recorder::host::admin
