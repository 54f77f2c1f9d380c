// SPDX-License-Identifier: Apache-2.0
#include "format/salvage.hpp"

#include "format/digest.hpp"
#include "format/record.hpp"
#include "format/recovered.hpp"
#include "format/session_reader.hpp"
#include "format/tail.hpp"
#include "format/verify.hpp"

#include <algorithm>

namespace sworn::format {
namespace {

// Of columns, at most: a record must stay below k_max_chunk_raw_bytes.
constexpr std::size_t k_batch_bytes = 512 * 1024;
constexpr std::size_t k_column_bytes = 25;  // kind, three numbers of up to 64 bits, length
static_assert(k_batch_bytes + k_max_event_bytes + k_column_bytes <= k_max_chunk_raw_bytes);

Result<Digest> digest_file(const ReadFile& file) {
  Sha256 hash;
  Bytes buffer(1U << 20U);
  std::uint64_t offset = 0;
  while (true) {
    TRY_ASSIGN(const auto n, file.read_at(offset, buffer));
    if (n == 0) {
      return hash.finish();
    }
    hash.update(ByteView(buffer).first(n));
    offset += n;
  }
}

Result<void> copy_prefix(const ReadFile& from, std::uint64_t bytes, AppendFile& to) {
  Bytes buffer(1U << 20U);
  std::uint64_t offset = 0;
  while (offset < bytes) {
    const auto want = std::min<std::uint64_t>(buffer.size(), bytes - offset);
    TRY_ASSIGN(const auto n, from.read_at(offset, std::span(buffer).first(want)));
    if (n == 0) {
      return fail(Errc::truncated, "the file became shorter while it was read");
    }
    TRY(to.append(ByteView(buffer).first(n)));
    offset += n;
  }
  return {};
}

// Writes events as RECOVERED records of bounded size.
class RecoveredWriter {
 public:
  RecoveredWriter(AppendFile& out, const FileId& id, std::uint32_t seq, RecoveredNote note,
                  Entropy& entropy)
      : out_(out), id_(id), seq_(seq), note_(std::move(note)), entropy_(entropy) {}

  Result<void> begin() {
    std::array<std::byte, 32> seed{};
    TRY(entropy_.fill(seed));
    auto key = SigningKey::from_seed(seed);
    erase(seed);
    TRY_ASSIGN(auto made, std::move(key));
    key_.emplace(std::move(made));
    return {};
  }
  void not_before(MonoTime t) { last_ = t; }
  Result<void> add(const EventView& view) {
    // Times of damaged sources may go back; the columns cannot say so.
    const MonoTime t = std::max(view.t, last_);
    last_ = t;
    batch_.push_back({view.number, view.kind, t, std::min(view.at, t),
                      Bytes(view.data.begin(), view.data.end()), false});
    bytes_ += view.data.size() + k_column_bytes;
    if (bytes_ >= k_batch_bytes) {
      return flush();
    }
    return {};
  }
  // Of an encrypted session: as it stands in the source.
  Result<void> carry(RecoveredContent content, ByteView part) {
    TRY_ASSIGN(const auto body, encode_carried(id_, note_, *key_, content, part));
    return put(body);
  }
  Result<void> flush() { return batch_.empty() ? Result<void>() : write(); }
  // At least one record, so that the copy says that it is one.
  Result<void> finish() { return batch_.empty() && wrote_ ? Result<void>() : write(); }

 private:
  Result<void> write() {
    std::vector<EventView> views;
    views.reserve(batch_.size());
    for (const auto& event : batch_) {
      views.push_back(event.view());
    }
    TRY_ASSIGN(const auto body, encode_recovered(id_, note_, *key_, views, entropy_));
    batch_.clear();
    bytes_ = 0;
    return put(body);
  }
  Result<void> put(ByteView body) {
    Bytes record;
    append_record(record, id_, RecordType::recovered, seq_++, body);
    wrote_ = true;
    return out_.append(record);
  }

