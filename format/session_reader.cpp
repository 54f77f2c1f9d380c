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
  Bytes preamble;
  FileId id{};
  SessionHeader header;
  std::uint64_t records_begin = 0;  // behind the header
  std::uint64_t scanned = 0;        // behind the last whole record
  std::uint64_t trailing = 0;
  FileState state = FileState::open;
  std::vector<ChunkRef> chunks;
  std::vector<Damage> damage;
  std::uint64_t sealed_events = 0;
  std::uint32_t group = k_no_group;
  std::vector<Event> recovered;  // numbers continue those of the chunks
  std::vector<Event> tail;       // numbers continue those of `recovered`
  std::uint64_t want = 0;        // number of the next event
  std::unique_ptr<ChunkLoader> loader;

  explicit Impl(const ReadFile& f) : file(f) {}

  [[nodiscard]] std::uint64_t chunk_events() const {
    return chunks.empty() ? 0 : chunks.back().first_event + chunks.back().n_events;
  }
  [[nodiscard]] std::uint64_t file_events() const {
    return recovered.empty() ? chunk_events() : recovered.back().number + 1;
  }

  void note_damage(std::uint64_t offset, std::uint64_t length, std::string what) {
    const bool known = std::any_of(damage.begin(), damage.end(),
                                   [&](const Damage& d) { return d.offset == offset; });
    if (!known && damage.size() < k_max_damage) {
      damage.push_back({offset, length, std::move(what)});
    }
  }

  Result<void> read_header() {
    preamble.resize(k_preamble_bytes);
    TRY_ASSIGN(const auto n, file.read_at(0, preamble));
    preamble.resize(n);
    TRY_ASSIGN(const auto parsed, decode_preamble(preamble));
    id = parsed.file_id;
    RecordScanner scanner(file, id, k_preamble_bytes);
    TRY_ASSIGN(const auto record, scanner.next());
    if (!record || record->skipped != 0 || record->frame.record_type() != RecordType::header ||
        record->frame.seq != 0) {
      return fail(Errc::corrupt, "the header of the session file is missing or damaged");
    }
    TRY_ASSIGN(header, decode_session_header(record->body));
    header.file_id = id;
    records_begin = scanned = record->end();
    return {};
  }

  void take_chunk(const RecordScanner::Record& record) {
    const auto head = decode_chunk_head(record.body);
    if (!head) {
      note_damage(record.offset, k_frame_bytes + record.frame.body_bytes, head.error().context);
      group = k_no_group;
      return;
    }
    const auto& core = head->core;
    const std::uint64_t expected = chunk_events();
    if (core.first_event < expected || (!chunks.empty() && core.t_first < chunks.back().t_last)) {
      note_damage(record.offset, k_frame_bytes + record.frame.body_bytes,
                  "a chunk that repeats or goes back in time is left out");
      group = k_no_group;
      return;
    }
    if (core.first_event > expected) {
      note_damage(record.offset, 0,
                  "events " + std::to_string(expected) + " to " +
                      std::to_string(core.first_event - 1) + " are missing");
      group = k_no_group;
    }
    const auto place = static_cast<std::uint32_t>(chunks.size());
    if (head->begins_group) {
      group = place;
    }
    chunks.push_back({record.offset, core.chunk_no, core.n_events, core.first_event, core.t_first,
                      core.t_last, head->raw_bytes, group});
  }

  Result<void> take_recovered(std::uint64_t offset) {
    RecordScanner one(file, id, offset);
    TRY_ASSIGN(const auto record, one.next());
    if (!record || record->offset != offset) {
      return {};  // noted as damage by the caller's scan
    }
    auto found = decode_recovered(id, record->body);
    if (!found) {
      note_damage(offset, k_frame_bytes + record->body.size(), found.error().context);
      return {};
    }
    for (auto& event : found->events) {
      if (event.number >= file_events()) {
        recovered.push_back(std::move(event));
      }
    }
    return {};
  }

  Result<void> scan() {
    RecordScanner scanner(file, id, scanned);
    while (true) {
      TRY_ASSIGN(const auto record, scanner.next_head(k_chunk_fixed_bytes));
      if (!record) {
        break;
      }
      if (record->skipped != 0) {
        note_damage(record->offset - record->skipped, record->skipped, "unreadable bytes");
        group = k_no_group;
      }
      const std::uint8_t type = record->frame.type;
      switch (record->frame.record_type()) {
        case RecordType::chunk:
          take_chunk(*record);
          break;
        case RecordType::seal:
          sealed_events = chunk_events();
          break;
        case RecordType::end:
          state = FileState::closed;
          break;
        case RecordType::recovered:
          TRY(take_recovered(record->offset));
          break;
        case RecordType::header:
          note_damage(record->offset, k_frame_bytes + record->frame.body_bytes, "a second header");
          break;
        case RecordType::index:
        case RecordType::footer:
        case RecordType::redaction:
          break;
        case RecordType::open_proof:
        case RecordType::key_box:
        case RecordType::anchor:
          return fail(Errc::unsupported,
                      "the file holds a record type that this build does not know");
        default:
          if (!is_ancillary(type)) {
            return fail(Errc::unsupported, "the file holds a critical record (type " +
                                               std::to_string(type) +
                                               ") that this build does not know");
          }
      }
      scanned = record->offset + k_frame_bytes + record->frame.body_bytes;
    }
    trailing = scanner.trailing();
    return {};
  }

  Result<bool> use_index() {
    TRY_ASSIGN(auto hint, read_index(file, id));
    if (!hint) {
      return false;
    }
    chunks = std::move(hint->chunks);
    state = FileState::closed;
    sealed_events = chunk_events();
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
      if (loaded.error().code == Errc::io) {
        return tl::make_unexpected(loaded.error());
      }
      note_damage(chunks[place].offset, 0,
                  "events " + std::to_string(chunks[place].first_event) + " to " +
                      std::to_string(chunks[place].first_event + chunks[place].n_events - 1) +
                      " cannot be read: " + loaded.error().context);
    }
    return place;
  }

  static std::optional<EventView> find_extra(const std::vector<Event>& events,
                                             std::uint64_t number) {
    const auto it = std::lower_bound(events.begin(), events.end(), number,
                                     [](const Event& e, std::uint64_t n) { return e.number < n; });
    return it == events.end() ? std::nullopt : std::optional(it->view());
  }
};

