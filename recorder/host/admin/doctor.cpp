// SPDX-License-Identifier: Apache-2.0
// `sworn doctor`: looks at what decides whether sessions of this host are recorded, and names what
// is not covered. It proves nothing about recordings: `sworn verify` does.
#include "base/file.hpp"
#include "base/printable.hpp"
#include "format/store.hpp"
#include "recorder/host/admin/admin.hpp"
#include "recorder/host/config.hpp"
#include "recorder/host/host_store.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <sstream>

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utmpx.h>

namespace sworn::recorder::host::admin {
namespace {

using nlohmann::json;

constexpr const char* k_client = "/usr/bin/sworn-login";
constexpr int k_max_accounts = 100'000;

struct Finding {
  enum class Level : std::uint8_t { good, note, hole };
  Level level = Level::good;
  std::string area;
  std::string text;
  std::string remedy;
};

class Doctor {
 public:
  std::vector<Finding> examine() {
    daemon();
    client();
    accounts();
    shells();
    ssh();
    sudo();
    others();
    logins();
    return std::move(findings_);
  }

 private:
  void add(Finding::Level level, std::string area, std::string text, std::string remedy = "") {
    findings_.push_back({level, std::move(area), std::move(text), std::move(remedy)});
  }

  void daemon() {
    const auto health = ask_daemon("health");
    if (!health) {
      add(Finding::Level::hole, "daemon", "swornd does not answer: " + describe(health.error()),
          "systemctl start swornd");
    } else {
      const json report = json::parse(*health, nullptr, false);
      const std::string ledger = report.value("ledger", "");
      if (ledger != "ok") {
        add(Finding::Level::hole, "ledger", printable(ledger), "sworn ledger check");
      }
      if (report.value("free_bytes", std::uint64_t{0}) <
          2 * report.value("reserve_bytes", std::uint64_t{0})) {
        add(Finding::Level::hole, "disk", "the store is nearly full",
            "sworn retention run --dry-run");
      }
      add(Finding::Level::good, "daemon",
          fmt::format("swornd answers; {} sessions", report.value("sessions", 0)));
    }
    loaded_ = load_config();
    for (const auto& each : loaded_.findings) {
      add(Finding::Level::hole, "policy",
          fmt::format("{}:{}: {}", each.file, each.line, printable(each.reason)),
          "sworn config check");
    }
  }

  void client() {
    struct stat st {};
    if (::stat(k_client, &st) != 0) {
      add(Finding::Level::hole, "client", "there is no /usr/bin/sworn-login",
          "install the package again");
    } else if (st.st_uid != 0 || (st.st_mode & 07777U) != 0711) {
      add(Finding::Level::hole, "client",
          fmt::format("/usr/bin/sworn-login must be root's with mode 0711, it is uid {} {:04o}",
                      st.st_uid, st.st_mode & 07777U),
          "chown root:root /usr/bin/sworn-login; chmod 0711 /usr/bin/sworn-login");
    } else {
      add(Finding::Level::good, "client", "owner and mode of /usr/bin/sworn-login are right");
    }
    std::ifstream list("/etc/shells");
    for (std::string line; std::getline(list, line);) {
      if (line == k_client) {
        add(Finding::Level::hole, "client",
            "/etc/shells names sworn-login: with it, chsh lets people leave it",
            "remove the line from /etc/shells");
      }
    }
  }

  void accounts() {
    if (::getpwnam("sworn") == nullptr) {
      add(Finding::Level::hole, "accounts", "there is no account 'sworn'", "systemd-sysusers");
    }
    if (::getgrnam("sworn-audit") == nullptr) {
      add(Finding::Level::hole, "accounts", "there is no group 'sworn-audit'", "systemd-sysusers");
    }
  }

