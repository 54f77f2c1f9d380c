// SPDX-License-Identifier: Apache-2.0
#include "format/tail.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "base/crc32c.hpp"
#include "base/file.hpp"
#include "base/locked_memory.hpp"
#include "format/sign.hpp"
#include "format/tail_layout.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sworn::format {
namespace {

std::uint32_t commit_word(std::uint64_t generation) {
  return static_cast<std::uint32_t>(generation << 1U | 1U);  // never 0: a fresh file is all zeros
}

// crc over file id, generation (the epoch) and the entry from its number to the end of its data.
std::uint32_t entry_crc(const FileId& id, std::uint64_t generation, ByteView from_number) {
  std::array<std::byte, 24> seed;
  std::copy(id.begin(), id.end(), seed.begin());
  std::memcpy(seed.data() + 16, &generation, 8);
  return crc32c(from_number, crc32c(seed));
}

std::size_t entry_bytes(std::size_t data_bytes) {
  return (k_tail_entry_bytes + data_bytes + 7) & ~std::size_t{7};
}

struct TailEntry {
  std::uint32_t commit = 0;
  std::uint32_t crc = 0;
  std::uint64_t number = 0;
  std::int64_t t = 0;
  std::int64_t at = 0;
  std::uint32_t kind = 0;
  std::uint32_t length = 0;
};
static_assert(sizeof(TailEntry) == k_tail_entry_bytes);

}  // namespace

struct TailWriter::Impl {
  struct Half {
    std::byte* base = nullptr;
    std::byte* plain = nullptr;  // where events are put: `base`, or locked memory of the same shape
    std::uint64_t generation = 0;
    std::size_t used = k_tail_half_header_bytes;
    std::size_t touched = 0;       // of the locked memory
    std::uint64_t end_number = 0;  // one behind its last event
  };

  std::string path;
  Fd fd;
  FileId file_id{};
  std::byte* map = nullptr;
  std::size_t map_bytes = 0;
  std::size_t half_bytes = 0;
  std::array<Half, 2> halves{};
  std::size_t current = 0;
  std::uint64_t next_number = 0;
  std::uint64_t next_generation = 1;
  std::size_t reserved = 0;
  std::atomic<std::uint64_t> released{0};
  std::unique_ptr<TailKey> key;  // of an encrypted session
  std::array<std::optional<LockedMemory>, 2> memory;
  mutable std::mutex mutex;
  std::deque<EventView> views;  // guarded by mutex

  ~Impl() {
    if (map != nullptr) {
      ::munmap(map, map_bytes);
    }
  }

  // In front of the data of an entry, in the mapping and in the locked memory alike.
  [[nodiscard]] std::size_t before_data() const {
    return k_tail_entry_bytes + (key ? k_tail_sealed_head_bytes : 0);
  }
  [[nodiscard]] std::size_t around_data() const {
    return k_tail_entry_bytes + (key ? k_tail_sealed_extra_bytes : 0);
  }

  Result<void> keep_plain_apart() {
    for (std::size_t k = 0; k < halves.size(); ++k) {
      TRY_ASSIGN(auto place, LockedMemory::create(half_bytes));
      memory[k].emplace(std::move(place));
      halves[k].plain = memory[k]->bytes().data();
    }
    return {};
  }

  // Wipes the events of a half that are all sealed in the file.
  void wipe_plain(std::size_t which) {
    if (memory[which]) {
      erase(memory[which]->bytes().first(std::exchange(halves[which].touched, 0)));
    }
  }

  void begin_half(std::size_t which) {
    Half& half = halves[which];
    wipe_plain(which);
    half.generation = next_generation++;
    half.used = k_tail_half_header_bytes;
    if (key) {
      // Never fails: generations go up by one. Otherwise the next entry would not be sealed.
      static_cast<void>(key->advance(half.generation));
    }
    half.end_number = next_number;
    Bytes header;
    ByteWriter w(header);
    w.u64(half.generation).u64(next_number);
    w.u32(crc32c(header, crc32c(file_id)));
    // The generation goes last: a reader that sees it also sees the rest.
    std::memcpy(half.base + 8, header.data() + 8, header.size() - 8);
    __atomic_store_n(reinterpret_cast<std::uint64_t*>(half.base), half.generation,
                     __ATOMIC_RELEASE);
    current = which;
  }

