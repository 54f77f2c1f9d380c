// SPDX-License-Identifier: Apache-2.0
#include "format/session_reader.hpp"

#include "base/byte_reader.hpp"
#include "format/chunk_loader.hpp"
#include "format/index.hpp"
#include "format/recovered.hpp"
#include "format/seal.hpp"

#include <algorithm>

namespace sworn::format {
namespace {

constexpr std::size_t k_max_damage = 1000;

}  // namespace

struct SessionReader::Impl {
  const ReadFile& file;
  FileId id{};
  SessionHeader header;
  std::uint64_t records_begin = 0;  // behind the header
  std::uint64_t scanned = 0;        // behind the last whole record
  std::uint64_t trailing = 0;
  FileState state = FileState::open;
  std::vector<ChunkRef> chunks;
  std::vector<Damage> damage;
  std::size_t sealed_chunks = 0;  // chunks[0 .. sealed_chunks) stand before a seal
  std::uint32_t group = k_no_group;
  std::optional<std::uint32_t> next_seq;
  bool damaged = false;     // heads alone are not believed any more
  std::vector<Event> tail;  // numbers continue those of the chunks
  std::uint64_t want = 0;   // number of the next event
  std::optional<KeyBox> key_box;
  std::optional<Error> locked;
  std::optional<PayloadOpener> opener;
  std::optional<TailKey> tail_key;
  std::vector<Event> carried;  // of the encrypted tail in a salvaged copy
  std::unique_ptr<ChunkLoader> loader;

  explicit Impl(const ReadFile& f) : file(f) {}

  [[nodiscard]] std::uint64_t events_before(std::size_t place) const {
    return place == 0 ? 0 : chunks[place - 1].first_event + chunks[place - 1].n_events;
  }
  [[nodiscard]] std::uint64_t file_events() const { return events_before(chunks.size()); }
  [[nodiscard]] std::uint64_t events_not_recovered() const {
    const auto first = std::find_if(chunks.begin(), chunks.end(),
                                    [](const ChunkRef& ref) { return ref.recovered; });
    return events_before(static_cast<std::size_t>(first - chunks.begin()));
  }

  void note_damage(std::uint64_t offset, std::uint64_t length, std::string what) {
    const bool known = std::any_of(damage.begin(), damage.end(),
                                   [&](const Damage& d) { return d.offset == offset; });
    if (!known && damage.size() < k_max_damage) {
      damage.push_back({offset, length, std::move(what)});
    }
  }

  Result<void> read_preamble() {
    Bytes preamble(k_preamble_bytes);
    TRY_ASSIGN(const auto n, file.read_at(0, preamble));
    preamble.resize(n);
    TRY_ASSIGN(const auto parsed, decode_preamble(preamble));
    id = parsed.file_id;
    return {};
  }

  Result<void> read_header() {
    RecordScanner scanner(file, id, k_preamble_bytes);
    TRY_ASSIGN(const auto record, scanner.next());
    const bool found = record && record->skipped == 0 &&
                       record->frame.record_type() == RecordType::header && record->frame.seq == 0;
    if (!found) {
      return fail(Errc::corrupt, "the header of the session file is missing or damaged");
    }
    TRY_ASSIGN(header, decode_session_header(record->body));
    header.file_id = id;
    records_begin = scanned = record->end();
    return {};
  }

  // A damaged header takes its own contents with it, not the session: what is behind it is still
  // evidence. Errc::corrupt where there is nothing.
  Result<void> scan_without_header(const Error& why) {
    header = SessionHeader{};
    header.file_id = id;
    records_begin = scanned = k_preamble_bytes;
    damaged = true;
    TRY(scan());
    if (chunks.empty()) {
      return tl::make_unexpected(why);
    }
    note_damage(k_preamble_bytes, 0, why.context);
    header.started_mono = chunks.front().t_first;
    return {};
  }

  void leave_out(std::uint64_t offset, std::uint64_t length, std::string why) {
    note_damage(offset, length, std::move(why));
    group = k_no_group;
  }

