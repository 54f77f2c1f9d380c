// SPDX-License-Identifier: Apache-2.0
#include "format/verify.hpp"

#include "base/byte_reader.hpp"
#include "base/printable.hpp"
#include "format/chunk.hpp"
#include "format/compress.hpp"
#include "format/event_payload.hpp"
#include "format/index.hpp"
#include "format/merkle.hpp"
#include "format/record.hpp"
#include "format/recovered.hpp"
#include "format/redact.hpp"
#include "format/seal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sworn::format {
namespace {

// Findings of each severity that are kept: hostile bytes can make any number of them.
constexpr std::array<std::size_t, 3> k_max_findings{100, 300, 600};
constexpr std::int64_t k_slack_us = 5'000'000;
constexpr std::int64_t k_clock_step_us = 1'000'000;

bool is_zero(const PublicKey& key) {
  return key == PublicKey{};
}

// What the file was when the check began: a live one grows meanwhile.
class Snapshot final : public ReadFile {
 public:
  Snapshot(const ReadFile& file, std::uint64_t size) : file_(file), size_(size) {}
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset,
                                            std::span<std::byte> out) const override {
    const std::uint64_t left = offset < size_ ? size_ - offset : 0;
    return file_.read_at(offset, out.first(std::min<std::uint64_t>(out.size(), left)));
  }
  [[nodiscard]] Result<std::uint64_t> size() const override { return size_; }

 private:
  const ReadFile& file_;
  std::uint64_t size_;
};

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
  // Behind something that we do not know nothing can be called broken.
  void tampered(std::string code, std::uint64_t offset, std::uint64_t length, std::string text) {
    if (!broken_ && !unsupported_) {
      report_.good_until = report_.sealed_until;
    }
    broken_ = broken_ || !unsupported_;
    find(Severity::failure, std::move(code), offset, length, std::move(text));
  }
  // Of records that no seal covers yet: tampering where a seal follows, else what a crash leaves.
  void suspect(std::string code, std::uint64_t offset, std::uint64_t length, std::string text) {
    if (suspects_.size() < k_max_findings.back()) {
      suspects_.push_back({Severity::warning, std::move(code), offset, length, std::move(text)});
    }
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
  void check_clocks(const Seal& seal, const RecordScanner::Record& record);
  void take_seal(const Seal& seal, const RecordScanner::Record& record, const Digest& root);
  void accuse_suspects();
  void derive_hints(const RecordScanner::Record& last);
  void on_key_box(const RecordScanner::Record& record);
  void unlock(const KeyBox& box, const EncryptionDescriptor& descriptor);
  bool check_stored(const ChunkBody& chunk, const RecordScanner::Record& record);
  void check_rewritten();
  void check_events(ChunkBody& chunk, const RecordScanner::Record& record);
  void compare_leaves(const Seal& seal, const RecordScanner::Record& record);
  void conclude();

  const ReadFile& file_;
  const Progress& progress_;
  const VerifyOptions& options_;
  VerifyReport report_;
  std::array<std::size_t, 3> found_{};  // findings kept, by severity
  std::vector<Finding> suspects_;
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
  std::uint32_t next_seal_ = 0;
  std::uint32_t last_seal_seq_ = 0;
  bool any_seal_record_ = false;
  MonoTime last_seal_time_{};
  MonoTime last_event_time_{};
  bool final_ = false;
  bool end_seen_ = false;
  std::uint64_t end_offset_ = 0;
  IndexBuilder index_;
  Bytes hints_;  // what may stand behind the final seal, and nothing else
  std::uint64_t hints_begin_ = 0;
  std::uint64_t final_offset_ = 0;
  bool hint_seen_ = false;

  std::uint64_t next_event_ = 0;
  std::uint32_t next_chunk_ = 0;
  std::uint64_t next_recovered_ = 0;
  bool any_unsealed_event_ = false;
  MonoTime first_unsealed_time_{};  // of the first event since the last seal
  bool group_valid_ = false;
  std::uint64_t group_raw_ = 0;
  Decompressor decompressor_;
  Bytes columns_;
  std::vector<EventView> events_;
  std::vector<Digest> salts_;
  std::uint64_t open_gaps_ = 0;
  std::uint64_t open_hidden_ = 0;
  std::uint64_t clock_offset_ = 0;
  std::uint64_t trailing_ = 0;
  RedactionList removed_;
  std::vector<Digest> removed_digests_;  // as each REDACTION record states it

  // Of an encrypted session.
  std::optional<EncryptionDescriptor> encryption_;
  std::optional<PayloadOpener> opener_;
  Bytes plain_;
  bool key_box_seen_ = false;
  bool other_key_ = false;
  Digest key_box_digest_{};
  StoredList stored_;
  std::optional<Digest> noted_key_box_;  // by the last REDACTION record
  std::optional<Digest> noted_stored_;
};

