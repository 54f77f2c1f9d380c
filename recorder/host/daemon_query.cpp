// SPDX-License-Identifier: Apache-2.0
// What people ask: who is recorded now, am I, and the note that somebody looked at a recording.
// Root and the group of readers see all sessions, everybody else their own.
#include "base/printable.hpp"
#include "format/session_header.hpp"
#include "recorder/host/daemon.hpp"
#include "recorder/host/notify.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace sworn::recorder::host {
namespace {

using nlohmann::json;

constexpr std::size_t k_max_words = 8;
constexpr std::size_t k_max_word_bytes = 4'096;
constexpr std::size_t k_max_report_bytes = 120 * 1024;

json describe_session(const SessionNote& note) {
  return {{"id", to_hex(note.id)},
          {"user", printable(note.user)},
          {"uid", note.uid},
          {"loginuid", note.loginuid},
          {"audit_session", note.audit_session},
          {"tty", printable(note.outer_tty)},
          {"pts", note.pts},
          {"started", format_rfc3339(WallTime{static_cast<std::int64_t>(note.started_us)}, 3)},
          {"client_pid", note.client_pid},
          {"monitor_pid", note.monitor_pid},
          {"terminal_taken", note.taken != 0},
          {"in_ledger", note.entered != 0},
          {"file", printable(note.final_path)}};
}

}  // namespace

void Daemon::on_query(Connection& c, const Query& query) {
  const auto facts = read_process(c.peer.pid);
  const bool bounded = query.words.size() <= k_max_words &&
                       std::all_of(query.words.begin(), query.words.end(), [](const auto& word) {
                         return word.size() <= k_max_word_bytes;
                       });
  Report report{0, "the question is not understood"};
  if (facts && bounded) {
    report = answer_query(query, c.peer, *facts);
  }
  static_cast<void>(send_packet(c.socket.get(), encode(report)));
  drop(c.number);
}

Report Daemon::answer_query(const Query& query, const Peer& peer, const ProcessFacts& facts) {
  const bool reader =
      peer.uid == 0 || peer.gid == readers_ ||
      std::find(facts.groups.begin(), facts.groups.end(), readers_) != facts.groups.end();
  if (query.what == "status") {
    json out = {{"recorded", false}};
    const Session* session =
        facts.terminal > 0 ? session_on(static_cast<std::uint32_t>(facts.terminal)) : nullptr;
    if (session != nullptr) {
      out = describe_session(session->note);
      out["recorded"] = true;
      out["policy"] = session->note.policy;
      if (!reader && session->note.uid != peer.uid) {
        out.erase("file");
      }
    }
    return {1, out.dump()};
  }
  if (query.what == "who") {
    json list = json::array();
    bool cut = false;
    std::size_t bytes = 0;
    for (const auto& [id, session] : sessions_) {
      if (!reader && session->note.uid != peer.uid) {
        continue;
      }
      json each = describe_session(session->note);
      if (!reader) {
        each.erase("file");
      }
      bytes += each.dump().size() + 1;
      if (bytes > k_max_report_bytes) {
        cut = true;
        break;
      }
      list.push_back(std::move(each));
    }
    return {1, json{{"sessions", list}, {"cut", cut}}.dump()};
  }
  if (query.what == "health") {
    const json out = {{"sessions", sessions_.size()},
                      {"greetings", connections_.size()},
                      {"ledger_waiting", ledger_->waiting()},
                      {"ledger", ledger_error_ ? describe(*ledger_error_) : "ok"},
                      {"free_bytes", free_bytes(options_.paths)},
                      {"reserve_bytes", config_.reserve_bytes}};
    return {1, out.dump()};
  }
  if (query.what == "view" && query.words.size() == 2) {
    // words: the file id in hexadecimal, what was done with it.
    const auto bytes = format::from_hex(query.words[0]);
    format::LedgerView fact;
    if (!bytes || bytes->size() != fact.file_id.size()) {
      return {0, "not a file id"};
    }
    if (ledger_error_) {
      return {0, "the ledger cannot be used"};
    }
    std::copy(bytes->begin(), bytes->end(), fact.file_id.begin());
    fact.actor = "uid " + std::to_string(peer.uid);
    if (const auto loginuid = proc_number(peer.pid, "loginuid"); loginuid != 0xFFFFFFFF) {
      fact.actor += " loginuid " + std::to_string(loginuid);
    }
    fact.what = printable(query.words[1]);
    ledger_->append(std::move(fact), [](const Result<void>& done) {
      if (!done) {
        log_line(LogLevel::error, "a view is not in the ledger: " + describe(done.error()));
      }
    });
    return {1, "{}"};
  }
  return {0, "there is no such question"};
}

}  // namespace sworn::recorder::host
