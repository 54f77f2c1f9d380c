// SPDX-License-Identifier: Apache-2.0
// Which commands a listing shows: --text, --exe, --user, --exit, --flag, --since, --until,
// --failed, --privileged. All that are given must hold.
#pragma once

#include "audit/logs/entry_list.hpp"
#include "base/result.hpp"
#include "cli/arguments.hpp"
#include "format/clock_map.hpp"
#include "player/matcher.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sworn::cli {

class EntryFilter {
 public:
  // Errc::bad_usage with what cannot be understood.
  static Result<EntryFilter> parse(const Arguments& args, MonoTime first,
                                   const format::ClockMap& clock);

  [[nodiscard]] bool shows(const audit::logs::EntryList& list,
                           const audit::logs::Entry& entry) const;
  [[nodiscard]] bool shows(MonoTime at) const;  // only --since and --until
  [[nodiscard]] bool any() const { return any_; }

 private:
  [[nodiscard]] bool ran_as(const audit::logs::EntryList& list,
                            const audit::logs::Entry& entry) const;

  std::shared_ptr<const player::Matcher> text_;
  std::shared_ptr<const player::Matcher> exe_;
  std::string user_;
  std::optional<std::uint32_t> uid_;
  std::optional<int> exit_;
  std::vector<std::string> flags_;
  std::optional<MonoTime> since_;
  std::optional<MonoTime> until_;
  bool failed_ = false;
  bool privileged_ = false;
  bool any_ = false;
};

// Calls `visit(index)` for the processes below `tops` and for `tops` themselves, each before its
// children.
template <typename F>
void for_each_below(const audit::logs::EntryList& list, const std::vector<std::size_t>& tops,
                    const F& visit) {
  std::vector<std::pair<std::size_t, int>> todo;
  for (auto top = tops.rbegin(); top != tops.rend(); ++top) {
    todo.emplace_back(*top, 0);
  }
  while (!todo.empty()) {
    const auto [index, depth] = todo.back();
    todo.pop_back();
    visit(index, depth);
    const auto& process = list.processes()[index];
    if (process.hooked) {
      continue;  // its children belong to its own lines
    }
    for (auto child = process.children.rbegin(); child != process.children.rend(); ++child) {
      todo.emplace_back(*child, depth + 1);
    }
  }
}

}  // namespace sworn::cli