void Verifier::find(Severity severity, std::string code, std::uint64_t offset, std::uint64_t length,
                    std::string text) {
  const auto place = static_cast<std::size_t>(severity);
  if (found_[place] < k_max_findings[place]) {
    ++found_[place];
    report_.findings.push_back({severity, std::move(code), offset, length, std::move(text)});
  } else {
    ++report_.findings_left_out;
  }
}

void Verifier::accuse_suspects() {
  for (auto& suspect : suspects_) {
    tampered(std::move(suspect.code), suspect.offset, suspect.length, std::move(suspect.text));
  }
  suspects_.clear();
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
  if (is_zero(header->first_key)) {
    tampered("bad_header", record->offset, record->body.size(), "the header has no signing key");
    return false;
  }
  if (!header->encryption.empty()) {
    auto descriptor = decode_encryption_descriptor(header->encryption);
    if (!descriptor) {
      unsupported_ = descriptor.error().code == Errc::unsupported;
      if (!unsupported_) {
        tampered("bad_header", record->offset, record->body.size(), descriptor.error().context);
      } else {
        find(Severity::failure, "unsupported_header", record->offset, record->body.size(),
             descriptor.error().context);
      }
      return false;
    }
    for (const auto& group : descriptor->groups) {
      report_.recipients.insert(report_.recipients.end(), group.begin(), group.end());
    }
    report_.access = EventAccess::locked;
    encryption_ = *std::move(descriptor);
  }
  report_.header = *header;
  report_.header->file_id = id_;
  report_.first_key = key_ = header->first_key;
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
  suspect("damaged_bytes", from, record.skipped,
          "bytes that are no record stand between readable ones");
}

// The bytes behind a valid final seal prove nothing and must not pretend to: a reader may use index
// and footer to find chunks, so they must be exactly what derives from the rest of the file.
void Verifier::behind_final(const RecordScanner::Record& record) {
  const std::uint64_t length = k_frame_bytes + record.body.size();
  const auto type = record.frame.record_type();
  if (type == RecordType::redaction && !hint_seen_) {
    on_redaction(record);
    derive_hints(record);
    return;
  }
  if (type != RecordType::index && type != RecordType::footer) {
    tampered("record_behind_final_seal", record.offset, length,
             "a record stands behind the final seal");
    return;
  }
  hint_seen_ = true;
  if (broken_ || unsupported_) {
    return;  // there is nothing to derive them from
  }
  Bytes bytes;
  append_record(bytes, id_, type, record.frame.seq, record.body);
  const std::uint64_t place = record.offset - hints_begin_;
  if (place > hints_.size() || length > hints_.size() - place ||
      !std::equal(bytes.begin(), bytes.end(),
                  hints_.begin() + static_cast<std::ptrdiff_t>(place))) {
    tampered("hint_mismatch", record.offset, length,
             "the index or footer is not the one of this file: it would show something else");
  }
}

// Index and footer as they must stand behind this record, the last one before them.
void Verifier::derive_hints(const RecordScanner::Record& last) {
  hints_begin_ = last.end();
  hints_ = index_.encode(id_, last.frame.seq + 1, hints_begin_, end_offset_, final_offset_);
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
  noted_key_box_ = note.key_box_digest;
  noted_stored_ = note.stored_digest;
}