  AppendFile& out_;
  FileId id_;
  std::uint32_t seq_;
  RecoveredNote note_;
  Entropy& entropy_;
  std::optional<SigningKey> key_;
  std::vector<Event> batch_;
  std::size_t bytes_ = 0;
  bool wrote_ = false;
  MonoTime last_{};
};

// What is kept of the source, byte for byte, and the number of the record that follows it.
struct Prefix {
  std::uint64_t bytes = 0;
  std::uint32_t next_seq = 0;
};
// Through the last valid seal, also where something before it is damaged: what stands behind the
// damage is proven all the same. Without a valid seal the header alone is kept, and its key box.
Result<Prefix> sealed_prefix(const ReadFile& source, const FileId& id, std::uint64_t sealed_bytes,
                             bool encrypted) {
  RecordScanner scanner(source, id, k_preamble_bytes);
  std::optional<Prefix> start;
  while (true) {
    TRY_ASSIGN(const auto record, scanner.next());
    if (start && !encrypted) {
      return *start;
    }
    if (start && (!record || record->frame.record_type() != RecordType::key_box)) {
      return fail(Errc::corrupt,
                  "the file ends before its key box: nobody can read anything of it");
    }
    if (!record) {
      return fail(Errc::corrupt, "the file changed while it was read");
    }
    const Prefix here{record->end(), record->frame.seq + 1};
    if (record->end() == sealed_bytes || start) {
      return here;
    }
    if (sealed_bytes == 0) {
      start = here;
    }
  }
}

// Of the last chunk in which an event below `number` stands.
MonoTime last_time_before(const SessionReader& reader, std::uint64_t number) {
  MonoTime last{};
  for (const auto& ref : reader.chunks()) {
    if (ref.first_event < number) {
      last = ref.t_last;
    }
  }
  return last;
}

struct Leftover {
  std::vector<Event> tail;
  std::vector<SealedTailEntry> sealed_tail;  // of an encrypted session
  Digest tail_digest{};
  bool used = false;
  bool hole = false;
};

Result<Leftover> read_leftover(const std::string& tail_path, const SessionReader& reader) {
  Leftover out;
  if (tail_path.empty()) {
    return out;
  }
  TRY_ASSIGN(const auto file, PosixReadFile::open(tail_path));
  TRY_ASSIGN(out.tail_digest, digest_file(*file));
  if (reader.encrypted()) {
    TRY_ASSIGN(auto sealed,
               read_sealed_tail(tail_path, reader.header().file_id, reader.event_count()));
    out.sealed_tail = std::move(sealed.entries);
    out.used = sealed.encrypted;  // a tail in clear beside it is not the one of this recorder
    out.hole = sealed.hole;
    return out;
  }
  TRY_ASSIGN(auto contents, read_tail(tail_path, reader.header().file_id, reader.event_count()));
  out.tail = std::move(contents.events);
  out.used = true;
  out.hole = contents.hole;
  return out;
}

Result<void> recover_events(SessionReader& reader, Leftover& leftover, std::uint64_t first_event,
                            RecoveredWriter& writer, SalvageReport& report) {
  reader.set_tail(std::move(leftover.tail));
  TRY(reader.seek_event(first_event));
  std::uint64_t expected = first_event;
  while (true) {
    TRY_ASSIGN(const auto view, reader.next());
    if (!view) {
      return {};
    }
    if (view->number != expected) {
      TRY(writer.flush());  // a record holds consecutive numbers only
    }
    expected = view->number + 1;
    TRY(writer.add(*view));
    ++report.recovered_events;
    report.recovered_bytes += view->data.size();
  }
}

Result<Bytes> chunk_body_at(const ReadFile& source, const FileId& id, std::uint64_t offset) {
  RecordScanner scanner(source, id, offset);
  TRY_ASSIGN(const auto record, scanner.next());
  if (!record || record->offset != offset || record->frame.record_type() != RecordType::chunk) {
    return fail(Errc::corrupt, "a chunk is damaged");
  }
  return Bytes(record->body.begin(), record->body.end());
}

// Ciphertext is carried over as it stands: neither a key is needed for it nor can a nonce be used
// twice.
Result<void> carry_over(const ReadFile& source, const SessionReader& reader,
                        std::uint64_t first_event, Leftover& leftover, RecoveredWriter& writer,
                        SalvageReport& report) {
  const FileId& id = reader.header().file_id;
  for (const auto& ref : reader.chunks()) {
    if (ref.first_event < first_event) {
      continue;
    }
    const auto body = chunk_body_at(source, id, ref.offset);
    if (!body) {
      report.unreadable_bytes += ref.raw_bytes;
      continue;
    }
    TRY(writer.carry(RecoveredContent::chunk, *body));
    report.recovered_events += ref.n_events;
    report.recovered_bytes += body->size();
  }
  Bytes part;
  for (const auto& entry : leftover.sealed_tail) {
    append_carried(part, entry);
    ++report.recovered_events;
    report.recovered_bytes += entry.sealed.size();
    if (part.size() >= k_batch_bytes) {
      TRY(writer.carry(RecoveredContent::tail, part));
      part.clear();
    }
  }
  return part.empty() ? Result<void>() : writer.carry(RecoveredContent::tail, part);
}

}  // namespace

Result<SalvageReport> salvage(const ReadFile& source, const std::string& tail_path, AppendFile& out,
                              Clock& clock, Entropy& entropy, const std::string& reason) {
  TRY_ASSIGN(const auto checked, verify(source));
  if (checked.verdict == Verdict::self_consistent) {
    return fail(Errc::bad_usage,
                "the session is closed and undamaged: there is nothing to salvage");
  }
  if (checked.verdict == Verdict::unsupported) {
    return fail(Errc::unsupported, "this build does not know this version of the session file");
  }
  if (checked.recovered) {
    return fail(Errc::bad_usage, "the file is itself a salvaged copy");
  }
  TRY_ASSIGN(const auto reader, SessionReader::open(source));
  const FileId id = reader->header().file_id;
  TRY_ASSIGN(const auto prefix,
             sealed_prefix(source, id, checked.sealed_bytes, reader->encrypted()));
  TRY_ASSIGN(auto leftover, read_leftover(tail_path, *reader));
  SalvageReport report;
  report.sealed_events = checked.events;
  report.sealed_bytes = prefix.bytes;
  report.tail_used = leftover.used;
  report.tail_hole = leftover.hole;
  report.unreadable_bytes = reader->trailing_bytes();

  RecoveredNote note;
  TRY_ASSIGN(note.source_digest, digest_file(source));
  note.tail_digest = leftover.tail_digest;
  note.reason = reason;
  note.when = clock.wall();
  TRY(copy_prefix(source, prefix.bytes, out));
  RecoveredWriter writer(out, id, prefix.next_seq, note, entropy);
  writer.not_before(last_time_before(*reader, checked.events));
  TRY(writer.begin());
  if (reader->encrypted()) {
    TRY(carry_over(source, *reader, checked.events, leftover, writer, report));
  } else {
    TRY(recover_events(*reader, leftover, checked.events, writer, report));
  }
  TRY(writer.finish());
  for (const auto& damage : reader->damage()) {
    report.unreadable_bytes += damage.length;
  }
  TRY(out.sync());
  return report;
}

}  // namespace sworn::format