  void shells() {
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    std::vector<std::string> uncovered;
    std::size_t covered = 0;
    ::setpwent();
    for (int i = 0; i < k_max_accounts; ++i) {
      const passwd* entry = ::getpwent();
      if (entry == nullptr) {
        break;
      }
      const std::string shell = entry->pw_shell;
      if (shell.ends_with("/nologin") || shell.ends_with("/false") || shell.ends_with("/sync")) {
        continue;
      }
      Person person{entry->pw_name, entry->pw_uid, groups_of(*entry)};
      if (!is_recorded(loaded_.config, person, host.data())) {
        continue;
      }
      if (shell == k_client) {
        ++covered;
      } else {
        uncovered.push_back(person.name);
      }
    }
    ::endpwent();
    add(Finding::Level::good, "shells",
        fmt::format("{} accounts have sworn-login as shell", covered));
    if (!uncovered.empty()) {
      std::string names;
      for (std::size_t i = 0; i < std::min<std::size_t>(uncovered.size(), 10); ++i) {
        names += (i == 0 ? "" : ", ") + printable(uncovered[i]);
      }
      uncovered_by_shell_ = uncovered.size();
      add(Finding::Level::note, "shells",
          fmt::format("{} accounts that the policy records have another login shell: {}{}",
                      uncovered.size(), names, uncovered.size() > 10 ? ", ..." : ""),
          "usermod --shell /usr/bin/sworn-login USER");
    }
  }

  static std::vector<std::string> groups_of(const passwd& entry) {
    std::array<gid_t, 256> gids{};
    int count = static_cast<int>(gids.size());
    ::getgrouplist(entry.pw_name, entry.pw_gid, gids.data(), &count);
    std::vector<std::string> out;
    for (int i = 0; i < std::min<int>(count, static_cast<int>(gids.size())); ++i) {
      if (const group* each = ::getgrgid(gids.at(static_cast<std::size_t>(i))); each != nullptr) {
        out.emplace_back(each->gr_name);
      }
    }
    return out;
  }

  void ssh() {
    if (::access("/usr/sbin/sshd", X_OK) != 0) {
      return;
    }
    struct Close {
      void operator()(FILE* f) const { ::pclose(f); }
    };
    const std::unique_ptr<FILE, Close> out(::popen("/usr/sbin/sshd -T 2>/dev/null", "re"));
    std::map<std::string, std::string> settings;
    std::array<char, 4096> line{};
    while (out && std::fgets(line.data(), static_cast<int>(line.size()), out.get()) != nullptr) {
      std::istringstream words(line.data());
      std::string key;
      std::string value;
      words >> key;
      std::getline(words >> std::ws, value);
      settings[key] = value;
    }
    if (settings.empty()) {
      add(Finding::Level::note, "sshd", "its configuration cannot be read (root can)",
          "run sworn doctor as root");
      return;
    }
    const bool forced = settings["forcecommand"] == k_client;
    if (forced) {
      add(Finding::Level::good, "sshd", "ForceCommand is sworn-login");
    } else if (uncovered_by_shell_ > 0) {
      add(Finding::Level::hole, "sshd",
          "accounts without sworn-login as shell can log in unrecorded through sshd",
          "see /usr/share/sworn/snippets/sshd.conf");
    }
    if (settings["permituserrc"] != "no") {
      add(Finding::Level::hole, "sshd", "PermitUserRC is on: ~/.ssh/rc runs before the recorder",
          "PermitUserRC no");
    }
    if (settings["permituserenvironment"] != "no") {
      add(Finding::Level::hole, "sshd",
          "PermitUserEnvironment is on: people choose the environment of their login",
          "PermitUserEnvironment no");
    }
    if (settings["subsystem"].find("internal-sftp") != std::string::npos) {
      add(Finding::Level::hole, "sshd", "internal-sftp runs inside sshd and is not recorded",
          "Subsystem sftp /usr/lib/openssh/sftp-server");
    }
  }

  void sudo() {
    std::ifstream conf("/etc/sudo.conf");
    bool wired = false;
    for (std::string line; std::getline(conf, line);) {
      wired = wired || line.find("sworn_sudo") != std::string::npos;
    }
    if (::access("/usr/bin/sudo", F_OK) == 0 && !wired) {
      add(Finding::Level::note, "sudo",
          "sudo from sessions that are not recorded is not recorded either",
          "see /usr/share/sworn/snippets/sudo.conf");
    }
  }

