// SPDX-License-Identifier: Apache-2.0
#include "base/byte_reader.hpp"
#include "base/printable.hpp"
#include "format/checkpoint.hpp"
#include "format/chunk.hpp"
#include "format/clip.hpp"
#include "format/clip_record.hpp"
#include "format/compress.hpp"
#include "format/ledger_verify.hpp"
#include "format/record.hpp"
#include "format/seal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace sworn::format {
namespace {

constexpr std::size_t k_max_shown_bytes = 64U << 20U;

class ClipVerifier {
 public:
  ClipVerifier(const ReadFile& clip, const TrustStore* trust) : clip_(clip), trust_(trust) {}
  Result<ClipReport> run();

 private:
  void bad(std::string code, std::uint64_t offset, std::string text) {
    out_.standing = std::max(out_.standing, Standing::tampered);
    out_.findings.push_back({Severity::failure, std::move(code), offset, 0, std::move(text)});
  }
  void note(std::string code, std::string text) {
    out_.findings.push_back({Severity::warning, std::move(code), 0, 0, std::move(text)});
  }
  void on_record(const RecordScanner::Record& record);
  void on_note(const RecordScanner::Record& record);
  void on_header(const RecordScanner::Record& record);
  void on_chunk(const RecordScanner::Record& record);
  void take_events(const ChunkBody& chunk, std::uint64_t offset);
  void on_seal(const RecordScanner::Record& record);
  void on_end(const RecordScanner::Record& record);
  void on_proof(const RecordScanner::Record& record);
  std::optional<OpenedCheckpoint> open_proof(const ClipProof& proof, std::uint64_t offset);
  void take_entry(const ClipProof::Entry& entry, const Checkpoint& checkpoint,
                  std::uint64_t offset);
  void compare_mark(const SessionMark& mark, std::uint64_t index, std::uint64_t offset);
  void judge_trust(const ClipProof& proof, const OpenedCheckpoint& opened, std::uint64_t offset);
  void conclude();

