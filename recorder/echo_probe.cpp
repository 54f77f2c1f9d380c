// SPDX-License-Identifier: Apache-2.0
#include "recorder/echo_probe.hpp"

#include "base/fd.hpp"
#include "base/scope_exit.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <map>
#include <optional>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

namespace sworn::recorder {
namespace {

constexpr std::size_t k_max_processes = 4096;  // of one session: a bound, not an expectation
constexpr std::size_t k_max_terminals = 64;
constexpr std::int64_t k_full_search_us = 1'000'000;
constexpr unsigned k_first_pts_major = 136;
constexpr unsigned k_last_pts_major = 143;

struct ProcessStat {
  std::string name;
  pid_t parent = 0;
  int terminal = 0;
  int threads = 0;
};

std::string read_small(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 4096> buffer{};
  const auto n = fd.valid() ? ::read(fd.get(), buffer.data(), buffer.size()) : 0;
  return {buffer.data(), n > 0 ? static_cast<std::size_t>(n) : 0};
}

template <typename T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional<T>(value)
                                                                  : std::nullopt;
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto begin = text.find_first_not_of(" \n");
    if (begin == std::string_view::npos) {
      break;
    }
    text.remove_prefix(begin);
    const auto length = std::min(text.find_first_of(" \n"), text.size());
    out.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return out;
}

// The name may hold anything, blanks and parentheses too: fields count from the last ')'.
std::optional<ProcessStat> read_stat(pid_t pid) {
  const std::string text = read_small("/proc/" + std::to_string(pid) + "/stat");
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close < open) {
    return std::nullopt;
  }
  const auto fields = words(std::string_view(text).substr(close + 1));
  if (fields.size() < 18) {
    return std::nullopt;
  }
  const auto parent = number<pid_t>(fields[1]);
  const auto terminal = number<int>(fields[4]);
  const auto threads = number<int>(fields[17]);
  if (!parent || !terminal || !threads) {
    return std::nullopt;
  }
  return ProcessStat{text.substr(open + 1, close - open - 1), *parent, *terminal, *threads};
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> out;
  DIR* directory = ::opendir("/proc");
  if (directory == nullptr) {
    return out;
  }
  const ScopeExit closer([directory] { ::closedir(directory); });
  while (const dirent* entry = ::readdir(directory)) {
    if (const auto pid = number<pid_t>(entry->d_name)) {
      out.push_back(*pid);
    }
  }
  return out;
}

void add_children(const std::string& list, std::vector<pid_t>& out) {
  for (const auto word : words(list)) {
    if (const auto child = number<pid_t>(word)) {
      out.push_back(*child);
    }
  }
}

// Children belong to the thread that made them.
void add_children_of(pid_t pid, int threads, std::vector<pid_t>& out) {
  const std::string task = "/proc/" + std::to_string(pid) + "/task";
  if (threads == 1) {
    add_children(read_small(task + "/" + std::to_string(pid) + "/children"), out);
    return;
  }
  DIR* directory = ::opendir(task.c_str());
  if (directory == nullptr) {
    return;
  }
  const ScopeExit closer([directory] { ::closedir(directory); });
  while (const dirent* entry = ::readdir(directory)) {
    add_children(read_small(task + "/" + entry->d_name + "/children"), out);
  }
}

void add_terminal(std::vector<int>& out, int device, int except) {
  if (device != 0 && device != except && out.size() < k_max_terminals &&
      std::find(out.begin(), out.end(), device) == out.end()) {
    out.push_back(device);
  }
}

bool is_multiplexer(std::string_view name) {
  return name.starts_with("tmux") || name.starts_with("screen") || name.starts_with("SCREEN") ||
         name.starts_with("dtach") || name.starts_with("zellij") || name.starts_with("abduco");
}

// Terminals of the processes below `root`; `seen` is told of each of them.
template <typename Seen>
std::vector<int> walk(pid_t root, int except, Seen seen) {
  std::vector<int> out;
  std::vector<pid_t> todo{root};
  for (std::size_t i = 0; i < todo.size() && todo.size() < k_max_processes; ++i) {
    const auto stat = read_stat(todo[i]);
    if (!stat) {
      continue;
    }
    seen(todo[i], *stat);
    add_terminal(out, stat->terminal, except);
    add_children_of(todo[i], stat->threads, todo);
  }
  return out;
}

}  // namespace

