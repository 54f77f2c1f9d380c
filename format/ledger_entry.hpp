// SPDX-License-Identifier: Apache-2.0
// What a ledger says: one fact per entry, a msgpack map whose stored bytes are hashed as they are.
// Decoding takes hostile bytes. An entry of a kind that this build does not know stays an entry
// (its hash counts); it is LedgerUnknown. docs/ledger.md, "Entries".
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "format/session_header.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sworn::format {

using LedgerId = FileId;

// An entry bundle (C2SP tlog-tiles) counts an entry's bytes in 16 bits.
inline constexpr std::size_t k_max_entry_bytes = 65'535;
// 60 bytes each.
inline constexpr std::size_t k_max_heartbeat_sessions = 1'000;

struct LedgerGenesis {
  LedgerId id{};
  std::string scope;  // "host", "user"
  std::string host_id;
  std::uint32_t uid = 0;
  std::string origin;          // of its checkpoints
  std::string checkpoint_key;  // vkey
  PublicKey first_key{};       // signs this entry
  std::uint64_t previous_size = 0;
  Bytes previous_root;  // empty, or of the ledger that this one continues
};
struct LedgerBoot {
  std::string boot_id;
};
struct LedgerSessionOpen {
  FileId file_id{};
  PublicKey first_key{};
  Digest header{};   // the header's leaf
  std::string name;  // of the file, without directories
  std::string user;
  std::int64_t loginuid = -1;
  std::int64_t audit_session = -1;
};
// How far a session was sealed (and synced) at some moment.
struct SessionMark {
  FileId file_id{};
  std::uint32_t seal_no = 0;  // of the last seal
  std::uint64_t tree_size = 0;
  Digest root{};
  friend bool operator==(const SessionMark&, const SessionMark&) = default;
};
struct LedgerHeartbeat {
  std::vector<SessionMark> sessions;
};
struct LedgerSessionClose {
  SessionMark mark;      // of the final seal
  Digest file_digest{};  // of the whole file; its length is nowhere, it would tell on redacted text
  std::string exit;      // "exited 0", "signalled 9", ...
};
struct LedgerSessionLost {
  FileId file_id{};
  std::string reason;
};
struct LedgerRecovery {
  SessionMark mark;  // of the last valid seal
  Digest file_digest{};
  std::string reason;
};
struct LedgerRedaction {
  FileId file_id{};
  Digest new_digest{};
  std::string actor;
  std::string reason;
};
struct LedgerRetentionDelete {
  FileId file_id{};
  Digest file_digest{};
  std::string actor;
  std::string reason;
};
struct LedgerKeyRotation {
  std::string checkpoint_key;  // the new vkey
  std::string actor;
  std::string reason;
};
struct LedgerAnchor {
  std::string type;  // "cosignature", "rfc3161", "syslog", "collector"
  std::uint64_t tree_size = 0;
  Digest root{};
  Bytes proof;
};
struct LedgerView {
  FileId file_id{};
  std::string actor;
  std::string what;
};
struct LedgerReview {
  FileId file_id{};
  std::string actor;
  std::string outcome;
  std::string note;
};
struct LedgerUnknown {
  std::string kind;
};

using LedgerFact =
    std::variant<LedgerGenesis, LedgerBoot, LedgerSessionOpen, LedgerHeartbeat, LedgerSessionClose,
                 LedgerSessionLost, LedgerRecovery, LedgerRedaction, LedgerRetentionDelete,
                 LedgerKeyRotation, LedgerAnchor, LedgerView, LedgerReview, LedgerUnknown>;

struct LedgerEntry {
  WallTime wall;
  MonoTime t;
  LedgerFact fact;
};

std::string_view kind_of(const LedgerFact& fact);  // "genesis", "session_open", ...

// Errc::bad_usage where it would be larger than k_max_entry_bytes, or unknown.
Result<Bytes> encode(const LedgerEntry& entry);
Result<LedgerEntry> decode_ledger_entry(ByteView bytes);
// For listings; of any map.
Result<std::string> ledger_entry_json(ByteView bytes);

}  // namespace sworn::format
