// SPDX-License-Identifier: Apache-2.0
// Reading only. TOML++ stays in this file.
#include "recorder/host/config.hpp"

#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/printable.hpp"
#include "format/key_ring.hpp"

#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_EXCEPTIONS 0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <toml++/toml.h>

namespace sworn::recorder::host {
namespace {

constexpr std::uint64_t k_max_config_bytes = 1U << 20U;
constexpr std::size_t k_max_entries = 4096;

class Parser {
 public:
  Parser(ConfigResult& out, std::string file) : out_(out), file_(std::move(file)) {}

  void problem(const toml::source_region& where, std::string reason) {
    out_.findings.push_back({file_, where.begin.line, std::move(reason)});
  }

  using Handler = std::function<void(const toml::node&)>;
  struct Key {
    std::string_view name;
    Handler handler;
  };
  void table(const toml::node& node, std::string_view where, const std::vector<Key>& keys) {
    const auto* table = node.as_table();
    if (table == nullptr) {
      problem(node.source(), fmt::format("{} must be a table", where));
      return;
    }
    for (const auto& [name, value] : *table) {
      const auto key = std::find_if(keys.begin(), keys.end(), [&name = name](const Key& each) {
        return each.name == name.str();
      });
      if (key == keys.end()) {
        std::string known;
        for (const auto& each : keys) {
          known += (known.empty() ? "" : ", ") + std::string(each.name);
        }
        problem(value.source(),
                fmt::format("{} has no key '{}'; it has: {}", where, printable(name.str()), known));
        continue;
      }
      key->handler(value);
    }
  }

  Handler text(std::string& target, std::size_t most = 4096) {
    return [this, &target, most](const toml::node& node) {
      const auto* value = node.as_string();
      if (value == nullptr || value->get().size() > most ||
          value->get().find('\0') != std::string::npos) {
        problem(node.source(), fmt::format("must be a text of at most {} bytes", most));
        return;
      }
      target = value->get();
    };
  }
  Handler path(std::string& target) {
    return [this, &target](const toml::node& node) {
      text(target)(node);
      if (node.is_string() && !target.starts_with('/')) {
        problem(node.source(), "must be an absolute path");
      }
    };
  }
  Handler flag(bool& target) {
    return [this, &target](const toml::node& node) {
      const auto* value = node.as_boolean();
      if (value == nullptr) {
        problem(node.source(), "must be true or false");
        return;
      }
      target = value->get();
    };
  }
  template <typename T>
  Handler number(T& target, std::uint64_t least, std::uint64_t most) {
    return [this, &target, least, most](const toml::node& node) {
      const auto* value = node.as_integer();
      if (value == nullptr || value->get() < 0 ||
          static_cast<std::uint64_t>(value->get()) < least ||
          static_cast<std::uint64_t>(value->get()) > most) {
        problem(node.source(), fmt::format("must be a whole number from {} to {}", least, most));
        return;
      }
      target = static_cast<T>(value->get());
    };
  }
  // 1048576, "64M", "10G"
  Handler bytes(std::uint64_t& target) {
    return [this, &target](const toml::node& node) {
      if (const auto* value = node.as_integer(); value != nullptr && value->get() >= 0) {
        target = static_cast<std::uint64_t>(value->get());
        return;
      }
      const auto* value = node.as_string();
      const auto parsed = value != nullptr ? parse_bytes(value->get()) : std::nullopt;
      if (!parsed) {
        problem(node.source(), "must be a number of bytes: 1048576, \"64M\", \"10G\"");
        return;
      }
      target = *parsed;
    };
  }
  template <typename E>
  Handler choice(E& target, std::vector<E> values) {
    return [this, &target, values](const toml::node& node) {
      const auto* value = node.as_string();
      std::string known;
      for (const E each : values) {
        known += (known.empty() ? "" : ", ") + std::string(name_of(each));
        if (value != nullptr && value->get() == name_of(each)) {
          target = each;
          return;
        }
      }
      problem(node.source(), fmt::format("must be one of: {}", known));
    };
  }
  Handler list(std::vector<std::string>& target) {
    return [this, &target](const toml::node& node) {
      const auto* values = node.as_array();
      if (values == nullptr || values->size() > k_max_entries) {
        problem(node.source(), fmt::format("must be a list of at most {} texts", k_max_entries));
        return;
      }
      target.clear();
      for (const auto& value : *values) {
        std::string each;
        text(each)(value);
        if (value.is_string() && each.empty()) {
          problem(value.source(), "must not be empty");
        }
        target.push_back(std::move(each));
      }
    };
  }