  void others() {
    if (::access("/usr/sbin/cron", F_OK) == 0 || ::access("/usr/sbin/crond", F_OK) == 0) {
      add(Finding::Level::note, "cron", "jobs of cron have no terminal and are not recorded");
    }
    if (::access("/usr/sbin/atd", F_OK) == 0) {
      add(Finding::Level::note, "at", "jobs of at have no terminal and are not recorded");
    }
    for (const char* runtime : {"/usr/bin/docker", "/usr/bin/podman", "/usr/bin/nerdctl",
                                "/usr/bin/kubectl", "/usr/bin/lxc-attach", "/usr/bin/machinectl"}) {
      if (::access(runtime, F_OK) == 0) {
        add(Finding::Level::note, "containers",
            fmt::format("shells that {} opens are recorded only inside a recorded session",
                        runtime));
      }
    }
  }

  // Logins of the last day, held against the recordings that began in the same minute.
  void logins() {
    const HostPaths paths;
    const auto sessions = format::list_sessions(paths.sessions());
    if (!sessions) {
      add(Finding::Level::note, "logins", "the store cannot be read: " + describe(sessions.error()),
          "run sworn doctor as root or as a member of sworn-audit");
      return;
    }
    std::set<std::int64_t> minutes;
    for (const auto& each : *sessions) {
      struct stat st {};
      if (const auto when = started_in_name(each.path)) {
        minutes.insert(*when / 60);
      } else if (::stat(each.path.c_str(), &st) == 0) {
        minutes.insert(st.st_mtime / 60);
      }
    }
    std::size_t seen = 0;
    const std::time_t since = std::time(nullptr) - 86'400;
    ::utmpxname("/var/log/wtmp");
    ::setutxent();
    for (const utmpx* entry = ::getutxent(); entry != nullptr; entry = ::getutxent()) {
      if (entry->ut_type != USER_PROCESS || entry->ut_tv.tv_sec < since) {
        continue;
      }
      ++seen;
      const std::int64_t minute = entry->ut_tv.tv_sec / 60;
      if (!minutes.contains(minute) && !minutes.contains(minute + 1)) {
        const std::string user(entry->ut_user, ::strnlen(entry->ut_user, sizeof entry->ut_user));
        const std::string line(entry->ut_line, ::strnlen(entry->ut_line, sizeof entry->ut_line));
        add(Finding::Level::hole, "logins",
            fmt::format("a login of {} on {} at {} has no recording", printable(user),
                        printable(line),
                        format_rfc3339(WallTime{entry->ut_tv.tv_sec * 1'000'000LL}, 0)));
      }
    }
    ::endutxent();
    add(Finding::Level::good, "logins",
        fmt::format("{} logins of the last day were looked at", seen));
  }

  // "HOST-20261127T091501Z-XXXXXXXX.sworn"
  static std::optional<std::int64_t> started_in_name(const std::string& path) {
    const auto z = path.rfind("Z-");
    if (z == std::string::npos || z < 15) {
      return std::nullopt;
    }
    std::tm when{};
    const char* end = ::strptime(path.c_str() + z - 15, "%Y%m%dT%H%M%SZ", &when);
    return end != nullptr ? std::optional<std::int64_t>(::timegm(&when)) : std::nullopt;
  }

  std::vector<Finding> findings_;
  ConfigResult loaded_;
  std::size_t uncovered_by_shell_ = 0;
};

std::string_view name_of(Finding::Level level) {
  switch (level) {
    case Finding::Level::good:
      return "good";
    case Finding::Level::note:
      return "note";
    case Finding::Level::hole:
      return "hole";
  }
  return "";
}

}  // namespace

int run_doctor(const Words& words) {
  const auto findings = Doctor().examine();
  const bool holes = std::any_of(findings.begin(), findings.end(), [](const Finding& each) {
    return each.level == Finding::Level::hole;
  });
  if (has_flag(words, "--json")) {
    json list = json::array();
    for (const auto& each : findings) {
      list.push_back({{"level", name_of(each.level)},
                      {"area", each.area},
                      {"text", each.text},
                      {"remedy", each.remedy}});
    }
    print(json{{"schema", "sworn.doctor/1"}, {"holes", holes}, {"findings", list}}.dump(2) + "\n");
  } else {
    for (const auto& each : findings) {
      print(fmt::format("{:<5} {:<11} {}\n", name_of(each.level), each.area, each.text));
      if (!each.remedy.empty()) {
        print(fmt::format("                  do: {}\n", each.remedy));
      }
    }
  }
  return holes ? 2 : 0;
}

}  // namespace sworn::recorder::host::admin
