// SPDX-License-Identifier: Apache-2.0
#include "format/ledger_session.hpp"

#include "format/digest.hpp"
#include "format/msgpack_map.hpp"
#include "format/record.hpp"

#include <algorithm>

namespace sworn::format {
namespace {

constexpr std::size_t k_read_bytes = 256U << 10U;

template <std::size_t N>
Result<void> take(const Bytes& from, std::array<std::byte, N>& out) {
  if (from.size() != N) {
    return fail(Errc::corrupt, "a ledger reference with a field of a wrong size");
  }
  std::copy(from.begin(), from.end(), out.begin());
  return {};
}

}  // namespace

Bytes encode(const LedgerReference& reference) {
  return MapWriter()
      .binary("ledger_id", reference.ledger)
      .binary("genesis", reference.genesis)
      .unsigned_number("size", reference.size)
      .binary("root", reference.root)
      .finish();
}

Result<LedgerReference> decode_ledger_reference(ByteView bytes) {
  TRY_ASSIGN(auto map, MapReader::parse(bytes));
  LedgerReference out;
  Bytes id;
  Bytes genesis;
  Bytes root;
  TRY(map.binary("ledger_id", id)
          .binary("genesis", genesis)
          .number("size", out.size)
          .binary("root", root)
          .done());
  TRY(take(id, out.ledger));
  TRY(take(genesis, out.genesis));
  TRY(take(root, out.root));
  return out;
}

LedgerReference make_ledger_reference(const Ledger& ledger) {
  const auto& head = ledger.head();
  return {head.id, head.genesis, head.size, head.tree.root()};
}

Result<SessionIdentity> read_session_identity(const ReadFile& session) {
  Bytes preamble(k_preamble_bytes);
  TRY_ASSIGN(const auto n, session.read_at(0, preamble));
  preamble.resize(n);
  TRY_ASSIGN(const auto decoded, decode_preamble(preamble));
  RecordScanner scanner(session, decoded.file_id, k_preamble_bytes);
  TRY_ASSIGN(const auto record, scanner.next());
  if (!record || record->skipped != 0 || record->frame.record_type() != RecordType::header) {
    return fail(Errc::corrupt, "the session file has no readable header");
  }
  SessionIdentity out;
  TRY_ASSIGN(out.header, decode_session_header(record->body));
  out.header.file_id = out.file_id = decoded.file_id;
  out.first_key = out.header.first_key;
  out.header_leaf = header_leaf(preamble, record->body);
  return out;
}

SessionMark mark_of(const VerifyReport& report) {
  return {report.header->file_id, static_cast<std::uint32_t>(report.seals - 1), report.tree_size,
          report.root};
}

Result<LedgerSession> LedgerSession::open(std::unique_ptr<Ledger> ledger, const ReadFile& session,
                                          const LedgerSessionNames& names) {
  TRY_ASSIGN(const auto identity, read_session_identity(session));
  LedgerSession out;
  out.ledger_ = std::move(ledger);
  out.file_id_ = identity.file_id;
  TRY_ASSIGN(out.opened_, out.ledger_->append(LedgerSessionOpen{
                              identity.file_id, identity.first_key, identity.header_leaf,
                              names.file_name, names.user, names.loginuid, names.audit_session}));
  return out;
}

Result<LedgerReceipt> LedgerSession::heartbeat(const SealPoint& synced) {
  return ledger_->append(
      LedgerHeartbeat{{{file_id_, synced.seal_no, synced.tree_size, synced.root}}});
}

Result<LedgerReceipt> LedgerSession::close(const SealPoint& final_seal, const ReadFile& session,
                                           std::string exit) {
  TRY_ASSIGN(const auto digest, digest_of(session));
  LedgerSessionClose fact;
  fact.mark = {file_id_, final_seal.seal_no, final_seal.tree_size, final_seal.root};
  fact.file_digest = digest.digest;
  fact.exit = std::move(exit);
  return ledger_->append(std::move(fact));
}

Result<LedgerReceipt> LedgerSession::lose(std::string reason) {
  return ledger_->append(LedgerSessionLost{file_id_, std::move(reason)});
}

Result<FileDigest> digest_of(const ReadFile& file) {
  FileDigest out;
  Sha256 hash;
  Bytes buffer(k_read_bytes);
  while (true) {
    TRY_ASSIGN(const auto n, file.read_at(out.bytes, buffer));
    hash.update(ByteView(buffer).first(n));
    out.bytes += n;
    if (n < buffer.size()) {
      break;
    }
  }
  out.digest = hash.finish();
  return out;
}

}  // namespace sworn::format
