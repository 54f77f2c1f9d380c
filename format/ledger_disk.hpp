// SPDX-License-Identifier: Apache-2.0
// The doors to a ledger's directory: five small files and one lock. Unlike an AppendFile a
// LedgerFile can write anywhere, because the key slots are overwritten and an interrupted record is
// completed with the same bytes. One thread each; processes exclude each other through lock().
//   DIR/entries         the ledger, 0640      DIR/key.0, DIR/key.1   one-time key slots, 0600
//   DIR/checkpoint.key  0600                  DIR/head               a hint, 0600
//   DIR/lock            flock(2)
#pragma once

#include "base/file.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace sworn::format {

class LedgerFile : public ReadFile {
 public:
  virtual Result<void> write_at(std::uint64_t offset, ByteView data) = 0;
  virtual Result<void> sync() = 0;  // fdatasync
};

enum class LedgerPart : std::uint8_t { entries, slot_0, slot_1, checkpoint_key, head };
inline constexpr std::size_t k_ledger_parts = 5;

class LedgerDisk {
 public:
  virtual ~LedgerDisk() = default;
  // Waits for other processes: up to `timeout_ms` without one of them having written an entry, and
  // not more than twelve times that. Errc::exhausted when that was not enough.
  virtual Result<void> lock(int timeout_ms) = 0;
  virtual void unlock() = 0;
  // Never fails: an absent file reads as empty and is created by prepare().
  virtual LedgerFile& file(LedgerPart part) = 0;
  // Creates what is missing and makes the names durable.
  virtual Result<void> prepare() = 0;
};

class PosixLedgerDisk final : public LedgerDisk {
 public:
  // The directory must exist where `create` is false; otherwise it is made (0700). Refuses a
  // directory that others than its owner may write to, or that belongs to neither us nor root.
  static Result<std::unique_ptr<PosixLedgerDisk>> open(const std::string& directory, bool create);
  ~PosixLedgerDisk() override;
  PosixLedgerDisk(const PosixLedgerDisk&) = delete;
  PosixLedgerDisk& operator=(const PosixLedgerDisk&) = delete;
  Result<void> lock(int timeout_ms) override;
  void unlock() override;
  LedgerFile& file(LedgerPart part) override;
  Result<void> prepare() override;

 private:
  class File;
  PosixLedgerDisk() = default;
  std::string directory_;
  Fd lock_;
  std::array<std::unique_ptr<File>, k_ledger_parts> files_;
};

// $XDG_STATE_HOME/sworn/ledger, else ~/.local/state/sworn/ledger (HOME, else of the user's entry in
// passwd).
Result<std::string> default_user_ledger();
inline constexpr std::string_view k_host_ledger = "/var/lib/sworn/ledger";
std::string ledger_entries_path(const std::string& directory);

}  // namespace sworn::format