  // Ciphertext of the event that stands in the locked memory, into the mapping; its length. Where
  // OpenSSL fails the entry stays empty: a reader cannot open it and stops there, and nothing goes
  // out in clear.
  std::uint32_t seal_data(const Half& half, EventKind kind, MonoTime t, MonoTime at,
                          std::size_t data_bytes) {
    std::byte* head = half.plain + half.used + k_tail_entry_bytes;
    std::memcpy(head, &t.us, 8);
    std::memcpy(head + 8, &at.us, 8);
    head[16] = static_cast<std::byte>(kind);
    const ByteView plain{head, k_tail_sealed_head_bytes + data_bytes};
    const std::span out{half.base + half.used + k_tail_entry_bytes,
                        plain.size() + k_aead_tag_bytes};
    if (!key->seal(next_number, plain, out)) {
      std::fill(out.begin(), out.end(), std::byte{0});
    }
    return static_cast<std::uint32_t>(out.size());
  }

  [[nodiscard]] bool is_free(const Half& half) const {
    return half.end_number <= released.load(std::memory_order_acquire);
  }
  [[nodiscard]] std::size_t room(const Half& half) const {
    const std::size_t left = half_bytes - half.used;
    const std::size_t around = around_data() + 8;
    return left > around ? left - around : 0;
  }
};

TailWriter::TailWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TailWriter::~TailWriter() = default;

Result<std::unique_ptr<TailWriter>> TailWriter::create(const std::string& path,
                                                       const FileId& file_id,
                                                       std::size_t half_bytes,
                                                       std::unique_ptr<TailKey> key) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) {
    return fail_sys(errno, "cannot create " + path);
  }
  auto out = adopt(std::move(fd), file_id, half_bytes, std::move(key));
  if (!out) {
    ::unlink(path.c_str());
    out.error().context += ' ' + path;
    return out;
  }
  (*out)->impl_->path = path;
  return out;
}

Result<std::unique_ptr<TailWriter>> TailWriter::adopt(Fd tail, const FileId& file_id,
                                                      std::size_t half_bytes,
                                                      std::unique_ptr<TailKey> key) {
  auto impl = std::make_unique<Impl>();
  impl->fd = std::move(tail);
  impl->key = std::move(key);
  impl->file_id = file_id;
  impl->half_bytes =
      (std::max<std::size_t>(half_bytes, 2 * k_tail_page_bytes) + k_tail_page_bytes - 1) /
      k_tail_page_bytes * k_tail_page_bytes;
  if (impl->half_bytes > k_tail_max_half_bytes) {
    return fail(Errc::bad_usage, "tail size out of range");
  }
  impl->map_bytes = k_tail_page_bytes + 2 * impl->half_bytes;
  // Real blocks now: a store into a hole of a full disk would be a SIGBUS.
  const int rc = ::posix_fallocate(impl->fd.get(), 0, static_cast<off_t>(impl->map_bytes));
  if (rc != 0) {
    return fail_sys(rc, "cannot allocate the tail");
  }
  void* map =
      ::mmap(nullptr, impl->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, impl->fd.get(), 0);
  if (map == MAP_FAILED) {
    return fail_sys(errno, "cannot map the tail");
  }
  impl->map = static_cast<std::byte*>(map);
  Bytes head;
  ByteWriter w(head);
  w.bytes(as_bytes(k_tail_magic))
      .u32(static_cast<std::uint32_t>(impl->half_bytes))
      .u32(impl->key ? k_tail_encrypted : 0)
      .bytes(file_id);
  w.u32(crc32c(head));
  std::memcpy(impl->map, head.data(), head.size());
  impl->halves[0].base = impl->map + k_tail_page_bytes;
  impl->halves[1].base = impl->map + k_tail_page_bytes + impl->half_bytes;
  for (auto& half : impl->halves) {
    half.plain = half.base;
  }
  if (impl->key) {
    TRY(impl->keep_plain_apart());
  }
  impl->begin_half(0);
  return std::unique_ptr<TailWriter>(new TailWriter(std::move(impl)));
}

