// SPDX-License-Identifier: Apache-2.0
#include "audit/alert/alert_engine.hpp"

#include "format/event_payload.hpp"
#include "format/msgpack_map.hpp"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <ctime>

namespace sworn::audit::alert {
namespace {

using format::EventKind;

constexpr std::size_t k_max_text = 64 * 1024;  // of a command line that is looked at
constexpr std::size_t k_max_shown = 4096;

// All expressions of one subject at once; which rule each belongs to.
struct Matcher {
  std::unique_ptr<RE2::Set> set;
  std::vector<std::size_t> rules;

  [[nodiscard]] std::vector<std::size_t> match(std::string_view text) const {
    std::vector<std::size_t> out;
    std::vector<int> hits;
    if (set == nullptr || !set->Match({text.data(), text.size()}, &hits)) {
      return out;
    }
    for (const int hit : hits) {
      const auto rule = rules[static_cast<std::size_t>(hit)];
      if (std::find(out.begin(), out.end(), rule) == out.end()) {
        out.push_back(rule);
      }
    }
    std::sort(out.begin(), out.end());
    return out;
  }
};

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) {
    out += (out.empty() ? "" : " ") + word;
    if (out.size() > k_max_text) {
      break;
    }
  }
  return out;
}

bool listed(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool contains(const std::vector<std::string>& flags, std::string_view flag) {
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

}  // namespace

struct AlertEngine::Impl {
  std::vector<AlertRule> rules;
  std::array<Matcher, k_subjects> matchers;
  std::vector<std::vector<std::unique_ptr<RE2>>> unless;
  std::vector<std::deque<MonoTime>> times;  // of each rule, within its rate window
  format::ClockMap clock;
  OutputLines lines;
  std::string user;
  std::uint64_t command = 0;
  std::uint64_t command_event = 0;
  std::string command_text;
  bool text_grows = false;  // parts of a long line still come
  bool open = false;
  std::set<std::size_t> fired;    // for this command
  std::set<std::size_t> waiting;  // matched, and their status is not known yet

  void compile();
  [[nodiscard]] bool excused(std::size_t rule, std::string_view text) const;
  [[nodiscard]] bool applies(std::size_t rule, MonoTime at) const;
  bool often_enough(std::size_t rule, MonoTime at);
  void fire(std::size_t rule, Subject subject, std::string_view text,
            const format::EventView& event, std::vector<AlertHit>& out);
  void check(Subject subject, std::string_view text, const format::EventView& event,
             std::vector<AlertHit>& out);
  void begin(const format::EventView& event, std::vector<AlertHit>& out);
  void end(const format::EventView& event, std::vector<AlertHit>& out);
};

void AlertEngine::Impl::compile() {
  for (std::size_t subject = 0; subject < k_subjects; ++subject) {
    auto& matcher = matchers[subject];
    for (std::size_t rule = 0; rule < rules.size(); ++rule) {
      for (const auto& pattern : rules[rule].patterns[subject]) {
        if (matcher.set == nullptr) {
          matcher.set = std::make_unique<RE2::Set>(RE2::Quiet, RE2::UNANCHORED);
        }
        if (matcher.set->Add(pattern, nullptr) >= 0) {  // the rules were checked when read
          matcher.rules.push_back(rule);
        }
      }
    }
    if (matcher.set != nullptr) {
      matcher.set->Compile();
    }
  }
  for (const auto& rule : rules) {
    auto& list = unless.emplace_back();
    for (const auto& pattern : rule.unless) {
      list.push_back(std::make_unique<RE2>(pattern, RE2::Quiet));
    }
  }
  times.resize(rules.size());
}

bool AlertEngine::Impl::excused(std::size_t rule, std::string_view text) const {
  return std::any_of(unless[rule].begin(), unless[rule].end(), [&](const auto& pattern) {
    return RE2::PartialMatch({text.data(), text.size()}, *pattern);
  });
}

bool AlertEngine::Impl::applies(std::size_t rule, MonoTime at) const {
  const auto& r = rules[rule];
  if ((!r.users.empty() && !listed(r.users, user)) || listed(r.not_users, user)) {
    return false;
  }
  if (r.hours && !clock.empty()) {
    const std::time_t seconds = clock.to_wall(at).us / 1'000'000;
    std::tm local{};
    ::localtime_r(&seconds, &local);
    return r.hours->holds(local.tm_hour * 60 + local.tm_min);
  }
  return true;
}

bool AlertEngine::Impl::often_enough(std::size_t rule, MonoTime at) {
  const auto& r = rules[rule];
  if (r.rate <= 1) {
    return true;
  }
  auto& seen = times[rule];
  seen.push_back(at);
  while (!seen.empty() && at.us - seen.front().us > r.rate_us) {
    seen.pop_front();
  }
  if (seen.size() < r.rate) {
    return false;
  }
  seen.clear();  // the next alert needs as many again
  return true;
}

void AlertEngine::Impl::fire(std::size_t rule, Subject subject, std::string_view text,
                             const format::EventView& event, std::vector<AlertHit>& out) {
  if (!often_enough(rule, event.at)) {
    return;
  }
  AlertHit hit;
  hit.rule = rule;
  hit.subject = subject;
  hit.text = text.substr(0, k_max_shown);
  hit.command = open || !fired.empty() || command > 0 ? command : 0;
  hit.command_text = command_text.substr(0, k_max_shown);
  hit.event = event.number;
  hit.at = event.at;
  out.push_back(std::move(hit));
}

void AlertEngine::Impl::check(Subject subject, std::string_view text,
                              const format::EventView& event, std::vector<AlertHit>& out) {
  for (const auto rule : matchers[static_cast<std::size_t>(subject)].match(text)) {
    if (fired.contains(rule) || !applies(rule, event.at) || excused(rule, text)) {
      continue;
    }
    if (!rules[rule].statuses.empty()) {
      waiting.insert(rule);
      continue;
    }
    fired.insert(rule);
    fire(rule, subject, text, event, out);
  }
}

void AlertEngine::Impl::begin(const format::EventView& event, std::vector<AlertHit>& out) {
  auto fact = format::decode_command_begin(event.data);
  if (!fact) {
    return;
  }
  if (contains(fact->flags, "continued") && text_grows) {
    if (command_text.size() < k_max_text) {
      command_text += fact->text;
    }
  } else {
    ++command;
    command_event = event.number;
    command_text = std::move(fact->text);
    fired.clear();
    waiting.clear();
    open = true;
  }
  text_grows = contains(fact->flags, "more");
  check(Subject::command, std::string_view(command_text).substr(0, k_max_text), event, out);
}

void AlertEngine::Impl::end(const format::EventView& event, std::vector<AlertHit>& out) {
  const auto fact = format::decode_command_end(event.data);
  if (!fact) {
    return;
  }
  for (std::size_t rule = 0; rule < rules.size(); ++rule) {
    const auto& r = rules[rule];
    const bool any_pattern =
        std::any_of(r.patterns.begin(), r.patterns.end(), [](const auto& p) { return !p.empty(); });
    const bool right_status =
        std::find(r.statuses.begin(), r.statuses.end(), fact->exit_status) != r.statuses.end();
    if (right_status && !fired.contains(rule) && (waiting.contains(rule) || !any_pattern) &&
        applies(rule, event.at) && !excused(rule, command_text)) {
      fired.insert(rule);
      fire(rule, Subject::command, command_text, event, out);
    }
  }
  open = false;
}

AlertEngine::AlertEngine(std::vector<AlertRule> rules) : impl_(std::make_unique<Impl>()) {
  impl_->rules = std::move(rules);
  impl_->compile();
}
AlertEngine::~AlertEngine() = default;

void AlertEngine::set_clock(format::ClockMap clock) {
  impl_->clock = std::move(clock);
}
const std::vector<AlertRule>& AlertEngine::rules() const {
  return impl_->rules;
}
const std::string& AlertEngine::user() const {
  return impl_->user;
}

void AlertEngine::add(const format::EventView& event, std::vector<AlertHit>& out) {
  if (event.redacted) {
    return;
  }
  switch (event.kind) {
    case EventKind::session_start:
      if (auto start = format::decode_session_start(event.data)) {
        impl_->user = std::move(start->user);
      }
      break;
    case EventKind::command_begin:
      impl_->begin(event, out);
      break;
    case EventKind::command_end:
      impl_->end(event, out);
      break;
    case EventKind::output:
      if (impl_->matchers[static_cast<std::size_t>(Subject::output)].set != nullptr) {
        impl_->lines.feed(as_text(event.data), [&](std::string_view line) {
          impl_->check(Subject::output, line, event, out);
        });
      }
      break;
    case EventKind::exec: {
      auto map = format::MapReader::parse(event.data);
      std::vector<std::string> argv;
      if (map && map->texts("argv", argv).done()) {
        impl_->check(Subject::exec, joined(argv), event, out);
      }
      break;
    }
    case EventKind::file: {
      auto map = format::MapReader::parse(event.data);
      std::string path;
      if (map && map->text("path", path).done()) {
        impl_->check(Subject::file, path, event, out);
      }
      break;
    }
    default:
      break;
  }
}

}  // namespace sworn::audit::alert
