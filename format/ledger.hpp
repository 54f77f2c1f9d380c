// SPDX-License-Identifier: Apache-2.0
// The writer of a ledger: takes facts, appends signed entries. Any number of processes may hold one
// ledger open; each append takes the lock, catches up with what others wrote, completes what a
// crash interrupted, and is on disk (entry and key slots synced) before it returns. A one-time key
// never signs two messages, whatever step a crash falls between. One thread each.
//
// After an error the entry may be on record or not; the next append by anybody settles which.
#pragma once

#include "format/ledger_chain.hpp"
#include "format/ledger_disk.hpp"
#include "format/ledger_slot.hpp"
#include "format/session_writer.hpp"

#include <memory>
#include <optional>
#include <string>

namespace sworn::format {

struct LedgerIdentity {
  std::string scope;  // "host", "user"
  std::string host_id;
  std::uint32_t uid = 0;
  std::string origin;  // of its checkpoints: a name without spaces, "db-07.example/sworn"
};

struct LedgerOptions {
  bool create = false;  // with `identity`, where there is none yet
  LedgerIdentity identity;
  std::string boot_id;  // of this boot; a boot entry is written when it is new
  int lock_timeout_ms = 5'000;
};

// An entry that is on disk.
struct LedgerReceipt {
  std::uint64_t index = 0;
  Digest leaf{};
  std::uint64_t tree_size = 0;
  Digest root{};
};

class Ledger {
 public:
  // Errc::not_found: no ledger there and `create` is false; bad_seal: the ledger and its key slots
  // do not belong together (entries removed, rolled back or changed); corrupt: damaged.
  static Result<std::unique_ptr<Ledger>> open(std::unique_ptr<LedgerDisk> disk, Clock& clock,
                                              Entropy& entropy, LedgerOptions options);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  Result<LedgerReceipt> append(LedgerFact fact);

  // Makes a new checkpoint key and enters it; the old one is gone afterwards. The name stays.
  Result<LedgerReceipt> rotate_checkpoint_key(std::string actor, std::string reason);

  // The C2SP checkpoint of everything that is on disk now, signed with the checkpoint key.
  Result<std::string> checkpoint();

  // As of the last call; others may have written since.
  [[nodiscard]] const LedgerHead& head() const { return head_; }
  [[nodiscard]] bool created() const { return created_; }  // by this open()

 private:
  struct Slots {
    std::optional<KeySlot> slot[2];
    int live = 0;  // which of them signs the next entry
  };
  Ledger(std::unique_ptr<LedgerDisk> disk, Clock& clock, Entropy& entropy, LedgerOptions options);
  Result<void> create();
  Result<void> load();
  Result<std::uint64_t> catch_up();
  Result<Slots> settle();
  Result<void> write_entry(ByteView entry, const KeySlot& signer, const PublicKey& next_key);
  Result<LedgerReceipt> append_locked(LedgerFact fact, Slots& slots);
  Result<void> write_boot_if_new(Slots& slots);
  Result<Secret<32>> fresh_seed();
  Result<SigningKey> checkpoint_signer();
  Result<void> settle_checkpoint_key();
  void remember_head();
  LedgerFile& file(LedgerPart part) { return disk_->file(part); }
  LedgerFile& slot_file(int which) {
    return disk_->file(which == 0 ? LedgerPart::slot_0 : LedgerPart::slot_1);
  }

  std::unique_ptr<LedgerDisk> disk_;
  Clock& clock_;
  Entropy& entropy_;
  LedgerOptions options_;
  LedgerHead head_;
  bool created_ = false;
};

}  // namespace sworn::format