  void take_chunk(std::uint64_t offset, std::uint64_t length, ByteView body, bool recovered,
                  bool alone = false) {
    const auto head = decode_chunk_head(body);
    if (!head) {
      leave_out(offset, length, head.error().context);
      return;
    }
    const auto& core = head->core;
    const std::uint64_t expected = file_events();
    if (core.first_event < expected || (!chunks.empty() && core.t_first < chunks.back().t_last)) {
      leave_out(offset, length, "a chunk that repeats or goes back in time is left out");
      return;
    }
    if (core.first_event > expected) {
      leave_out(offset, 0,
                "events " + std::to_string(expected) + " to " +
                    std::to_string(core.first_event - 1) + " are missing");
    }
    const auto place = static_cast<std::uint32_t>(chunks.size());
    if (head->begins_group || alone) {
      group = place;
    }
    chunks.push_back({offset, core.chunk_no, core.n_events, core.first_event, core.t_first,
                      core.t_last, head->raw_bytes, group, recovered});
  }

  void take_recovered(const RecordScanner::Record& record) {
    const std::uint64_t length = k_frame_bytes + record.body.size();
    const auto part = recovered_part(record.body);
    if (!part) {
      leave_out(record.offset, length, part.error().context);
    } else if (part->content == RecoveredContent::tail) {
      take_carried_tail(record.offset, length, part->bytes);
    } else if (!part->bytes.empty()) {
      take_chunk(record.offset, length, part->bytes, true,
                 part->content == RecoveredContent::events);
    }
  }

  void take_carried_tail(std::uint64_t offset, std::uint64_t length, ByteView part) {
    auto entries = decode_carried_tail(part);
    if (!entries) {
      leave_out(offset, length, entries.error().context);
      return;
    }
    if (!tail_key) {
      return;  // locked() says so
    }
    for (const auto& entry : *entries) {
      auto event = open_tail_entry(*tail_key, entry);
      if (!event) {
        note_damage(offset, length, "an entry of the tail does not open");
        return;
      }
      if (carried.empty() || carried.back().number < event->number) {
        carried.push_back(*std::move(event));
      }
    }
  }

  // The key box stands right behind the header. What is wrong with it is a reason not to open the
  // session, not one to refuse the rest.
  Result<void> unlock(const KeyRing& keys) {
    if (header.encryption.empty()) {
      return {};
    }
    const auto descriptor = decode_encryption_descriptor(header.encryption);
    if (!descriptor) {
      locked = Error{Errc::locked, 0, descriptor.error().context};
      return {};
    }
    auto box = read_key_box(file, id);
    if (!box && box.error().code == Errc::io) {
      return tl::make_unexpected(std::move(box).error());
    }
    if (!box || !*box) {
      locked = Error{Errc::locked, 0, "its key box is damaged"};
      return {};
    }
    key_box = **std::move(box);
    if (key_box->in_clear()) {
      return {};
    }
    auto key = keys.open(id, *key_box, *descriptor);
    if (!key) {
      locked = std::move(key).error();
      return {};
    }
    TRY_ASSIGN(auto first_tail_key, TailKey::create(id, *key));
    tail_key.emplace(std::move(first_tail_key));
    TRY_ASSIGN(auto opened, PayloadOpener::create(id, *std::move(key)));
    opener.emplace(std::move(opened));
    return {};
  }

  void take_seal(const RecordScanner::Record& record) {
    sealed_chunks = chunks.size();
    const auto seal = decode_seal(record.body);
    if (seal && seal->final()) {
      state = FileState::closed;
    }
  }