void Verifier::on_key_box(const RecordScanner::Record& record) {
  const std::uint64_t length = k_frame_bytes + record.body.size();
  const auto body = ByteView(record.body);
  if (!encryption_ || key_box_seen_ || record.frame.seq != 1) {
    suspect("misplaced_key_box", record.offset, length, "a key box stands where none belongs");
  }
  key_box_seen_ = true;
  const auto signed_part = body.first(std::min(body.size(), k_key_box_signed_bytes));
  open_.push_back({record.frame.seq, record.offset, length, RecordType::key_box,
                   record_leaf(RecordType::key_box, record.frame.seq, signed_part), true});
  const auto box = decode_key_box(body);
  if (!box) {
    suspect("bad_key_box", record.offset, length, box.error().context);
    return;
  }
  key_box_digest_ = sha256(body.subspan(k_key_box_signed_bytes));
  other_key_ = box->form == KeyBoxForm::other_key;
  if (box->form == KeyBoxForm::recorded && digest_of_boxes(box->boxes) != box->boxes_digest) {
    suspect("key_box_changed", record.offset, length,
            "the key box is not the one that the recorder made");
  } else if (box->form == KeyBoxForm::renewed) {
    find(Severity::note, "key_box_renewed", record.offset, length,
         "the key box was made anew for other recipients (not by the recorder)");
  } else if (box->form == KeyBoxForm::absent && encryption_ && !encryption_->detached) {
    find(Severity::note, "key_box_removed", record.offset, length,
         "the key box that the recorder put here was taken out");
  }
  if (box->in_clear()) {
    report_.access = EventAccess::opened;
  } else if (encryption_) {
    unlock(*box, *encryption_);
  }
}

void Verifier::unlock(const KeyBox& box, const EncryptionDescriptor& descriptor) {
  if (options_.keys == nullptr || options_.keys->empty()) {
    report_.locked_reason = "no identity was given";
    return;
  }
  auto key = options_.keys->open(id_, box, descriptor);
  if (!key) {
    report_.locked_reason = key.error().context;
    return;
  }
  auto opener = PayloadOpener::create(id_, *std::move(key));
  if (opener) {
    opener_.emplace(*std::move(opener));
    report_.access = EventAccess::opened;
  }
}

// What stands in a chunk of an encrypted session, against the hash that its leaf covers. False: it
// need not be looked at any further.
bool Verifier::check_stored(const ChunkBody& chunk, const RecordScanner::Record& record) {
  const auto bad = [&](std::string code, std::string text) {
    open_.back().content_holds = false;
    group_valid_ = false;
    suspect(std::move(code), record.offset, k_frame_bytes + record.body.size(),
            fmt::format("chunk {}: {}", chunk.core.chunk_no, text));
    return false;
  };
  if (chunk.stored_hash.has_value() != encryption_.has_value()) {
    return bad("chunk_unreadable", encryption_ ? "in clear in an encrypted session"
                                               : "encrypted in a session in clear");
  }
  if (!encryption_) {
    return true;
  }
  const Digest hash = hash_of_stored(id_, chunk);
  if (chunk.rewritten) {
    ++report_.rewritten_chunks;
    stored_.add(chunk.core.chunk_no, hash);
    return true;
  }
  return hash == *chunk.stored_hash ||
         bad("chunk_changed", "its ciphertext is not the one that was sealed");
}

// A redacted copy of an encrypted session: the redactor answers for what he stored.
void Verifier::check_rewritten() {
  if (report_.rewritten_chunks == 0 && !other_key_) {
    return;
  }
  if (report_.rewritten_chunks != report_.chunks || !other_key_ ||
      noted_key_box_ != key_box_digest_ || noted_stored_ != stored_.finish()) {
    tampered("redaction_mismatch", 0, 0,
             fmt::format("{} chunks were encrypted anew, and no redaction note accounts for "
                         "exactly what is stored",
                         report_.rewritten_chunks));
  }
}

