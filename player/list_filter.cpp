// SPDX-License-Identifier: Apache-2.0
#include "player/list_filter.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>

namespace sworn::player {
namespace {

std::optional<double> number(std::string_view text) {
  const std::string copy(text);
  char* end = nullptr;
  const double value = std::strtod(copy.c_str(), &end);
  const bool whole = !copy.empty() && end == copy.c_str() + copy.size() && std::isfinite(value);
  return whole ? std::optional(value) : std::nullopt;
}

}  // namespace

Result<void> ListFilter::add_term(std::string_view key, std::string_view value) {
  if (key == "is") {
    if (value == "failed") {
      failed_ = true;
    } else if (value == "running") {
      running_ = true;
    } else if (value == "error") {
      severity_ = LogSeverity::error;
    } else if (value == "warning") {
      severity_ = LogSeverity::warning;
    } else if (value == "session") {
      session_ = true;
    } else if (value == "user") {
      user_ = true;
    } else {
      return fail(Errc::bad_usage, "is: takes failed, running, error, warning, session or user");
    }
    return {};
  }
  if (key == "exit") {
    int status = 0;
    const auto* const end = value.data() + value.size();
    const auto parsed = std::from_chars(value.data(), end, status);
    if (parsed.ec != std::errc{} || parsed.ptr != end) {
      return fail(Errc::bad_usage, "exit: takes a number, as in exit:1");
    }
    exit_status_ = status;
    return {};
  }
  if (key == "took") {
    took_seconds_ = number(value);
    return took_seconds_ ? Result<void>{}
                         : fail(Errc::bad_usage, "took: takes seconds, as in took:10");
  }
  (key == "cwd" ? cwd_ : source_) = std::string(value);
  return {};
}

Result<ListFilter> ListFilter::parse(std::string_view text) {
  ListFilter filter;
  filter.text_ = std::string(text);
  std::string rest;
  auto left = text;
  while (!left.empty()) {
    const auto space = left.find(' ');
    const auto word = left.substr(0, space);
    left.remove_prefix(space == std::string_view::npos ? left.size() : space + 1);
    const auto colon = word.find(':');
    const auto key = colon == std::string_view::npos ? std::string_view{} : word.substr(0, colon);
    if (key == "is" || key == "exit" || key == "cwd" || key == "took" || key == "source") {
      TRY(filter.add_term(key, word.substr(colon + 1)));
    } else if (!word.empty()) {
      rest += (rest.empty() ? "" : " ") + std::string(word);
    }
  }
  if (!rest.empty()) {
    TRY_ASSIGN(filter.matcher_, Matcher::compile_typed(rest));
  }
  return filter;
}

bool ListFilter::about_commands() const {
  return failed_ || running_ || exit_status_ || !cwd_.empty() || took_seconds_;
}

bool ListFilter::about_logs() const {
  return severity_ || session_ || user_ || !source_.empty();
}

bool ListFilter::accepts(const CommandItem& item) const {
  if (about_logs() || (failed_ && !item.failed()) || (running_ && item.end_event != 0) ||
      (exit_status_ && item.exit_status != exit_status_) ||
      (!cwd_.empty() && item.cwd.find(cwd_) == std::string::npos)) {
    return false;
  }
  if (took_seconds_ && (item.end_event == 0 ||
                        static_cast<double>(item.end.us - item.begin.us) < *took_seconds_ * 1e6)) {
    return false;
  }
  return matcher_ == nullptr || matcher_->find(item.text);
}

bool ListFilter::accepts(const LogItem& item) const {
  if (about_commands() || (severity_ && item.severity < *severity_) ||
      (session_ && item.relation != LogRelation::this_session) ||
      (user_ && item.relation != LogRelation::this_session &&
       item.relation != LogRelation::same_user) ||
      (!source_.empty() && item.source.find(source_) == std::string_view::npos)) {
    return false;
  }
  return matcher_ == nullptr || matcher_->find(item.text);
}

}  // namespace sworn::player