  std::vector<Key> rule_keys(Rules& rules) {
    return {
        {"input", choice(rules.input, {InputMode::none, InputMode::commands, InputMode::all})},
        {"sync", choice(rules.sync, {SyncMode::none, SyncMode::interval, SyncMode::critical})},
        {"on_failure",
         choice(rules.on_failure, {OnFailure::terminate, OnFailure::continue_and_alert})},
        {"require_reason", flag(rules.require_reason)},
        {"require_ticket", flag(rules.require_ticket)},
        {"shell_hook", flag(rules.shell_hook)},
        {"notice", text(rules.notice, 1024)},
        {"shell", path(rules.shell)},
        {"retention", text(rules.retention, 64)},
    };
  }

 private:
  static std::optional<std::uint64_t> parse_bytes(const std::string& text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    constexpr std::string_view k_units = "KMGT";
    unsigned shift = 0;
    if (unit.size() == 1 && k_units.find(unit[0]) != std::string_view::npos) {
      shift = static_cast<unsigned>(10 * (k_units.find(unit[0]) + 1));
    } else if (!unit.empty()) {
      return std::nullopt;
    }
    if (error != std::errc{} || value > (std::numeric_limits<std::uint64_t>::max() >> shift)) {
      return std::nullopt;
    }
    return value << shift;
  }

