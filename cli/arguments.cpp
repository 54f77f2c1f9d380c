// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.hpp"

#include "base/printable.hpp"
#include "cli/suggest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace sworn::cli {
namespace {

constexpr Option k_help_option = {"-h,--help", ValueKind::none, "", "this text"};

// "-o" of "-o,--output", or empty.
std::string_view short_name(const Option& option) {
  const auto comma = option.flags.find(',');
  return comma == std::string_view::npos ? std::string_view() : option.flags.substr(0, comma);
}

const Option* find_option(const Command& command, std::string_view name) {
  for (const auto& option : command.options) {
    if (name == long_name(option) || name == short_name(option)) {
      return &option;
    }
  }
  for (const auto& option : key_options(command)) {
    if (name == long_name(option)) {
      return &option;
    }
  }
  return name == "-h" || name == "--help" ? &k_help_option : nullptr;
}

tl::unexpected<Error> unknown_option(const Command& command, std::string_view name) {
  std::vector<std::string_view> names{"--help"};
  for (const auto& option : command.options) {
    if (!option.hidden) {
      names.push_back(long_name(option));
    }
  }
  for (const auto& option : key_options(command)) {
    names.push_back(long_name(option));
  }
  const auto near = nearest(name, names);
  return fail(Errc::bad_usage, fmt::format("there is no option {}{}", printable(name),
                                           near ? fmt::format("; did you mean {}?", *near) : ""));
}

Result<void> check_choice(const Option& option, std::string_view value) {
  std::string_view rest = option.value;
  while (option.kind == ValueKind::choice) {
    const auto bar = rest.find('|');
    if (rest.substr(0, bar) == value) {
      return {};
    }
    if (bar == std::string_view::npos) {
      return fail(Errc::bad_usage, fmt::format("{} knows {}, not {}", long_name(option),
                                               option.value, printable(value)));
    }
    rest.remove_prefix(bar + 1);
  }
  return {};
}

Result<void> check_operands(const Command& command, const std::vector<std::string>& words) {
  const auto& operands = command.operands;
  if (words.size() < operands.least) {
    return fail(Errc::bad_usage, fmt::format("{} is missing", operands.name));
  }
  if (words.size() > operands.most) {
    return fail(Errc::bad_usage,
                fmt::format("one argument too many: {}", printable(words[operands.most])));
  }
  return {};
}

// One word that begins with a dash, taken apart: "--name", "--name=value", "-n", "-nvalue".
struct OptionWord {
  std::string_view name;
  std::optional<std::string_view> value;
};
OptionWord take_apart(std::string_view word) {
  if (!word.starts_with("--")) {
    return {word.substr(0, 2), word.size() > 2 ? std::optional(word.substr(2)) : std::nullopt};
  }
  const auto equals = word.find('=');
  if (equals == std::string_view::npos) {
    return {word, std::nullopt};
  }
  return {word.substr(0, equals), word.substr(equals + 1)};
}

}  // namespace

std::string_view long_name(const Option& option) {
  const auto comma = option.flags.rfind(',');
  return comma == std::string_view::npos ? option.flags : option.flags.substr(comma + 1);
}

// Takes words[i] and, where the option wants a value that is not attached, words[i + 1]. Returns
// the next i.
Result<std::size_t> Arguments::take_option(std::span<const std::string> words, std::size_t i) {
  const auto [name, attached] = take_apart(words[i]);
  const auto* option = find_option(*command_, name);
  if (option == nullptr) {
    return unknown_option(*command_, name);
  }
  auto& values = options_[std::string(long_name(*option))];
  if (option->kind == ValueKind::none) {
    if (attached) {
      return fail(Errc::bad_usage, fmt::format("{} takes no value", long_name(*option)));
    }
    values.emplace_back();
    help_ = help_ || option == &k_help_option;
    return i + 1;
  }
  if (!attached && i + 1 == words.size()) {
    return fail(Errc::bad_usage,
                fmt::format("{} needs a value: {}", long_name(*option), option->value));
  }
  values.emplace_back(attached ? std::string(*attached) : words[i + 1]);
  TRY(check_choice(*option, values.back()));
  return attached ? i + 1 : i + 2;
}

Result<Arguments> Arguments::parse(const Command& command, std::span<const std::string> words) {
  Arguments args(command);
  if (command.pass_through) {
    args.words_.assign(words.begin(), words.end());
    // Only in front: what follows belongs to the wrapped program.
    args.help_ = !words.empty() && (words[0] == "--help" || words[0] == "-h");
    return args;
  }
  std::size_t i = 0;
  while (i < words.size()) {
    if (words[i] == "--") {
      args.words_.insert(args.words_.end(), words.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                         words.end());
      break;
    }
    if (words[i].size() > 1 && words[i][0] == '-') {
      TRY_ASSIGN(i, args.take_option(words, i));
    } else {
      args.words_.push_back(words[i++]);
    }
  }
  if (!args.help_) {
    TRY(check_operands(command, args.words_));
  }
  return args;
}

void Arguments::check_declared(std::string_view option) const {
  const auto has = [&](std::span<const Option> all) {
    return std::any_of(all.begin(), all.end(),
                       [&](const Option& o) { return long_name(o) == option; });
  };
  if (!has(command_->options) && !has(key_options(*command_))) {
    fmt::print(stderr, "sworn {}: bug: asks for an undeclared option {}\n", command_->name, option);
    std::abort();
  }
}

bool Arguments::has(std::string_view option) const {
  return !values(option).empty();
}

std::optional<std::string> Arguments::value(std::string_view option) const {
  const auto all = values(option);
  return all.empty() ? std::nullopt : std::optional(all.back());
}

std::string Arguments::value_or(std::string_view option, std::string_view otherwise) const {
  return value(option).value_or(std::string(otherwise));
}

std::vector<std::string> Arguments::values(std::string_view option) const {
  check_declared(option);
  const auto it = options_.find(option);
  return it == options_.end() ? std::vector<std::string>{} : it->second;
}

}  // namespace sworn::cli
