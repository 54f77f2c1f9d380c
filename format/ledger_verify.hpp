// SPDX-License-Identifier: Apache-2.0
// What is proven about a ledger, and what it says about sessions: the same three answers and the
// same kind of findings as verify.hpp. Takes hostile bytes. Memory grows with the number of
// sessions (about 800 bytes each, at most 1,000,000), not of entries.
#pragma once

#include "format/ledger_chain.hpp"
#include "format/verify.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sworn::format {

enum class LedgerState : std::uint8_t {
  intact,       // every entry signed by the key that the one before announced
  torn,         // intact, and behind the last entry bytes that are no whole one
  broken,       // changed, removed, reordered or forged entries
  unsupported,  // a version that this build does not know
};
std::string_view name_of(LedgerState state);  // "INTACT", "TORN", "LEDGER-BROKEN", "UNSUPPORTED"

// What a ledger knows of one session.
struct LedgerSessionFacts {
  std::optional<std::uint64_t> opened;  // entry number
  LedgerSessionOpen open;
  WallTime opened_at;
  std::vector<SessionMark> marks;  // in order; only the last one unless the session was asked for
  std::optional<std::uint64_t> closed;
  LedgerSessionClose close;
  WallTime closed_at;
  std::optional<LedgerSessionLost> lost;
  std::optional<LedgerRecovery> recovery;
  std::vector<LedgerRedaction> redactions;
  std::optional<LedgerRetentionDelete> deletion;
  std::uint32_t opens = 0;  // more than one is a forgery or a fault
};

struct LedgerReport {
  LedgerState state = LedgerState::broken;
  std::optional<LedgerGenesis> genesis;
  LedgerHead head;                           // of the valid prefix
  std::vector<std::string> checkpoint_keys;  // vkeys, the current one first
  std::uint64_t file_bytes = 0;
  std::optional<WallTime> first_time;
  std::optional<WallTime> last_time;
  std::uint64_t boots = 0;
  std::uint64_t anchors = 0;
  std::map<FileId, LedgerSessionFacts> sessions;
  std::map<std::uint64_t, Digest> roots;  // of the sizes that were asked for and exist
  std::vector<Finding> findings;          // worst first; at most 1,000

  [[nodiscard]] const LedgerSessionFacts* session(const FileId& id) const {
    const auto it = sessions.find(id);
    return it == sessions.end() ? nullptr : &it->second;
  }
};

struct LedgerVerifyOptions {
  std::optional<FileId> session;     // all its heartbeats are wanted
  std::vector<std::uint64_t> sizes;  // trees whose roots are wanted in LedgerReport::roots
  // Every entry of the valid prefix, as stored and decoded.
  std::function<void(std::uint64_t index, ByteView stored, const LedgerEntry& entry)> on_entry;
  Progress progress;
};

// Only I/O trouble, and a file that is no ledger at all, is an Error.
Result<LedgerReport> verify_ledger(const ReadFile& entries,
                                   const LedgerVerifyOptions& options = {});

}  // namespace sworn::format
