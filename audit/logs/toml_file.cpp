// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/toml_file.hpp"

#include "base/file.hpp"
#include "base/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include <toml++/toml.h>

namespace sworn::audit::logs {

namespace {

bool begins_key(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '"' || c == '\'';
}

// toml++ 3.3 takes for granted that a key follows the brackets of a table: what comes instead ends
// it in an assertion, or worse without assertions. Gives the number of the first line that is so;
// 0: none.
std::size_t bad_header(std::string_view text) {
  std::size_t number = 0;
  std::string_view open;  // the quotes of a text over several lines that is not closed yet
  while (!text.empty()) {
    ++number;
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto blank = std::min(line.find_first_not_of(" \t"), line.size());
    auto head = line.substr(blank);
    if (open.empty() && head.starts_with('[')) {
      head.remove_prefix(head.starts_with("[[") ? 2 : 1);
      const auto key = std::min(head.find_first_not_of(" \t"), head.size());
      if (key == head.size() || !begins_key(head[key])) {
        return number;
      }
    }
    for (std::size_t at = 0; at + 3 <= line.size(); ++at) {
      const auto three = line.substr(at, 3);
      if ((three == "\"\"\"" || three == "'''") && (open.empty() || open == three)) {
        open = open.empty() ? three : std::string_view{};
        at += 2;
      }
    }
  }
  return 0;
}

}  // namespace

struct TomlFile::Impl {
  std::string name;
  toml::table root;
};

struct TomlTable::Impl {
  std::shared_ptr<TomlFile::Impl> file;
  const toml::table* table = nullptr;
  std::set<std::string, std::less<>> asked;
  std::optional<Error> fault;

  tl::unexpected<Error> wrong(std::size_t line, std::string_view why) const {
    return sworn::fail(Errc::bad_usage, fmt::format("{}:{}: {}", file->name, line, why));
  }
  const toml::node* find(std::string_view key) {
    asked.emplace(key);
    return table->get(key);
  }
  void bad_type(std::string_view key, const toml::node& node, std::string_view wanted) {
    if (!fault) {
      fault = wrong(node.source().begin.line, fmt::format("{} must be {}", key, wanted)).value();
    }
  }
  template <typename T, typename Out>
  std::optional<Out> scalar(std::string_view key, std::string_view wanted) {
    const auto* node = find(key);
    if (node == nullptr) {
      return std::nullopt;
    }
    if (const auto value = node->value_exact<T>()) {
      return Out(*value);
    }
    bad_type(key, *node, wanted);
    return std::nullopt;
  }
  template <typename T, typename Out>
  std::optional<std::vector<Out>> list(std::string_view key, std::string_view wanted) {
    const auto* node = find(key);
    if (node == nullptr) {
      return std::nullopt;
    }
    std::vector<Out> out;
    if (const auto value = node->value_exact<T>()) {
      out.push_back(Out(*value));
      return out;
    }
    if (const auto* array = node->as_array()) {
      for (const auto& one : *array) {
        const auto value = one.template value_exact<T>();
        if (!value) {
          bad_type(key, one, wanted);
          return std::nullopt;
        }
        out.push_back(Out(*value));
      }
      return out;
    }
    bad_type(key, *node, wanted);
    return std::nullopt;
  }
};

std::optional<std::string> TomlTable::text(std::string_view key) {
  return impl_->scalar<std::string, std::string>(key, "a text");
}
std::optional<bool> TomlTable::flag(std::string_view key) {
  return impl_->scalar<bool, bool>(key, "true or false");
}
std::optional<std::vector<std::string>> TomlTable::texts(std::string_view key) {
  return impl_->list<std::string, std::string>(key, "a text or a list of texts");
}
std::optional<std::vector<std::int64_t>> TomlTable::numbers(std::string_view key) {
  return impl_->list<std::int64_t, std::int64_t>(key, "a number or a list of numbers");
}

std::optional<double> TomlTable::number(std::string_view key) {
  const auto* node = impl_->find(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  if (const auto value = node->value_exact<double>()) {
    return *value;
  }
  if (const auto value = node->value_exact<std::int64_t>()) {
    return static_cast<double>(*value);
  }
  impl_->bad_type(key, *node, "a number");
  return std::nullopt;
}

std::optional<std::string> TomlTable::text_or_flag(std::string_view key) {
  const auto* node = impl_->find(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  if (const auto value = node->value_exact<bool>()) {
    return *value ? std::optional<std::string>("") : std::nullopt;
  }
  if (auto value = node->value_exact<std::string>()) {
    return *value;
  }
  impl_->bad_type(key, *node, "a text or true");
  return std::nullopt;
}

tl::unexpected<Error> TomlTable::wrong(std::string_view key, std::string_view why) const {
  const auto* node = impl_->table->get(key);
  return impl_->wrong(node == nullptr ? line() : node->source().begin.line, why);
}

std::size_t TomlTable::line() const {
  return impl_->table->source().begin.line;
}

Result<void> TomlTable::types() const {
  return impl_->fault ? Result<void>(tl::make_unexpected(*impl_->fault)) : Result<void>{};
}

Result<void> TomlTable::done() const {
  TRY(types());
  for (const auto& [key, node] : *impl_->table) {
    if (!impl_->asked.contains(key.str())) {
      return impl_->wrong(node.source().begin.line,
                          fmt::format("{} is not known here", printable(key.str(), 60)));
    }
  }
  return {};
}

Result<TomlFile> TomlFile::read(const std::string& path) {
  TRY_ASSIGN(const auto bytes, read_whole_file(path, k_max_bytes));
  return parse(as_text(bytes), path);
}

Result<TomlFile> TomlFile::parse(std::string_view text, const std::string& name) {
  if (const auto line = bad_header(text); line > 0) {
    return fail(Errc::bad_usage,
                fmt::format("{}:{}: a name must follow the bracket of a table", name, line));
  }
  auto impl = std::make_shared<Impl>();
  impl->name = name;
  // With exceptions: without them, toml++ goes on behind an error in places, into its own
  // assertions.
  try {
    impl->root = toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    return fail(Errc::bad_usage, fmt::format("{}:{}: {}", name, error.source().begin.line,
                                             printable(error.description(), 300)));
  }
  return TomlFile(std::move(impl));
}

Result<std::vector<TomlTable>> TomlFile::tables(std::string_view name) {
  std::vector<TomlTable> out;
  for (const auto& [key, node] : impl_->root) {
    const auto line = node.source().begin.line;
    if (key.str() != name) {
      return fail(Errc::bad_usage, fmt::format("{}:{}: {} is not known here; expected [[{}]]",
                                               impl_->name, line, printable(key.str(), 60), name));
    }
    const auto* array = node.as_array();
    if (array == nullptr || !array->is_array_of_tables()) {
      return fail(Errc::bad_usage, fmt::format("{}:{}: {} must be written as [[{}]]", impl_->name,
                                               line, name, name));
    }
    for (const auto& one : *array) {
      auto table = std::make_shared<TomlTable::Impl>();
      table->file = impl_;
      table->table = one.as_table();
      out.push_back(TomlTable(std::move(table)));
    }
  }
  return out;
}

}  // namespace sworn::audit::logs
