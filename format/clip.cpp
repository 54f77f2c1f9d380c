// SPDX-License-Identifier: Apache-2.0
#include "format/clip.hpp"

#include "format/checkpoint.hpp"
#include "format/chunk.hpp"
#include "format/clip_record.hpp"
#include "format/compress.hpp"
#include "format/ledger_verify.hpp"
#include "format/record.hpp"
#include "format/verify.hpp"

#include <algorithm>

namespace sworn::format {
namespace {

// Which chunks a range needs: those that overlap it, and one on each side where it begins or ends
// between two, so that nothing can have stood there. Chunk 0 says who and what.
struct Choice {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

Result<Choice> choose(const ReadFile& session, const FileId& id, const ClipRange& range,
                      std::uint64_t sealed_bytes) {
  RecordScanner scanner(session, id, k_preamble_bytes);
  std::optional<Choice> out;
  bool reached_end = false;
  while (true) {
    TRY_ASSIGN(const auto record, scanner.next_head(k_chunk_fixed_bytes));
    if (!record || record->offset >= sealed_bytes) {
      break;
    }
    if (record->frame.record_type() != RecordType::chunk) {
      continue;
    }
    TRY_ASSIGN(const auto chunk, decode_chunk_head(record->body));
    const auto& core = chunk.core;
    if (!out || core.t_first < range.from) {
      out = Choice{core.chunk_no, core.chunk_no};
    }
    if (!reached_end) {
      out->last = core.chunk_no;
    }
    reached_end = reached_end || core.t_last > range.to;
  }
  if (!out) {
    return fail(Errc::bad_usage, "the session has no sealed events");
  }
  out->last = std::max(out->first, out->last);
  return *out;
}

class ClipMaker {
 public:
  ClipMaker(const FileId& id, const ClipRange& range, const Choice& choice, AppendFile& out)
      : id_(id), range_(range), choice_(choice), out_(out) {}

  Result<void> take(const RecordScanner::Record& record);
  Result<void> write(std::uint8_t type, std::uint32_t seq, ByteView body) {
    Bytes bytes;
    append_record(bytes, id_, static_cast<RecordType>(type), seq, body);
    return out_.append(bytes);
  }
  ClipTotals totals;

 private:
  Result<void> take_chunk(const RecordScanner::Record& record);
  Result<void> write_chunk(std::uint32_t seq, const ChunkBody& chunk);
  [[nodiscard]] bool shown(const EventView& event) const {
    return event.number == 0 || (event.t >= range_.from && event.t <= range_.to);
  }

