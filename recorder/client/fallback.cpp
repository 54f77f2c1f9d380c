// SPDX-License-Identifier: Apache-2.0
#include "recorder/client/fallback.hpp"

#include "base/fd.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sworn::recorder::client {
namespace {

constexpr std::string_view k_first_line = "sworn-client 1";
constexpr std::size_t k_max_bytes = 256 * 1024;

Result<std::vector<std::uint32_t>> numbers(std::string_view text) {
  std::vector<std::uint32_t> out;
  while (!text.empty()) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{}) {
      return fail(Errc::corrupt, "not a list of numbers");
    }
    out.push_back(value);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (!text.empty() && text.front() != ',') {
      return fail(Errc::corrupt, "not a list of numbers");
    }
    text.remove_prefix(text.empty() ? 0 : 1);
  }
  return out;
}

std::string join(const std::vector<std::uint32_t>& values) {
  std::string out;
  for (const auto value : values) {
    out += (out.empty() ? "" : ",") + std::to_string(value);
  }
  return out;
}

Result<void> read_line(std::string_view line, Fallback& out) {
  const auto space = line.find(' ');
  const auto name = line.substr(0, space);
  const auto value = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
  if (name == "shell" && value.starts_with('/')) {
    out.shell = value;
  } else if (name == "may_continue" && (value == "0" || value == "1")) {
    out.may_continue = value == "1";
  } else if (name == "break_glass") {
    TRY_ASSIGN(out.break_glass, numbers(value));
  } else if (name == "not_recorded") {
    TRY_ASSIGN(out.not_recorded, numbers(value));
  } else {
    return fail(Errc::corrupt, "a line that is not understood");
  }
  return {};
}

}  // namespace

Result<Fallback> parse_fallback(std::string_view text) {
  Fallback out;
  bool first = true;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) {
      return fail(Errc::truncated, "the last line has no end");
    }
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (first) {
      if (line != k_first_line) {
        return fail(Errc::unsupported, "not a file of this version");
      }
      first = false;
      continue;
    }
    TRY(read_line(line, out));
  }
  if (first) {
    return fail(Errc::truncated, "the file is empty");
  }
  return out;
}

std::string fallback_text(const Fallback& fallback) {
  return std::string(k_first_line) + "\nshell " + fallback.shell + "\nmay_continue " +
         (fallback.may_continue ? "1" : "0") + "\nbreak_glass " + join(fallback.break_glass) +
         "\nnot_recorded " + join(fallback.not_recorded) + "\n";
}

Result<Fallback> load_fallback(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW));
  struct stat st {};
  if (!fd.valid() || ::fstat(fd.get(), &st) != 0) {
    return fail_sys(errno, "cannot read " + path);
  }
  if (!S_ISREG(st.st_mode) || st.st_uid != 0 || (st.st_mode & 022U) != 0 ||
      static_cast<std::size_t>(st.st_size) > k_max_bytes) {
    return fail(Errc::bad_usage, path + " is not a file that root alone can write");
  }
  std::string text(static_cast<std::size_t>(st.st_size), '\0');
  const auto n = ::pread(fd.get(), text.data(), text.size(), 0);
  if (n != static_cast<ssize_t>(text.size())) {
    return fail_sys(errno, "cannot read " + path);
  }
  return parse_fallback(text);
}

bool is_real_root() {
  const Fd map(::open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC));
  std::array<char, 256> text{};
  const auto n = ::read(map.get(), text.data(), text.size() - 1);
  std::uint64_t inside = 1;
  std::uint64_t outside = 1;
  std::uint64_t count = 0;
  return ::getuid() == 0 && n > 0 &&
         std::sscanf(text.data(), "%lu %lu %lu", &inside, &outside, &count) == 3 && inside == 0 &&
         outside == 0 && count == 4'294'967'295U;
}

Verdict judge(const Result<Fallback>& fallback, std::uint32_t uid, bool real_root,
              const std::vector<std::uint32_t>& gids) {
  const auto contains = [](const std::vector<std::uint32_t>& list, std::uint32_t value) {
    return std::find(list.begin(), list.end(), value) != list.end();
  };
  if (fallback && contains(fallback->not_recorded, uid)) {
    return Verdict::not_recorded;
  }
  if (fallback && fallback->may_continue) {
    return Verdict::unrecorded;
  }
  const bool glass = fallback && std::any_of(gids.begin(), gids.end(), [&](std::uint32_t gid) {
                       return contains(fallback->break_glass, gid);
                     });
  return real_root || glass ? Verdict::break_glass : Verdict::denied;
}

}  // namespace sworn::recorder::client