SessionReader::SessionReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SessionReader::~SessionReader() = default;

Result<std::unique_ptr<SessionReader>> SessionReader::open(const ReadFile& file) {
  auto impl = std::make_unique<Impl>(file);
  TRY(impl->read_header());
  impl->loader = std::make_unique<ChunkLoader>(file, impl->id);
  TRY_ASSIGN(const bool indexed, impl->use_index());
  if (!indexed) {
    TRY(impl->scan());
  }
  return std::unique_ptr<SessionReader>(new SessionReader(std::move(impl)));
}

const SessionHeader& SessionReader::header() const {
  return impl_->header;
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
  return impl_->sealed_events;
}
std::uint64_t SessionReader::first_unsealed_extra() const {
  return impl_->chunk_events();
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
  const auto& extra = impl_->recovered.empty() ? impl_->tail : impl_->recovered;
  return extra.empty() ? impl_->header.started_mono : extra.front().t;
}

MonoTime SessionReader::last_time() const {
  if (!impl_->tail.empty()) {
    return impl_->tail.back().t;
  }
  if (!impl_->recovered.empty()) {
    return impl_->recovered.back().t;
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
  if (r.want < r.chunk_events()) {
    TRY_ASSIGN(const auto place, r.load_from(r.place_of(r.want)));
    if (place < r.chunks.size()) {
      const auto& ref = r.chunks[place];
      r.want = std::max(r.want, ref.first_event);
      const EventView view = r.loader->events()[static_cast<std::size_t>(r.want - ref.first_event)];
      ++r.want;
      return view;
    }
    r.want = r.chunk_events();
  }
  for (const auto* extra : {&r.recovered, &r.tail}) {
    if (const auto view = Impl::find_extra(*extra, r.want)) {
      r.want = view->number + 1;
      return view;
    }
  }
  return std::nullopt;
}

Result<void> SessionReader::seek_event(std::uint64_t n) {
  impl_->want = n;
  return {};
}

Result<void> SessionReader::seek_time(MonoTime t) {
  auto& r = *impl_;
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
  r.want = r.chunk_events();
  for (const auto* extra : {&r.recovered, &r.tail}) {
    for (const auto& event : *extra) {
      if (event.t >= t) {
        r.want = event.number;
        return {};
      }
      r.want = event.number + 1;
    }
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