// Who removes events must say so: the last note covers every removed event of the file.
void Verifier::check_redactions() {
  report_.redacted_events = removed_.count();
  check_rewritten();
  if (removed_.count() == 0 && report_.redactions.empty()) {
    return;
  }
  const bool unseen = report_.access == EventAccess::locked && !report_.redactions.empty();
  const Digest list = removed_.finish();
  if (unseen) {
    report_.redacted_events = report_.redactions.back().events;
  } else if (report_.redactions.empty() || removed_digests_.back() != list ||
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

void Verifier::check_events(ChunkBody& chunk, const RecordScanner::Record& record) {
  const std::uint64_t length = k_frame_bytes + record.body.size();
  auto& leaf = open_.back();
  const auto bad = [&](std::string code, std::string text) {
    leaf.content_holds = false;
    suspect(std::move(code), record.offset, length,
            fmt::format("chunk {}: {}", chunk.core.chunk_no, text));
  };
  if (chunk.begins_group) {
    decompressor_.begin_group();
    group_valid_ = true;
    group_raw_ = 0;
  }
  if (!group_valid_) {
    bad("chunk_unreadable", "the beginning of its group is lost");
    return;
  }
  group_raw_ += chunk.raw_bytes;
  if (group_raw_ > k_max_group_raw_bytes) {
    group_valid_ = false;
    bad("chunk_unreadable", "its group is larger than the limit of 1 MiB");
    return;
  }
  if (chunk.encrypted) {
    if (report_.access == EventAccess::locked) {
      return;  // the report says that the events were not looked at
    }
    if (!open_chunk(id_, opener_ ? &*opener_ : nullptr, chunk, plain_)) {
      group_valid_ = false;
      bad("chunk_unreadable", "it does not decrypt with the key of the session");
      return;
    }
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
  auto chunk = decode_chunk_body(record.body);
  open_.push_back({record.frame.seq, record.offset, length, RecordType::chunk, {}, true});
  if (!chunk) {
    group_valid_ = false;
    open_.back().content_holds = false;
    if (chunk.error().code == Errc::unsupported) {
      unsupported_ = true;
      find(Severity::failure, "unsupported_chunk", record.offset, length, chunk.error().context);
    } else {
      suspect("bad_chunk", record.offset, length, chunk.error().context);
    }
    return;
  }
  open_.back().leaf = chunk_leaf(record.frame.seq, *chunk);
  const auto& core = chunk->core;
  if (core.chunk_no != next_chunk_ || core.first_event != next_event_ ||
      core.t_first < last_event_time_) {
    suspect("chunk_out_of_order", record.offset, length,
            fmt::format("chunk {} with event {} stands where chunk {} with event {} belongs",
                        core.chunk_no, core.first_event, next_chunk_, next_event_));
  }
  if (!any_unsealed_event_) {
    any_unsealed_event_ = true;
    first_unsealed_time_ = core.t_first;
  }
  index_.add(record.offset, core, chunk->begins_group, chunk->raw_bytes);
  next_chunk_ = core.chunk_no + 1;
  next_event_ = core.first_event + core.n_events;
  last_event_time_ = core.t_last;
  ++report_.chunks;
  if (check_stored(*chunk, record)) {
    check_events(*chunk, record);
  }
}

void Verifier::on_end(const RecordScanner::Record& record) {
  open_.push_back({record.frame.seq, record.offset, k_frame_bytes + record.body.size(),
                   RecordType::end, record_leaf(RecordType::end, record.frame.seq, record.body),
                   true});
  ByteReader r(record.body);
  const auto events = r.u64();
  const auto chunks = r.u32();
  const auto late = r.u64();
  if (record.body.size() != k_end_bytes) {
    suspect("bad_end", record.offset, record.body.size(), "an END record of the wrong form");
    return;
  }
  end_seen_ = true;
  end_offset_ = record.offset;
  report_.late_bytes = *late;
  if (*events != next_event_ || *chunks != next_chunk_) {
    suspect("end_mismatch", record.offset, record.body.size(),
            fmt::format("END counts {} events in {} chunks; the file has {} in {}", *events,
                        *chunks, next_event_, next_chunk_));
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

// Neither proves anything by itself: a suspended host explains much. Both tell where to look.
void Verifier::check_clocks(const Seal& seal, const RecordScanner::Record& record) {
  const auto& policy = report_.header->seal_policy;
  const bool first = report_.seals == 0;
  const MonoTime before = first ? report_.header->started_mono : last_seal_time_;
  if (before.us > 0 && seal.t > before) {
    const std::int64_t silence = seal.t.us - before.us;
    report_.max_silence.us = std::max(report_.max_silence.us, silence);
    const std::int64_t allowed = static_cast<std::int64_t>(policy.heartbeat_ms) * 1000 + k_slack_us;
    if (silence > allowed) {
      find(Severity::warning, "silence", record.offset, 0,
           fmt::format("{} without a seal before seal {} (the policy allows {}); a suspended host "
                       "explains it, a stopped recorder too",
                       format_duration(silence, 1), seal.seal_no, format_duration(allowed, 1)));
    }
  }
  const std::int64_t waited = any_unsealed_event_ && seal.t > first_unsealed_time_
                                  ? seal.t.us - first_unsealed_time_.us
                                  : 0;
  if (waited > static_cast<std::int64_t>(policy.max_interval_ms) * 1000 + k_slack_us) {
    find(Severity::warning, "late_seal", record.offset, 0,
         fmt::format("seal {} came {} after the first event it covers", seal.seal_no,
                     format_duration(waited, 1)));
  }
  // Of the wall clock against the clock that orders. Hostile values may wrap, nothing more.
  const auto offset =
      static_cast<std::uint64_t>(seal.wall.us) - static_cast<std::uint64_t>(seal.t.us);
  const auto step = static_cast<std::int64_t>(offset - clock_offset_);
  if (!first && step < -k_clock_step_us) {
    report_.clock_back_us = std::max(report_.clock_back_us, -step);
  }
  if (!first && (step > k_clock_step_us || step < -k_clock_step_us)) {
    find(Severity::warning, "clock_step", record.offset, 0,
         fmt::format("the wall clock was moved by {:.3f} s before seal {}",
                     static_cast<double>(step) / 1e6, seal.seal_no));
  }
  clock_offset_ = offset;
}

void Verifier::on_seal(const RecordScanner::Record& record) {
  const std::uint64_t length = k_frame_bytes + record.body.size();
  accuse_suspects();
  const auto seal = decode_seal(record.body);
  if (!seal) {
    tampered("bad_seal", record.offset, length, seal.error().context);
    return;
  }
  // A seal that does not hold changes nothing: one that was put in between does not spoil those
  // behind it.
  if (seal->seal_no != next_seal_) {
    tampered("seal_out_of_order", record.offset, length,
             fmt::format("seal {} stands where seal {} belongs", seal->seal_no, next_seal_));
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
    return;
  }
  compare_leaves(*seal, record);
  if (seal->t < last_seal_time_ || (report_.chunks > 0 && seal->t < last_event_time_)) {
    tampered("time_goes_back", record.offset, length,
             fmt::format("seal {} is older than what it covers", seal->seal_no));
  }
  if (seal->final() != is_zero(seal->next_key)) {
    tampered("bad_seal", record.offset, length,
             "a final seal names a next key, or another one names none");
  }
  if (seal->final() != end_seen_) {
    tampered(seal->final() ? "bad_final_seal" : "end_not_final", record.offset, length,
             "the final seal and END belong together");
  }
  check_clocks(*seal, record);
  tree_ = std::move(tree);
  report_.tree_size = tree_.size();
  take_seal(*seal, record, root);
}

void Verifier::take_seal(const Seal& seal, const RecordScanner::Record& record,
                         const Digest& root) {
  if (report_.seals == 0) {
    report_.first_time = seal.wall;
  }
  key_ = seal.next_key;
  last_seal_time_ = seal.t;
  last_seal_seq_ = record.frame.seq;
  any_seal_record_ = true;
  ++next_seal_;
  ++report_.seals;
  report_.root = root;
  report_.sealed_until = seal.wall;
  report_.sealed_bytes = record.end();
  report_.events = next_event_;
  report_.gaps += open_gaps_;
  report_.hidden_inputs += open_hidden_;
  open_gaps_ = open_hidden_ = 0;
  any_unsealed_event_ = false;
  open_.clear();
  if (seal.final()) {
    final_ = true;
    final_offset_ = record.offset;
    derive_hints(record);
  }
}

void Verifier::on_recovered(const RecordScanner::Record& record) {
  const auto bad = [&](std::string text) {
    tampered("bad_recovery", record.offset, record.body.size(), std::move(text));
  };
  const bool first = !report_.recovered;
  report_.recovered = true;
  // A salvaged copy ends with its last valid seal; one without any keeps the header alone.
  const std::size_t unsealed_before = report_.seals != 0 ? 0 : (encryption_ ? 2 : 1);
  if (first && (open_.size() != unsealed_before || !suspects_.empty())) {
    bad("a recovery record stands elsewhere than behind the last seal");
  }
  const auto found = decode_recovered(id_, record.body);
  if (!found) {
    bad(found.error().context);
    return;
  }
  if (!found->signature_holds) {
    bad("the salvager's signature does not hold");
    return;
  }
  report_.recovered_from = found->note.source_digest;
  find(Severity::note, "recovered", record.offset, record.body.size(),
       fmt::format("{} events that no seal of the recorder covers were recovered at {}: {}",
                   found->n_events, format_rfc3339(found->note.when, 0),
                   printable(found->note.reason, 200)));
  if (found->n_events == 0) {
    return;
  }
  next_recovered_ = first ? next_event_ : next_recovered_;
  const std::uint64_t number = found->first_event;
  if (number < next_recovered_) {
    bad(fmt::format("it repeats event {}", number));
  } else if (number > next_recovered_) {
    find(Severity::warning, "events_missing", record.offset, 0,
         fmt::format("events {} to {} could not be recovered", next_recovered_, number - 1));
  }
  next_recovered_ = number + found->n_events;
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
    suspect("record_out_of_order", record.offset, k_frame_bytes + record.body.size(),
            fmt::format("record {} stands where record {} belongs", record.frame.seq, next_seq_));
  }
  next_seq_ = record.frame.seq + 1;
  if (report_.recovered && type != RecordType::recovered) {
    tampered("record_behind_recovery", record.offset, k_frame_bytes + record.body.size(),
             "a record stands behind a recovery record");
  }
  if (encryption_ && !key_box_seen_ && type != RecordType::key_box) {
    key_box_seen_ = true;  // once is enough
    report_.locked_reason = "its key box is missing";
    suspect("key_box_missing", record.offset, 0, "no key box stands behind the header");
  }
  if (end_seen_ && type != RecordType::seal) {
    suspect("record_behind_end", record.offset, k_frame_bytes + record.body.size(),
            "a record stands between END and the final seal");
  }
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
    case RecordType::key_box:
      on_key_box(record);
      return;
    case RecordType::redaction:
      break;
    case RecordType::open_proof:
    case RecordType::anchor:
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
  for (auto& suspect : suspects_) {
    find(Severity::warning, std::move(suspect.code), suspect.offset, suspect.length,
         std::move(suspect.text) + " (behind the last seal)");
  }
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
  const bool unseen = report_.rewritten_chunks != 0 && report_.access == EventAccess::locked;
  if (unseen) {
    find(Severity::warning, "events_not_opened", 0, 0,
         "the copy was encrypted anew by its redactor: whether it holds what was sealed can be "
         "told with its key only");
  }
  std::stable_sort(report_.findings.begin(), report_.findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
  if (broken_) {
    report_.verdict = Verdict::tampered;
  } else if (unsupported_) {
    report_.verdict = Verdict::unsupported;
  } else if (refused_) {
    report_.verdict = Verdict::redaction_refused;
  } else if (unseen) {
    report_.verdict = Verdict::locked;
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
    case Verdict::locked:
      return "LOCKED";
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
    case Verdict::locked:
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
  TRY_ASSIGN(const auto size, file.size());
  const Snapshot snapshot(file, size);
  return Verifier(snapshot, progress, options).run();
}

}  // namespace sworn::format
