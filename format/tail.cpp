// SPDX-License-Identifier: Apache-2.0
#include "format/tail.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "base/crc32c.hpp"
#include "base/file.hpp"
#include "format/tail_layout.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>

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
    std::uint64_t generation = 0;
    std::size_t used = k_tail_half_header_bytes;
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
  mutable std::mutex mutex;
  std::deque<EventView> views;  // guarded by mutex

  ~Impl() {
    if (map != nullptr) {
      ::munmap(map, map_bytes);
    }
  }

  void begin_half(std::size_t which) {
    Half& half = halves[which];
    half.generation = next_generation++;
    half.used = k_tail_half_header_bytes;
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

  [[nodiscard]] bool is_free(const Half& half) const {
    return half.end_number <= released.load(std::memory_order_acquire);
  }
  [[nodiscard]] std::size_t room(const Half& half) const {
    const std::size_t left = half_bytes - half.used;
    return left > k_tail_entry_bytes + 8 ? left - k_tail_entry_bytes - 8 : 0;
  }
};

TailWriter::TailWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TailWriter::~TailWriter() = default;

Result<std::unique_ptr<TailWriter>> TailWriter::create(const std::string& path,
                                                       const FileId& file_id,
                                                       std::size_t half_bytes) {
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->file_id = file_id;
  impl->half_bytes =
      (std::max<std::size_t>(half_bytes, 2 * k_tail_page_bytes) + k_tail_page_bytes - 1) /
      k_tail_page_bytes * k_tail_page_bytes;
  if (impl->half_bytes > k_tail_max_half_bytes) {
    return fail(Errc::bad_usage, "tail size out of range");
  }
  impl->map_bytes = k_tail_page_bytes + 2 * impl->half_bytes;
  impl->fd.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!impl->fd.valid()) {
    return fail_sys(errno, "cannot create " + path);
  }
  // Real blocks now: a store into a hole of a full disk would be a SIGBUS.
  const int rc = ::posix_fallocate(impl->fd.get(), 0, static_cast<off_t>(impl->map_bytes));
  if (rc != 0) {
    ::unlink(path.c_str());
    return fail_sys(rc, "cannot allocate " + path);
  }
  void* map =
      ::mmap(nullptr, impl->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, impl->fd.get(), 0);
  if (map == MAP_FAILED) {
    const int error = errno;
    ::unlink(path.c_str());
    return fail_sys(error, "cannot map " + path);
  }
  impl->map = static_cast<std::byte*>(map);
  Bytes head;
  ByteWriter w(head);
  w.bytes(as_bytes(k_tail_magic))
      .u32(static_cast<std::uint32_t>(impl->half_bytes))
      .u32(0)
      .bytes(file_id);
  w.u32(crc32c(head));
  std::memcpy(impl->map, head.data(), head.size());
  impl->halves[0].base = impl->map + k_tail_page_bytes;
  impl->halves[1].base = impl->map + k_tail_page_bytes + impl->half_bytes;
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
  return {half.base + half.used + k_tail_entry_bytes, s.reserved};
}

EventView TailWriter::commit(EventKind kind, MonoTime t, MonoTime at, std::size_t used) {
  auto& s = *impl_;
  Impl::Half& half = s.halves[s.current];
  std::byte* place = half.base + half.used;
  TailEntry entry;
  entry.number = s.next_number;
  entry.t = t.us;
  entry.at = at.us;
  entry.kind = static_cast<std::uint32_t>(kind);
  entry.length = static_cast<std::uint32_t>(std::min(used, s.reserved));
  std::memcpy(place + 8, reinterpret_cast<const std::byte*>(&entry) + 8, k_tail_entry_bytes - 8);
  entry.crc =
      entry_crc(s.file_id, half.generation, {place + 8, k_tail_entry_bytes - 8 + entry.length});
  std::memcpy(place + 4, &entry.crc, 4);
  // From this store on the event is on record.
  __atomic_store_n(reinterpret_cast<std::uint32_t*>(place), commit_word(half.generation),
                   __ATOMIC_RELEASE);
  half.used += entry_bytes(entry.length);
  half.end_number = ++s.next_number;
  s.reserved = 0;
  const EventView view{entry.number, kind, t, at, {place + k_tail_entry_bytes, entry.length},
                       false};
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
         (s.is_free(other) ? s.half_bytes - k_tail_half_header_bytes - k_tail_entry_bytes - 8 : 0);
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
  for (auto& half : s.halves) {
    if (s.is_free(half)) {
      // Shared mapping: the bytes stay in the file, only our page table lets go.
      ::madvise(half.base, s.half_bytes, MADV_DONTNEED);
    }
  }
}