  const ReadFile& clip_;
  const TrustStore* trust_;
  ClipReport out_;
  FileId id_{};
  std::optional<ClipNote> note_;
  Digest header_leaf_{};
  PublicKey key_{};
  MerkleTree tree_;
  std::map<std::uint32_t, SessionMark> points_;  // by seal
  std::uint32_t next_seal_ = 0;
  std::uint32_t first_open_seq_ = 0;             // of the records that the next seal covers
  std::map<std::uint32_t, Digest> open_leaves_;  // by sequence number
  bool end_seen_ = false;
  bool proof_seen_ = false;
  std::optional<std::uint32_t> last_seq_;    // of the session's records
  std::optional<std::uint64_t> end_events_;  // all that END counts
  std::optional<ChunkCore> previous_;
  std::optional<ChunkCore> first_;
  std::size_t shown_bytes_ = 0;
};

void ClipVerifier::on_note(const RecordScanner::Record& record) {
  auto decoded = decode_clip_note(record.body);
  if (!decoded) {
    bad("bad_clip", record.offset, decoded.error().context);
    return;
  }
  note_ = std::move(*decoded);
  out_.range = note_->range;
  const auto preamble = decode_preamble(note_->preamble);
  if (!preamble || preamble->file_id != id_) {
    bad("bad_clip", record.offset, "the clip is not of the session whose preamble it has");
  }
}

void ClipVerifier::on_header(const RecordScanner::Record& record) {
  auto header = decode_session_header(record.body);
  if (!header || out_.header || record.frame.seq != 0) {
    bad("bad_header", record.offset, header ? "a second header" : header.error().context);
    return;
  }
  header->file_id = id_;
  key_ = header->first_key;
  header_leaf_ = header_leaf(note_->preamble, record.body);
  open_leaves_[0] = header_leaf_;
  out_.header = std::move(*header);
}

void ClipVerifier::on_chunk(const RecordScanner::Record& record) {
  const auto chunk = decode_chunk_body(record.body);
  if (!chunk) {
    bad("bad_chunk", record.offset, chunk.error().context);
    return;
  }
  open_leaves_[record.frame.seq] =
      record_leaf(RecordType::chunk, record.frame.seq, chunk->core_bytes);
  const auto& core = chunk->core;
  const bool follows = previous_ && core.chunk_no == previous_->chunk_no + 1 &&
                       core.first_event == previous_->first_event + previous_->n_events;
  // Chunk 0 may stand alone in front: it says who and what.
  const bool jump = previous_ && previous_->chunk_no == 0 && core.chunk_no > 1;
  if (previous_ && !follows && !jump) {
    bad("chunks_missing", record.offset, "chunks of the range are missing or out of order");
  }
  if (!follows) {
    first_ = core;  // of the range
  }
  previous_ = core;
  ++out_.totals.chunks;
  take_events(*chunk, record.offset);
}

void ClipVerifier::take_events(const ChunkBody& chunk, std::uint64_t offset) {
  Decompressor decompressor;
  decompressor.begin_group();
  Bytes columns(chunk.raw_bytes);
  std::vector<EventView> events;
  std::vector<Digest> salts;
  auto decoded = chunk.begins_group ? decompressor.decompress(chunk.stored, columns)
                                    : fail(Errc::corrupt, "a chunk that needs another one");
  if (decoded) {
    decoded = decode_columns(chunk.core, columns, events);
  }
  if (!decoded) {
    bad("chunk_unreadable", offset, decoded.error().context);
    return;
  }
  const auto root = leaf_root(events, chunk, salts);
  if (!root || *root != chunk.core.leaf_root) {
    bad("chunk_root_mismatch", offset, "its events are not the ones that it commits to");
    return;
  }
  for (const auto& event : events) {
    const bool inside = event.t >= out_.range.from && event.t <= out_.range.to;
    if (event.redacted) {
      ++out_.totals.hidden;
      if (!event.data.empty()) {
        bad("text_in_its_place", offset, "something else stands in the place of a hidden event");
      } else if (inside) {
        note("event_hidden",
             fmt::format("event {} of the range is hidden: it was redacted", event.number));
      }
      continue;
    }
    ++out_.totals.events;
    shown_bytes_ += event.data.size();
    if (shown_bytes_ <= k_max_shown_bytes) {
      out_.events.push_back({event.number, event.kind, event.t, event.at,
                             Bytes(event.data.begin(), event.data.end()), false});
    }
  }
}

// The same rules as in a session: the chain of keys, the tree over all leaves, final with END.
void ClipVerifier::on_seal(const RecordScanner::Record& record) {
  const auto seal = decode_seal(record.body);
  if (!seal || !out_.header || seal->seal_no != next_seal_ ||
      record.frame.seq != first_open_seq_ + seal->leaves.size()) {
    bad("bad_seal", record.offset,
        fmt::format("seal {} is missing, malformed or out of order", next_seal_));
    return;
  }
  MerkleTree tree = tree_;
  for (std::size_t i = 0; i < seal->leaves.size(); ++i) {
    tree.add(seal->leaves[i]);
    const auto held = open_leaves_.find(first_open_seq_ + static_cast<std::uint32_t>(i));
    if (held != open_leaves_.end() && held->second != seal->leaves[i]) {
      bad("leaf_mismatch", record.offset,
          fmt::format("record {} is not the one that seal {} covers", held->first, seal->seal_no));
    }
    if (held != open_leaves_.end()) {
      open_leaves_.erase(held);
    }
  }
  const Digest root = tree.root();
  if (!verify_signature(key_, seal_message(id_, *seal, tree.size(), root), seal->signature)) {
    bad("bad_signature", record.offset,
        fmt::format("the signature of seal {} does not hold", seal->seal_no));
    return;
  }
  if (!open_leaves_.empty() || seal->final() != end_seen_) {
    bad("not_covered", record.offset, "a record that no seal covers, or an end without its seal");
  }
  tree_ = std::move(tree);
  points_[seal->seal_no] = {id_, seal->seal_no, tree_.size(), root};
  key_ = seal->next_key;
  first_open_seq_ = record.frame.seq + 1;
  ++next_seal_;
  ++out_.totals.seals;
  out_.first_time = out_.first_time ? out_.first_time : std::optional(seal->wall);
  out_.last_time = seal->wall;
  out_.closed = seal->final();
}

void ClipVerifier::on_end(const RecordScanner::Record& record) {
  end_seen_ = true;
  ByteReader reader(record.body);
  if (const auto events = reader.u64(); events && record.body.size() == k_end_bytes) {
    end_events_ = *events;
  }
}

std::optional<OpenedCheckpoint> ClipVerifier::open_proof(const ClipProof& proof,
                                                         std::uint64_t offset) {
  const auto key = NoteKey::parse(proof.checkpoint_key);
  if (!key) {
    bad("bad_proof", offset, key.error().context);
    return std::nullopt;
  }
  const auto* known = trust_ == nullptr ? nullptr : trust_->find(proof.ledger);
  const std::span<const NoteKey> witnesses =
      known == nullptr ? std::span<const NoteKey>() : std::span(known->witnesses);
  // The key's name is the ledger's origin.
  auto opened = open_checkpoint(proof.checkpoint, *key, key->name, witnesses);
  if (!opened) {
    bad("bad_proof", offset, opened.error().context);
    return std::nullopt;
  }
  return *opened;
}

void ClipVerifier::compare_mark(const SessionMark& mark, std::uint64_t index,
                                std::uint64_t offset) {
  if (mark.file_id != id_) {
    return;
  }
  const auto point = points_.find(mark.seal_no);
  if (point == points_.end()) {
    note("ledger_saw_more",
         fmt::format("the ledger saw seal {}; the clip ends before it", mark.seal_no));
  } else if (!(point->second == mark)) {
    bad("history_differs", offset,
        fmt::format("at seal {} the ledger saw another history", mark.seal_no));
  } else {
    out_.marked = index;
  }
}

void ClipVerifier::take_entry(const ClipProof::Entry& entry, const Checkpoint& checkpoint,
                              std::uint64_t offset) {
  if (!verify_inclusion(entry.index, checkpoint.size, ledger_leaf(entry.entry), entry.path,
                        checkpoint.root)) {
    bad("bad_proof", offset,
        fmt::format("entry {} is not in the ledger of that checkpoint", entry.index));
    return;
  }
  const auto decoded = decode_ledger_entry(entry.entry);
  if (!decoded) {
    bad("bad_proof", offset, decoded.error().context);
    return;
  }
  if (const auto* open = std::get_if<LedgerSessionOpen>(&decoded->fact);
      open != nullptr && open->file_id == id_) {
    if (open->header != header_leaf_ || !out_.header || open->first_key != out_.header->first_key) {
      bad("header_mismatch", offset, "the ledger opened the session with another header");
    } else {
      out_.opened = entry.index;
    }
  } else if (const auto* close = std::get_if<LedgerSessionClose>(&decoded->fact)) {
    compare_mark(close->mark, entry.index, offset);
  } else if (const auto* beat = std::get_if<LedgerHeartbeat>(&decoded->fact)) {
    for (const auto& mark : beat->sessions) {
      compare_mark(mark, entry.index, offset);
    }
  }
}

void ClipVerifier::judge_trust(const ClipProof& proof, const OpenedCheckpoint& opened,
                               std::uint64_t offset) {
  const auto genesis = std::find_if(proof.entries.begin(), proof.entries.end(),
                                    [](const ClipProof::Entry& e) { return e.index == 0; });
  if (genesis == proof.entries.end() || ledger_leaf(genesis->entry) != proof.genesis) {
    bad("bad_proof", offset, "the clip does not hold the genesis entry of its ledger");
    return;
  }
  const auto* known = trust_ == nullptr ? nullptr : trust_->find(proof.ledger);
  if (known == nullptr) {
    note("ledger_not_pinned", "nobody vouches for the ledger that the clip names");
    return;
  }
  if (known->genesis != proof.genesis) {
    out_.standing = std::max(out_.standing, Standing::ledger_broken);
    out_.findings.push_back({Severity::failure, "genesis_mismatch", offset, 0,
                             "the ledger begins with another genesis entry than the pinned one"});
    return;
  }
  if (proof.checkpoint_key != known->checkpoint_key.vkey()) {
    // A key rotation is in the ledger, which is not here.
    note("checkpoint_key_differs",
         "the checkpoint is signed with another key than the trust store knows");
    return;
  }
  out_.trust =
      known->pinned_by == PinnedBy::administrator ? LedgerTrust::pinned : LedgerTrust::first_use;
  AnchorReport anchor;
  anchor.anchor = {"cosignature",          std::nullopt,           "clip",
                   opened.checkpoint.size, opened.checkpoint.root, to_bytes(proof.checkpoint)};
  for (const auto& cosignature : opened.cosignatures) {
    anchor.by.push_back(cosignature.witness);
    anchor.when = anchor.when ? std::min(*anchor.when, cosignature.when) : cosignature.when;
  }
  if (!anchor.by.empty()) {
    anchor.state = anchor.by.size() >= std::max<std::uint32_t>(known->quorum, 1)
                       ? AnchorState::holds
                       : AnchorState::not_trusted;
    out_.anchors.push_back(std::move(anchor));
  }
}

void ClipVerifier::on_proof(const RecordScanner::Record& record) {
  const auto proof = decode_clip_proof(record.body);
  if (!proof || proof_seen_) {
    bad("bad_proof", record.offset, proof ? "a second proof" : proof.error().context);
    return;
  }
  proof_seen_ = true;
  const auto opened = open_proof(*proof, record.offset);
  if (!opened) {
    return;
  }
  out_.origin = opened->checkpoint.origin;
  for (const auto& entry : proof->entries) {
    take_entry(entry, opened->checkpoint, record.offset);
    ++out_.totals.proofs;
  }
  judge_trust(*proof, *opened, record.offset);
}

void ClipVerifier::on_record(const RecordScanner::Record& record) {
  if (record.skipped != 0) {
    bad("damaged_bytes", record.offset, "bytes of the clip cannot be read");
  }
  if (!note_ && record.frame.type != k_clip_note_record) {
    bad("bad_clip", record.offset, "the clip does not begin with its note");
    return;
  }
  if (proof_seen_) {
    bad("bad_clip", record.offset, "something stands behind the proof");
    return;
  }
  const bool of_session =
      record.frame.type != k_clip_note_record && record.frame.type != k_clip_proof_record;
  if (of_session && last_seq_ && record.frame.seq <= *last_seq_) {
    bad("out_of_order", record.offset, "records of the session are out of order");
    return;
  }
  if (of_session) {
    last_seq_ = record.frame.seq;
  }
  switch (record.frame.type) {
    case k_clip_note_record:
      note_ ? bad("bad_clip", record.offset, "a second note") : on_note(record);
      break;
    case static_cast<std::uint8_t>(RecordType::header):
      on_header(record);
      break;
    case static_cast<std::uint8_t>(RecordType::chunk):
      on_chunk(record);
      break;
    case static_cast<std::uint8_t>(RecordType::seal):
      on_seal(record);
      break;
    case static_cast<std::uint8_t>(RecordType::end):
      on_end(record);
      open_leaves_[record.frame.seq] = record_leaf(RecordType::end, record.frame.seq, record.body);
      break;
    case k_clip_proof_record:
      on_proof(record);
      break;
    default:
      bad("foreign_record", record.offset, "a record that a clip does not have");
      break;
  }
}

void ClipVerifier::conclude() {
  if (!out_.header || out_.totals.seals == 0) {
    bad("no_seal", 0, "there is not one valid seal");
    return;
  }
  if (!open_leaves_.empty()) {
    bad("not_covered", 0, "records that no seal covers");
  }
  const bool begins = first_ && (first_->chunk_no == 0 || first_->t_first < out_.range.from);
  const bool is_last = previous_ && out_.closed && end_events_ &&
                       previous_->first_event + previous_->n_events == *end_events_;
  const bool ends = previous_ && (previous_->t_last > out_.range.to || is_last);
  out_.covers_range = begins && ends;
  if (!out_.covers_range) {
    note("range_not_covered", "events of the range may be missing at its beginning or end");
  }
  if (out_.standing > Standing::self_consistent) {
    return;
  }
  const bool anchored = std::any_of(out_.anchors.begin(), out_.anchors.end(),
                                    [](const auto& a) { return a.state == AnchorState::holds; });
  if (out_.opened && out_.marked) {
    out_.standing = anchored ? Standing::intact_anchored : Standing::intact_ledgered;
  }
}

Result<ClipReport> ClipVerifier::run() {
  std::array<std::byte, k_preamble_bytes> bytes{};
  TRY_ASSIGN(const auto n, clip_.read_at(0, bytes));
  TRY_ASSIGN(id_, decode_clip_preamble(ByteView(bytes).first(n)));
  out_.standing = Standing::self_consistent;
  RecordScanner scanner(clip_, id_, k_preamble_bytes);
  while (true) {
    TRY_ASSIGN(const auto record, scanner.next());
    if (!record) {
      break;
    }
    on_record(*record);
  }
  if (scanner.trailing() != 0) {
    bad("damaged_bytes", scanner.position(),
        "the last bytes are no whole record: the clip was cut");
  }
  conclude();
  return std::move(out_);
}

}  // namespace

Result<ClipReport> verify_clip(const ReadFile& clip, const TrustStore* trust) {
  return ClipVerifier(clip, trust).run();
}

}  // namespace sworn::format
