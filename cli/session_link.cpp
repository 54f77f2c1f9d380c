// SPDX-License-Identifier: Apache-2.0
#include "cli/session_link.hpp"

#include "audit/logs/line_reader.hpp"
#include "audit/logs/link.hpp"
#include "audit/logs/session_facts.hpp"
#include "base/printable.hpp"
#include "cli/open_session.hpp"
#include "format/constants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include <unistd.h>

namespace sworn::cli {
namespace {

namespace fs = std::filesystem;
using audit::logs::SessionLink;

constexpr int k_depth = 4;  // of directories below a store

std::vector<std::string> stores() {
  std::vector<std::string> out;
  if (const char* set = std::getenv("SWORN_PATH"); set != nullptr) {
    std::string_view rest(set);
    while (!rest.empty()) {
      const auto end = std::min(rest.find(':'), rest.size());
      if (end > 0) {
        out.emplace_back(rest.substr(0, end));
      }
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  if (auto own = format::default_store()) {
    out.push_back(*own);
  }
  out.emplace_back("/var/lib/sworn");
  out.emplace_back(".");
  return out;
}

bool is_session_name(const std::string& name) {
  return name.ends_with(".sworn") || name.ends_with(".sworn.part");
}

bool has_id(const std::string& path, const std::string& file_id) {
  auto file = PosixReadFile::open(path);
  if (!file) {
    return false;
  }
  std::array<std::byte, 32> preamble{};
  const auto n = (*file)->read_at(0, preamble);
  // docs/format.md: the preamble of 32 bytes holds the file id.
  const auto id = format::from_hex(file_id);
  return n && *n == preamble.size() && id &&
         std::search(preamble.begin(), preamble.end(), id->begin(), id->end()) != preamble.end();
}

std::optional<std::string> find_below(const std::string& store, const std::string& file_id) {
  std::error_code ignored;
  const auto skip = fs::directory_options::skip_permission_denied;
  const int depth = store == "." ? 0 : k_depth;
  for (fs::recursive_directory_iterator at(store, skip, ignored), end; !ignored && at != end;
       at.increment(ignored)) {
    if (at.depth() >= depth) {
      at.disable_recursion_pending();
    }
    std::error_code no_file;
    if (is_session_name(at->path().filename().string()) && at->is_regular_file(no_file) &&
        has_id(at->path().string(), file_id)) {
      return at->path().string();
    }
  }
  return std::nullopt;
}

std::string place_text(std::int64_t t_us) {
  return fmt::format("{}.{:06}", t_us / 1'000'000, t_us % 1'000'000);
}

Result<std::string> place_of(const std::string& session, const std::string& line,
                             std::string_view what) {
  TRY_ASSIGN(const auto place, place_of_line_text(session, line));
  if (!place) {
    return fail(Errc::not_found, fmt::format("{} has no time that is understood", what));
  }
  return *place;
}

}  // namespace

Result<LinkTarget> resolve_link(const std::string& word) {
  if (!audit::logs::is_link(word)) {
    return LinkTarget{word, std::nullopt};
  }
  TRY_ASSIGN(const auto link, audit::logs::parse_link(word));
  std::string looked;
  for (const auto& store : stores()) {
    if (auto path = find_below(store, link.file_id)) {
      LinkTarget target{std::move(*path), std::nullopt};
      if (link.event) {
        target.place = fmt::format("event {}", *link.event);
      } else if (link.t_us) {
        target.place = place_text(*link.t_us);
      }
      return target;
    }
    looked += (looked.empty() ? "" : ", ") + store;
  }
  return fail(Errc::not_found, fmt::format("no session {} in {}", link.file_id, looked));
}

std::optional<LogLineRef> log_line_ref(const std::string& word) {
  const auto colon = word.rfind(':');
  if (colon == std::string::npos || colon == 0 || ::access(word.c_str(), F_OK) == 0) {
    return std::nullopt;
  }
  const auto digits = word.substr(colon + 1);
  const auto file = word.substr(0, colon);
  if (digits.empty() || digits.size() > 15 || ::access(file.c_str(), F_OK) != 0 ||
      !std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return std::nullopt;
  }
  return LogLineRef{file, std::stoull(digits)};
}

Result<std::string> place_of_log_line(const std::string& session, const LogLineRef& ref) {
  TRY_ASSIGN(auto stream, audit::logs::open_byte_stream(ref.file));
  audit::logs::LineReader reader(std::move(stream));
  // A line without a time belongs to the one before it.
  std::string last_timed;
  const audit::logs::TimeContext context{};
  audit::logs::LineParser parser(context, "");
  while (true) {
    TRY_ASSIGN(const auto line, reader.next());
    if (!line) {
      return fail(Errc::not_found, fmt::format("{} has fewer than {} lines", ref.file, ref.line));
    }
    if (parser.parse(line->text).time) {
      last_timed = line->text;
    }
    if (line->number == ref.line) {
      return place_of(session, last_timed, fmt::format("line {} of {}", ref.line, ref.file));
    }
  }
}

Result<std::optional<std::string>> place_of_line_text(const std::string& session,
                                                      const std::string& text) {
  TRY_ASSIGN(auto open, open_session(session));
  TRY_ASSIGN(auto facts, audit::logs::read_session_facts(*open.reader));
  const auto first = facts.placement.window.from;
  const auto last = facts.placement.window.to;
  const audit::logs::TimeContext context{facts.placement.clock.to_wall(last),
                                         audit::logs::Zone::system()};
  audit::logs::LineParser parser(context, "");
  const auto parsed = parser.parse(text);
  if (!parsed.time) {
    return std::optional<std::string>();
  }
  const auto t = parsed.time->from_boot ? MonoTime{parsed.time->at.us}
                                        : facts.placement.clock.to_mono(parsed.time->at);
  const MonoTime until{t.us + parsed.time->resolution_us};
  if (until < first || t > last) {
    return fail(
        Errc::not_found,
        fmt::format("the line is of {}, the recording goes from {} to {}",
                    parsed.time->from_boot ? "another time" : format_rfc3339(parsed.time->at, 3),
                    format_rfc3339(facts.placement.clock.to_wall(first), 3),
                    format_rfc3339(facts.placement.clock.to_wall(last), 3)));
  }
  return std::optional(place_text(std::clamp(t, first, last).us - first.us));
}

}  // namespace sworn::cli
