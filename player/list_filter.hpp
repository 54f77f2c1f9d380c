// SPDX-License-Identifier: Apache-2.0
// Which items of a list to show. As typed: words with a colon ask for one property, everything else
// is the text that an item must contain (\v in front: a regular expression).
//   is:failed  is:running  exit:N  cwd:TEXT  took:SECONDS            commands
//   is:error  is:warning  is:session  is:user  source:TEXT           log lines
// Pure; a property that the kind of item does not have refuses it.
#pragma once

#include "base/result.hpp"
#include "player/facts.hpp"
#include "player/log_book.hpp"
#include "player/matcher.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sworn::player {

class ListFilter {
 public:
  ListFilter() = default;  // shows everything
  static Result<ListFilter> parse(std::string_view text);

  [[nodiscard]] bool empty() const { return text_.empty(); }
  [[nodiscard]] const std::string& text() const { return text_; }  // as typed
  // It asks for a property that only commands or only log lines have.
  [[nodiscard]] bool about_commands() const;
  [[nodiscard]] bool about_logs() const;
  [[nodiscard]] bool accepts(const CommandItem& item) const;
  [[nodiscard]] bool accepts(const LogItem& item) const;

 private:
  Result<void> add_term(std::string_view key, std::string_view value);

  std::string text_;
  std::shared_ptr<const Matcher> matcher_;
  bool failed_ = false;
  bool running_ = false;
  std::optional<int> exit_status_;
  std::string cwd_;
  std::optional<double> took_seconds_;
  std::optional<LogSeverity> severity_;
  bool session_ = false;
  bool user_ = false;
  std::string source_;
};

}  // namespace sworn::player
