// SPDX-License-Identifier: Apache-2.0
// What the player costs on a long recording, as JSON: bench_player FILE [--seeks N] [--probes N]
//   index: keyframes only, and with the text; seeks all over it; searches; memory that is not
//   backed by files. Nothing is kept in the cache.
#include "player/index_recording.hpp"
#include "player/replay.hpp"
#include "player/search.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace sworn;
using namespace sworn::player;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

[[noreturn]] void give_up(const Error& error) {
  fmt::print(stderr, "bench_player: {}\n", describe(error));
  std::exit(1);
}

template <typename T>
T must(Result<T> result) {
  if (!result) {
    give_up(result.error());
  }
  return std::move(*result);
}

void must_do(const Result<void>& result) {
  if (!result) {
    give_up(result.error());
  }
}

// Kilobytes of memory that no file stands behind, now or at most.
double anonymous_mb() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with("RssAnon:")) {
      return std::strtod(line.c_str() + 8, nullptr) / 1024;
    }
  }
  return 0;
}

struct Built {
  std::shared_ptr<IndexState> state;
  double seconds = 0;
  double most_mb = 0;
};

Built build(const Recording& recording, std::shared_ptr<IndexState> state) {
  Built built{std::move(state), 0, 0};
  Indexer indexer(must(recording.open_source()), recording.setup(), built.state);
  const auto begin = Clock::now();
  while (must(indexer.work(65'536))) {
    built.most_mb = std::max(built.most_mb, anonymous_mb());
  }
  indexer.publish(true);
  built.seconds = seconds_since(begin);
  return built;
}

json percentiles(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&values](double share) {
    return values[std::min(values.size() - 1,
                           static_cast<std::size_t>(share * static_cast<double>(values.size())))];
  };
  return {{"p50", at(0.5)}, {"p99", at(0.99)}, {"most", values.back()}};
}

// Milliseconds of seeks to random times, in order and backwards as they come.
json measure_seeks(const Recording& recording, const IndexState& index, int count) {
  Replay replay(must(recording.open_source()), recording.setup(), index.keyframes());
  std::mt19937_64 random(5);
  const auto first = replay.source().first_time().us;
  const auto span = static_cast<std::uint64_t>(replay.source().last_time().us - first);
  std::vector<double> values;
  for (int i = 0; i < count; ++i) {
    const MonoTime t{first + static_cast<std::int64_t>(random() % (span + 1))};
    const auto begin = Clock::now();
    must_do(replay.seek_time(t));
    values.push_back(seconds_since(begin) * 1e3);
  }
  return percentiles(std::move(values));
}

std::uint64_t text_bytes(const TextIndex& index) {
  std::uint64_t bytes = 0;
  for (const auto& segment : index.segments()) {
    bytes += must(TextSegment::unpack_text(must(index.store()->read(segment.text)))).size();
  }
  return bytes;
}

json measure_search(const IndexState& index, const std::string& pattern, PatternKind kind,
                    unsigned threads) {
  const auto matcher = must(Matcher::compile(pattern, kind, CaseRule::ignore));
  json best;
  for (int round = 0; round < 3; ++round) {
    std::size_t hits = 0;
    double first = -1;
    const auto begin = Clock::now();
    const auto use = [&](std::vector<TextHit>&& found) {
      first = hits == 0 ? seconds_since(begin) : first;
      hits += found.size();
      return true;
    };
    must_do(index.text()->search(*matcher, {.from = 0, .backward = false, .threads = threads}, use,
                                 [] { return false; }));
    const double whole = seconds_since(begin);
    if (best.is_null() || whole < best["seconds"].get<double>()) {
      best = {{"pattern", pattern}, {"hits", hits}, {"seconds", whole}, {"first", first}};
    }
  }
  return best;
}

// Text that stood on the screen at random moments is looked for in the index: how many are found?
json measure_recall(const Recording& recording, const IndexState& index, int probes) {
  Replay replay(must(recording.open_source()), recording.setup(), index.keyframes());
  std::mt19937_64 random(9);
  int found = 0;
  int made = 0;
  for (int i = 0; i < probes * 4 && made < probes; ++i) {
    const auto position = random() % replay.source().end_position();
    must_do(replay.seek_position(position));
    const auto size = replay.terminal().size();
    const auto row = replay.terminal().row_text(static_cast<int>(random() % size.rows));
    if (row.size() < 12) {
      continue;
    }
    const auto length = std::min<std::size_t>(row.size(), 10 + random() % 16);
    const auto probe = row.substr(random() % (row.size() - length + 1), length);
    const auto matcher = Matcher::compile(probe, PatternKind::text, CaseRule::exact);
    if (!matcher || probe.front() == ' ' || probe.back() == ' ') {
      continue;
    }
    ++made;
    bool there = false;
    const auto use = [&](std::vector<TextHit>&& hits) {
      there = there || std::any_of(hits.begin(), hits.end(), [&](const TextHit& hit) {
                return hit.since <= position && position <= hit.to;
              });
      return !there;
    };
    const auto from = position > 0 ? position - 1 : 0;
    must_do(index.text()->search(**matcher, {.from = from, .backward = false, .threads = 2}, use,
                                 [&there] { return there; }));
    found += there ? 1 : 0;
    if (!there) {
      fmt::print(stderr, "not found: \"{}\" at position {}\n", probe, position);
    }
  }
  return {{"probes", made}, {"found", found}};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Costs of the player on a long recording"};
  std::string file;
  int seeks = 500;
  int probes = 200;
  app.add_option("file", file, "a recording")->required()->check(CLI::ExistingFile);
  app.add_option("--seeks", seeks, "random seeks")->check(CLI::Range(1, 100'000));
  app.add_option("--probes", probes, "texts to find again")->check(CLI::Range(0, 100'000));
  CLI11_PARSE(app, argc, argv);
  const auto recording = must(Recording::open(file));
  const IndexCache cache(*recording, false);
  json report;
  {
    const auto keyframes = build(*recording, std::make_shared<IndexState>());
    report["keyframes"] = {{"seconds", keyframes.seconds},
                           {"count", keyframes.state->keyframes()->all().size()},
                           {"bytes", keyframes.state->keyframes()->packed_bytes()}};
  }
  const auto index = build(*recording, std::make_shared<IndexState>(cache.new_store()));
  const double output_mb = static_cast<double>(index.state->facts()->output_bytes) / 1e6;
  report["events"] = index.state->facts()->events;
  report["output_mb"] = output_mb;
  report["keyframes"]["mb_s"] = output_mb / report["keyframes"]["seconds"].get<double>();
  report["text"] = {{"seconds", index.seconds},
                    {"mb_s", output_mb / index.seconds},
                    {"text_mb", static_cast<double>(text_bytes(*index.state->text())) / 1e6},
                    {"stored_mb", static_cast<double>(index.state->text()->store()->end()) / 1e6},
                    {"trouble", index.state->text()->trouble()}};
  report["memory_mb"] = {{"while_indexing", index.most_mb}, {"after", anonymous_mb()}};
  report["seek_ms"] = measure_seeks(*recording, *index.state, seeks);
  const unsigned threads = std::max(1U, std::thread::hardware_concurrency());
  report["search_threads"] = threads;
  report["search"] = json::array();
  for (const auto& [pattern, kind] : std::vector<std::pair<std::string, PatternKind>>{
           {"no such text anywhere", PatternKind::text},
           {"makefile", PatternKind::text},
           {"error", PatternKind::text},
           {"e", PatternKind::text},
           {"[0-9]{4}-[0-9]{2}-[0-9]{2} 1[0-9]:", PatternKind::regex},
           {"(root|www-data).*\\.conf", PatternKind::regex},
           {"lib.*\\.so\\.[0-9]+$", PatternKind::regex}}) {
    report["search"].push_back(measure_search(*index.state, pattern, kind, threads));
  }
  report["memory_mb"]["after_searching"] = anonymous_mb();
  report["recall"] = measure_recall(*recording, *index.state, probes);
  fmt::print("{}\n", report.dump());
  return 0;
}
