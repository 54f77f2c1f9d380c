// SPDX-License-Identifier: Apache-2.0
// One direction of bytes through the recorder: from a source, on record, to a sink; in this order
// for every byte. Holds at most one read that the sink has not taken; while it does, or while the
// tail is full, nothing is read, so that the program waits and nothing grows. Not for what people
// type: see keyboard.hpp.
#pragma once

#include "base/bytes.hpp"
#include "format/event.hpp"
#include "recorder/channel.hpp"

#include <cstdint>

namespace sworn::recorder {

// What a lane needs of the session.
class LaneHost {
 public:
  virtual ~LaneHost() = default;
  // Memory for the next read; empty: wait.
  virtual std::span<std::byte> room(std::size_t want) = 0;
  // Puts the first `n` bytes of what room() gave on record. Empty: it could not be recorded and
  // must not go on.
  virtual ByteView record(format::EventKind kind, std::span<std::byte> room, std::size_t n) = 0;
  // The bytes that record() gave were handed to the sink, as far as it took them.
  virtual void shown(format::EventKind kind, ByteView data) = 0;
};

class OutputLane {
 public:
  enum class Flow : std::uint8_t {
    idle,     // the source has nothing more now
    blocked,  // the sink takes nothing now
    starved,  // no room on record now
    busy,     // there is more; others may have their turn first
    ended,    // the source is at its end, or nobody wants its bytes
  };

  OutputLane(format::EventKind kind, Channel source, Channel sink, std::size_t read_bytes);

  // After `ended`, the caller stops waiting for the source and closes it.
  Flow pump(LaneHost& host);

  [[nodiscard]] format::EventKind kind() const { return kind_; }
  [[nodiscard]] Flow flow() const { return flow_; }
  [[nodiscard]] const Channel& source() const { return source_; }
  [[nodiscard]] const Channel& sink() const { return sink_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] ByteView unshown() const { return ByteView(unshown_).subspan(shown_); }

  // The sink broke. A stream then ends for its program as well; a terminal that is gone takes
  // nothing more, but the program is recorded to its end.
  [[nodiscard]] bool sink_broken() const { return sink_broken_; }
  void keep_without_sink() { keep_without_sink_ = true; }

  // Gives the sink what it has not taken yet; false where it takes nothing now.
  bool flush();

  void close_source();
  void close_sink() { sink_.close(); }
  // Bytes that wait in the source and will not be read any more.
  [[nodiscard]] std::uint64_t waiting() const;

 private:
  Flow pump_some(LaneHost& host);
  void write(ByteView data);

  format::EventKind kind_;
  Channel source_;
  Channel sink_;
  std::size_t read_bytes_;
  Bytes unshown_;
  std::size_t shown_ = 0;  // of unshown_
  std::uint64_t bytes_ = 0;
  Flow flow_ = Flow::idle;
  bool sink_broken_ = false;
  bool keep_without_sink_ = false;
};

}  // namespace sworn::recorder
