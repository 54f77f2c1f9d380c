// SPDX-License-Identifier: Apache-2.0
// Test doubles of the doors to disk, clock and chance.
#pragma once

#include "base/clock.hpp"
#include "base/file.hpp"
#include "format/session_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

namespace sworn::test {

// A file in memory that can be both ends at once, lose what was not synced, and fail on demand.
class MemFile final : public AppendFile, public ReadFile {
 public:
  Result<void> append(ByteView data) override {
    if (fail_after && data_.size() + data.size() > *fail_after) {
      const auto part = data.first(*fail_after > data_.size() ? *fail_after - data_.size() : 0);
      sworn::append(data_, part);
      return fail_sys(ENOSPC, "write");
    }
    sworn::append(data_, data);
    return {};
  }
  Result<void> sync() override {
    synced_ = data_.size();
    return {};
  }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    if (offset >= data_.size()) {
      return 0;
    }
    const auto n = std::min<std::size_t>(out.size(), data_.size() - offset);
    if (n > 0) {
      std::memcpy(out.data(), data_.data() + offset, n);
    }
    return n;
  }
  [[nodiscard]] Result<std::uint64_t> size() const override { return data_.size(); }
  void crash() { data_.resize(synced_); }
  [[nodiscard]] std::size_t synced() const { return synced_; }
  Bytes& data() { return data_; }
  std::optional<std::size_t> fail_after;

 private:
  Bytes data_;
  std::size_t synced_ = 0;
};

class FakeClock final : public Clock {
 public:
  MonoTime mono() override { return mono_; }
  WallTime wall() override { return wall_; }
  ClockQuality quality() override { return {true, 500}; }
  void advance(std::int64_t us) {
    mono_.us += us;
    wall_.us += us;
  }
  void step_wall(std::int64_t us) { wall_.us += us; }
  MonoTime mono_{1'000'000};
  WallTime wall_{1'795'224'237'000'000};
};

// Reproducible: a counter run through nothing secret. For golden files and tests only.
class FakeEntropy final : public format::Entropy {
 public:
  explicit FakeEntropy(std::uint64_t seed = 1) : state_(seed) {}
  Result<void> fill(std::span<std::byte> out) override {
    for (auto& byte : out) {
      state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
      byte = static_cast<std::byte>(state_ >> 56U);
    }
    return {};
  }

 private:
  std::uint64_t state_;
};

}  // namespace sworn::test