  Result<void> take_record(const RecordScanner::Record& record) {
    const std::uint64_t length = k_frame_bytes + record.frame.body_bytes;
    const auto type = record.frame.record_type();
    if (state == FileState::closed) {
      // Nothing behind the final seal is evidence; what looks like more of the session is a
      // forgery.
      const bool allowed =
          type == RecordType::index || type == RecordType::footer || type == RecordType::redaction;
      if (!allowed) {
        note_damage(record.offset, length, "a record behind the final seal is left out");
      }
      return {};
    }
    switch (type) {
      case RecordType::chunk:
        take_chunk(record.offset, length, record.body, false);
        return {};
      case RecordType::seal:
        take_seal(record);
        return {};
      case RecordType::recovered:
        take_recovered(record);
        return {};
      case RecordType::header:
        note_damage(record.offset, length, "a second header");
        return {};
      case RecordType::key_box:  // read with the header
      case RecordType::end:
      case RecordType::index:
      case RecordType::footer:
      case RecordType::redaction:
      case RecordType::open_proof:
      case RecordType::anchor:
        return {};
    }
    if (!is_ancillary(record.frame.type)) {
      return fail(Errc::unsupported, "the file holds a critical record (type " +
                                         std::to_string(record.frame.type) +
                                         ") that this build does not know");
    }
    return {};
  }

  // A head that was read without its crc may lie. Whether it fits to what was read before.
  [[nodiscard]] bool is_doubtful(const RecordScanner::Record& record) const {
    if (record.skipped != 0 || (next_seq && record.frame.seq != *next_seq)) {
      return true;
    }
    if (record.frame.record_type() != RecordType::chunk) {
      return false;
    }
    const auto head = decode_chunk_head(record.body);
    return !head || head->core.first_event != file_events() ||
           (!chunks.empty() && head->core.t_first < chunks.back().t_last);
  }

  // False where the heads contradict each other.
  Result<bool> scan_heads() {
    RecordScanner scanner(file, id, scanned);
    while (true) {
      TRY_ASSIGN(const auto record, scanner.next_head(k_chunk_fixed_bytes));
      if (!record) {
        break;
      }
      if (is_doubtful(*record)) {
        return false;
      }
      TRY(take_record(*record));
      scanned = record->offset + k_frame_bytes + record->frame.body_bytes;
      next_seq = record->frame.seq + 1;
    }
    trailing = scanner.trailing();
    // Nothing follows that could contradict the last one.
    return chunks.empty() ? true : is_intact(file, id, chunks.back().offset);
  }

  Result<void> scan_whole() {
    RecordScanner scanner(file, id, scanned);
    while (true) {
      TRY_ASSIGN(const auto record, scanner.next());
      if (!record) {
        break;
      }
      if (record->skipped != 0) {
        leave_out(record->offset - record->skipped, record->skipped, "unreadable bytes");
      }
      TRY(take_record(*record));
      scanned = record->end();
    }
    trailing = scanner.trailing();
    return {};
  }

  // The heads of chunks are enough, until the first sign of damage: from then on nothing is
  // believed but records whose crc holds, so that one flipped bit costs no more than the record it
  // is in.
  Result<void> scan() {
    if (!damaged) {
      TRY_ASSIGN(const bool fits, scan_heads());
      if (fits) {
        return {};
      }
      damaged = true;
      chunks.clear();
      carried.clear();
      loader->forget();
      group = k_no_group;
      sealed_chunks = 0;
      state = FileState::open;
      scanned = records_begin;
    }
    return scan_whole();
  }

  Result<bool> use_index() {
    TRY_ASSIGN(auto hint, read_index(file, id));
    if (!hint) {
      return false;
    }
    chunks = std::move(hint->chunks);
    state = FileState::closed;
    sealed_chunks = chunks.size();
    TRY_ASSIGN(scanned, file.size());
    return true;
  }

  // Where event `number` is found, or the next one behind a hole.
  [[nodiscard]] std::size_t place_of(std::uint64_t number) const {
    const auto it = std::upper_bound(
        chunks.begin(), chunks.end(), number,
        [](std::uint64_t n, const ChunkRef& ref) { return n < ref.first_event + ref.n_events; });
    return static_cast<std::size_t>(it - chunks.begin());
  }

