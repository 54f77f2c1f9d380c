// SPDX-License-Identifier: Apache-2.0
#include "format/redact.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "format/chunk.hpp"
#include "format/compress.hpp"
#include "format/digest.hpp"
#include "format/index.hpp"
#include "format/msgpack_map.hpp"
#include "format/record.hpp"
#include "format/verify.hpp"

#include <algorithm>

namespace sworn::format {
namespace {

Bytes message_for(const FileId& id, ByteView map) {
  Bytes out;
  ByteWriter(out).bytes(as_bytes(k_domain_redaction)).bytes(id).bytes(sha256(map));
  return out;
}

template <std::size_t N>
Result<void> take_array(const Bytes& from, std::array<std::byte, N>& to) {
  if (from.size() != N) {
    return fail(Errc::corrupt, "a redaction note with a field of the wrong size");
  }
  std::copy(from.begin(), from.end(), to.begin());
  return {};
}

}  // namespace

Result<Bytes> encode_redaction(const FileId& file_id, const RedactionNote& note,
                               const SigningKey& key) {
  MapWriter map;
  map.binary("source_digest", note.source_digest)
      .text("actor", note.actor)
      .text("reason", note.reason)
      .number("when_us", note.when.us)
      .unsigned_number("events", note.events)
      .binary("list_digest", note.list_digest)
      .binary("key", key.public_key());
  if (note.key_box_digest && note.stored_digest) {
    map.binary("key_box", *note.key_box_digest).binary("stored", *note.stored_digest);
  }
  Bytes body = map.finish();
  TRY_ASSIGN(const auto signature, key.sign(message_for(file_id, body)));
  append(body, signature);
  return body;
}

Result<DecodedRedaction> decode_redaction(const FileId& file_id, ByteView body) {
  if (body.size() <= sizeof(Signature)) {
    return fail(Errc::truncated, "a redaction record that is too short");
  }
  const auto signed_part = body.first(body.size() - sizeof(Signature));
  TRY_ASSIGN(auto map, MapReader::parse(signed_part));
  DecodedRedaction out;
  Bytes source;
  Bytes list;
  Bytes key;
  Bytes key_box;
  Bytes stored;
  TRY(map.binary("source_digest", source)
          .text("actor", out.note.actor)
          .text("reason", out.note.reason)
          .number("when_us", out.note.when.us)
          .number("events", out.note.events)
          .binary("list_digest", list)
          .binary("key", key)
          .binary("key_box", key_box)
          .binary("stored", stored)
          .done());
  TRY(take_array(source, out.note.source_digest));
  TRY(take_array(list, out.note.list_digest));
  TRY(take_array(key, out.note.key));
  if (!key_box.empty() || !stored.empty()) {
    TRY(take_array(key_box, out.note.key_box_digest.emplace()));
    TRY(take_array(stored, out.note.stored_digest.emplace()));
  }
  Signature signature{};
  const auto last = body.last(sizeof(Signature));
  std::copy(last.begin(), last.end(), signature.begin());
  out.signature_holds =
      verify_signature(out.note.key, message_for(file_id, signed_part), signature);
  return out;
}

struct RedactionList::Impl {
  Sha256 hash;
};
RedactionList::RedactionList() : impl_(std::make_unique<Impl>()) {}
RedactionList::~RedactionList() = default;

void RedactionList::add(std::uint64_t number, ByteView commitment, ByteView replacement) {
  Bytes head;
  ByteWriter(head)
      .u64(number)
      .bytes(commitment)
      .u32(static_cast<std::uint32_t>(replacement.size()));
  impl_->hash.update(head).update(replacement);
  ++count_;
}
Digest RedactionList::finish() {
  return impl_->hash.finish();
}

void StoredList::add(std::uint32_t chunk_no, const Digest& stored) {
  Bytes line;
  ByteWriter(line).u32(chunk_no).bytes(stored);
  hash_.update(line);
}

namespace {

// One chunk of the group in hand.
struct HeldChunk {
  std::uint32_t seq = 0;
  Bytes body;       // as it stood in the source
  Bytes plain;      // of an encrypted one
  ChunkBody chunk;  // views into the two
};

class Redactor {
 public:
  Redactor(const FileId& id, const Replacements& replacements, AppendFile& out)
      : id_(id), replacements_(replacements), out_(out) {}

  // Of an encrypted session: the old key, and the new one (null: in clear) with its box.
  void set_keys(std::optional<PayloadOpener> opener, std::optional<PayloadSealer> sealer,
                KeyBox box) {
    encrypted_ = true;
    opener_ = std::move(opener);
    sealer_ = std::move(sealer);
    box_ = std::move(box);
  }

  Result<void> copy(ByteView bytes) {
    TRY(out_.append(bytes));
    offset_ += bytes.size();
    return {};
  }

