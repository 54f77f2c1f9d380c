// SPDX-License-Identifier: Apache-2.0
// `sworn retention run`: removes closed recordings whose class says so, after the ledger has said
// it. What is held, live, crashed or cannot be read stays, and is listed.
#include "base/printable.hpp"
#include "format/event_payload.hpp"
#include "format/ledger.hpp"
#include "format/ledger_session.hpp"
#include "format/session_reader.hpp"
#include "format/store.hpp"
#include "recorder/host/admin/admin.hpp"
#include "recorder/host/config.hpp"
#include "recorder/host/host_store.hpp"
#include "recorder/session_info.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <fnmatch.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace sworn::recorder::host::admin {
namespace {

using nlohmann::json;

constexpr std::int64_t k_day_us = 86'400'000'000;

enum class Fate : std::uint8_t { keep, held, expired, unreadable };

struct Candidate {
  std::string path;
  std::string user;
  std::string retention;
  format::FileId file_id{};
  WallTime started;
  Fate fate = Fate::keep;
  std::string why;
};

std::string class_in(const std::string& policy) {
  constexpr std::string_view k_key = "\nretention=";
  const auto at = ("\n" + policy).find(k_key);
  if (at == std::string::npos) {
    return "default";
  }
  const auto begin = at + k_key.size() - 1;
  return policy.substr(begin, policy.find('\n', begin) - begin);
}

bool is_held(const Config& config, const Candidate& candidate) {
  const std::string name = candidate.path.substr(candidate.path.rfind('/') + 1);
  const auto matches = [](const std::vector<std::string>& patterns, const std::string& text) {
    return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
      return ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
    });
  };
  return matches(config.hold_users, candidate.user) || matches(config.hold_sessions, name) ||
         matches(config.hold_sessions, format::to_hex(ByteView(candidate.file_id)));
}

Candidate examine(const Config& config, const std::string& path, WallTime now) {
  Candidate out;
  out.path = path;
  const auto unreadable = [&](std::string why) {
    out.fate = Fate::unreadable;
    out.why = std::move(why);
    return out;
  };
  const auto file = PosixReadFile::open(path);
  if (!file) {
    return unreadable(describe(file.error()));
  }
  const auto reader = format::SessionReader::open(**file);
  if (!reader) {
    return unreadable(describe(reader.error()));
  }
  const auto first = (*reader)->next();
  if (!first || !*first || (*first)->kind != format::EventKind::session_start) {
    return unreadable("it does not begin with who and what (redacted or encrypted?)");
  }
  const auto start = format::decode_session_start((*first)->data);
  if (!start) {
    return unreadable(describe(start.error()));
  }
  out.user = start->user;
  out.retention = class_in(start->policy);
  out.file_id = (*reader)->header().file_id;
  out.started = (*reader)->header().started;
  const auto rule = std::find_if(config.retention.begin(), config.retention.end(),
                                 [&](const Retention& each) { return each.name == out.retention; });
  if (rule == config.retention.end()) {
    return unreadable("its class '" + printable(out.retention) + "' is not in the policy");
  }
  const auto age_days = (now.us - out.started.us) / k_day_us;
  if (is_held(config, out)) {
    out.fate = Fate::held;
    out.why = "legal hold";
  } else if (rule->days != 0 && age_days >= rule->days) {
    out.fate = Fate::expired;
    out.why =
        fmt::format("class {}: {} days, it is {} days old", out.retention, rule->days, age_days);
  } else {
    out.why = rule->days == 0
                  ? fmt::format("class {}: for ever", out.retention)
                  : fmt::format("class {}: {} of {} days", out.retention, age_days, rule->days);
  }
  return out;
}

Result<void> remove(format::Ledger& ledger, const Candidate& candidate) {
  TRY_ASSIGN(const auto file, PosixReadFile::open(candidate.path));
  TRY_ASSIGN(const auto digest, format::digest_of(*file));
  format::LedgerRetentionDelete fact;
  fact.file_id = candidate.file_id;
  fact.file_digest = digest.digest;
  fact.actor = fmt::format("uid {}", ::getuid());
  fact.reason = candidate.why;
  TRY(ledger.append(std::move(fact)));  // first: a removal without a reason is an attack
  int flags = 0;
  if (::ioctl(file->fd(), FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_IMMUTABLE_FL) != 0) {
    flags &= ~FS_IMMUTABLE_FL;
    ::ioctl(file->fd(), FS_IOC_SETFLAGS, &flags);
  }
  if (::unlink(candidate.path.c_str()) != 0) {
    return fail_sys(errno, "cannot remove " + candidate.path);
  }
  return sync_parent_directory(candidate.path);
}

std::string_view name_of(Fate fate) {
  switch (fate) {
    case Fate::keep:
      return "keep";
    case Fate::held:
      return "held";
    case Fate::expired:
      return "expired";
    case Fate::unreadable:
      return "unreadable";
  }
  return "";
}

}  // namespace

int run_retention(const Words& words) {
  if (words.empty() || words.front() != "run") {
    return complain("retention: say what to do", "run, or run --dry-run",
                    "sworn retention run --dry-run");
  }
  const bool dry = has_flag(words, "--dry-run");
  const auto loaded = load_config();
  if (!loaded.ok()) {
    return complain("retention: nothing was removed", "the policy has mistakes",
                    "sworn config check");
  }
  const HostPaths paths;
  const auto sessions = format::list_sessions(paths.sessions());
  if (!sessions) {
    return complain("retention: nothing was removed", describe(sessions.error()), "");
  }
  SystemClock clock;
  format::SystemEntropy entropy;
  std::unique_ptr<format::Ledger> ledger;
  json list = json::array();
  int status = 0;
  for (const auto& each : *sessions) {
    if (each.state != format::StoredState::closed) {
      continue;
    }
    Candidate candidate = examine(loaded.config, each.path, clock.wall());
    bool removed = false;
    if (candidate.fate == Fate::expired && !dry) {
      const auto done = [&]() -> Result<void> {
        if (!ledger) {
          TRY_ASSIGN(auto disk, format::PosixLedgerDisk::open(paths.ledger(), false));
          TRY_ASSIGN(ledger, format::Ledger::open(std::move(disk), clock, entropy, {}));
        }
        return remove(*ledger, candidate);
      }();
      removed = done.has_value();
      if (!done) {
        status =
            complain("retention: " + printable(candidate.path) + " stays", describe(done.error()),
                     "nothing is removed without its entry in the ledger");
      }
    }
    if (candidate.fate == Fate::unreadable) {
      status = 1;
    }
    list.push_back({{"file", printable(candidate.path)},
                    {"user", printable(candidate.user)},
                    {"class", printable(candidate.retention)},
                    {"fate", name_of(candidate.fate)},
                    {"why", candidate.why},
                    {"removed", removed}});
    if (!has_flag(words, "--json")) {
      print(fmt::format("{:<10} {}  {}\n", removed ? "removed" : name_of(candidate.fate),
                        printable(candidate.path), candidate.why));
    }
  }
  if (has_flag(words, "--json")) {
    print(json{{"schema", "sworn.retention/1"}, {"dry_run", dry}, {"sessions", list}}.dump(2) +
          "\n");
  }
  return status;
}

}  // namespace sworn::recorder::host::admin