std::span<std::byte> TailWriter::reserve(std::size_t want, std::size_t least) {
  auto& s = *impl_;
  s.reserved = 0;
  want = std::min(want, k_max_event_bytes);
  const auto other = 1 - s.current;
  const bool rewind = s.halves[s.current].used > s.half_bytes / 4 && s.is_free(s.halves[s.current]);
  if ((s.room(s.halves[s.current]) < want || rewind) && s.is_free(s.halves[other])) {
    // An early switch keeps an idle session on a few pages; a late one is the normal turn.
    if (rewind || s.room(s.halves[s.current]) < least || s.room(s.halves[s.current]) < want) {
      s.begin_half(other);
    }
  }
  Impl::Half& half = s.halves[s.current];
  const std::size_t room = s.room(half);
  if (room < least || room == 0) {
    return {};
  }
  s.reserved = std::min(want, room);
  half.touched = std::max(half.touched, half.used + s.before_data() + s.reserved);
  return {half.plain + half.used + s.before_data(), s.reserved};
}

EventView TailWriter::commit(EventKind kind, MonoTime t, MonoTime at, std::size_t used) {
  auto& s = *impl_;
  Impl::Half& half = s.halves[s.current];
  std::byte* place = half.base + half.used;
  const std::size_t length = std::min(used, s.reserved);
  const ByteView data{half.plain + half.used + s.before_data(), length};
  TailEntry entry;
  entry.number = s.next_number;
  if (s.key) {
    entry.length = s.seal_data(half, kind, t, at, length);
  } else {
    entry.t = t.us;
    entry.at = at.us;
    entry.kind = static_cast<std::uint32_t>(kind);
    entry.length = static_cast<std::uint32_t>(length);
  }
  std::memcpy(place + 8, reinterpret_cast<const std::byte*>(&entry) + 8, k_tail_entry_bytes - 8);
  entry.crc =
      entry_crc(s.file_id, half.generation, {place + 8, k_tail_entry_bytes - 8 + entry.length});
  std::memcpy(place + 4, &entry.crc, 4);
  // From this store on the event is on record.
  __atomic_store_n(reinterpret_cast<std::uint32_t*>(place), commit_word(half.generation),
                   __ATOMIC_RELEASE);
  half.used += entry_bytes(entry.length);  // counts the tag, which stands in the mapping only
  half.end_number = ++s.next_number;
  s.reserved = 0;
  const EventView view{entry.number, kind, t, at, data, false};
  const std::lock_guard lock(s.mutex);
  s.views.push_back(view);
  return view;
}

Result<EventView> TailWriter::put(EventKind kind, MonoTime t, MonoTime at, ByteView data) {
  if (data.size() > k_max_event_bytes) {
    return fail(Errc::bad_usage, "an event of more than 64 KiB");
  }
  const auto place =
      reserve(std::max<std::size_t>(data.size(), 1), std::max<std::size_t>(data.size(), 1));
  if (place.empty()) {
    return fail(Errc::exhausted, "the tail is full");
  }
  std::copy(data.begin(), data.end(), place.begin());
  return commit(kind, t, at, data.size());
}

std::uint64_t TailWriter::next_number() const {
  return impl_->next_number;
}

std::size_t TailWriter::free_bytes() const {
  const auto& s = *impl_;
  const auto& other = s.halves[1 - s.current];
  return s.room(s.halves[s.current]) +
         (s.is_free(other) ? s.half_bytes - k_tail_half_header_bytes - s.around_data() - 8 : 0);
}

std::vector<EventView> TailWriter::pending(std::uint64_t from) const {
  const std::lock_guard lock(impl_->mutex);
  const auto begin = std::lower_bound(
      impl_->views.begin(), impl_->views.end(), from,
      [](const EventView& view, std::uint64_t number) { return view.number < number; });
  return {begin, impl_->views.end()};
}

