// SPDX-License-Identifier: Apache-2.0
#include "recorder/output_lane.hpp"

#include <sys/ioctl.h>

namespace sworn::recorder {
namespace {

constexpr int k_reads_in_a_row = 32;  // then the keyboard and the signals have their turn

}  // namespace

OutputLane::OutputLane(format::EventKind kind, Channel source, Channel sink, std::size_t read_bytes)
    : kind_(kind), source_(std::move(source)), sink_(std::move(sink)), read_bytes_(read_bytes) {}

void OutputLane::write(ByteView data) {
  while (!data.empty() && !sink_broken_) {
    const IoResult result = sink_.write(data);
    if (result.state == IoState::again) {
      unshown_.assign(data.begin(), data.end());
      shown_ = 0;
      return;
    }
    if (result.state != IoState::done) {
      sink_broken_ = true;
      return;
    }
    data = data.subspan(result.n);
  }
}

bool OutputLane::flush() {
  while (shown_ < unshown_.size() && !sink_broken_) {
    const IoResult result = sink_.write(unshown());
    if (result.state == IoState::again) {
      return false;
    }
    if (result.state != IoState::done) {
      sink_broken_ = true;
      break;
    }
    shown_ += result.n;
  }
  unshown_.clear();
  shown_ = 0;
  return true;
}

OutputLane::Flow OutputLane::pump(LaneHost& host) {
  flow_ = pump_some(host);
  return flow_;
}

OutputLane::Flow OutputLane::pump_some(LaneHost& host) {
  for (int i = 0; i < k_reads_in_a_row; ++i) {
    if (!flush()) {
      return Flow::blocked;
    }
    if (!source_.valid() || (sink_broken_ && !keep_without_sink_)) {
      return Flow::ended;
    }
    const auto room = host.room(read_bytes_);
    if (room.empty()) {
      return Flow::starved;
    }
    const IoResult result = source_.read(room);
    if (result.state == IoState::again) {
      return Flow::idle;
    }
    if (result.state != IoState::done) {
      return Flow::ended;
    }
    bytes_ += result.n;
    const ByteView recorded = host.record(kind_, room, result.n);
    if (recorded.empty()) {
      return Flow::ended;
    }
    write(recorded);
    host.shown(kind_, recorded);
    if (result.n < room.size() / 4) {
      return unshown_.empty() ? Flow::idle : Flow::blocked;  // a small read has emptied the source
    }
  }
  return Flow::busy;
}

void OutputLane::close_source() {
  source_.close();
}

std::uint64_t OutputLane::waiting() const {
  int n = 0;
  return source_.valid() && ::ioctl(source_.fd(), FIONREAD, &n) == 0 && n > 0
             ? static_cast<std::uint64_t>(n)
             : 0;
}

}  // namespace sworn::recorder
