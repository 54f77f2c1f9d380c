// SPDX-License-Identifier: Apache-2.0
// A ledger's directory in memory that dies at a chosen operation and comes back as a power cut may
// leave it: of what was not synced, any selection of 512-byte sectors is there.
#pragma once

#include "format/ledger_disk.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <optional>

namespace sworn::test {

class MemLedgerDisk;

// What survives a restart. Share it between the disks of successive "processes".
struct MemLedgerMedia {
  struct File {
    Bytes seen;     // by every process while the power is on
    Bytes durable;  // after a power cut
  };
  std::array<File, format::k_ledger_parts> files;
  std::size_t operations = 0;
  std::optional<std::size_t> die_at;  // that operation and all later ones fail, with no effect
  // Every write to the entries file, also those that a power cut takes back.
  std::function<void(std::uint64_t, ByteView)> on_entries_write;

  bool alive() { return !die_at || operations++ < *die_at; }

  // `keep(sector)` decides for each sector that differs.
  void power_cut(const std::function<bool()>& keep) {
    for (auto& file : files) {
      Bytes after = file.durable;
      for (std::size_t at = 0; at < file.seen.size(); at += 512) {
        const std::size_t n = std::min<std::size_t>(512, file.seen.size() - at);
        const bool same = at + n <= file.durable.size() &&
                          std::memcmp(file.seen.data() + at, file.durable.data() + at, n) == 0;
        if (!same && keep()) {
          after.resize(std::max(after.size(), at + n));
          std::memcpy(after.data() + at, file.seen.data() + at, n);
        }
      }
      file.seen = file.durable = after;
    }
    die_at.reset();
  }
  // kill -9: the kernel still has everything.
  void killed() { die_at.reset(); }
};

class MemLedgerDisk final : public format::LedgerDisk {
 public:
  explicit MemLedgerDisk(MemLedgerMedia& media) {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      files_[i].media = &media;
      files_[i].part = i;
    }
  }
  Result<void> lock(int /*timeout_ms*/) override { return {}; }
  void unlock() override {}
  format::LedgerFile& file(format::LedgerPart part) override {
    return files_[static_cast<std::size_t>(part)];
  }
  Result<void> prepare() override { return {}; }

 private:
  class File final : public format::LedgerFile {
   public:
    MemLedgerMedia* media = nullptr;
    std::size_t part = 0;

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
      const auto& data = mine().seen;
      if (offset >= data.size()) {
        return 0;
      }
      const auto n = std::min<std::size_t>(out.size(), data.size() - offset);
      std::copy_n(data.begin() + static_cast<std::ptrdiff_t>(offset), n, out.begin());
      return n;
    }
    [[nodiscard]] Result<std::uint64_t> size() const override { return mine().seen.size(); }
    Result<void> write_at(std::uint64_t offset, ByteView data) override {
      if (!media->alive()) {
        return fail_sys(EIO, "write");
      }
      if (part == 0 && media->on_entries_write) {
        media->on_entries_write(offset, data);
      }
      auto& seen = mine().seen;
      seen.resize(std::max<std::size_t>(seen.size(), offset + data.size()));
      std::copy(data.begin(), data.end(), seen.begin() + static_cast<std::ptrdiff_t>(offset));
      return {};
    }
    Result<void> sync() override {
      if (!media->alive()) {
        return fail_sys(EIO, "sync");
      }
      mine().durable = mine().seen;
      return {};
    }

   private:
    [[nodiscard]] MemLedgerMedia::File& mine() const { return media->files[part]; }
  };
  std::array<File, format::k_ledger_parts> files_;
};

}  // namespace sworn::test