void TailWriter::release(std::uint64_t number) {
  {
    const std::lock_guard lock(impl_->mutex);
    while (!impl_->views.empty() && impl_->views.front().number < number) {
      impl_->views.pop_front();
    }
  }
  std::uint64_t before = impl_->released.load(std::memory_order_relaxed);
  while (before < number &&
         !impl_->released.compare_exchange_weak(before, number, std::memory_order_release)) {
  }
}

void TailWriter::trim() {
  auto& s = *impl_;
  for (std::size_t k = 0; k < s.halves.size(); ++k) {
    if (s.is_free(s.halves[k])) {
      // Shared mapping: the bytes stay in the file, only our page table lets go.
      ::madvise(s.halves[k].base, s.half_bytes, MADV_DONTNEED);
      if (s.memory[k]) {
        s.memory[k]->discard(std::exchange(s.halves[k].touched, 0));
      }
    }
  }
}

Result<void> TailWriter::remove() {
  if (impl_->path.empty()) {
    return {};  // the business of whoever made it
  }
  if (::unlink(impl_->path.c_str()) != 0) {
    return fail_sys(errno, "cannot remove " + impl_->path);
  }
  return {};
}

namespace {

// An entry as it stands in its half.
struct RawEntry {
  TailEntry head;
  std::uint64_t generation = 0;
  Bytes data;
};
struct RawTail {
  bool encrypted = false;
  std::map<std::uint64_t, RawEntry> entries;
};

bool fits_kind(const TailEntry& entry, bool encrypted) {
  if (encrypted) {
    return entry.kind == 0 && entry.t == 0 && entry.at == 0 &&
           entry.length >= k_tail_sealed_extra_bytes &&
           entry.length <= k_max_event_bytes + k_tail_sealed_extra_bytes;
  }
  return entry.length <= k_max_event_bytes && entry.kind != 0 && entry.kind <= k_kind_mask &&
         entry.t >= 0 && entry.at >= 0;
}

// Returns the generation of the half, 0 where it has none.
std::uint64_t parse_half(ByteView half, const FileId& id, std::uint64_t from, RawTail& out) {
  ByteReader r(half);
  const std::uint64_t generation = r.u64().value();
  const std::uint64_t first = r.u64().value();
  const std::uint32_t crc = r.u32().value();
  if (generation == 0 || crc32c(half.first(16), crc32c(id)) != crc) {
    return generation;
  }
  std::size_t at = k_tail_half_header_bytes;
  std::uint64_t number = first;
  while (at + k_tail_entry_bytes <= half.size()) {
    TailEntry entry;
    std::memcpy(&entry, half.data() + at, sizeof entry);
    const std::size_t left = half.size() - at - k_tail_entry_bytes;
    if (entry.commit != commit_word(generation) || entry.number != number || entry.length > left ||
        !fits_kind(entry, out.encrypted) ||
        entry_crc(id, generation, half.subspan(at + 8, k_tail_entry_bytes - 8 + entry.length)) !=
            entry.crc) {
      break;
    }
    if (number >= from) {
      const auto data = half.subspan(at + k_tail_entry_bytes, entry.length);
      out.entries.try_emplace(number, RawEntry{entry, generation, Bytes(data.begin(), data.end())});
    }
    ++number;
    at += entry_bytes(entry.length);
  }
  return generation;
}

Result<RawTail> read_once(const ReadFile& file, const FileId& expect, std::uint64_t from,
                          bool& stable) {
  Bytes head(k_tail_head_bytes);
  TRY_ASSIGN(const auto n, file.read_at(0, head));
  ByteReader r(head);
  const auto magic = r.take(k_tail_magic.size());
  if (n != head.size() || as_text(*magic) != k_tail_magic) {
    return fail(Errc::corrupt, "not a sworn tail file");
  }
  const std::uint32_t half_bytes = r.u32().value();
  const std::uint32_t flags = r.u32().value();
  const auto id = r.take(expect.size()).value();
  const std::uint32_t crc = r.u32().value();
  if (crc32c(ByteView(head).first(head.size() - 4)) != crc || (flags & ~k_tail_encrypted) != 0 ||
      half_bytes > k_tail_max_half_bytes || half_bytes < k_tail_page_bytes) {
    return fail(Errc::corrupt, "the head of the tail file is damaged");
  }
  if (!std::equal(id.begin(), id.end(), expect.begin())) {
    return fail(Errc::corrupt, "the tail file belongs to another session");
  }
  RawTail out;
  out.encrypted = (flags & k_tail_encrypted) != 0;
  std::array<std::uint64_t, 2> generations{};
  for (std::size_t k = 0; k < 2; ++k) {
    Bytes half(half_bytes);
    TRY_ASSIGN(const auto m, file.read_at(k_tail_page_bytes + k * half_bytes, half));
    if (m < half.size()) {
      half.resize(m);
      if (m < k_tail_half_header_bytes) {
        continue;
      }
    }
    generations[k] = parse_half(half, expect, from, out);
  }
  // A half that was begun anew while it was read may have mixed two generations.
  stable = true;
  for (std::size_t k = 0; k < 2; ++k) {
    Bytes again(8);
    TRY_ASSIGN(const auto m, file.read_at(k_tail_page_bytes + k * half_bytes, again));
    stable = stable && (m != 8 || ByteReader(again).u64().value() == generations[k]);
  }
  return out;
}

Result<RawTail> read_raw_tail(const std::string& path, const FileId& expect, std::uint64_t from) {
  TRY_ASSIGN(const auto file, PosixReadFile::open(path));
  // Bounded: a writer that turns its halves faster than we read is still giving whole entries
  // (their crc holds); only the hole answer could be wrong, and the caller asks again anyway.
  for (int attempt = 0;; ++attempt) {
    bool stable = false;
    TRY_ASSIGN(auto contents, read_once(*file, expect, from, stable));
    if (stable || attempt == 8) {
      return contents;
    }
  }
}

// Calls `take` for the entries from `from` up to the first hole; whether there was one.
template <typename F>
Result<bool> take_in_order(RawTail& raw, std::uint64_t from, const F& take) {
  std::uint64_t wanted = from;
  for (auto& [number, entry] : raw.entries) {
    if (number != wanted) {
      return true;
    }
    ++wanted;
    TRY(take(entry));
  }
  return false;
}

}  // namespace

