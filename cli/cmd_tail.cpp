// SPDX-License-Identifier: Apache-2.0
// `sworn tail`: all sessions of a user or a host as they happen, to the screen or to the sinks of
// the audit trail.
#include "audit/trail/live_session.hpp"
#include "audit/trail/trail_builder.hpp"
#include "audit/trail/trail_sinks.hpp"
#include "base/printable.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/message.hpp"
#include "format/store.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <map>
#include <set>

#include <poll.h>
#include <unistd.h>

namespace sworn::cli {
namespace {

using namespace audit::trail;

constexpr int k_poll_ms = 100;
constexpr int k_rounds_per_scan = 5;  // new sessions are looked for twice a second
constexpr int k_depth = 4;
constexpr std::string_view k_host_store = "/var/lib/sworn";

volatile std::sig_atomic_t g_stop = 0;
void on_signal(int /*number*/) {
  g_stop = 1;
}

// For people: the time, and a sentence.
class ScreenSink final : public TrailSink {
 public:
  Result<void> put(const TrailEntry& entry) override {
    fmt::print("{}  {}\n", format_rfc3339(entry.at, 3), printable(to_sentence(entry)));
    std::fflush(stdout);
    return {};
  }
};

struct Follow {
  std::unique_ptr<LiveSession> session;
  std::unique_ptr<TrailBuilder> builder;
};

struct Tail {
  std::vector<std::string> places;
  bool from_start = false;
  bool once = false;
  std::vector<std::unique_ptr<TrailSink>> sinks;
  std::map<std::string, Follow> follows;  // by the name without ".part"
  std::set<std::string> done;
  std::set<std::string> complained;
  bool first_scan = true;
  int status = k_exit_ok;
};

std::string final_name(std::string path) {
  constexpr std::string_view k_part = ".part";
  if (path.ends_with(k_part)) {
    path.resize(path.size() - k_part.size());
  }
  return path;
}

void warn(Tail& tail, const std::string& about, const std::string& what) {
  tail.status = k_exit_failure;
  if (tail.complained.insert(about).second) {
    fmt::print(stderr, "sworn tail: {}\n", printable(what));
  }
}

void start(Tail& tail, const std::string& path) {
  const auto name = final_name(path);
  if (tail.follows.contains(name) || tail.done.contains(name)) {
    return;
  }
  const bool live = path.ends_with(".part");
  if (!live && !tail.from_start && !tail.once) {
    // What was over before we came is no news; what ended between two looks is.
    if (tail.first_scan) {
      tail.done.insert(name);
      return;
    }
  }
  auto session = LiveSession::open(path);
  if (!session) {
    if (session.error().sys != ENOENT) {  // renamed between the look and the open
      warn(tail, name, fmt::format("{}: {}", path, describe(session.error())));
    }
    return;
  }
  auto clock = (*session)->reader().clock_map();
  if (!clock || clock->empty()) {
    return;  // its first seal is still to come
  }
  Follow follow;
  follow.builder = std::make_unique<TrailBuilder>((*session)->reader().header(), *clock,
                                                  (*session)->reader().first_time());
  follow.session = std::move(*session);
  tail.follows.emplace(name, std::move(follow));
}

void scan(Tail& tail) {
  for (const auto& place : tail.places) {
    std::error_code error;
    if (!std::filesystem::is_directory(place, error)) {
      start(tail, place);
      continue;
    }
    const auto skip = std::filesystem::directory_options::skip_permission_denied;
    for (std::filesystem::recursive_directory_iterator at(place, skip, error), end;
         !error && at != end; at.increment(error)) {
      if (at.depth() >= k_depth) {
        at.disable_recursion_pending();
      }
      const auto name = at->path().string();
      if (name.ends_with(".sworn") || name.ends_with(".sworn.part")) {
        start(tail, name);
      }
    }
  }
  tail.first_scan = false;
}

void give_out(Tail& tail, std::vector<TrailEntry>& entries) {
  for (const auto& entry : entries) {
    for (auto& sink : tail.sinks) {
      if (const auto put = sink->put(entry); !put) {
        warn(tail, describe(put.error()),
             fmt::format("an entry was not handed over: {}", describe(put.error())));
      }
    }
  }
  entries.clear();
}

void look_at(Tail& tail, Follow& follow, const std::string& name) {
  std::vector<TrailEntry> entries;
  const auto polled = follow.session->poll([&](const format::EventView& event) -> Result<void> {
    follow.builder->add(event, entries);
    return {};
  });
  if (!polled) {
    warn(tail, name, fmt::format("{}: {}", name, describe(polled.error())));
  }
  if (auto clock = follow.session->reader().clock_map()) {
    follow.builder->set_clock(*std::move(clock));
  }
  SystemClock now;
  follow.builder->advance(now.mono(), entries);
  if (follow.session->over()) {
    follow.builder->settle(entries);
    if (follow.session->crashed()) {
      TrailEntry lost;
      lost.kind = TrailKind::gap;
      lost.session = follow.builder->session();
      lost.at = now.wall();
      lost.code = "recorder_died";
      lost.text = "the recorder ended without closing the session";
      entries.push_back(std::move(lost));
    }
  }
  give_out(tail, entries);
}

void look(Tail& tail) {
  for (auto at = tail.follows.begin(); at != tail.follows.end();) {
    look_at(tail, at->second, at->first);
    if (at->second.session->over()) {
      tail.done.insert(at->first);
      at = tail.follows.erase(at);
    } else {
      ++at;
    }
  }
  for (auto& sink : tail.sinks) {
    if (const auto flushed = sink->flush(); !flushed) {
      warn(tail, "flush", describe(flushed.error()));
    }
  }
}

Result<std::uint64_t> number_of(const Arguments& args, std::string_view option,
                                std::uint64_t otherwise) {
  const auto text = args.value(option);
  if (!text) {
    return otherwise;
  }
  std::uint64_t value = 0;
  const auto [end, ec] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (ec != std::errc{} || end != text->data() + text->size() || value == 0) {
    return fail(Errc::bad_usage, fmt::format("{} needs a number above 0", option));
  }
  return value;
}

Result<void> open_sinks(const Arguments& args, Tail& tail, Clock& clock) {
  if (const auto path = args.value("--output")) {
    RotationPolicy policy;
    TRY_ASSIGN(const auto mib, number_of(args, "--rotate-size", policy.max_bytes >> 20U));
    TRY_ASSIGN(const auto hours, number_of(args, "--rotate-hours", 24));
    policy.max_bytes = mib << 20U;
    policy.max_age_us = static_cast<std::int64_t>(hours) * 3'600'000'000;
    TRY_ASSIGN(auto sink, open_trail_file(*path, policy, clock));
    tail.sinks.push_back(std::move(sink));
  }
  if (const auto target = args.value("--syslog")) {
    TRY_ASSIGN(auto sink, open_syslog(*target));
    tail.sinks.push_back(std::move(sink));
  }
  if (args.has("--journald")) {
    TRY_ASSIGN(auto sink, open_journald("/run/systemd/journal/socket"));
    tail.sinks.push_back(std::move(sink));
  }
  const auto format = args.value("--format");
  if (format || args.has("--json")) {
    const auto known = trail_format_from_name(format.value_or("jsonl"));
    if (!known) {
      return fail(Errc::bad_usage, "--format is jsonl, ecs or ocsf");
    }
    tail.sinks.push_back(stream_sink(STDOUT_FILENO, *known));
  }
  if (tail.sinks.empty()) {
    tail.sinks.push_back(std::make_unique<ScreenSink>());
  }
  return {};
}

Result<void> choose_places(const Arguments& args, Tail& tail) {
  tail.places = args.words();
  if (tail.places.empty()) {
    TRY_ASSIGN(auto own, format::default_store());
    tail.places = {std::move(own)};
    if (::access(std::string(k_host_store).c_str(), R_OK) == 0) {
      tail.places.emplace_back(k_host_store);
    }
  }
  tail.from_start = args.has("--from-start");
  tail.once = args.has("--once");
  return {};
}

int run(const Arguments& args) {
  Tail tail;
  SystemClock clock;
  const auto ready = [&]() -> Result<void> {
    TRY(choose_places(args, tail));
    return open_sinks(args, tail, clock);
  }();
  if (!ready) {
    return ready.error().code == Errc::bad_usage
               ? complain_usage("tail", ready.error().context)
               : complain("tail", {"the trail cannot be written", describe(ready.error()),
                                   "check the target and its permissions"});
  }
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  for (int round = 0; g_stop == 0; ++round) {
    if (round % k_rounds_per_scan == 0) {
      scan(tail);
    }
    look(tail);
    if (tail.once) {
      break;
    }
    ::poll(nullptr, 0, k_poll_ms);
  }
  look(tail);
  return tail.status;
}

constexpr Option k_options[] = {
    {"-o,--output", ValueKind::file, "FILE",
     "append to a trail file with a hash chain (sworn verify checks it)"},
    {"--rotate-size", ValueKind::number, "MIB", "begin a new file after so many MiB (default 64)"},
    {"--rotate-hours", ValueKind::number, "N", "... and after so many hours (default 24)"},
    {"--syslog", ValueKind::text, "TARGET", "RFC 5424 to unix:/dev/log or udp:ADDRESS:PORT"},
    {"--journald", ValueKind::none, "", "to the journal, with fields of its own"},
    {"--format", ValueKind::choice, "jsonl|ecs|ocsf", "JSON lines to standard output"},
    {"--json", ValueKind::none, "", "the same as --format jsonl"},
    {"--from-start", ValueKind::none, "", "also what was recorded before"},
    {"--once", ValueKind::none, "", "write what is there, of all sessions, and end"},
};
constexpr ExitStatus k_exits[] = {
    {"0", "everything was handed over until it was stopped"},
    {"1", "a session could not be read, or an entry could not be handed over"},
};
constexpr Example k_examples[] = {
    {"sworn tail", "what the sessions of this user and host do, as it happens"},
    {"sworn tail -o /var/log/sworn/trail.jsonl --syslog udp:192.0.2.7:514",
     "the audit trail of a host"},
    {"sworn tail --once --format ecs /srv/recordings", "old recordings for a SIEM"},
};

}  // namespace

constinit const Command k_cmd_tail = {
    .name = "tail",
    .summary = "follow all sessions, and write the audit trail",
    .usage = "[OPTIONS] [DIRECTORY|FILE...]",
    .details =
        "Follows every session below the directories (default: the user's own and /var/lib/sworn), "
        "also those that begin later, and writes one entry for each session, command, alert and "
        "gap. Every entry carries a link to its moment, which sworn play and sworn screen take.",
    .operands = {"DIRECTORY", ValueKind::file, 0, k_any},
    .options = k_options,
    .examples = k_examples,
    .exits = k_exits,
    .run = run,
};

}  // namespace sworn::cli