std::vector<int> terminals_below(pid_t root, int except) {
  return walk(root, except, [](pid_t, const ProcessStat&) {});
}

std::vector<int> terminals_of_multiplexers(int except) {
  std::map<pid_t, ProcessStat> processes;
  for (const pid_t pid : all_processes()) {
    if (auto stat = read_stat(pid)) {
      processes.emplace(pid, std::move(*stat));
    }
  }
  std::vector<int> out;
  for (const auto& [pid, stat] : processes) {
    auto above = processes.find(stat.parent);
    for (int depth = 0; depth < 64 && above != processes.end(); ++depth) {
      if (is_multiplexer(above->second.name)) {
        add_terminal(out, stat.terminal, except);
        break;
      }
      above = processes.find(above->second.parent);
    }
  }
  return out;
}

bool device_hides(int device) {
  // The kernel's own packing of major and minor in /proc/PID/stat.
  const auto packed = static_cast<unsigned>(device);
  const unsigned device_major = (packed >> 8U) & 0xFFFU;
  const unsigned device_minor = (packed & 0xFFU) | ((packed >> 12U) & 0xFFF00U);
  if (device_major < k_first_pts_major || device_major > k_last_pts_major) {
    return false;
  }
  const unsigned index = (device_major - k_first_pts_major) * 256 + device_minor;
  const Fd fd(::open(("/dev/pts/" + std::to_string(index)).c_str(),
                     O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  termios modes{};
  return fd.valid() && ::tcgetattr(fd.get(), &modes) == 0 && (modes.c_lflag & ICANON) != 0 &&
         (modes.c_lflag & ECHO) == 0;
}

EchoProbe::EchoProbe(int terminal, pid_t command, int own_device)
    : terminal_(terminal), command_(command), own_device_(own_device) {}

EchoState EchoProbe::look_outside() const {
  EchoState out;
  termios modes{};
  if (::tcgetattr(terminal_, &modes) != 0) {
    return out;
  }
  out.known = true;
  out.canonical = (modes.c_lflag & ICANON) != 0;
  out.echo = (modes.c_lflag & ECHO) != 0;
  out.signals = (modes.c_lflag & ISIG) != 0;
  out.line_chars = {
      static_cast<std::byte>(modes.c_cc[VINTR]), static_cast<std::byte>(modes.c_cc[VQUIT]),
      static_cast<std::byte>(modes.c_cc[VSUSP]), static_cast<std::byte>(modes.c_cc[VEOF])};
  return out;
}

bool EchoProbe::inner_hides() const {
  if (ask_ && !(below_.empty() && behind_multiplexer_.empty())) {
    auto devices = below_;
    devices.insert(devices.end(), behind_multiplexer_.begin(), behind_multiplexer_.end());
    return ask_(devices);
  }
  return std::any_of(below_.begin(), below_.end(), device_hides) ||
         std::any_of(behind_multiplexer_.begin(), behind_multiplexer_.end(), device_hides);
}

void EchoProbe::search(MonoTime now) {
  const pid_t front = ::tcgetpgrp(terminal_);
  std::optional<ProcessStat> in_front;
  below_ = walk(command_, own_device_, [&](pid_t pid, const ProcessStat& stat) {
    if (pid == front) {
      in_front = stat;
    }
  });
  if (!in_front && front > 0) {
    in_front = read_stat(front);
  }
  if (!in_front || !is_multiplexer(in_front->name)) {
    behind_multiplexer_.clear();
  } else if (behind_multiplexer_.empty() || now.us - last_full_search_.us >= k_full_search_us) {
    // Only now the whole of /proc, and at most once a second.
    last_full_search_ = now;
    behind_multiplexer_ = terminals_of_multiplexers(own_device_);
  }
}

EchoState EchoProbe::look() const {
  EchoState out = look_outside();
  out.inner_hidden = out.relays() && inner_hides();
  return out;
}

EchoState EchoProbe::look_closely(MonoTime now) {
  EchoState out = look_outside();
  if (out.relays()) {
    search(now);
    out.inner_hidden = inner_hides();
  }
  return out;
}

}  // namespace sworn::recorder
