// SPDX-License-Identifier: Apache-2.0
#include "format/verify.hpp"

#include "base/byte_reader.hpp"
#include "base/printable.hpp"
#include "format/chunk.hpp"
#include "format/compress.hpp"
#include "format/event_payload.hpp"
#include "format/merkle.hpp"
#include "format/record.hpp"
#include "format/recovered.hpp"
#include "format/redact.hpp"
#include "format/seal.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sworn::format {
namespace {

constexpr std::size_t k_max_findings = 1000;
constexpr std::int64_t k_silence_slack_us = 5'000'000;

// A record since the last seal, as this verifier computed it.
struct OpenLeaf {
  std::uint32_t seq = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  RecordType type = RecordType::chunk;
  Digest leaf{};
  bool content_holds = true;  // false: a finding already names it
};

class Verifier {
 public:
  Verifier(const ReadFile& file, const Progress& progress, const VerifyOptions& options)
      : file_(file), progress_(progress), options_(options) {}

  Result<VerifyReport> run();

 private:
  void find(Severity severity, std::string code, std::uint64_t offset, std::uint64_t length,
            std::string text);
  void tampered(std::string code, std::uint64_t offset, std::uint64_t length, std::string text) {
    broken_ = true;
    find(Severity::failure, std::move(code), offset, length, std::move(text));
  }

  Result<bool> read_header();
  Result<void> scan();
  void on_record(const RecordScanner::Record& record);
  void on_skipped(const RecordScanner::Record& record);
  void on_chunk(const RecordScanner::Record& record);
  void on_seal(const RecordScanner::Record& record);
  void on_end(const RecordScanner::Record& record);
  void on_recovered(const RecordScanner::Record& record);
  void on_redaction(const RecordScanner::Record& record);
  [[nodiscard]] bool is_named(const PublicKey& key) const;
  void check_redactions();
  void behind_final(const RecordScanner::Record& record);
  void check_events(const ChunkBody& chunk, const RecordScanner::Record& record);
  void compare_leaves(const Seal& seal, const RecordScanner::Record& record);
  void conclude();

  const ReadFile& file_;
  const Progress& progress_;
  const VerifyOptions& options_;
  VerifyReport report_;
  bool broken_ = false;  // something sealed does not hold
  bool unsupported_ = false;
  bool refused_ = false;  // redacted by somebody who is not named
  FileId id_{};
  Bytes preamble_;
  std::uint64_t position_ = 0;

  std::uint32_t next_seq_ = 0;
  MerkleTree tree_;
  std::vector<OpenLeaf> open_;
  PublicKey key_{};
  bool key_known_ = false;
  std::uint32_t next_seal_ = 0;
  std::uint32_t last_seal_seq_ = 0;
  bool any_seal_record_ = false;
  MonoTime last_seal_time_{};
  MonoTime last_event_time_{};
  bool final_ = false;
  bool end_seen_ = false;
  std::uint64_t end_events_ = 0;
  std::uint32_t end_chunks_ = 0;