Result<void> TailWriter::remove() {
  if (::unlink(impl_->path.c_str()) != 0) {
    return fail_sys(errno, "cannot remove " + impl_->path);
  }
  return {};
}

namespace {

struct HalfContents {
  std::uint64_t generation = 0;
  std::vector<Event> events;
};

HalfContents parse_half(ByteView half, const FileId& id, std::uint64_t from) {
  HalfContents out;
  ByteReader r(half);
  out.generation = r.u64().value();
  const std::uint64_t first = r.u64().value();
  const std::uint32_t crc = r.u32().value();
  if (out.generation == 0 || crc32c(half.first(16), crc32c(id)) != crc) {
    return out;
  }
  std::size_t at = k_tail_half_header_bytes;
  std::uint64_t number = first;
  while (at + k_tail_entry_bytes <= half.size()) {
    TailEntry entry;
    std::memcpy(&entry, half.data() + at, sizeof entry);
    const std::size_t left = half.size() - at - k_tail_entry_bytes;
    if (entry.commit != commit_word(out.generation) || entry.number != number ||
        entry.length > left || entry.length > k_max_event_bytes || entry.kind == 0 ||
        entry.kind > 63 || entry.t < 0 || entry.at < 0 ||
        entry_crc(id, out.generation,
                  half.subspan(at + 8, k_tail_entry_bytes - 8 + entry.length)) != entry.crc) {
      break;
    }
    if (number >= from) {
      const auto data = half.subspan(at + k_tail_entry_bytes, entry.length);
      out.events.push_back({number, static_cast<EventKind>(entry.kind), MonoTime{entry.t},
                            MonoTime{std::min(entry.at, entry.t)}, Bytes(data.begin(), data.end()),
                            false});
    }
    ++number;
    at += entry_bytes(entry.length);
  }
  return out;
}

Result<TailContents> read_once(const ReadFile& file, const FileId& expect, std::uint64_t from,
                               bool& stable) {
  Bytes head(k_tail_head_bytes);
  TRY_ASSIGN(const auto n, file.read_at(0, head));
  ByteReader r(head);
  const auto magic = r.take(k_tail_magic.size());
  if (n != head.size() || as_text(*magic) != k_tail_magic) {
    return fail(Errc::corrupt, "not a sworn tail file");
  }
  const std::uint32_t half_bytes = r.u32().value();
  const std::uint32_t reserved = r.u32().value();
  const auto id = r.take(expect.size()).value();
  const std::uint32_t crc = r.u32().value();
  if (crc32c(ByteView(head).first(head.size() - 4)) != crc || reserved != 0 ||
      half_bytes > k_tail_max_half_bytes || half_bytes < k_tail_page_bytes) {
    return fail(Errc::corrupt, "the head of the tail file is damaged");
  }
  TailContents out;
  std::copy(id.begin(), id.end(), out.file_id.begin());
  if (out.file_id != expect) {
    return fail(Errc::corrupt, "the tail file belongs to another session");
  }
  std::map<std::uint64_t, Event> found;
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
    auto contents = parse_half(half, expect, from);
    generations[k] = contents.generation;
    for (auto& event : contents.events) {
      found.emplace(event.number, std::move(event));
    }
  }
  // A half that was begun anew while it was read may have mixed two generations.
  stable = true;
  for (std::size_t k = 0; k < 2; ++k) {
    Bytes again(8);
    TRY_ASSIGN(const auto m, file.read_at(k_tail_page_bytes + k * half_bytes, again));
    stable = stable && (m != 8 || ByteReader(again).u64().value() == generations[k]);
  }
  std::uint64_t wanted = from;
  for (auto& [number, event] : found) {
    if (number != wanted) {
      out.hole = true;
      break;
    }
    ++wanted;
    out.events.push_back(std::move(event));
  }
  return out;
}

}  // namespace

Result<TailContents> read_tail(const std::string& path, const FileId& expect,
                               std::uint64_t from_number) {
  TRY_ASSIGN(const auto file, PosixReadFile::open(path));
  // Bounded: a writer that turns its halves faster than we read is still giving whole entries
  // (their crc holds); only the hole answer could be wrong, and the caller asks again anyway.
  for (int attempt = 0;; ++attempt) {
    bool stable = false;
    TRY_ASSIGN(auto contents, read_once(*file, expect, from_number, stable));
    if (stable || attempt == 8) {
      return contents;
    }
  }
}

}  // namespace sworn::format
