// SPDX-License-Identifier: Apache-2.0
// The write-ahead tail: a small preallocated file, mapped shared, in which every event lands before
// anybody sees it. The mapping belongs to the kernel's page cache, so killing the recorder loses
// nothing. It is also the recorder's bounded buffer: two halves; one is filled while the other is
// compressed, hashed and sealed. A full tail means back-pressure, never growth and never a drop.
// Layout: docs/format.md, "Tail".
//
// Threads: reserve/commit/try_switch belong to one thread (the loop). pending() and release() may
// be called by another one (the worker) at the same time.
#pragma once

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"
#include "format/event.hpp"
#include "format/recovered.hpp"
#include "format/session_header.hpp"
#include "format/session_key.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sworn::format {

inline constexpr std::size_t k_tail_half_bytes = 1U << 20U;

class TailWriter {
 public:
  // Creates PATH (O_EXCL, 0600), allocates its blocks and maps it. Errc::io with ENOSPC where the
  // disk is full: better now than as SIGBUS later. `half_bytes` is rounded up to whole pages.
  // `key`: of an encrypted session. Then the events themselves stay in locked memory and only their
  // ciphertext reaches the mapping; views are into that memory.
  static Result<std::unique_ptr<TailWriter>> create(const std::string& path, const FileId& file_id,
                                                    std::size_t half_bytes = k_tail_half_bytes,
                                                    std::unique_ptr<TailKey> key = nullptr);
  // A new, empty file that another process has made, and that it will remove.
  static Result<std::unique_ptr<TailWriter>> adopt(Fd tail, const FileId& file_id,
                                                   std::size_t half_bytes = k_tail_half_bytes,
                                                   std::unique_ptr<TailKey> key = nullptr);
  ~TailWriter();
  TailWriter(const TailWriter&) = delete;
  TailWriter& operator=(const TailWriter&) = delete;

  // Room for the data of one event of at most `want` bytes, inside the mapping: read(2) straight
  // into it. Shorter than `want` (down to `least`) near the end of a half. Empty where not even
  // `least` bytes fit now: wait until the worker released the other half, then try again. Forgets
  // an uncommitted reservation.
  std::span<std::byte> reserve(std::size_t want, std::size_t least = 1);

  // Puts the first `used` bytes of the reservation on record. From here on a kill of this process
  // cannot lose it. Returns a view into the mapping, valid until its half is released.
  EventView commit(EventKind kind, MonoTime t, MonoTime at, std::size_t used);

  // reserve + copy + commit; fails with Errc::exhausted where it does not fit now.
  Result<EventView> put(EventKind kind, MonoTime t, MonoTime at, ByteView data);

  [[nodiscard]] std::uint64_t next_number() const;
  [[nodiscard]] std::size_t free_bytes() const;  // that can be committed without a release

  // Committed events with number >= `from`, oldest first. Views into the mapping.
  [[nodiscard]] std::vector<EventView> pending(std::uint64_t from) const;

  // Everything below `number` is sealed in the session file: halves that hold nothing else become
  // free.
  void release(std::uint64_t number);

  // Lets the pages of free halves go from this process (they stay in the file). For idle sessions.
  void trim();

  // Removes the file: after the final seal nothing in it is evidence any more.
  Result<void> remove();

 private:
  struct Impl;
  explicit TailWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// What a reader finds in a tail, live or left by a crash. Takes hostile bytes.
struct TailContents {
  FileId file_id{};
  std::vector<Event> events;  // by number, duplicates dropped, up to the first hole
  bool hole = false;          // later events exist behind a missing number
};
// `expect` guards against a tail of another session: Errc::corrupt where the file ids differ. `key`
// opens an encrypted tail and moves on with it; Errc::locked without one.
Result<TailContents> read_tail(const std::string& path, const FileId& expect,
                               std::uint64_t from_number, TailKey* key = nullptr);

// The entries of an encrypted tail as they stand, for who has no key. `encrypted` false: the tail
// is in clear, and there are none.
struct SealedTail {
  bool encrypted = false;
  std::vector<SealedTailEntry> entries;  // by number, duplicates dropped, up to the first hole
  bool hole = false;
};
Result<SealedTail> read_sealed_tail(const std::string& path, const FileId& expect,
                                    std::uint64_t from_number);

}  // namespace sworn::format
