// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/offset_probe.hpp"

#include "audit/logs/line_reader.hpp"

#include <algorithm>
#include <set>

namespace sworn::audit::logs {
namespace {

constexpr std::size_t k_max_pairs = 200'000;
constexpr std::int64_t k_slack_us = 250'000;  // between a command line and what it starts

// "exec ls -la (success yes ...)": the words.
std::string_view executed(std::string_view text) {
  constexpr std::string_view k_exec = "exec ";
  if (!text.starts_with(k_exec)) {
    return {};
  }
  const auto end = text.rfind(" (");
  return text.substr(k_exec.size(), end == std::string_view::npos ? end : end - k_exec.size());
}

// "... COMMAND=/usr/bin/id -u": the words.
std::string_view by_sudo(std::string_view text) {
  constexpr std::string_view k_command = "COMMAND=";
  const auto at = text.find(k_command);
  return at == std::string_view::npos ? std::string_view{} : text.substr(at + k_command.size());
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) {
    text.remove_prefix(1);
  }
  while (text.ends_with(' ')) {
    text.remove_suffix(1);
  }
  return text;
}

// "sudo [options] WORDS" with WORDS as sudo wrote them, whose program has its path.
bool is_sudo_of(std::string_view command, std::string_view words) {
  if (!command.starts_with("sudo ")) {
    return false;
  }
  if (command.ends_with(words)) {
    return true;
  }
  const auto slash = words.substr(0, words.find(' ')).rfind('/');
  return slash != std::string_view::npos && command.ends_with(words.substr(slash + 1));
}

}  // namespace

void OffsetVote::pair_with(const std::vector<std::size_t>& commands, MonoTime t) {
  if (commands.empty() || pairs_.size() + commands.size() > k_max_pairs) {
    return;
  }
  ++lines_;
  for (const auto command : commands) {
    pairs_.push_back({facts_.commands.commands()[command].begin.us - t.us, lines_});
  }
}

void OffsetVote::add(const PlacedLine& line) {
  const auto words = executed(line.text);
  const auto sudo = words.empty() ? by_sudo(line.text) : std::string_view{};
  if (words.empty() && sudo.empty()) {
    return;
  }
  const auto known = [](std::uint32_t id) { return id != SessionLineage::k_unset; };
  if (line.who.vouched && line.who.ses && known(facts_.lineage.audit_ses) &&
      *line.who.ses != facts_.lineage.audit_ses) {
    return;  // somebody else's
  }
  std::vector<std::size_t> partners;
  const auto& commands = facts_.commands.commands();
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const auto text = trimmed(commands[i].text);
    if (!words.empty() ? text == words : is_sudo_of(text, trimmed(sudo))) {
      partners.push_back(i);
    }
  }
  if (!partners.empty()) {
    grid_us_ = std::max(grid_us_, line.entry.until.us - line.entry.t.us + 1);
  }
  pair_with(partners, line.entry.t);
}

std::optional<MeasuredOffset> OffsetVote::result() const {
  if (lines_ < k_least_anchors) {
    return std::nullopt;
  }
  auto pairs = pairs_;
  std::sort(pairs.begin(), pairs.end(),
            [](const Pair& a, const Pair& b) { return a.delta_us < b.delta_us; });
  // The densest stretch that the grid and the slack can explain. A line comes behind its command,
  // and a coarse clock cuts it back.
  const auto width = grid_us_ + k_slack_us;
  std::size_t best_first = 0;
  std::size_t best_last = 0;
  std::size_t best_lines = 0;
  std::size_t last = 0;
  for (std::size_t first = 0; first < pairs.size(); ++first) {
    last = std::max(last, first);
    while (last < pairs.size() && pairs[last].delta_us - pairs[first].delta_us <= width) {
      ++last;
    }
    if (last - first <= best_lines) {
      continue;
    }
    std::set<std::size_t> lines;
    for (auto i = first; i < last; ++i) {
      lines.insert(pairs[i].line);
    }
    if (lines.size() > best_lines) {
      best_lines = lines.size();
      best_first = first;
      best_last = last;
    }
  }
  if (best_lines < k_least_anchors || best_lines * 2 <= lines_) {
    return std::nullopt;
  }
  const auto middle = pairs[best_first + (best_last - best_first) / 2].delta_us;
  MeasuredOffset out;
  // A line of a grid stands for its middle: without that, a source in step would seem half a grid
  // early.
  out.add_us = middle - (grid_us_ > 100'000 ? grid_us_ / 2 : 0);
  out.lines = best_lines;
  out.fineness_us = std::max<std::int64_t>(grid_us_, 50'000);
  return out;
}

std::optional<MeasuredOffset> measure_offset(std::unique_ptr<ByteStream> stream,
                                             const LogSourceOptions& options,
                                             const SessionFacts& facts, std::uint64_t most_bytes) {
  auto placement = facts.placement;
  placement.window.margin_us = k_max_offset_us;
  LogPlacer placer(placement, 0, options);
  LineReader reader(std::move(stream));
  OffsetVote vote(facts);
  std::vector<PlacedLine> placed;
  const MonoTime enough{placement.window.to.us + k_max_offset_us};
  while (reader.bytes_read() < most_bytes && placer.position().value_or(MonoTime{}) <= enough) {
    auto line = reader.next();
    if (!line || !*line) {
      break;  // what is wrong with it the real reading will say
    }
    placer.take(**line, placed);
    for (const auto& one : placed) {
      vote.add(one);
    }
    placed.clear();
  }
  placer.end(placed);
  for (const auto& one : placed) {
    vote.add(one);
  }
  return vote.result();
}

}  // namespace sworn::audit::logs