  std::uint64_t next_event_ = 0;
  std::uint32_t next_chunk_ = 0;
  bool group_valid_ = false;
  Decompressor decompressor_;
  Bytes columns_;
  std::vector<EventView> events_;
  std::vector<Digest> salts_;
  std::uint64_t open_gaps_ = 0;
  std::uint64_t open_hidden_ = 0;
  std::uint64_t trailing_ = 0;
  RedactionList removed_;
  std::vector<Digest> removed_digests_;  // as each REDACTION record states it
};

void Verifier::find(Severity severity, std::string code, std::uint64_t offset, std::uint64_t length,
                    std::string text) {
  if (report_.findings.size() < k_max_findings) {
    report_.findings.push_back({severity, std::move(code), offset, length, std::move(text)});
  }
}

// False: nothing behind can be read.
Result<bool> Verifier::read_header() {
  preamble_.resize(k_preamble_bytes);
  TRY_ASSIGN(const auto n, file_.read_at(0, preamble_));
  preamble_.resize(n);
  const auto preamble = decode_preamble(preamble_);
  if (!preamble) {
    switch (preamble.error().code) {
      case Errc::unsupported:
        unsupported_ = true;
        find(Severity::failure, "unsupported_version", 0, n, preamble.error().context);
        return false;
      case Errc::truncated:
        find(Severity::warning, "torn_tail", 0, n, preamble.error().context);
        return false;
      case Errc::corrupt:
        tampered("bad_preamble", 0, n, preamble.error().context);
        return false;
      default:
        return tl::make_unexpected(preamble.error());
    }
  }
  id_ = preamble->file_id;
  RecordScanner scanner(file_, id_, k_preamble_bytes);
  TRY_ASSIGN(const auto record, scanner.next());
  if (!record) {
    find(Severity::warning, "torn_tail", k_preamble_bytes, report_.file_bytes - n,
         "the file ends inside its header");
    return false;
  }
  if (record->skipped != 0 || record->frame.record_type() != RecordType::header ||
      record->frame.seq != 0) {
    tampered("bad_header", k_preamble_bytes, record->skipped, "the header is missing or damaged");
    return false;
  }
  const auto header = decode_session_header(record->body);
  if (!header) {
    if (header.error().code == Errc::unsupported) {
      unsupported_ = true;
      find(Severity::failure, "unsupported_header", record->offset, record->body.size(),
           header.error().context);
    } else {
      tampered("bad_header", record->offset, record->body.size(), header.error().context);
    }
    return false;
  }
  report_.header = *header;
  report_.header->file_id = id_;
  report_.first_key = key_ = header->first_key;
  key_known_ = true;
  next_seq_ = 1;
  open_.push_back({0, record->offset, k_frame_bytes + record->body.size(), RecordType::header,
                   header_leaf(preamble_, record->body), true});
  ++report_.records;
  position_ = record->end();
  return true;
}

void Verifier::on_skipped(const RecordScanner::Record& record) {
  const std::uint64_t from = record.offset - record.skipped;
  group_valid_ = false;
  if (final_) {
    find(Severity::warning, "hint_damaged", from, record.skipped,
         "bytes behind the final seal cannot be read (index or footer; not evidence)");
    return;
  }
  tampered("damaged_bytes", from, record.skipped,
           "bytes that are no record stand between readable ones");
}

// The bytes behind a valid final seal prove nothing and must not pretend to.
void Verifier::behind_final(const RecordScanner::Record& record) {
  switch (record.frame.record_type()) {
    case RecordType::index:
    case RecordType::footer:
      return;
    case RecordType::redaction:
      on_redaction(record);
      return;
    default:
      tampered("record_behind_final_seal", record.offset, k_frame_bytes + record.body.size(),
               "a record stands behind the final seal");
  }
}

bool Verifier::is_named(const PublicKey& key) const {
  const auto& trusted = options_.trusted_redactors;
  if (std::find(trusted.begin(), trusted.end(), key) != trusted.end()) {
    return true;
  }
  const Bytes& named = report_.header->redactors;
  for (std::size_t at = 0; at + key.size() <= named.size(); at += key.size()) {
    if (std::equal(key.begin(), key.end(), named.begin() + static_cast<std::ptrdiff_t>(at))) {
      return true;
    }
  }
  return false;
}

void Verifier::on_redaction(const RecordScanner::Record& record) {
  const auto found = decode_redaction(id_, record.body);
  if (!found || !found->signature_holds) {
    tampered("bad_redaction", record.offset, k_frame_bytes + record.body.size(),
             "a redaction note whose signature does not hold");
    return;
  }
  const auto& note = found->note;
  report_.redactions.push_back({note.actor, note.reason, note.when, note.events, note.key,
                                note.source_digest, is_named(note.key)});
  removed_digests_.push_back(note.list_digest);
}

// Who removes events must say so: the last note covers every removed event of the file.
void Verifier::check_redactions() {
  report_.redacted_events = removed_.count();
  if (removed_.count() == 0 && report_.redactions.empty()) {
    return;
  }
  const Digest list = removed_.finish();
  if (report_.redactions.empty() || removed_digests_.back() != list ||
      report_.redactions.back().events != report_.redacted_events) {
    tampered("redaction_mismatch", 0, 0,
             fmt::format("{} events were removed, and no redaction note accounts for exactly them",
                         report_.redacted_events));
    return;
  }
  for (const auto& redaction : report_.redactions) {
    find(redaction.named ? Severity::note : Severity::failure, "redacted", 0, 0,
         fmt::format("{} events removed in all by {} at {}: {} (key {}{})", redaction.events,
                     printable(redaction.actor, 100), format_rfc3339(redaction.when, 0),
                     printable(redaction.reason, 200), to_hex(redaction.key),
                     redaction.named ? "" : ", named neither by the header nor by you"));
    refused_ = refused_ || !redaction.named;
  }
}

void Verifier::check_events(const ChunkBody& chunk, const RecordScanner::Record& record) {
  const std::uint64_t length = k_frame_bytes + record.body.size();
  auto& leaf = open_.back();
  const auto bad = [&](std::string code, std::string text) {
    leaf.content_holds = false;
    tampered(std::move(code), record.offset, length,
             fmt::format("chunk {}: {}", chunk.core.chunk_no, text));
  };
  if (chunk.begins_group) {
    decompressor_.begin_group();
    group_valid_ = true;
  }
  if (!group_valid_) {
    bad("chunk_unreadable", "the beginning of its group is lost");
    return;
  }
  columns_.resize(chunk.raw_bytes);
  auto decoded = decompressor_.decompress(chunk.stored, columns_);
  if (!decoded) {
    group_valid_ = false;
    bad("chunk_unreadable", decoded.error().context);
    return;
  }
  decoded = decode_columns(chunk.core, columns_, events_);
  if (!decoded) {
    bad("chunk_unreadable", decoded.error().context);
    return;
  }
  const auto root = leaf_root(events_, chunk, salts_);
  if (!root || *root != chunk.core.leaf_root) {
    bad("chunk_root_mismatch", "its events are not the ones that it commits to");
    return;
  }
  for (const auto& event : events_) {
    if (event.redacted) {
      removed_.add(event.number, event.commitment, event.data);
      continue;
    }
    if (event.kind == EventKind::gap) {
      ++open_gaps_;
      const auto gap = decode_gap(event.data);
      find(Severity::warning, "gap", record.offset, 0,
           gap ? fmt::format("gap at event {}: {}, {} events and {} bytes lost {}", event.number,
                             printable(gap->reason, 80), gap->lost_events, gap->lost_bytes,
                             printable(gap->detail, 200))
               : fmt::format("gap at event {} with an unreadable note", event.number));
    }
    open_hidden_ += event.kind == EventKind::input_hidden ? 1U : 0U;
  }
}

void Verifier::on_chunk(const RecordScanner::Record& record) {
  const std::uint64_t length = k_frame_bytes + record.body.size();
  const auto chunk = decode_chunk_body(record.body);
  open_.push_back({record.frame.seq, record.offset, length, RecordType::chunk, {}, true});
  if (!chunk) {
    group_valid_ = false;
    open_.back().content_holds = false;
    if (chunk.error().code == Errc::unsupported) {
      unsupported_ = true;
      find(Severity::failure, "unsupported_chunk", record.offset, length, chunk.error().context);
    } else {
      tampered("bad_chunk", record.offset, length, chunk.error().context);
    }
    return;
  }
  open_.back().leaf = record_leaf(RecordType::chunk, record.frame.seq, chunk->core_bytes);
  const auto& core = chunk->core;
  if (core.chunk_no != next_chunk_ || core.first_event != next_event_ ||
      core.t_first < last_event_time_) {
    tampered("chunk_out_of_order", record.offset, length,
             fmt::format("chunk {} with event {} stands where chunk {} with event {} belongs",
                         core.chunk_no, core.first_event, next_chunk_, next_event_));
  }
  next_chunk_ = core.chunk_no + 1;
  next_event_ = core.first_event + core.n_events;
  last_event_time_ = core.t_last;
  ++report_.chunks;
  check_events(*chunk, record);
}

void Verifier::on_end(const RecordScanner::Record& record) {
  open_.push_back({record.frame.seq, record.offset, k_frame_bytes + record.body.size(),
                   RecordType::end, record_leaf(RecordType::end, record.frame.seq, record.body),
                   true});
  ByteReader r(record.body);
  const auto events = r.u64();
  const auto chunks = r.u32();
  const auto late = r.u64();
  if (record.body.size() != k_end_bytes || end_seen_) {
    tampered("bad_end", record.offset, record.body.size(), "an END record of the wrong form");
    return;
  }
  end_seen_ = true;
  end_events_ = *events;
  end_chunks_ = *chunks;
  report_.late_bytes = *late;
  if (end_events_ != next_event_ || end_chunks_ != next_chunk_) {
    tampered("end_mismatch", record.offset, record.body.size(),
             fmt::format("END counts {} events in {} chunks; the file has {} in {}", end_events_,
                         end_chunks_, next_event_, next_chunk_));
  }
}

// The seal's own leaves are authentic once its signature holds: where one differs from what stands
// in the file, that record was changed, and the chain still goes on.
void Verifier::compare_leaves(const Seal& seal, const RecordScanner::Record& record) {
  const std::uint32_t first = any_seal_record_ ? last_seal_seq_ + 1 : 0;
  std::vector<bool> present(seal.leaves.size(), false);
  for (const auto& leaf : open_) {
    const std::uint64_t place = static_cast<std::uint64_t>(leaf.seq) - first;
    if (leaf.seq < first || place >= seal.leaves.size() || present[place]) {
      tampered("record_not_sealed", leaf.offset, leaf.length,
               fmt::format("record {} is not among those that the next seal covers", leaf.seq));
      continue;
    }
    present[place] = true;
    if (seal.leaves[place] != leaf.leaf && leaf.content_holds) {
      tampered("record_changed", leaf.offset, leaf.length,
               fmt::format("record {} is not the one that was sealed", leaf.seq));
    }
  }
  for (std::size_t place = 0; place < present.size(); ++place) {
    if (!present[place]) {
      tampered("record_missing", record.offset, 0,
               fmt::format("record {} was sealed and is not there", first + place));
    }
  }
}

void Verifier::on_seal(const RecordScanner::Record& record) {
  const std::uint64_t length = k_frame_bytes + record.body.size();
  const auto seal = decode_seal(record.body);
  if (!seal) {
    tampered("bad_seal", record.offset, length, seal.error().context);
    key_known_ = false;
    return;
  }
  if (!key_known_ || seal->seal_no != next_seal_) {
    tampered("seal_out_of_order", record.offset, length,
             fmt::format("seal {} stands where seal {} belongs, or the key for it is lost",
                         seal->seal_no, next_seal_));
    key_known_ = false;
    return;
  }
  MerkleTree tree = tree_;
  for (const auto& leaf : seal->leaves) {
    tree.add(leaf);
  }
  const Digest root = tree.root();
  if (!verify_signature(key_, seal_message(id_, *seal, tree.size(), root), seal->signature)) {
    tampered("bad_signature", record.offset, length,
             fmt::format("the signature of seal {} does not hold", seal->seal_no));
    key_known_ = false;
    return;
  }
  compare_leaves(*seal, record);
  if (seal->t < last_seal_time_ || (report_.chunks > 0 && seal->t < last_event_time_)) {
    tampered("time_goes_back", record.offset, length,
             fmt::format("seal {} is older than what it covers", seal->seal_no));
  }
  if (report_.seals > 0) {
    const std::int64_t silence = seal->t.us - last_seal_time_.us;
    report_.max_silence.us = std::max(report_.max_silence.us, silence);
    const std::int64_t allowed =
        static_cast<std::int64_t>(report_.header->seal_policy.heartbeat_ms) * 1000 +
        k_silence_slack_us;
    if (silence > allowed) {
      find(Severity::warning, "silence", record.offset, 0,
           fmt::format("{} without a seal before seal {} (the policy allows {}); a suspended host "
                       "explains it, a stopped recorder too",
                       format_duration(silence, 1), seal->seal_no, format_duration(allowed, 1)));
    }
  } else {
    report_.first_time = seal->wall;
  }
  tree_ = std::move(tree);
  key_ = seal->next_key;
  last_seal_time_ = seal->t;
  last_seal_seq_ = record.frame.seq;
  any_seal_record_ = true;
  ++next_seal_;
  ++report_.seals;
  report_.root = root;
  report_.sealed_until = seal->wall;
  report_.sealed_bytes = record.end();
  report_.events = next_event_;
  report_.gaps += open_gaps_;
  report_.hidden_inputs += open_hidden_;
  open_gaps_ = open_hidden_ = 0;
  open_.clear();
  if (seal->final()) {
    final_ = true;
    if (!end_seen_ || seal->next_key != PublicKey{}) {
      tampered("bad_final_seal", record.offset, length,
               "a final seal without an END record or with a next key");
    }
  } else if (end_seen_) {
    tampered("end_not_final", record.offset, length, "END is not followed by the final seal");
  }
}

void Verifier::on_recovered(const RecordScanner::Record& record) {
  const auto found = decode_recovered(id_, record.body);
  report_.recovered = true;
  if (!found) {
    tampered("bad_recovery", record.offset, record.body.size(), found.error().context);
    return;
  }
  if (!found->signature_holds) {
    tampered("bad_recovery", record.offset, record.body.size(),
             "the salvager's signature does not hold");
    return;
  }
  find(Severity::note, "recovered", record.offset, record.body.size(),
       fmt::format("{} events that no seal of the recorder covers were recovered at {}: {}",
                   found->events.size(), format_rfc3339(found->note.when, 0),
                   printable(found->note.reason, 200)));
}

void Verifier::on_record(const RecordScanner::Record& record) {
  if (record.skipped != 0) {
    on_skipped(record);
  }
  if (final_) {
    behind_final(record);
    return;
  }
  ++report_.records;
  const auto type = record.frame.record_type();
  if (record.frame.seq != next_seq_) {
    tampered("record_out_of_order", record.offset, k_frame_bytes + record.body.size(),
             fmt::format("record {} stands where record {} belongs", record.frame.seq, next_seq_));
  }
  next_seq_ = record.frame.seq + 1;
  switch (type) {
    case RecordType::chunk:
      on_chunk(record);
      return;
    case RecordType::seal:
      on_seal(record);
      return;
    case RecordType::end:
      on_end(record);
      return;
    case RecordType::recovered:
      on_recovered(record);
      return;
    case RecordType::header:
      tampered("second_header", record.offset, record.body.size(), "a second header");
      return;
    case RecordType::index:
    case RecordType::footer:
      tampered("hint_before_final_seal", record.offset, record.body.size(),
               "an index or footer before the final seal");
      return;
    case RecordType::open_proof:
    case RecordType::key_box:
    case RecordType::anchor:
    case RecordType::redaction:
      break;
    default:
      if (is_ancillary(record.frame.type)) {
        open_.push_back({record.frame.seq, record.offset, k_frame_bytes + record.body.size(), type,
                         record_leaf(type, record.frame.seq, record.body), true});
        find(Severity::note, "ancillary_record", record.offset, record.body.size(),
             fmt::format("a record of type {} that this build does not interpret; it is sealed",
                         record.frame.type));
        return;
      }
  }
  unsupported_ = true;
  find(
      Severity::failure, "unsupported_record", record.offset, record.body.size(),
      fmt::format("a critical record of type {} that this build does not know", record.frame.type));
}

Result<void> Verifier::scan() {
  RecordScanner scanner(file_, id_, position_);
  std::uint64_t told = 0;
  while (true) {
    TRY_ASSIGN(const auto record, scanner.next());
    if (!record) {
      trailing_ = scanner.trailing();
      return {};
    }
    on_record(*record);
    position_ = record->end();
    if (progress_ && position_ - told > (4U << 20U)) {
      told = position_;
      progress_(position_, report_.file_bytes);
    }
  }
}

void Verifier::conclude() {
  report_.closed = final_;
  if (trailing_ != 0) {
    const std::uint64_t from = report_.file_bytes - trailing_;
    if (final_) {
      find(Severity::warning, "hint_damaged", from, trailing_,
           "bytes behind the final seal cannot be read (index or footer; not evidence)");
    } else {
      find(Severity::warning, "torn_tail", from, trailing_,
           "the last bytes are no whole record: cut off, or being written");
    }
  }
  if (report_.header) {
    check_redactions();
  }
  if (!final_) {
    const std::uint64_t base = report_.seals == 0 ? 0 : report_.sealed_bytes;
    report_.unsealed_bytes = report_.file_bytes - base;
    report_.unsealed_records = open_.size();
  }
  std::stable_sort(report_.findings.begin(), report_.findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
  if (unsupported_) {
    report_.verdict = Verdict::unsupported;
  } else if (broken_) {
    report_.verdict = Verdict::tampered;
  } else if (refused_) {
    report_.verdict = Verdict::redaction_refused;
  } else if (report_.seals == 0) {
    report_.verdict = Verdict::unsealed;
  } else if (final_ && !report_.recovered) {
    report_.verdict = Verdict::self_consistent;
  } else {
    report_.verdict = Verdict::incomplete;
  }
}

Result<VerifyReport> Verifier::run() {
  TRY_ASSIGN(report_.file_bytes, file_.size());
  TRY_ASSIGN(const bool readable, read_header());
  if (readable) {
    TRY(scan());
  }
  conclude();
  return std::move(report_);
}

}  // namespace

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::self_consistent:
      return "SELF-CONSISTENT";
    case Verdict::incomplete:
      return "INCOMPLETE";
    case Verdict::unsealed:
      return "UNSEALED";
    case Verdict::redaction_refused:
      return "REDACTION-REFUSED";
    case Verdict::tampered:
      return "TAMPERED";
    case Verdict::unsupported:
      return "UNSUPPORTED";
  }
  return "UNKNOWN";
}

int exit_status_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::self_consistent:
      return 0;
    case Verdict::incomplete:
      return 2;
    case Verdict::tampered:
      return 3;
    case Verdict::unsealed:
      return 4;
    case Verdict::redaction_refused:
      return 5;
    case Verdict::unsupported:
      return 6;
  }
  return 1;
}

Result<VerifyReport> verify(const ReadFile& file, const Progress& progress,
                            const VerifyOptions& options) {
  return Verifier(file, progress, options).run();
}

}  // namespace sworn::format