  ConfigResult& out_;
  std::string file_;
};

void read_audiences(Parser& parser, const toml::node& node, Config& config) {
  const auto* list = node.as_array();
  if (list == nullptr || list->size() > k_max_entries) {
    parser.problem(node.source(), "audiences are written as [[audience]]");
    return;
  }
  for (const auto& item : *list) {
    Audience audience;
    audience.rules = config.session;
    auto keys = parser.rule_keys(audience.rules);
    keys.push_back({"name", parser.text(audience.name, 64)});
    keys.push_back({"users", parser.list(audience.users)});
    keys.push_back({"groups", parser.list(audience.groups)});
    parser.table(item, "[[audience]]", keys);
    if (audience.name.empty()) {
      parser.problem(item.source(), "an audience needs a name");
    }
    if (audience.users.empty() && audience.groups.empty()) {
      parser.problem(item.source(), "an audience needs users or groups, else it is for nobody");
    }
    config.audiences.push_back(std::move(audience));
  }
}

void read_retention(Parser& parser, const toml::node& node, Config& config) {
  const auto* table = node.as_table();
  if (table == nullptr) {
    parser.problem(node.source(), "[retention] holds classes: name = days");
    return;
  }
  for (const auto& [name, value] : *table) {
    Retention each{std::string(name.str()), 0};
    parser.number(each.days, 0, 36'500)(value);
    std::erase_if(config.retention, [&](const Retention& old) { return old.name == each.name; });
    config.retention.push_back(std::move(each));
  }
}

void read_shells(Parser& parser, const toml::node& node, Config& config) {
  const auto* table = node.as_table();
  if (table == nullptr) {
    parser.problem(node.source(), "[shells] holds user = \"/path/of/shell\"");
    return;
  }
  for (const auto& [name, value] : *table) {
    parser.path(config.shells[std::string(name.str())])(value);
  }
}

void check_sense(Parser& parser, const toml::table& root, const Config& config) {
  const auto known = [&](const std::string& name) {
    return std::any_of(config.retention.begin(), config.retention.end(),
                       [&](const Retention& each) { return each.name == name; });
  };
  for (const auto* people : {&config.recipients, &config.second_person}) {
    for (const auto& each : *people) {
      if (const auto read = format::read_recipients(each); !each.starts_with("age1") || !read) {
        parser.problem(root.source(),
                       fmt::format("'{}' is no age recipient (age1...)", printable(each)));
      }
    }
  }
  // A rule that looks as if it held, and does not, is worse than none.
  if (config.user_quota_bytes != 0) {
    parser.problem(root.source(),
                   "[limits] user_quota is not enforced by this version; leave it out");
  }
  if (!config.required_anchors.empty()) {
    parser.problem(root.source(),
                   "[anchors] required is not enforced by this version; ask for anchors where "
                   "recordings are verified, with sworn trust");
  }
  if (config.recipients.empty() && !config.second_person.empty()) {
    parser.problem(root.source(), "[encryption] second_person needs recipients");
  }
  std::vector<const Rules*> all{&config.session};
  for (const auto& audience : config.audiences) {
    all.push_back(&audience.rules);
  }
  for (const Rules* rules : all) {
    if (!known(rules->retention)) {
      parser.problem(root.source(),
                     fmt::format("[retention] has no class '{}'", printable(rules->retention)));
    }
    if (rules->shell.ends_with("/sworn-login")) {
      parser.problem(root.source(), "the shell of a session cannot be sworn-login itself");
    }
  }
}

void read_root(Parser& parser, const toml::table& root, Config& config) {
  // [session] first: audiences start from it, wherever they stand in the file.
  if (const auto* session = root.get("session"); session != nullptr) {
    parser.table(*session, "[session]", parser.rule_keys(config.session));
  }
  parser.table(
      root, "the file",
      {
          {"session", [](const toml::node&) {}},
          {"record",
           [&](const toml::node& node) {
             parser.table(node, "[record]",
                          {{"users", parser.list(config.users)},
                           {"groups", parser.list(config.groups)},
                           {"exclude_users", parser.list(config.exclude_users)},
                           {"exclude_groups", parser.list(config.exclude_groups)},
                           {"hosts", parser.list(config.hosts)}});
           }},
          {"audience", [&](const toml::node& node) { read_audiences(parser, node, config); }},
          {"shells", [&](const toml::node& node) { read_shells(parser, node, config); }},
          {"break_glass",
           [&](const toml::node& node) {
             parser.table(node, "[break_glass]",
                          {{"groups", parser.list(config.break_glass_groups)}});
           }},
          {"limits",
           [&](const toml::node& node) {
             parser.table(
                 node, "[limits]",
                 {{"sessions_per_user", parser.number(config.sessions_per_user, 1, 65'536)},
                  {"handshakes_per_user", parser.number(config.handshakes_per_user, 1, 4'096)},
                  {"user_quota", parser.bytes(config.user_quota_bytes)},
                  {"reserve", parser.bytes(config.reserve_bytes)}});
           }},
          {"retention", [&](const toml::node& node) { read_retention(parser, node, config); }},
          {"hold",
           [&](const toml::node& node) {
             parser.table(node, "[hold]",
                          {{"users", parser.list(config.hold_users)},
                           {"sessions", parser.list(config.hold_sessions)}});
           }},
          {"environment",
           [&](const toml::node& node) {
             parser.table(node, "[environment]", {{"allow", parser.list(config.environment)}});
           }},
          {"anchors",
           [&](const toml::node& node) {
             parser.table(node, "[anchors]", {{"required", parser.list(config.required_anchors)}});
           }},
          {"encryption",
           [&](const toml::node& node) {
             parser.table(node, "[encryption]",
                          {{"recipients", parser.list(config.recipients)},
                           {"second_person", parser.list(config.second_person)}});
           }},
          {"terminal",
           [&](const toml::node& node) {
             parser.table(node, "[terminal]",
                          {{"login_programs", parser.list(config.login_programs)}});
           }},
          {"store",
           [&](const toml::node& node) {
             parser.table(node, "[store]", {{"immutable", parser.flag(config.immutable)}});
           }},
      });
  check_sense(parser, root, config);
}

// TOML++ 3.3 asserts on headers such as "[[)x]]": they are looked at before it sees them. The
// policy needs no other than [name] and [[name]]. 0: all are fine.
std::uint32_t bad_header_line(std::string_view text) {
  constexpr std::string_view k_name =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  for (std::uint32_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (!line.starts_with('[')) {
      continue;
    }
    const std::string_view close = line.starts_with("[[") ? "]]" : "]";
    line.remove_prefix(close.size());
    const auto name = std::min(line.find_first_not_of(k_name), line.size());
    line.remove_prefix(name);
    if (name == 0 || !line.starts_with(close)) {
      return number;
    }
    line.remove_prefix(close.size());
    const auto rest = line.find_first_not_of(" \t\r");
    if (rest != std::string_view::npos && line[rest] != '#') {
      return number;
    }
  }
  return 0;
}

// Root's, and nobody else's to write.
std::optional<std::string> untrusted(const struct stat& st) {
  if (st.st_uid != 0) {
    return fmt::format("it belongs to uid {}, not to root", st.st_uid);
  }
  if ((st.st_mode & 022U) != 0) {
    return fmt::format("others than root may write it (mode {:04o})", st.st_mode & 07777U);
  }
  return std::nullopt;
}

std::optional<std::string> untrusted_directory(const std::string& path) {
  auto directory = std::filesystem::path(path).parent_path();
  while (!directory.empty()) {
    struct stat st {};
    if (::stat(directory.c_str(), &st) == 0) {
      if (const auto why = untrusted(st); why && (st.st_mode & S_ISVTX) == 0) {
        return directory.string() + ": " + *why;
      }
    }
    if (directory == directory.parent_path()) {
      break;
    }
    directory = directory.parent_path();
  }
  return std::nullopt;
}

}  // namespace

ConfigResult parse_config(std::string_view text, const std::string& file_name) {
  ConfigResult out;
  Parser parser(out, file_name);
  if (const auto line = bad_header_line(text); line != 0) {
    out.findings.push_back({file_name, line, "must be [name] or [[name]] alone on its line"});
    return out;
  }
  const toml::parse_result parsed = toml::parse(text, file_name);
  if (!parsed) {
    parser.problem(parsed.error().source(), printable(parsed.error().description()));
    return out;
  }
  read_root(parser, parsed.table(), out.config);
  std::stable_sort(out.findings.begin(), out.findings.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  return out;
}

ConfigResult load_config(const std::string& path) {
  ConfigResult out;
  const auto refuse = [&](std::string reason) {
    out.findings.push_back({path, 0, std::move(reason)});
    return out;
  };
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) {
    return errno == ENOENT ? out : refuse(describe({Errc::io, errno, "cannot read it"}));
  }
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0 || !S_ISREG(st.st_mode)) {
    return refuse("it is not a regular file");
  }
  if (const auto why = untrusted(st)) {
    return refuse(*why + "; only a file that root alone can write counts");
  }
  if (const auto why = untrusted_directory(path)) {
    return refuse(*why + "; whoever can write the directory can replace the file");
  }
  if (static_cast<std::uint64_t>(st.st_size) > k_max_config_bytes) {
    return refuse("it is larger than 1 MiB");
  }
  std::string text(static_cast<std::size_t>(st.st_size), '\0');
  const auto n = ::pread(fd.get(), text.data(), text.size(), 0);
  if (n < 0) {
    return refuse(describe({Errc::io, errno, "cannot read it"}));
  }
  text.resize(static_cast<std::size_t>(n));
  return parse_config(text, path);
}

}  // namespace sworn::recorder::host
