// SPDX-License-Identifier: Apache-2.0
#include "cli/explain.hpp"

#include "base/printable.hpp"
#include "cli/ledger_text.hpp"
#include "cli/text.hpp"
#include "format/chunk.hpp"
#include "format/ledger_chain.hpp"
#include "format/record.hpp"
#include "format/seal.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sworn::cli {
namespace {

using format::RecordType;

std::string short_hash(ByteView bytes) {
  return format::to_hex(bytes).substr(0, 16);
}

class SessionWalk {
 public:
  SessionWalk(const format::Evidence& evidence, std::vector<Ground>& out)
      : evidence_(evidence), out_(out) {}

  void take(const format::RecordScanner::Record& record) {
    const bool sealed = record.offset < evidence_.session.sealed_bytes;
    switch (record.frame.record_type()) {
      case RecordType::header:
        add(record, "header",
            "host, boot, first key, policy, reference to the ledger; also covers the 32 bytes of "
            "the preamble");
        break;
      case RecordType::chunk:
        take_chunk(record, sealed);
        break;
      case RecordType::seal:
        take_seal(record, sealed);
        break;
      case RecordType::end:
        add(record, "end", "the totals: nothing of the session comes behind it");
        break;
      case RecordType::index:
      case RecordType::footer:
        add(record, "hint", "index or footer: derived, no evidence");
        break;
      case RecordType::redaction:
        add(record, "redaction", "who removed what and why, signed by the redactor");
        break;
      case RecordType::recovered:
        add(record, "recovered", "found behind the last seal: signed by the salvager alone");
        break;
      default:
        add(record, fmt::format("record type {:#04x}", record.frame.type),
            sealed ? "covered by the next seal, not interpreted here" : "not sealed");
        break;
    }
  }

 private:
  void add(const format::RecordScanner::Record& record, std::string about, std::string text) {
    out_.push_back({std::move(about), "recording", record.offset, record.end() - record.offset,
                    std::move(text)});
  }
  void take_chunk(const format::RecordScanner::Record& record, bool sealed) {
    const auto chunk = format::decode_chunk_body(record.body);
    if (!chunk) {
      add(record, "chunk", "CANNOT BE READ");
      return;
    }
    const auto& core = chunk->core;
    add(record, fmt::format("chunk {}", core.chunk_no),
        fmt::format("events {} to {}; its first {} bytes are signed, what is stored behind them is "
                    "held against the root {} in them; {}",
                    core.first_event, core.first_event + core.n_events - 1,
                    format::k_chunk_core_bytes, short_hash(core.leaf_root),
                    sealed ? "sealed" : "NOT SEALED"));
  }
  void take_seal(const format::RecordScanner::Record& record, bool sealed) {
    const auto seal = format::decode_seal(record.body);
    if (!seal || !sealed) {
      add(record, "seal", "NOT VALID");
      return;
    }
    for (const auto& leaf : seal->leaves) {
      tree_.add(leaf);
    }
    const std::string key =
        seal->seal_no == 0
            ? "the header's first key " + short_hash(evidence_.session.first_key)
            : fmt::format("key {}, announced by seal {}", short_hash(next_key_), seal->seal_no - 1);
    next_key_ = seal->next_key;
    add(record, fmt::format("seal {}", seal->seal_no),
        fmt::format("{} signs all {} up to here, root {}, at {}; adds {}{}", key,
                    count(tree_.size(), "record", "records"), short_hash(tree_.root()),
                    format_rfc3339(seal->wall, 3), count(seal->leaves.size(), "record", "records"),
                    seal->final() ? "; the final one, no key comes after it" : ""));
  }

  const format::Evidence& evidence_;
  std::vector<Ground>& out_;
  format::MerkleTree tree_;
  format::PublicKey next_key_{};
};

bool is_about(const format::LedgerFact& fact, const format::FileId& id) {
  if (const auto* beat = std::get_if<format::LedgerHeartbeat>(&fact)) {
    return std::any_of(beat->sessions.begin(), beat->sessions.end(),
                       [&](const format::SessionMark& m) { return m.file_id == id; });
  }
  return session_of(fact) == format::to_hex(id);
}

Result<void> walk_ledger(const format::Evidence& evidence, const ReadFile& ledger,
                         std::vector<Ground>& out) {
  const auto& id = evidence.session.header->file_id;
  format::RecordScanner scanner(ledger, evidence.ledger->ledger.head.id, format::k_preamble_bytes);
  for (std::uint64_t index = 0; index < evidence.ledger->ledger.head.size; ++index) {
    TRY_ASSIGN(const auto record, scanner.next());
    if (!record) {
      break;
    }
    const auto decoded = format::decode_ledger_record(record->body);
    const auto entry = decoded ? format::decode_ledger_entry(decoded->entry)
                               : Result<format::LedgerEntry>(tl::make_unexpected(decoded.error()));
    if (!entry) {
      continue;
    }
    const bool anchor = std::holds_alternative<format::LedgerAnchor>(entry->fact);
    if (index == 0 || anchor || is_about(entry->fact, id)) {
      out.push_back({fmt::format("entry {}", index), "ledger", record->offset,
                     record->end() - record->offset,
                     fmt::format("{} at {}: {}", format::kind_of(entry->fact),
                                 format_rfc3339(entry->wall, 0), describe_entry(entry->fact))});
    }
  }
  return {};
}

}  // namespace

Result<std::vector<Ground>> explain_evidence(const format::Evidence& evidence,
                                             const ReadFile& session, const ReadFile* ledger) {
  std::vector<Ground> out;
  if (!evidence.session.header) {
    return out;
  }
  SessionWalk walk(evidence, out);
  format::RecordScanner scanner(session, evidence.session.header->file_id,
                                format::k_preamble_bytes);
  while (true) {
    TRY_ASSIGN(const auto record, scanner.next());
    if (!record) {
      break;
    }
    if (record->skipped != 0) {
      out.push_back({"nothing", "recording", record->offset - record->skipped, record->skipped,
                     "bytes that are no record"});
    }
    walk.take(*record);
  }
  if (ledger != nullptr && evidence.ledger) {
    TRY(walk_ledger(evidence, *ledger, out));
  }
  return out;
}

std::string render_grounds(const std::vector<Ground>& grounds) {
  std::string out;
  for (const auto& g : grounds) {
    out += labelled(g.about,
                    fmt::format("{} bytes {}..{}: {}", g.file, grouped(g.offset),
                                grouped(g.offset + g.length - 1), g.text),
                    14);
  }
  return out;
}

Json grounds_json(const std::vector<Ground>& grounds) {
  Json out = Json::array();
  for (const auto& g : grounds) {
    out.push_back({{"about", g.about},
                   {"file", g.file},
                   {"offset", g.offset},
                   {"length", g.length},
                   {"text", g.text}});
  }
  return out;
}

}  // namespace sworn::cli
