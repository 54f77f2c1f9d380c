// SPDX-License-Identifier: Apache-2.0
// A TOML file as lists of tables, read strictly: unknown keys, wrong types and bad values are
// errors that name file, line and reason, because a typing error in a rule must not switch it off
// silently. toml++ stays behind this header. One thread.
#pragma once

#include "base/result.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::audit::logs {

class TomlTable {
 public:
  // What is absent is nullopt; what has another type is remembered, and reported by done().
  std::optional<std::string> text(std::string_view key);
  std::optional<bool> flag(std::string_view key);
  std::optional<double> number(std::string_view key);
  std::optional<std::vector<std::string>> texts(std::string_view key);  // also one text alone
  std::optional<std::vector<std::int64_t>> numbers(std::string_view key);
  // A text, or true (an empty text); false is nullopt.
  std::optional<std::string> text_or_flag(std::string_view key);

  // An error about a value of this table.
  [[nodiscard]] tl::unexpected<Error> wrong(std::string_view key, std::string_view why) const;
  // Wrong types so far.
  [[nodiscard]] Result<void> types() const;
  // After everything was asked for: unknown keys and wrong types.
  [[nodiscard]] Result<void> done() const;
  [[nodiscard]] std::size_t line() const;

  struct Impl;

 private:
  friend class TomlFile;
  explicit TomlTable(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

class TomlFile {
 public:
  static constexpr std::size_t k_max_bytes = 1U << 20U;
  static Result<TomlFile> read(const std::string& path);
  static Result<TomlFile> parse(std::string_view text, const std::string& name);

  // The tables [[name]], in order. Other top-level names are refused.
  Result<std::vector<TomlTable>> tables(std::string_view name);
  struct Impl;

 private:
  explicit TomlFile(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

}  // namespace sworn::audit::logs
