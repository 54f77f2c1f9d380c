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
  Bytes body = MapWriter()
                   .binary("source_digest", note.source_digest)
                   .text("actor", note.actor)
                   .text("reason", note.reason)
                   .number("when_us", note.when.us)
                   .unsigned_number("events", note.events)
                   .binary("list_digest", note.list_digest)
                   .binary("key", key.public_key())
                   .finish();
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
  TRY(map.binary("source_digest", source)
          .text("actor", out.note.actor)
          .text("reason", out.note.reason)
          .number("when_us", out.note.when.us)
          .number("events", out.note.events)
          .binary("list_digest", list)
          .binary("key", key)
          .done());
  TRY(take_array(source, out.note.source_digest));
  TRY(take_array(list, out.note.list_digest));
  TRY(take_array(key, out.note.key));
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

namespace {

// One chunk of the group in hand.
struct HeldChunk {
  std::uint32_t seq = 0;
  Bytes body;  // as it stood in the source
  Bytes columns;
};

class Redactor {
 public:
  Redactor(const FileId& id, const Replacements& replacements, AppendFile& out)
      : id_(id), replacements_(replacements), out_(out) {}

  Result<void> copy(ByteView bytes) {
    TRY(out_.append(bytes));
    offset_ += bytes.size();
    return {};
  }

  Result<void> take(const RecordScanner::Record& record) {
    if (record.frame.record_type() == RecordType::chunk) {
      return take_chunk(record);
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
    TRY_ASSIGN(const auto chunk, decode_chunk_body(record.body));
    if (chunk.begins_group) {
      TRY(flush_group());
      decompressor_.begin_group();
    }
    HeldChunk held;
    held.seq = record.frame.seq;
    held.body.assign(record.body.begin(), record.body.end());
    held.columns.resize(chunk.raw_bytes);
    TRY(decompressor_.decompress(chunk.stored, held.columns));
    const auto first = replacements_.lower_bound(chunk.core.first_event);
    touched_ = touched_ || (first != replacements_.end() &&
                            first->first < chunk.core.first_event + chunk.core.n_events);
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

  Result<void> write_chunk(std::uint32_t seq, const ChunkCore& core, std::uint32_t raw, bool begins,
                           ByteView body) {
    index.add(offset_, core, begins, raw);
    Bytes bytes;
    append_record(bytes, id_, RecordType::chunk, seq, body);
    return copy(bytes);
  }

  struct Rewritten {
    Bytes body;
    std::uint32_t raw = 0;
    bool begins_group = false;
  };
  Result<Rewritten> rewrite(const HeldChunk& held, const ChunkBody& chunk, Compressor& compressor);

  FileId id_;
  const Replacements& replacements_;
  AppendFile& out_;
  std::uint64_t offset_ = 0;
  Decompressor decompressor_;
  std::vector<HeldChunk> group_;
  std::vector<Other> between_;
  std::size_t group_raw_ = 0;  // of what was rewritten
  bool touched_ = false;
};

// The chunk with its removed events replaced; its core stays to the byte.
Result<Redactor::Rewritten> Redactor::rewrite(const HeldChunk& held, const ChunkBody& chunk,
                                              Compressor& compressor) {
  std::vector<EventView> events;
  TRY(decode_columns(chunk.core, held.columns, events));
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
  TRY_ASSIGN(const auto nodes, puncture(chunk.salt_nodes, before, after));
  if (nodes.size() > 0xFFFF || builder.raw_bytes() > k_max_chunk_raw_bytes) {
    return fail(Errc::exhausted, "too many separate removals in one chunk: remove a whole range");
  }
  Rewritten out;
  out.raw = static_cast<std::uint32_t>(builder.raw_bytes());
  // Commitments make a chunk larger: a group that would exceed its limit goes on as a new one.
  out.begins_group = chunk.begins_group || group_raw_ + out.raw > k_max_group_raw_bytes;
  group_raw_ = out.begins_group ? out.raw : group_raw_ + out.raw;
  Bytes columns;
  builder.append_columns(columns);
  out.body.assign(chunk.core_bytes.begin(), chunk.core_bytes.end());
  append_chunk_frame(out.body, out.raw, out.begins_group,
                     punctured ? k_salt_punctured : k_salt_seed, nodes);
  TRY(compressor.compress(columns, out.begins_group ? GroupPart::opens : GroupPart::continues,
                          out.body));
  return out;
}

// A group is recompressed as a whole: later chunks of its zstd frame may refer to removed bytes.
Result<void> Redactor::flush_group() {
  Compressor compressor(1);
  for (std::size_t k = 0; k <= group_.size(); ++k) {
    for (const auto& other : between_) {
      if (other.after == k && !group_.empty()) {
        TRY(write_other(other.frame, other.body));
      }
    }
    if (k == group_.size()) {
      break;
    }
    const auto& held = group_[k];
    TRY_ASSIGN(const auto chunk, decode_chunk_body(held.body));
    if (!touched_ && chunk.salt_form == k_salt_seed) {
      TRY(write_chunk(held.seq, chunk.core, chunk.raw_bytes, chunk.begins_group, held.body));
      continue;
    }
    TRY_ASSIGN(const auto rewritten, rewrite(held, chunk, compressor));
    if (touched_) {
      TRY(write_chunk(held.seq, chunk.core, rewritten.raw, rewritten.begins_group, rewritten.body));
    } else {
      TRY(write_chunk(held.seq, chunk.core, chunk.raw_bytes, chunk.begins_group, held.body));
    }
  }
  group_.clear();
  between_.clear();
  touched_ = false;
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

}  // namespace

Result<RedactReport> redact(const ReadFile& source, const Replacements& replacements,
                            const SigningKey& redactor, const std::string& actor,
                            const std::string& reason, Clock& clock, AppendFile& out) {
  if (replacements.empty()) {
    return fail(Errc::bad_usage, "nothing to redact");
  }
  TRY_ASSIGN(const auto checked, verify(source));
  if (!checked.closed || checked.recovered ||
      (checked.verdict != Verdict::self_consistent &&
       checked.verdict != Verdict::redaction_refused)) {
    return fail(Errc::bad_usage, "only a closed and undamaged session can be redacted");
  }
  if (replacements.rbegin()->first >= checked.events) {
    return fail(Errc::bad_usage,
                "the session has no event " + std::to_string(replacements.rbegin()->first));
  }
  const FileId id = checked.header->file_id;
  Bytes preamble(k_preamble_bytes);
  TRY_ASSIGN(const auto n, source.read_at(0, preamble));
  preamble.resize(n);
  Redactor copy(id, replacements, out);
  TRY(copy.copy(preamble));
  RecordScanner scanner(source, id, k_preamble_bytes);
  std::uint32_t next_seq = 0;
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
  }
  TRY(copy.flush_group());
  RedactionNote note;
  TRY_ASSIGN(note.source_digest, digest_of(source));
  note.actor = actor;
  note.reason = reason;
  note.when = clock.wall();
  note.events = copy.list.count();
  note.list_digest = copy.list.finish();
  TRY_ASSIGN(const auto body, encode_redaction(id, note, redactor));
  Bytes record;
  append_record(record, id, RecordType::redaction, next_seq++, body);
  TRY(copy.copy(record));
  TRY(copy.copy(
      copy.index.encode(id, next_seq, copy.offset(), copy.end_offset, copy.last_seal_offset)));
  TRY(out.sync());
  return copy.report;
}

}  // namespace sworn::format