  // Loads the first readable chunk at or behind `place`; damage is noted and jumped over.
  Result<std::size_t> load_from(std::size_t place) {
    for (; place < chunks.size(); ++place) {
      const auto loaded = loader->load(chunks, place);
      if (loaded) {
        return place;
      }
      if (loaded.error().code == Errc::io || loaded.error().code == Errc::locked) {
        return tl::make_unexpected(loaded.error());
      }
      note_damage(chunks[place].offset, 0,
                  "events " + std::to_string(chunks[place].first_event) + " to " +
                      std::to_string(chunks[place].first_event + chunks[place].n_events - 1) +
                      " cannot be read: " + loaded.error().context);
    }
    return place;
  }

  [[nodiscard]] std::optional<EventView> find_in_tail(std::uint64_t number) const {
    const auto it = std::lower_bound(tail.begin(), tail.end(), number,
                                     [](const Event& e, std::uint64_t n) { return e.number < n; });
    return it == tail.end() ? std::nullopt : std::optional(it->view());
  }
};

SessionReader::SessionReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SessionReader::~SessionReader() = default;

Result<std::unique_ptr<SessionReader>> SessionReader::open(const ReadFile& file,
                                                           const KeyRing& keys) {
  auto impl = std::make_unique<Impl>(file);
  TRY(impl->read_preamble());
  const auto header = impl->read_header();
  TRY(impl->unlock(keys));
  impl->loader =
      std::make_unique<ChunkLoader>(file, impl->id, impl->opener ? &*impl->opener : nullptr);
  if (!header) {
    if (header.error().code != Errc::corrupt) {
      return tl::make_unexpected(header.error());
    }
    TRY(impl->scan_without_header(header.error()));
    return std::unique_ptr<SessionReader>(new SessionReader(std::move(impl)));
  }
  TRY_ASSIGN(const bool indexed, impl->use_index());
  if (!indexed) {
    TRY(impl->scan());
  }
  auto reader = std::unique_ptr<SessionReader>(new SessionReader(std::move(impl)));
  if (!reader->impl_->carried.empty()) {
    reader->set_tail(std::move(reader->impl_->carried));
  }
  return reader;
}

const SessionHeader& SessionReader::header() const {
  return impl_->header;
}
bool SessionReader::encrypted() const {
  return !impl_->header.encryption.empty();
}
const std::optional<Error>& SessionReader::locked() const {
  return impl_->locked;
}
TailKey* SessionReader::tail_key() {
  return impl_->tail_key ? &*impl_->tail_key : nullptr;
}
const KeyBox* SessionReader::key_box() const {
  return impl_->key_box ? &*impl_->key_box : nullptr;
}
FileState SessionReader::state() const {
  return impl_->state;
}
const std::vector<ChunkRef>& SessionReader::chunks() const {
  return impl_->chunks;
}
const std::vector<Damage>& SessionReader::damage() const {
  return impl_->damage;
}
std::uint64_t SessionReader::sealed_events() const {
  return impl_->events_before(impl_->sealed_chunks);
}
std::uint64_t SessionReader::first_unsealed_extra() const {
  return impl_->events_not_recovered();
}
std::uint64_t SessionReader::trailing_bytes() const {
  return impl_->trailing;
}

std::uint64_t SessionReader::event_count() const {
  return impl_->tail.empty() ? impl_->file_events() : impl_->tail.back().number + 1;
}

MonoTime SessionReader::first_time() const {
  if (!impl_->chunks.empty()) {
    return impl_->chunks.front().t_first;
  }
  return impl_->tail.empty() ? impl_->header.started_mono : impl_->tail.front().t;
}

MonoTime SessionReader::last_time() const {
  if (!impl_->tail.empty()) {
    return impl_->tail.back().t;
  }
  return impl_->chunks.empty() ? impl_->header.started_mono : impl_->chunks.back().t_last;
}

Result<std::uint64_t> SessionReader::refresh() {
  const std::uint64_t before = impl_->file_events();
  if (impl_->state == FileState::open) {
    TRY(impl_->scan());
  }
  const std::uint64_t now = impl_->file_events();
  std::erase_if(impl_->tail, [now](const Event& event) { return event.number < now; });
  return now - before;
}

void SessionReader::set_tail(std::vector<Event> events) {
  const std::uint64_t have = impl_->file_events();
  std::erase_if(events, [have](const Event& event) { return event.number < have; });
  impl_->tail = std::move(events);
}

Result<std::optional<EventView>> SessionReader::next() {
  auto& r = *impl_;
  if (r.locked) {
    return tl::make_unexpected(*r.locked);
  }
  if (r.want < r.file_events()) {
    TRY_ASSIGN(const auto place, r.load_from(r.place_of(r.want)));
    if (place < r.chunks.size()) {
      const auto& ref = r.chunks[place];
      r.want = std::max(r.want, ref.first_event);
      const EventView view = r.loader->events()[static_cast<std::size_t>(r.want - ref.first_event)];
      ++r.want;
      return view;
    }
    r.want = r.file_events();
  }
  if (const auto view = r.find_in_tail(r.want)) {
    r.want = view->number + 1;
    return view;
  }
  return std::nullopt;
}

Result<void> SessionReader::seek_event(std::uint64_t n) {
  impl_->want = n;
  return {};
}

Result<void> SessionReader::seek_time(MonoTime t) {
  auto& r = *impl_;
  if (r.locked) {
    return tl::make_unexpected(*r.locked);
  }
  const auto it =
      std::lower_bound(r.chunks.begin(), r.chunks.end(), t,
                       [](const ChunkRef& ref, MonoTime when) { return ref.t_last < when; });
  if (it != r.chunks.end()) {
    TRY_ASSIGN(const auto place, r.load_from(static_cast<std::size_t>(it - r.chunks.begin())));
    if (place < r.chunks.size()) {
      const auto& events = r.loader->events();
      const auto event =
          std::lower_bound(events.begin(), events.end(), t,
                           [](const EventView& e, MonoTime when) { return e.t < when; });
      r.want = event == events.end() ? events.back().number + 1 : event->number;
      return {};
    }
  }
  r.want = r.file_events();
  for (const auto& event : r.tail) {
    if (event.t >= t) {
      r.want = event.number;
      return {};
    }
    r.want = event.number + 1;
  }
  return {};
}

Result<ClockMap> SessionReader::clock_map() {
  ClockMap map;
  map.add(impl_->header.started_mono, impl_->header.started);
  RecordScanner scanner(impl_->file, impl_->id, impl_->records_begin);
  std::int64_t last_offset = impl_->header.started.us - impl_->header.started_mono.us;
  MonoTime last = impl_->header.started_mono;
  // The last sample before a jump and the very last one are always kept.
  MonoTime held_t{};
  WallTime held_wall{};
  bool held = false;
  while (true) {
    TRY_ASSIGN(const auto record, scanner.next_head(k_seal_fixed_bytes));
    if (!record) {
      break;
    }
    if (record->frame.record_type() != RecordType::seal || record->body.size() < 24) {
      continue;
    }
    ByteReader r(record->body.subspan(8));
    const MonoTime t{static_cast<std::int64_t>(r.u64().value())};
    const WallTime wall{static_cast<std::int64_t>(r.u64().value())};
    if (t.us < 0 || t < last || wall.us < 0) {
      continue;
    }
    const std::int64_t offset = wall.us - t.us;
    // Thinned out: a point a minute, and wherever the clocks moved against each other by 1 ms.
    if (offset - last_offset > 1000 || last_offset - offset > 1000 || t.us - last.us > 60'000'000) {
      if (held) {
        map.add(held_t, held_wall);
      }
      map.add(t, wall);
      last_offset = offset;
      last = t;
      held = false;
    } else {
      held_t = t;
      held_wall = wall;
      held = true;
    }
  }
  if (held) {
    map.add(held_t, held_wall);
  }
  return map;
}

}  // namespace sworn::format
