// SPDX-License-Identifier: Apache-2.0
#include "recorder/session_info.hpp"

#include "base/file.hpp"
#include "format/digest.hpp"
#include "recorder/version.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <unordered_set>

#include <limits.h>
#include <pwd.h>
#include <sys/types.h>
#include <unistd.h>

namespace sworn::recorder {
namespace {

using namespace std::string_view_literals;

constexpr std::array k_recorded_variables{"TERM"sv,         "COLORTERM"sv,
                                          "LANG"sv,         "LANGUAGE"sv,
                                          "TZ"sv,           "SHELL"sv,
                                          "PATH"sv,         "SSH_CONNECTION"sv,
                                          "SSH_TTY"sv,      "SSH_ORIGINAL_COMMAND"sv,
                                          "SUDO_USER"sv,    "SUDO_UID"sv,
                                          "SUDO_COMMAND"sv, "TMUX"sv,
                                          "STY"sv,          "XDG_SESSION_ID"sv,
                                          "SWORN_SESSION"sv};
constexpr std::size_t k_max_value_bytes = 1024;
constexpr std::size_t k_max_argv_bytes = 32 * 1024;
constexpr std::size_t k_max_variables = 64;
constexpr std::size_t k_max_executable_bytes = 256U << 20U;

// Files in /proc report a size of 0.
std::string read_proc(const char* path) {
  std::string out;
  std::array<char, 256> buffer{};
  if (FILE* file = std::fopen(path, "re"); file != nullptr) {
    const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), file);
    out.assign(buffer.data(), n);
    std::fclose(file);
  }
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) {
    out.pop_back();
  }
  return out;
}

std::uint32_t read_number(const char* path) {
  const std::string text = read_proc(path);
  std::uint32_t value = 0xFFFFFFFF;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// The machine id is a secret of the machine: only a hash of it, bound to this application, leaves
// it.
std::string host_id() {
  const std::string machine = read_proc("/etc/machine-id");
  if (machine.empty()) {
    return "";
  }
  return format::to_hex(
      format::Sha256().update(as_bytes("sworn host id\n")).update(as_bytes(machine)).finish());
}

std::string own_digest() {
  const auto file = PosixReadFile::open("/proc/self/exe");
  if (!file) {
    return "";
  }
  format::Sha256 hash;
  Bytes buffer(256 * 1024);
  for (std::uint64_t at = 0; at < k_max_executable_bytes;) {
    const auto n = (*file)->read_at(at, buffer);
    if (!n) {
      return "";
    }
    if (*n == 0) {
      break;
    }
    hash.update(ByteView(buffer).first(*n));
    at += *n;
  }
  return format::to_hex(hash.finish());
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value).substr(0, k_max_value_bytes);
}

}  // namespace

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data())
                                                          : std::string();
}

std::string user_name() {
  const passwd* entry = ::getpwuid(::geteuid());
  return entry == nullptr ? std::string() : std::string(entry->pw_name);
}

bool may_record_variable(std::string_view name) {
  return name.starts_with("LC_") ||
         std::find(k_recorded_variables.begin(), k_recorded_variables.end(), name) !=
             k_recorded_variables.end();
}

format::SessionHeader make_header(const Options& options, Clock& clock) {
  format::SessionHeader header;
  header.host_id = host_id();
  header.boot_id = read_proc("/proc/sys/kernel/random/boot_id");
  header.started = clock.wall();
  header.started_mono = clock.mono();
  header.seal_policy.sync = name_of(options.sync);
  header.recorder_version = k_version;
  header.recorder_digest = own_digest();
  header.policy_digest = format::to_hex(format::sha256(as_bytes(policy_text(options))));
  header.mode = "standalone";
  return header;
}

format::SessionStart make_session_start(const Options& options) {
  format::SessionStart start;
  start.uid = ::geteuid();
  start.user = user_name();
  start.loginuid = read_number("/proc/self/loginuid");
  start.audit_ses = read_number("/proc/self/sessionid");
  std::array<gid_t, 1024> groups{};
  const int n = ::getgroups(static_cast<int>(groups.size()), groups.data());
  start.groups.assign(groups.begin(), groups.begin() + std::max(n, 0));
  start.hostname = host_name();
  start.term = variable("TERM");
  std::array<char, PATH_MAX> cwd{};
  start.cwd = ::getcwd(cwd.data(), cwd.size()) != nullptr ? cwd.data() : "";
  for (const auto& entry : own_environment()) {
    const auto equals = entry.find('=');
    if (start.environment.size() < k_max_variables &&
        may_record_variable(std::string_view(entry).substr(0, equals))) {
      start.environment.emplace_back(entry.substr(0, equals),
                                     entry.substr(equals + 1, k_max_value_bytes));
    }
  }
  start.ssh_connection = variable("SSH_CONNECTION");
  start.reason = options.reason;
  start.ticket = options.ticket;
  start.policy = policy_text(options);
  start.input_policy = name_of(options.input);
  start.recorder_pid = ::getpid();
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  std::array<char, 32> zone{};
  if (::localtime_r(&now, &local) != nullptr &&
      std::strftime(zone.data(), zone.size(), "%Z", &local) > 0) {
    start.zone = zone.data();
    start.utc_offset_s = local.tm_gmtoff;
  }
  return start;
}

std::vector<std::string> bounded_argv(const std::vector<std::string>& argv) {
  std::vector<std::string> out;
  std::size_t bytes = 0;
  for (const auto& word : argv) {
    bytes += word.size() + 8;
    if (bytes > k_max_argv_bytes) {
      out.push_back("... (" + std::to_string(argv.size() - out.size()) + " more words)");
      break;
    }
    out.push_back(word);
  }
  return out;
}

std::string user_shell() {
  if (const std::string shell = variable("SHELL");
      shell.starts_with('/') && ::access(shell.c_str(), X_OK) == 0) {
    return shell;
  }
  const passwd* entry = ::getpwuid(::geteuid());
  if (entry != nullptr && entry->pw_shell != nullptr && *entry->pw_shell != '\0') {
    return entry->pw_shell;
  }
  return "/bin/sh";
}

std::vector<std::string> own_environment() {
  std::vector<std::string> out;
  std::unordered_set<std::string> seen;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string::npos && equals > 0 && seen.insert(text.substr(0, equals)).second) {
      out.push_back(text);
    }
  }
  return out;
}

void set_variable(std::vector<std::string>& environment, const std::string& name,
                  const std::string& value) {
  std::erase_if(environment,
                [&](const std::string& entry) { return entry.starts_with(name + "="); });
  environment.push_back(name + "=" + value);
}

}  // namespace sworn::recorder
