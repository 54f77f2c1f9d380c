// SPDX-License-Identifier: Apache-2.0
// How a recorder keeps its session in a ledger. In this order:
//   1. make_ledger_reference() before the header is written; its bytes are SessionHeader::ledger;
//   2. LedgerSession::open() once preamble and header are written;
//   3. heartbeat() once a minute, with a seal point that was taken before the last sync() of the
//      session file returned;
//   4. close() after finish() and sync(), before or after publish().
// Each call waits for the disk (some milliseconds): never from the thread that relays a terminal.
// Owns the ledger; one thread.
#pragma once

#include "format/ledger.hpp"
#include "format/session_writer.hpp"
#include "format/verify.hpp"

#include <memory>
#include <string>

namespace sworn::format {

// Where a session says that it is in a ledger: which one, and how large that was before the session
// began. It is signed with the header.
struct LedgerReference {
  LedgerId ledger{};
  Digest genesis{};
  std::uint64_t size = 0;
  Digest root{};
};
Bytes encode(const LedgerReference& reference);
Result<LedgerReference> decode_ledger_reference(ByteView bytes);
LedgerReference make_ledger_reference(const Ledger& ledger);

// Preamble and header of a session file, for who binds it to something.
struct SessionIdentity {
  FileId file_id{};
  PublicKey first_key{};
  Digest header_leaf{};
  SessionHeader header;
};
Result<SessionIdentity> read_session_identity(const ReadFile& session);

// Of the last valid seal of a verified file; it must have one, and a header.
SessionMark mark_of(const VerifyReport& report);

struct LedgerSessionNames {
  std::string file_name;  // without directories
  std::string user;
  std::int64_t loginuid = -1;
  std::int64_t audit_session = -1;
};

class LedgerSession {
 public:
  // Writes session_open. `session` is read: its preamble and header must be there.
  static Result<LedgerSession> open(std::unique_ptr<Ledger> ledger, const ReadFile& session,
                                    const LedgerSessionNames& names);

  Result<LedgerReceipt> heartbeat(const SealPoint& synced);
  // `session`: the finished file, whose digest is recorded. `exit`: "exited 0", "signalled 9".
  Result<LedgerReceipt> close(const SealPoint& final_seal, const ReadFile& session,
                              std::string exit);

  Result<LedgerReceipt> lose(std::string reason);  // session_lost

  [[nodiscard]] const LedgerReceipt& opened() const { return opened_; }
  [[nodiscard]] Ledger& ledger() { return *ledger_; }

 private:
  LedgerSession() = default;
  std::unique_ptr<Ledger> ledger_;
  FileId file_id_{};
  LedgerReceipt opened_;
};

// SHA-256 of a whole file, with the number of bytes that were hashed.
struct FileDigest {
  Digest digest{};
  std::uint64_t bytes = 0;
};
Result<FileDigest> digest_of(const ReadFile& file);

}  // namespace sworn::format
