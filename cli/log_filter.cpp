// SPDX-License-Identifier: Apache-2.0
#include "cli/log_filter.hpp"

#include <algorithm>
#include <charconv>

#include <pwd.h>

namespace sworn::cli {
namespace {

template <typename T>
std::optional<T> to_number(std::string_view text) {
  T value{};
  const auto* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  return error == std::errc{} && end == last && !text.empty() ? std::optional(value) : std::nullopt;
}

Result<std::optional<MonoTime>> moment(const Arguments& args, std::string_view option,
                                       MonoTime first, const format::ClockMap& clock) {
  const auto text = args.value(option);
  if (!text) {
    return std::optional<MonoTime>{};
  }
  if (const auto wall = parse_rfc3339(*text)) {
    if (clock.empty()) {
      return fail(Errc::bad_usage, std::string(option) + ": the recording has no clock");
    }
    return std::optional(clock.to_mono(*wall));
  }
  if (const auto offset = parse_duration(*text)) {
    return std::optional(MonoTime{first.us + *offset});
  }
  return fail(Errc::bad_usage, std::string(option) + ": not a time: " + *text);
}

Result<std::shared_ptr<const player::Matcher>> pattern(const Arguments& args,
                                                       std::string_view option) {
  const auto text = args.value(option);
  if (!text) {
    return std::shared_ptr<const player::Matcher>{};
  }
  auto compiled = player::Matcher::compile(*text, player::PatternKind::regex);
  if (!compiled) {
    return fail(Errc::bad_usage, std::string(option) + ": " + compiled.error().context);
  }
  return compiled;
}

}  // namespace

Result<EntryFilter> EntryFilter::parse(const Arguments& args, MonoTime first,
                                       const format::ClockMap& clock) {
  EntryFilter out;
  TRY_ASSIGN(out.text_, pattern(args, "--text"));
  TRY_ASSIGN(out.exe_, pattern(args, "--exe"));
  if (const auto user = args.value("--user")) {
    out.user_ = *user;
    out.uid_ = to_number<std::uint32_t>(*user);
    if (const passwd* entry = out.uid_ ? nullptr : ::getpwnam(user->c_str()); entry != nullptr) {
      out.uid_ = entry->pw_uid;
    }
  }
  if (const auto status = args.value("--exit")) {
    out.exit_ = to_number<int>(*status);
    if (!out.exit_) {
      return fail(Errc::bad_usage, "--exit: not a number: " + *status);
    }
  }
  out.flags_ = args.values("--flag");
  TRY_ASSIGN(out.since_, moment(args, "--since", first, clock));
  TRY_ASSIGN(out.until_, moment(args, "--until", first, clock));
  out.failed_ = args.has("--failed");
  out.privileged_ = args.has("--privileged");
  out.any_ = out.text_ || out.exe_ || !out.user_.empty() || out.exit_ || !out.flags_.empty() ||
             out.since_ || out.until_ || out.failed_ || out.privileged_;
  return out;
}

bool EntryFilter::shows(MonoTime at) const {
  return (!since_ || at >= *since_) && (!until_ || at < *until_);
}

bool EntryFilter::ran_as(const audit::logs::EntryList& list,
                         const audit::logs::Entry& entry) const {
  if (list.start() && (list.start()->user == user_ || list.start()->uid == uid_)) {
    return true;  // the shell itself
  }
  bool found = false;
  for_each_below(list, entry.processes, [&](std::size_t index, int) {
    for (const auto& program : list.processes()[index].programs) {
      found = found || program.fact.uid == uid_ || program.fact.euid == uid_;
    }
  });
  return found;
}

bool EntryFilter::shows(const audit::logs::EntryList& list, const audit::logs::Entry& entry) const {
  const auto& command = entry.command;
  if (!shows(command.begin) || (privileged_ && !entry.privileged) ||
      (failed_ && (!command.ended || command.exit_status == 0)) ||
      (exit_ && (!command.ended || command.exit_status != *exit_))) {
    return false;
  }
  const auto has_flag = [&](const std::string& flag) {
    return std::find(entry.flags.begin(), entry.flags.end(), flag) != entry.flags.end();
  };
  if (!std::all_of(flags_.begin(), flags_.end(), has_flag) ||
      (text_ && !text_->find(command.text)) || (!user_.empty() && !ran_as(list, entry))) {
    return false;
  }
  if (!exe_) {
    return true;
  }
  bool found = false;
  for_each_below(list, entry.processes, [&](std::size_t index, int) {
    for (const auto& program : list.processes()[index].programs) {
      found = found || exe_->find(program.fact.exe) || exe_->find(program.fact.file);
    }
  });
  return found;
}

}  // namespace sworn::cli
