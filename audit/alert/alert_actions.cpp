// SPDX-License-Identifier: Apache-2.0
#include "audit/alert/alert_actions.hpp"

#include "audit/trail/trail_json.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "format/msgpack_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <map>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sworn::audit::alert {
namespace {

constexpr std::size_t k_max_text = 8 * 1024;  // in a message to the recorder

// "4711 (name) S 4700 ...": the 4700.
pid_t parent_of(pid_t pid) {
  const Fd fd(::open(fmt::format("/proc/{}/stat", pid).c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 512> buffer{};
  const auto n = fd.valid() ? ::read(fd.get(), buffer.data(), buffer.size()) : -1;
  const std::string_view text(buffer.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  const auto close = text.rfind(')');
  pid_t parent = 0;
  if (close != std::string_view::npos && close + 4 < text.size()) {
    const auto rest = text.substr(close + 4);
    std::from_chars(rest.data(), rest.data() + rest.size(), parent);
  }
  return parent;
}

std::string command_name(pid_t pid) {
  const Fd fd(::open(fmt::format("/proc/{}/comm", pid).c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 64> buffer{};
  const auto n = fd.valid() ? ::read(fd.get(), buffer.data(), buffer.size()) : -1;
  std::string name(buffer.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  std::erase(name, '\n');
  return name;
}

}  // namespace

AlertActions::AlertActions(ActionTargets targets, Clock& clock)
    : targets_(std::move(targets)), clock_(clock) {}

AlertActions::~AlertActions() {
  for (const auto& program : programs_) {
    ::kill(program.pid, SIGKILL);
    ::waitpid(program.pid, nullptr, 0);
  }
}

// The input travels in a memory file: whoever does not read it cannot block us.
Result<void> AlertActions::start(std::vector<std::string> argv, const std::string& input) {
  if (programs_.size() >= k_max_programs) {
    return fail(Errc::exhausted, "too many programs of earlier alerts still run");
  }
  const Fd memory(::memfd_create("sworn-alert", MFD_CLOEXEC));
  if (!memory.valid()) {
    return fail_sys(errno, "memfd_create");
  }
  TRY(write_all(memory.get(), as_bytes(input)));
  std::vector<char*> words;
  for (auto& word : argv) {
    words.push_back(word.data());
  }
  words.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) {
    return fail_sys(errno, "fork");
  }
  if (pid == 0) {
    ::setpgid(0, 0);
    ::lseek(memory.get(), 0, SEEK_SET);
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(memory.get(), 0);
    ::dup2(null, 1);
    ::dup2(null, 2);
    ::execvp(words[0], words.data());
    ::_exit(127);
  }
  programs_.push_back({pid, clock_.mono(), argv[0]});
  return {};
}

void AlertActions::tend() {
  const auto now = clock_.mono();
  std::erase_if(programs_, [&](const Program& program) {
    if (::waitpid(program.pid, nullptr, WNOHANG) == program.pid) {
      return true;
    }
    if (now.us - program.started.us > k_program_us) {
      ::kill(-program.pid, SIGKILL);
    }
    return false;
  });
}

Result<void> AlertActions::act(AlertAction action, const AlertRule& rule,
                               const trail::TrailEntry& entry) {
  switch (action) {
    case AlertAction::syslog: {
      TRY_ASSIGN(const auto sink, trail::open_syslog(targets_.syslog));
      return sink->put(entry);
    }
    case AlertAction::journald: {
      TRY_ASSIGN(const auto sink, trail::open_journald(targets_.journald));
      return sink->put(entry);
    }
    case AlertAction::command:
      return start({rule.run, rule.name, rule.severity, entry.link()},
                   trail::to_own_json(entry) + "\n");
    case AlertAction::webhook:
      return start({"curl", "--silent", "--show-error", "--max-time", "10", "--header",
                    "Content-Type: application/json", "--data-binary", "@-", "--", rule.url},
                   trail::to_own_json(entry));
    case AlertAction::freeze: {
      if (targets_.command <= 0) {
        return fail(Errc::bad_usage, "the session's processes are not known");
      }
      auto pids = descendants_of(targets_.command);
      pids.insert(pids.begin(), targets_.command);
      std::size_t refused = 0;
      for (const auto pid : pids) {
        refused += ::kill(pid, SIGSTOP) != 0 && errno == EPERM ? 1U : 0U;
      }
      return refused == 0 ? Result<void>{}
                          : fail(Errc::io, fmt::format("{} of {} processes belong to other users",
                                                       refused, pids.size()));
    }
    case AlertAction::end:
      if (targets_.recorder <= 0 || !command_name(targets_.recorder).starts_with("sworn-record")) {
        return fail(Errc::bad_usage, "the session's recorder is not known");
      }
      return ::kill(targets_.recorder, SIGTERM) == 0 ? Result<void>{}
                                                     : fail_sys(errno, "the session's recorder");
  }
  return {};
}

std::vector<std::string> AlertActions::run(const AlertRule& rule, const trail::TrailEntry& entry) {
  std::vector<std::string> failed;
  for (const auto action : rule.actions) {
    if (const auto done = act(action, rule, entry); !done) {
      failed.push_back(fmt::format("alert {}: {} failed: {}", rule.name, name_of(action),
                                   describe(done.error())));
    }
  }
  return failed;
}

std::vector<pid_t> descendants_of(pid_t root) {
  std::multimap<pid_t, pid_t> children;
  std::error_code ignored;
  for (std::filesystem::directory_iterator at("/proc", ignored), end; !ignored && at != end;
       at.increment(ignored)) {
    const auto name = at->path().filename().string();
    pid_t pid = 0;
    const auto [stop, ec] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (ec == std::errc{} && stop == name.data() + name.size()) {
      children.emplace(parent_of(pid), pid);
    }
  }
  std::vector<pid_t> out{root};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto [first, last] = children.equal_range(out[i]);
    for (auto it = first; it != last; ++it) {
      out.push_back(it->second);
    }
  }
  out.erase(out.begin());
  return out;
}

trail::TrailEntry entry_of(const AlertHit& hit, const AlertRule& rule,
                           const trail::TrailSession& session, const format::ClockMap& clock,
                           MonoTime first) {
  trail::TrailEntry entry;
  entry.kind = trail::TrailKind::alert;
  entry.session = session;
  entry.at = clock.to_wall(hit.at);
  entry.end = entry.at;
  entry.t_us = hit.at.us - first.us;
  entry.event = hit.event;
  entry.command = hit.command;
  entry.code = rule.name;
  entry.severity = rule.severity;
  entry.text =
      hit.subject == Subject::command || hit.command_text.empty()
          ? hit.text
          : fmt::format("{} ({}, of: {})", hit.text, name_of(hit.subject), hit.command_text);
  return entry;
}

Bytes message_of(const AlertHit& hit, const AlertRule& rule) {
  std::vector<std::string> actions;
  for (const auto action : rule.actions) {
    actions.emplace_back(name_of(action));
  }
  return format::MapWriter()
      .text("rule", rule.name.substr(0, 200))
      .text("severity", rule.severity)
      .text("text", std::string_view(hit.text).substr(0, k_max_text))
      .text("subject", name_of(hit.subject))
      .unsigned_number("command", hit.command)
      .unsigned_number("event", hit.event)
      .number("at_us", hit.at.us)
      .texts("actions", actions)
      .finish();
}

}  // namespace sworn::audit::alert