  Result<void> take(const RecordScanner::Record& record) {
    if (record.frame.record_type() == RecordType::chunk) {
      return take_chunk(record);
    }
    if (record.frame.record_type() == RecordType::key_box) {
      return write_other(record.frame, encode(box_));
    }
    if (!group_.empty()) {
      // Seals stand between the chunks of a group: keep the order.
      between_.push_back(
          {group_.size(), record.frame, Bytes(record.body.begin(), record.body.end())});
      return {};
    }
    return write_other(record.frame, record.body);
  }

  Result<void> flush_group();

  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  IndexBuilder index;
  RedactionList list;
  StoredList stored;
  RedactReport report;
  std::uint64_t end_offset = 0;
  std::uint64_t last_seal_offset = 0;

 private:
  struct Other {
    std::size_t after = 0;  // chunks of the group that precede it
    Frame frame;
    Bytes body;
  };

  Result<void> take_chunk(const RecordScanner::Record& record) {
    auto held = std::make_unique<HeldChunk>();
    held->seq = record.frame.seq;
    held->body.assign(record.body.begin(), record.body.end());
    TRY_ASSIGN(held->chunk, decode_chunk_body(held->body));
    TRY(open_chunk(id_, opener_ ? &*opener_ : nullptr, held->chunk, held->plain));
    const auto& core = held->chunk.core;
    if (held->chunk.begins_group) {
      TRY(flush_group());
    }
    const auto first = replacements_.lower_bound(core.first_event);
    touched_ = touched_ ||
               (first != replacements_.end() && first->first < core.first_event + core.n_events);
    punctured_ = punctured_ || held->chunk.salt_form != k_salt_seed;
    group_.push_back(std::move(held));
    return {};
  }

  Result<void> write_other(const Frame& frame, ByteView body) {
    if (frame.record_type() == RecordType::seal) {
      last_seal_offset = offset_;
    } else if (frame.record_type() == RecordType::end) {
      end_offset = offset_;
    }
    Bytes bytes;
    append_record(bytes, id_, frame.record_type(), frame.seq, body);
    return copy(bytes);
  }

  // What stands behind the core of a chunk.
  struct Content {
    std::uint32_t raw = 0;
    bool begins_group = false;
    std::uint8_t salt_form = k_salt_seed;
    std::vector<Digest> nodes;
    Bytes stored;
  };
  Result<void> write_chunk(const HeldChunk& held, const Content& content);
  Result<Content> rewrite(const HeldChunk& held, Compressor& compressor);

  FileId id_;
  const Replacements& replacements_;
  AppendFile& out_;
  std::uint64_t offset_ = 0;
  Decompressor decompressor_;
  std::vector<std::unique_ptr<HeldChunk>> group_;
  std::vector<Other> between_;
  Bytes columns_;
  std::size_t group_raw_ = 0;  // of what was rewritten
  bool touched_ = false;
  bool punctured_ = false;

