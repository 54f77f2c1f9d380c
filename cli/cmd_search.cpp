// SPDX-License-Identifier: Apache-2.0
#include "base/printable.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/message.hpp"
#include "cli/progress.hpp"
#include "cli/text.hpp"
#include "player/search_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <thread>

namespace sworn::cli {
namespace {

constexpr int k_exit_nothing_found = 2;

using player::FileResult;
using player::SearchHit;

struct Request {
  std::vector<std::string> files;
  player::FileSearch search;
};

Result<std::size_t> number_option(const Arguments& args, std::string_view option,
                                  std::size_t otherwise) {
  const auto text = args.value(option);
  if (!text) {
    return otherwise;
  }
  std::size_t value = 0;
  const auto* const end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end || value == 0) {
    return fail(Errc::bad_usage, std::string(option) + " is a number above 0");
  }
  return value;
}

Result<Request> read_request(const Arguments& args) {
  Request request;
  auto words = args.words();
  std::string pattern;
  if (const auto given = args.value("--regexp")) {
    pattern = *given;
  } else if (words.size() < 2) {
    return fail(Errc::bad_usage, "files and a pattern are needed: sworn search FILE... REGEX");
  } else {
    pattern = words.back();
    words.pop_back();
  }
  const auto scope = player::scope_of(args.value_or("--scope", "all"));
  if (!scope) {
    return fail(Errc::bad_usage, "--scope is all, screen, input, commands, logs, notes or raw");
  }
  request.search.scope = *scope;
  const auto kind = args.has("--fixed") ? player::PatternKind::text : player::PatternKind::regex;
  const auto rule = args.has("--ignore-case") ? player::CaseRule::ignore : player::CaseRule::smart;
  TRY_ASSIGN(request.search.matcher, player::Matcher::compile(pattern, kind, rule));
  TRY_ASSIGN(request.search.max_hits, number_option(args, "--max", SIZE_MAX));
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  TRY_ASSIGN(const auto jobs, number_option(args, "--jobs", cores));
  request.search.threads = static_cast<unsigned>(std::min<std::size_t>(jobs, 256));
  request.search.use_cache = !args.has("--no-cache");
  request.search.log_files = args.values("--log");
  for (const auto& word : words) {
    TRY_ASSIGN(const auto files, player::session_files(word));
    request.files.insert(request.files.end(), files.begin(), files.end());
  }
  return request;
}

void print_hit_text(const FileResult& result, const SearchHit& hit, bool with_name) {
  const auto wall =
      result.clock.empty() ? std::string() : format_rfc3339(result.clock.to_wall(hit.place.t), 3);
  const auto place = hit.place.position == 0
                         ? "+" + format_duration(hit.place.t.us - result.first.us, 3)
                         : fmt::format("event {}", hit.place.position - 1);
  fmt::print("{}{}  {}  {}  {}\n", with_name ? printable(result.path) + "  " : std::string(), wall,
             place, name_of(hit.scope), printable(hit.text));
}

void print_hit_json(const FileResult& result, const SearchHit& hit) {
  print_json({{"schema", "sworn.hit/1"},
              {"file", result.path},
              {"session", result.session},
              {"scope", std::string(name_of(hit.scope))},
              {"event", hit.place.position == 0 ? Json(nullptr) : Json(hit.place.position - 1)},
              {"until_event", hit.until == 0 ? Json(nullptr) : Json(hit.until - 1)},
              {"t", json_seconds(hit.place.t.us - result.first.us)},
              {"time",
               result.clock.empty() ? Json(nullptr) : json_time(result.clock.to_wall(hit.place.t))},
              {"text", hit.text},
              {"offset", hit.offset},
              {"length", hit.length}});
}

void print_result(const Arguments& args, const FileResult& result, bool with_name) {
  if (args.has("--files")) {
    if (!result.found.hits.empty()) {
      fmt::print("{}\n", printable(result.path));
    }
    return;
  }
  if (args.has("--count")) {
    fmt::print("{}{}\n", with_name ? printable(result.path) + "  " : std::string(),
               result.found.hits.size());
    return;
  }
  for (const auto& hit : result.found.hits) {
    if (args.has("--json")) {
      print_hit_json(result, hit);
    } else {
      print_hit_text(result, hit, with_name);
    }
  }
}

int run(const Arguments& args) {
  auto request = read_request(args);
  if (!request) {
    return request.error().code == Errc::bad_usage
               ? complain_usage("search", request.error().context)
               : complain("search", explain_session_error(args.word(0), request.error()));
  }
  SystemClock clock;
  ProgressLine progress(clock, "indexing");
  request->search.progress = [&progress](const std::string&, auto done, auto total) {
    progress.update(done, total);
  };
  int status = k_exit_ok;
  std::size_t found = 0;
  const bool with_name = request->files.size() > 1;
  player::search_files(
      request->files, request->search,
      [&](const std::string& path, const Result<FileResult>& result) {
        if (!result) {
          const int failed = complain("search", explain_session_error(path, result.error()),
                                      exit_status_for(result.error()));
          status = std::max(status, failed);
          return;
        }
        found += result->found.hits.size();
        print_result(args, *result, with_name);
        if (!result->found.error.empty()) {
          fmt::print(stderr, "sworn search: {}: {}\n", printable(path),
                     printable(result->found.error));
          status = std::max(status, k_exit_failure);
        }
        if (result->found.truncated) {
          fmt::print(stderr, "sworn search: {}: more than {} matches, the rest is left out\n",
                     printable(path), result->found.hits.size());
        }
      });
  if (status != k_exit_ok) {
    return status;
  }
  return found > 0 ? k_exit_ok : k_exit_nothing_found;
}

constexpr Option k_options[] = {
    {"-e,--regexp", ValueKind::text, "REGEX", "the pattern; then all words are files"},
    {"-F,--fixed", ValueKind::none, "", "the pattern is plain text"},
    {"-i,--ignore-case", ValueKind::none, "",
     "case does not matter, even with a capital letter in the pattern"},
    {"--scope", ValueKind::choice, "all|screen|input|commands|logs|notes|raw",
     "where to look; all is everything but raw, the output without its escape sequences"},
    {"--log", ValueKind::file, "LOGFILE", "log lines to search as well; may be repeated"},
    {"--max", ValueKind::number, "N", "at most N matches of each file"},
    {"-c,--count", ValueKind::none, "", "print the number of matches only"},
    {"-l,--files", ValueKind::none, "", "print the names of files with a match only"},
    {"--json", ValueKind::none, "", "one JSON object a line for each match (schema sworn.hit/1)"},
    {"-j,--jobs", ValueKind::number, "N", "threads (default: as many as there are processors)"},
    {"--no-cache", ValueKind::none, "", "neither use nor leave an index in ~/.cache/sworn"},
};
constexpr ExitStatus k_exits[] = {
    {"0", "something was found"},
    {"1", "a file cannot be read, or the command line is wrong"},
    {"2", "nothing was found"},
    {"6", "a file was made by another version of sworn"},
};
constexpr Example k_examples[] = {
    {"sworn search web1.sworn 'delete from \\w+'", "what was on the screen, typed, or run"},
    {"sworn search /var/lib/sworn --scope commands -F 'rm -rf' --json",
     "every recording below a directory"},
    {"sworn play web1.sworn --event 4711", "then look at the moment of a match"},
};

}  // namespace

constinit const Command k_cmd_search = {
    .name = "search",
    .summary = "search what was shown, typed and run",
    .usage = "[OPTIONS] FILE|DIRECTORY... REGEX",
    .details =
        "Searches recordings for a regular expression (RE2) without regard to case, unless it has "
        "a capital letter. Rows of the screen are searched as they stood there, not as the bytes "
        "came, and rows that continue in the next are one. The moment of a match is the first at "
        "which the row was complete.",
    .operands = {"FILE", ValueKind::session, 1, k_any},
    .options = k_options,
    .examples = k_examples,
    .exits = k_exits,
    .run = run,
};

}  // namespace sworn::cli