  FileId id_;
  ClipRange range_;
  Choice choice_;
  AppendFile& out_;
  Decompressor decompressor_;
  Bytes columns_;
  std::vector<EventView> events_;
};

Result<void> ClipMaker::take(const RecordScanner::Record& record) {
  switch (record.frame.record_type()) {
    case RecordType::chunk:
      return take_chunk(record);
    case RecordType::seal:
      ++totals.seals;
      [[fallthrough]];
    case RecordType::header:
    case RecordType::end:
      return write(record.frame.type, record.frame.seq, record.body);
    default:
      return {};  // its leaf is in a seal, as of every chunk that is left out
  }
}

Result<void> ClipMaker::take_chunk(const RecordScanner::Record& record) {
  TRY_ASSIGN(const auto chunk, decode_chunk_body(record.body));
  if (chunk.begins_group) {
    decompressor_.begin_group();
  }
  columns_.resize(chunk.raw_bytes);
  TRY(decompressor_.decompress(chunk.stored, columns_));
  const auto no = chunk.core.chunk_no;
  if (no != 0 && (no < choice_.first || no > choice_.last)) {
    return {};
  }
  TRY(decode_columns(chunk.core, columns_, events_));
  return write_chunk(record.frame.seq, chunk);
}

Result<void> ClipMaker::write_chunk(std::uint32_t seq, const ChunkBody& chunk) {
  std::vector<bool> before(events_.size());
  std::vector<bool> after(events_.size());
  std::vector<Digest> salts;
  TRY_ASSIGN(const auto root, leaf_root(events_, chunk, salts));
  if (root != chunk.core.leaf_root) {
    return fail(Errc::bad_seal, "a chunk does not hold what it commits to");
  }
  TRY(event_salts(events_, chunk, salts));
  std::vector<Digest> commitments(events_.size());
  ChunkBuilder builder;
  for (std::size_t j = 0; j < events_.size(); ++j) {
    auto& event = events_[j];
    before[j] = event.redacted;
    if (!event.redacted && !shown(event)) {
      commitments[j] = event_commitment(salts[j], event.data);
      event.commitment = commitments[j];
      event.redacted = true;
    }
    after[j] = event.redacted;
    if (event.redacted) {
      event.data = {};  // what a redactor put there is not of the session
      ++totals.hidden;
    } else {
      ++totals.events;
    }
    builder.add(event);
  }
  const bool punctured = std::find(after.begin(), after.end(), true) != after.end();
  TRY_ASSIGN(const auto nodes, puncture(chunk.salt_nodes, before, after));
  if (nodes.size() > 0xFFFF || builder.raw_bytes() > k_max_chunk_raw_bytes) {
    return fail(Errc::exhausted, "a chunk that a clip cannot hold");
  }
  Bytes columns;
  builder.append_columns(columns);
  Bytes body(chunk.core_bytes.begin(), chunk.core_bytes.end());
  append_chunk_frame(body, builder.raw_bytes(), true, punctured ? k_salt_punctured : k_salt_seed,
                     nodes);
  Compressor compressor(1);
  TRY(compressor.compress(columns, GroupPart::whole, body));
  ++totals.chunks;
  return write(static_cast<std::uint8_t>(RecordType::chunk), seq, body);
}

// Genesis, the opening of the session, and the furthest mark of it, under one checkpoint.
Result<ClipProof> prove_entries(const ClipLedger& ledger, const FileId& id) {
  TRY_ASSIGN(const auto note, parse_note(ledger.checkpoint));
  TRY_ASSIGN(const auto checkpoint, parse_checkpoint_text(note.text));
  std::vector<Digest> leaves;
  std::map<std::uint64_t, Bytes> kept;
  std::optional<std::uint64_t> mark;
  LedgerVerifyOptions options;
  options.on_entry = [&](std::uint64_t index, ByteView stored, const LedgerEntry& entry) {
    if (index >= checkpoint.size) {
      return;
    }
    leaves.push_back(ledger_leaf(stored));
    const auto keep = [&] { kept[index].assign(stored.begin(), stored.end()); };
    const auto* open = std::get_if<LedgerSessionOpen>(&entry.fact);
    const auto* close = std::get_if<LedgerSessionClose>(&entry.fact);
    const auto* beat = std::get_if<LedgerHeartbeat>(&entry.fact);
    const bool marks =
        (close != nullptr && close->mark.file_id == id) ||
        (beat != nullptr && std::any_of(beat->sessions.begin(), beat->sessions.end(),
                                        [&](const SessionMark& m) { return m.file_id == id; }));
    if (index == 0 || (open != nullptr && open->file_id == id)) {
      keep();
    } else if (marks) {
      if (mark) {
        kept.erase(*mark);
      }
      mark = index;
      keep();
    }
  };
  TRY_ASSIGN(const auto report, verify_ledger(*ledger.entries, options));
  if (leaves.size() != checkpoint.size || merkle_root(leaves) != checkpoint.root) {
    return fail(Errc::bad_seal, "the checkpoint is not one of this ledger");
  }
  ClipProof out;
  out.ledger = report.head.id;
  out.genesis = report.head.genesis;
  out.checkpoint_key = report.head.checkpoint_key;
  out.checkpoint = ledger.checkpoint;
  for (auto& [index, entry] : kept) {
    TRY_ASSIGN(auto path, inclusion_proof(leaves, index));
    out.entries.push_back({index, std::move(entry), std::move(path)});
  }
  return out;
}

}  // namespace

bool is_clip(const ReadFile& file) {
  std::array<std::byte, k_preamble_bytes> bytes{};
  const auto n = file.read_at(0, bytes);
  if (!n) {
    return false;
  }
  const auto id = decode_clip_preamble(ByteView(bytes).first(*n));
  return id || id.error().code != Errc::bad_usage;
}

Result<ClipTotals> make_clip(const ReadFile& session, const ClipRange& range,
                             const ClipLedger* ledger, WallTime now, AppendFile& out) {
  TRY_ASSIGN(const auto report, verify(session));
  if (!report.header || report.seals == 0 || report.verdict == Verdict::tampered ||
      report.verdict == Verdict::unsupported) {
    return fail(Errc::bad_seal, "the session does not verify: nothing can be proven of it");
  }
  if (!report.header->encryption.empty()) {
    return fail(Errc::unsupported,
                "an encrypted session: its events cannot be read without the key");
  }
  const FileId id = report.header->file_id;
  TRY_ASSIGN(const auto choice, choose(session, id, range, report.sealed_bytes));
  ClipNote note{range, now, Bytes(k_preamble_bytes)};
  TRY(session.read_at(0, note.preamble));
  TRY(out.append(encode_clip_preamble(id)));
  ClipMaker maker(id, range, choice, out);
  TRY(maker.write(k_clip_note_record, 0, encode(note)));
  RecordScanner scanner(session, id, k_preamble_bytes);
  while (true) {
    TRY_ASSIGN(const auto record, scanner.next());
    if (!record || record->offset >= report.sealed_bytes) {
      break;
    }
    TRY(maker.take(*record));
  }
  if (maker.totals.events == 0) {
    return fail(Errc::bad_usage, "no sealed event lies in that range");
  }
  if (ledger != nullptr) {
    TRY_ASSIGN(const auto proof, prove_entries(*ledger, id));
    TRY(maker.write(k_clip_proof_record, 0, encode(proof)));
    maker.totals.proofs = proof.entries.size();
  }
  TRY(out.sync());
  return maker.totals;
}

}  // namespace sworn::format
