// SPDX-License-Identifier: Apache-2.0
// The living processes of a session and who forked them, for sources that hear of forks but put
// only executions and exits on record: the forks between two programs then stand with the lower
// one. Bounded: of too many, some are forgotten. One thread.
#pragma once

#include "audit/process_event.hpp"

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace sworn::audit {

class FamilyTree {
 public:
  static constexpr std::size_t k_max_living = 65'536;
  static constexpr std::size_t k_max_via = 32;

  struct Living {
    std::int64_t start = 0;
    ProcessId parent;
    std::uint32_t execs = 0;
  };

  void forked(const ProcessId& process, const ProcessId& parent) {
    put(process, {process.start, parent, 0});
  }

  // Counts one more program of the process, whether its fork was seen or not.
  void executed(const ProcessId& process, const ProcessId& parent) {
    const auto* known = find(process.pid);
    const auto before = known != nullptr && known->start == process.start ? known->execs : 0;
    put(process, {process.start, parent, before + 1});
  }

  void ended(const ProcessId& process) {
    if (const auto it = living_.find(process.pid);
        it != living_.end() && it->second.start == process.start) {
      living_.erase(it);
    }
  }

  // nullptr: not one of ours. Valid until the next call that changes something.
  [[nodiscard]] const Living* find(std::int64_t pid) const {
    const auto it = living_.find(pid);
    return it == living_.end() ? nullptr : &it->second;
  }

  // The forks between a program and the next one above it, from below, with that one at the end;
  // empty where `parent` is a program itself.
  [[nodiscard]] std::vector<ProcessId> forks_above(const ProcessId& parent) const {
    std::vector<ProcessId> out;
    ProcessId at = parent;
    while (out.size() < k_max_via) {
      const auto* known = find(at.pid);
      if (known == nullptr || known->start != at.start || known->execs > 0 ||
          known->parent == ProcessId{}) {
        break;
      }
      out.push_back(at);
      at = known->parent;
    }
    if (!out.empty()) {
      out.push_back(at);
    }
    return out;
  }

  [[nodiscard]] std::size_t size() const { return living_.size(); }

 private:
  void put(const ProcessId& process, const Living& living) {
    if (living_.size() >= k_max_living && !living_.contains(process.pid)) {
      living_.erase(living_.begin());
    }
    living_[process.pid] = living;
  }

  std::unordered_map<std::int64_t, Living> living_;
};

}  // namespace sworn::audit
