// SPDX-License-Identifier: Apache-2.0
#include "player/audit_book.hpp"

#include "audit/logs/divergence.hpp"
#include "audit/logs/entry_list.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sworn::player {
namespace {

namespace logs = audit::logs;

constexpr std::size_t k_max_lines = 500;  // of one command
constexpr int k_max_depth = 12;

std::string words_of(const audit::ExecFact& fact) {
  std::string text;
  for (const auto& word : fact.argv) {
    text += (text.empty() ? "" : " ") + word;
  }
  return text.empty() ? fact.file : text;
}

std::string end_of(const logs::Process& process) {
  if (!process.ended) {
    return "still running";
  }
  return process.signal != 0 ? fmt::format("signal {}", process.signal)
                             : fmt::format("exit {}", process.status);
}

// One process with what it started, wrote and where it connected, below each other.
void add_process(const logs::EntryList& list, std::size_t index, int depth,
                 std::vector<AuditLine>& out) {
  const auto& process = list.processes()[index];
  const std::string indent(static_cast<std::size_t>(depth) * 2, ' ');
  int below = depth;
  for (const auto& program : process.programs) {
    if (out.size() >= k_max_lines) {
      return;
    }
    auto text = fmt::format("{}{}  [{}] pid {}", indent, words_of(program.fact), end_of(process),
                            process.id.pid);
    if (program.fact.euid != program.fact.uid) {
      text += fmt::format("  as uid {}", program.fact.euid);
    }
    out.push_back({std::move(text), program.at, program.event + 1});
    below = depth + 1;
  }
  const std::string deeper(static_cast<std::size_t>(below) * 2, ' ');
  const auto add_touched = [&](const std::vector<logs::Touched>& items, std::string_view what) {
    for (const auto& item : items) {
      if (out.size() < k_max_lines) {
        out.push_back({fmt::format("{}{} {}", deeper, what, item.text), item.at, item.event + 1});
      }
    }
  };
  add_touched(process.files, "wrote");
  add_touched(process.connections, "connected to");
  for (const auto child : process.children) {
    if (depth < k_max_depth && out.size() < k_max_lines) {
      add_process(list, child, below, out);
    }
  }
}

}  // namespace

Result<AuditBookPtr> read_audit(const Recording& recording, const std::atomic<bool>& stop) {
  TRY_ASSIGN(const auto source, FileSource::open(recording));
  logs::EntryList list;
  while (true) {
    TRY_ASSIGN(const auto event, source->next());
    if (!event) {
      break;
    }
    if (stop) {
      return fail(Errc::exhausted, "stopped");
    }
    list.add(*event);
  }
  list.settle();
  auto book = std::make_shared<AuditBook>();
  book->kernel = !list.processes().empty();
  for (const auto& entry : list.entries()) {
    std::vector<AuditLine> lines;
    for (const auto process : entry.processes) {
      add_process(list, process, 0, lines);
    }
    if (!lines.empty()) {
      book->programs[entry.command.begin_event] = std::move(lines);
    }
  }
  for (const auto& found : logs::find_divergences(list)) {
    book->findings.push_back({fmt::format("{:<6} {}: {}", logs::name_of(found.confidence),
                                          logs::name_of(found.kind), found.text),
                              found.at, found.event + 1,
                              found.confidence != logs::Confidence::low});
  }
  std::stable_sort(book->findings.begin(), book->findings.end(),
                   [](const AuditLine& a, const AuditLine& b) { return a.t < b.t; });
  return AuditBookPtr(std::move(book));
}

AuditThread::~AuditThread() {
  stop_ = true;
  if (thread_.joinable()) {
    thread_.join();
  }
}

AuditBookPtr AuditThread::snapshot() const {
  const std::lock_guard lock(mutex_);
  return book_;
}

void AuditThread::publish(AuditBookPtr book) {
  {
    const std::lock_guard lock(mutex_);
    book_ = std::move(book);
  }
  notify_();
}

void AuditThread::request() {
  if (busy_.exchange(true)) {
    return;
  }
  if (thread_.joinable()) {
    thread_.join();
  }
  if (snapshot() == nullptr) {
    auto book = std::make_shared<AuditBook>();
    book->reading = true;
    publish(std::move(book));
  }
  thread_ = std::thread([this] {
    auto book = read_audit(recording_, stop_);
    if (!book) {
      auto failed = std::make_shared<AuditBook>();
      failed->trouble = describe(book.error());
      book = AuditBookPtr(std::move(failed));
    }
    publish(*std::move(book));
    busy_ = false;
  });
}

}  // namespace sworn::player