Result<TailContents> read_tail(const std::string& path, const FileId& expect,
                               std::uint64_t from_number, TailKey* key) {
  TRY_ASSIGN(auto raw, read_raw_tail(path, expect, from_number));
  if (raw.encrypted && key == nullptr) {
    return fail(Errc::locked, "the tail is encrypted");
  }
  TailContents out;
  out.file_id = expect;
  bool unreadable = false;
  TRY_ASSIGN(
      out.hole, take_in_order(raw, from_number, [&](RawEntry& entry) -> Result<void> {
        if (!raw.encrypted) {
          const auto& head = entry.head;
          out.events.push_back({head.number, static_cast<EventKind>(head.kind), MonoTime{head.t},
                                MonoTime{std::min(head.at, head.t)}, std::move(entry.data), false});
        } else if (!unreadable) {
          auto event =
              open_tail_entry(*key, {entry.generation, entry.head.number, std::move(entry.data)});
          unreadable = !event;
          if (event) {
            out.events.push_back(*std::move(event));
          }
        }
        return {};
      }));
  out.hole = out.hole || unreadable;
  return out;
}

Result<SealedTail> read_sealed_tail(const std::string& path, const FileId& expect,
                                    std::uint64_t from_number) {
  TRY_ASSIGN(auto raw, read_raw_tail(path, expect, from_number));
  SealedTail out;
  out.encrypted = raw.encrypted;
  if (raw.encrypted) {
    TRY_ASSIGN(
        out.hole, take_in_order(raw, from_number, [&](RawEntry& entry) -> Result<void> {
          out.entries.push_back({entry.generation, entry.head.number, std::move(entry.data)});
          return {};
        }));
  }
  return out;
}

}  // namespace sworn::format