  bool encrypted_ = false;
  std::optional<PayloadOpener> opener_;
  std::optional<PayloadSealer> sealer_;
  KeyBox box_;
};

Result<void> Redactor::write_chunk(const HeldChunk& held, const Content& content) {
  index.add(offset_, held.chunk.core, content.begins_group, content.raw);
  Bytes body(held.chunk.core_bytes.begin(), held.chunk.core_bytes.end());
  if (encrypted_) {
    ChunkSeal how;
    how.raw_bytes = content.raw;
    how.begins_group = content.begins_group;
    how.salt_form = content.salt_form;
    how.salt_nodes = static_cast<std::uint16_t>(content.nodes.size());
    how.kept = held.chunk.stored_hash;
    Bytes plain;
    for (const auto& node : content.nodes) {
      append(plain, node);
    }
    append(plain, content.stored);
    TRY_ASSIGN(const auto hash, append_sealed(id_, held.chunk.core, how,
                                              sealer_ ? &*sealer_ : nullptr, plain, body));
    erase(plain);
    stored.add(held.chunk.core.chunk_no, hash);
  } else {
    append_chunk_frame(body, content.raw, content.begins_group, content.salt_form, content.nodes);
    append(body, content.stored);
  }
  Bytes bytes;
  append_record(bytes, id_, RecordType::chunk, held.seq, body);
  return copy(bytes);
}

// The chunk with its removed events replaced; its core stays to the byte. The chunk's group must
// have been decompressed up to here.
Result<Redactor::Content> Redactor::rewrite(const HeldChunk& held, Compressor& compressor) {
  const auto& chunk = held.chunk;
  columns_.resize(chunk.raw_bytes);
  TRY(decompressor_.decompress(chunk.stored, columns_));
  std::vector<EventView> events;
  TRY(decode_columns(chunk.core, columns_, events));
  std::vector<bool> before(events.size());
  std::vector<bool> after(events.size());
  std::vector<Digest> salts;
  TRY_ASSIGN(const auto root, leaf_root(events, chunk, salts));
  if (root != chunk.core.leaf_root) {
    return fail(Errc::bad_seal, "a chunk does not hold what it commits to");
  }
  TRY(event_salts(events, chunk, salts));
  std::vector<Digest> commitments(events.size());
  ChunkBuilder builder;
  bool touched = false;
  for (std::size_t j = 0; j < events.size(); ++j) {
    auto& event = events[j];
    before[j] = event.redacted;
    const auto wanted = replacements_.find(event.number);
    if (wanted != replacements_.end()) {
      if (!event.redacted) {
        commitments[j] = event_commitment(salts[j], event.data);
        event.commitment = commitments[j];
        event.redacted = true;
        ++report.removed_now;
      }
      event.data = wanted->second;
      touched = true;
    }
    after[j] = event.redacted;
    report.removed_before += before[j] ? 1U : 0U;
    if (event.redacted) {
      list.add(event.number, event.commitment, event.data);
    }
    builder.add(event);
  }
  report.chunks_touched += touched ? 1U : 0U;
  const bool punctured = std::find(after.begin(), after.end(), true) != after.end();
  Content out;
  TRY_ASSIGN(out.nodes, puncture(chunk.salt_nodes, before, after));
  if (out.nodes.size() > 0xFFFF || builder.raw_bytes() > k_max_chunk_raw_bytes) {
    return fail(Errc::exhausted, "too many separate removals in one chunk: remove a whole range");
  }
  out.raw = static_cast<std::uint32_t>(builder.raw_bytes());
  out.salt_form = punctured ? k_salt_punctured : k_salt_seed;
  // Commitments make a chunk larger: a group that would exceed its limit goes on as a new one.
  out.begins_group = chunk.begins_group || group_raw_ + out.raw > k_max_group_raw_bytes;
  group_raw_ = out.begins_group ? out.raw : group_raw_ + out.raw;
  Bytes columns;
  builder.append_columns(columns);
  TRY(compressor.compress(columns, out.begins_group ? GroupPart::opens : GroupPart::continues,
                          out.stored));
  return out;
}

// A group is recompressed as a whole: later chunks of its zstd frame may refer to removed bytes.
// One that nothing is removed from is copied; it is looked into only for the list of what earlier
// redactions removed.
Result<void> Redactor::flush_group() {
  std::optional<Compressor> compressor;
  if (touched_ || punctured_) {
    compressor.emplace(1);
    decompressor_.begin_group();
  }
  for (std::size_t k = 0; k <= group_.size(); ++k) {
    for (const auto& other : between_) {
      if (other.after == k && !group_.empty()) {
        TRY(write_other(other.frame, other.body));
      }
    }
    if (k == group_.size()) {
      break;
    }
    const auto& held = *group_[k];
    Content content;
    if (compressor) {
      TRY_ASSIGN(content, rewrite(held, *compressor));
    }
    if (!touched_) {
      const auto& chunk = held.chunk;
      content = {chunk.raw_bytes, chunk.begins_group, chunk.salt_form, chunk.salt_nodes,
                 Bytes(chunk.stored.begin(), chunk.stored.end())};
    }
    TRY(write_chunk(held, content));
  }
  group_.clear();
  between_.clear();
  touched_ = punctured_ = false;
  return {};
}

Result<Digest> digest_of(const ReadFile& file) {
  Sha256 hash;
  Bytes buffer(1U << 20U);
  for (std::uint64_t offset = 0;;) {
    TRY_ASSIGN(const auto n, file.read_at(offset, buffer));
    if (n == 0) {
      return hash.finish();
    }
    hash.update(ByteView(buffer).first(n));
    offset += n;
  }
}

// The keys of the copy: all of it is encrypted anew, so that neither the old key opens it nor a
// nonce is used twice.
Result<void> change_keys(const ReadFile& source, const SessionHeader& header,
                         const RedactRequest& request, Entropy& entropy, Redactor& copy,
                         RedactionNote& note) {
  TRY_ASSIGN(const auto descriptor, decode_encryption_descriptor(header.encryption));
  TRY_ASSIGN(auto box, read_key_box(source, header.file_id));
  if (!box) {
    return fail(Errc::corrupt, "the key box of the session is missing");
  }
  std::optional<PayloadOpener> opener;
  if (!box->in_clear()) {
    const KeyRing none;
    const auto& keys = request.keys != nullptr ? *request.keys : none;
    TRY_ASSIGN(auto key, keys.open(header.file_id, *box, descriptor));
    TRY_ASSIGN(auto made, PayloadOpener::create(header.file_id, std::move(key)));
    opener.emplace(std::move(made));
  }
  box->form = KeyBoxForm::other_key;
  box->other_commitment = {};
  box->boxes.clear();
  std::optional<PayloadSealer> sealer;
  if (request.recipients != nullptr && !request.recipients->empty()) {
    Key key;
    TRY(entropy.fill(key.span()));
    TRY_ASSIGN(box->other_commitment, commitment_of(header.file_id, key));
    TRY_ASSIGN(box->boxes, close_boxes(header.file_id, key, *request.recipients, entropy));
    TRY_ASSIGN(auto made, PayloadSealer::create(header.file_id, std::move(key)));
    sealer.emplace(std::move(made));
  }
  note.key_box_digest = sha256(ByteView(encode(*box)).subspan(k_key_box_signed_bytes));
  copy.set_keys(std::move(opener), std::move(sealer), *std::move(box));
  return {};
}

bool may_be_redacted(const VerifyReport& checked) {
  return checked.closed && !checked.recovered &&
         (checked.verdict == Verdict::self_consistent ||
          checked.verdict == Verdict::redaction_refused);
}

// All records but the hints; the number of the next one.
Result<std::uint32_t> copy_records(const ReadFile& source, const FileId& id,
                                   const RedactRequest& request, Redactor& copy) {
  Bytes preamble(k_preamble_bytes);
  TRY_ASSIGN(const auto n, source.read_at(0, preamble));
  preamble.resize(n);
  TRY(copy.copy(preamble));
  TRY_ASSIGN(const auto size, source.size());
  RecordScanner scanner(source, id, k_preamble_bytes);
  std::uint32_t next_seq = 0;
  std::uint64_t told = 0;
  while (true) {
    TRY_ASSIGN(const auto record, scanner.next());
    if (!record) {
      break;
    }
    const auto type = record->frame.record_type();
    if (type == RecordType::index || type == RecordType::footer) {
      continue;
    }
    TRY(copy.take(*record));
    next_seq = record->frame.seq + 1;
    if (request.progress && record->offset - told > (1U << 20U)) {
      told = record->offset;
      request.progress(size + told, 2 * size);
    }
  }
  TRY(copy.flush_group());
  return next_seq;
}

}  // namespace

Result<RedactReport> redact(const ReadFile& source, const RedactRequest& request, Clock& clock,
                            Entropy& entropy, AppendFile& out) {
  const auto& replacements = *request.replacements;
  if (replacements.empty()) {
    return fail(Errc::bad_usage, "nothing to redact");
  }
  VerifyOptions options;
  options.keys = request.keys;
  const auto tell = [&](std::uint64_t done, std::uint64_t total) {
    if (request.progress) {
      request.progress(done, 2 * total);
    }
  };
  TRY_ASSIGN(const auto checked, verify(source, tell, options));
  if (checked.access == EventAccess::locked) {
    return fail(Errc::locked, checked.locked_reason);
  }
  if (!may_be_redacted(checked)) {
    return fail(Errc::bad_usage, "only a closed and undamaged session can be redacted");
  }
  if (replacements.rbegin()->first >= checked.events) {
    return fail(Errc::bad_usage,
                "the session has no event " + std::to_string(replacements.rbegin()->first));
  }
  const FileId id = checked.header->file_id;
  Redactor copy(id, replacements, out);
  RedactionNote note;
  const bool encrypted = !checked.header->encryption.empty();
  if (encrypted) {
    TRY(change_keys(source, *checked.header, request, entropy, copy, note));
  }
  TRY_ASSIGN(auto next_seq, copy_records(source, id, request, copy));
  TRY_ASSIGN(note.source_digest, digest_of(source));
  note.actor = request.actor;
  note.reason = request.reason;
  note.when = clock.wall();
  note.events = copy.list.count();
  note.list_digest = copy.list.finish();
  if (encrypted) {
    note.stored_digest = copy.stored.finish();
  }
  TRY_ASSIGN(const auto body, encode_redaction(id, note, *request.redactor));
  Bytes record;
  append_record(record, id, RecordType::redaction, next_seq++, body);
  TRY(copy.copy(record));
  TRY(copy.copy(
      copy.index.encode(id, next_seq, copy.offset(), copy.end_offset, copy.last_seal_offset)));
  TRY(out.sync());
  return copy.report;
}

Result<RedactReport> redact(const ReadFile& source, const Replacements& replacements,
                            const SigningKey& redactor, const std::string& actor,
                            const std::string& reason, Clock& clock, AppendFile& out) {
  RedactRequest request;
  request.replacements = &replacements;
  request.redactor = &redactor;
  request.actor = actor;
  request.reason = reason;
  SystemEntropy entropy;
  return redact(source, request, clock, entropy, out);
}

}  // namespace sworn::format
