// SPDX-License-Identifier: Apache-2.0
// The parsed words of one command line, by the option names of its Command. Asking for an option
// that the command does not declare is a bug and stops the program.
#pragma once

#include "base/result.hpp"
#include "cli/command.hpp"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::cli {

class Arguments {
 public:
  // `words` without program and command name. Fails with Errc::bad_usage, the text says what is
  // wrong.
  static Result<Arguments> parse(const Command& command, std::span<const std::string> words);

  [[nodiscard]] const Command& command() const { return *command_; }
  [[nodiscard]] bool help() const { return help_; }
  [[nodiscard]] bool has(std::string_view option) const;
  [[nodiscard]] std::optional<std::string> value(std::string_view option) const;
  [[nodiscard]] std::string value_or(std::string_view option, std::string_view otherwise) const;
  // Of an option that may be given more than once.
  [[nodiscard]] std::vector<std::string> values(std::string_view option) const;
  // Operands; for a pass-through command all words.
  [[nodiscard]] const std::vector<std::string>& words() const { return words_; }
  [[nodiscard]] const std::string& word(std::size_t i) const { return words_.at(i); }

 private:
  explicit Arguments(const Command& command) : command_(&command) {}
  Result<std::size_t> take_option(std::span<const std::string> words, std::size_t i);
  void check_declared(std::string_view option) const;

  const Command* command_;
  std::map<std::string, std::vector<std::string>, std::less<>> options_;
  std::vector<std::string> words_;
  bool help_ = false;
};

// "--output" of "-o,--output".
std::string_view long_name(const Option& option);

}  // namespace sworn::cli
