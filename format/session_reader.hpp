// SPDX-License-Identifier: Apache-2.0
// Reads a session file: forward, by event number, by time. Checks structure (frames, limits), not
// signatures: verify.hpp does that. Memory is bounded: one group of chunks (at most 256 KiB raw, 1
// MiB by the limits) plus the directory (about 48 bytes a chunk). Takes hostile bytes. Not
// thread-safe; open a reader per thread on the same ReadFile.
#pragma once

#include "base/file.hpp"
#include "format/clock_map.hpp"
#include "format/event.hpp"
#include "format/key_ring.hpp"
#include "format/session_header.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace sworn::format {

// Where a chunk is and what it covers; from the frames, or from the index hint and then re-checked.
struct ChunkRef {
  std::uint64_t offset = 0;  // of the record frame
  std::uint32_t chunk_no = 0;
  std::uint32_t n_events = 0;
  std::uint64_t first_event = 0;
  MonoTime t_first;
  MonoTime t_last;
  std::uint32_t raw_bytes = 0;    // of the columns, as the frame says
  std::uint32_t group_start = 0;  // place in chunks() that begins the zstd frame; k_no_group: lost
  bool recovered = false;         // a RECOVERED record of a salvaged copy: not sealed
};

inline constexpr std::uint32_t k_no_group = 0xFFFFFFFF;

enum class FileState : std::uint8_t {
  closed,  // the final seal is there
  open,    // no END yet: live or crashed (a kernel lock on the .part tells which; see store.hpp)
};

struct Damage {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::string what;
};

class SessionReader {
 public:
  // `file` must outlive the reader. Where the header alone is damaged, the session is still read,
  // with an empty header and an entry in damage().
  // An encrypted session is opened with `keys` where they fit; see locked().
  static Result<std::unique_ptr<SessionReader>> open(const ReadFile& file,
                                                     const KeyRing& keys = KeyRing::of_process());
  ~SessionReader();
  SessionReader(const SessionReader&) = delete;
  SessionReader& operator=(const SessionReader&) = delete;

  [[nodiscard]] const SessionHeader& header() const;
  [[nodiscard]] bool encrypted() const;
  // Why no key opens it; empty: events can be read. While it is locked, next() and seek_time() give
  // this error; everything that does not need events works.
  [[nodiscard]] const std::optional<Error>& locked() const;
  [[nodiscard]] TailKey* tail_key();            // for read_tail(); null where there is none to have
  [[nodiscard]] const KeyBox* key_box() const;  // of an encrypted session, where it is readable

  [[nodiscard]] FileState state() const;
  [[nodiscard]] const std::vector<ChunkRef>& chunks() const;
  [[nodiscard]] const std::vector<Damage>& damage() const;  // what open/refresh could not read
  [[nodiscard]] std::uint64_t event_count() const;
  [[nodiscard]] MonoTime first_time() const;
  [[nodiscard]] MonoTime last_time() const;
  [[nodiscard]] std::uint64_t sealed_events()
      const;  // below this number a seal record follows (unchecked)

  // Events with this number and above are not sealed: they come from RECOVERED records of a
  // salvaged copy, or from the tail. Equal to event_count() where there are none.
  [[nodiscard]] std::uint64_t first_unsealed_extra() const;
  // Bytes behind the last whole record: a record being written, a torn one, or garbage.
  [[nodiscard]] std::uint64_t trailing_bytes() const;

  // Takes in what was appended to a live file since; returns the number of new events.
  Result<std::uint64_t> refresh();

  // Events of the tail that follow the last chunk (live or crashed session): they extend the range
  // that next()/seek reach. Events already in chunks are dropped.
  void set_tail(std::vector<Event> events);

  // Forward cursor. The view lives until the next call on this reader. nullopt at the end.
  Result<std::optional<EventView>> next();

  // The next next() gives the first event with number >= n; past the end is fine.
  Result<void> seek_event(std::uint64_t n);
  // ... gives the first event with t >= `t`. Reads chunk cores only, decompresses one group.
  Result<void> seek_time(MonoTime t);

  // From the header and the two clocks in every seal; reads frames only. A step of the wall clock
  // shows up at the next seal, which the recorder writes at once.
  Result<ClockMap> clock_map();

 private:
  struct Impl;
  explicit SessionReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sworn::format
