// SPDX-License-Identifier: Apache-2.0
#include "format/ledger.hpp"

#include "base/scope_exit.hpp"
#include "format/checkpoint.hpp"

#include <algorithm>

namespace sworn::format {
namespace {

constexpr std::size_t k_checkpoint_key_bytes = 32;
constexpr std::size_t k_max_head_bytes = 64U << 10U;

tl::unexpected<Error> broken(std::string_view what) {
  return fail(Errc::bad_seal, "ledger: " + std::string(what));
}

Result<PublicKey> public_key_of(const KeySlot& slot) {
  TRY_ASSIGN(const auto key, SigningKey::from_seed(slot.seed.view()));
  return key.public_key();
}

// Everything that a fact says may be on disk for long: no line breaks in an origin.
Result<void> check_identity(const LedgerIdentity& identity) {
  if (!is_note_key_name(identity.origin) ||
      (identity.scope != "host" && identity.scope != "user")) {
    return fail(Errc::bad_usage,
                "a ledger needs a scope (host, user) and an origin: a name "
                "without spaces and '+'");
  }
  return {};
}

}  // namespace

Ledger::Ledger(std::unique_ptr<LedgerDisk> disk, Clock& clock, Entropy& entropy,
               LedgerOptions options)
    : disk_(std::move(disk)), clock_(clock), entropy_(entropy), options_(std::move(options)) {}
Ledger::~Ledger() = default;

Result<std::unique_ptr<Ledger>> Ledger::open(std::unique_ptr<LedgerDisk> disk, Clock& clock,
                                             Entropy& entropy, LedgerOptions options) {
  auto out =
      std::unique_ptr<Ledger>(new Ledger(std::move(disk), clock, entropy, std::move(options)));
  TRY(out->disk_->lock(out->options_.lock_timeout_ms));
  const ScopeExit unlock([held = out->disk_.get()] { held->unlock(); });
  TRY(out->load());
  TRY_ASSIGN(auto slots, out->settle());
  TRY(out->write_boot_if_new(slots));
  out->remember_head();
  return out;
}

Result<Secret<32>> Ledger::fresh_seed() {
  Secret<32> seed;
  TRY(entropy_.fill(seed.span()));
  return seed;
}

// Finds the ledger, or makes one: head_ holds its id (and more, where the hint is good) afterwards.
Result<void> Ledger::load() {
  std::array<std::byte, k_preamble_bytes> bytes{};
  TRY_ASSIGN(const auto n, file(LedgerPart::entries).read_at(0, bytes));
  const auto id = decode_ledger_preamble(ByteView(bytes).first(n));
  if (!id) {
    // Nothing, or the torn beginning of one: both are the business of create().
    const bool torn =
        n < k_preamble_bytes ||
        (id.error().code == Errc::bad_usage &&
         std::all_of(bytes.begin(), bytes.end(), [](auto b) { return b == std::byte{0}; }));
    return torn ? create() : tl::make_unexpected(id.error());
  }
  head_.id = *id;
  head_.bytes = k_preamble_bytes;
  TRY_ASSIGN(const auto head_bytes, file(LedgerPart::head).size());
  Bytes hint(static_cast<std::size_t>(std::min<std::uint64_t>(head_bytes, k_max_head_bytes)));
  TRY_ASSIGN(const auto got, file(LedgerPart::head).read_at(0, hint));
  const auto head = decode_ledger_head(ByteView(hint).first(got));
  if (head && head->id == *id) {
    TRY_ASSIGN(const bool belongs, head_belongs_to(file(LedgerPart::entries), *head));
    if (belongs) {
      head_ = *head;
    }
  }
  return {};
}

// The first two slots: the key of the genesis entry, and the next one with the genesis entry as its
// intent. settle() completes it as it completes every other entry.
Result<void> Ledger::create() {
  TRY_ASSIGN(auto first, read_slot(slot_file(0)));
  TRY_ASSIGN(const auto second, read_slot(slot_file(1)));
  head_.bytes = k_preamble_bytes;
  if (first && second && first->ledger == second->ledger && first->index == 0 &&
      second->index == 1 && !second->intent.empty()) {
    head_.id = first->ledger;  // a creation that a crash interrupted
    return {};
  }
  if (second || (first && first->index != 0)) {
    return broken(
        "its entries are gone but its keys are there: they were removed, or the "
        "directory was restored from somewhere");
  }
  if (!options_.create) {
    return fail(Errc::not_found, "there is no ledger yet");
  }
  TRY(check_identity(options_.identity));
  TRY(disk_->prepare());
  Secret<k_checkpoint_key_bytes> checkpoint_seed;
  TRY(entropy_.fill(checkpoint_seed.span()));
  TRY_ASSIGN(const auto checkpoint_key, SigningKey::from_seed(checkpoint_seed.view()));
  TRY(file(LedgerPart::checkpoint_key).write_at(0, checkpoint_seed.view()));
  TRY(file(LedgerPart::checkpoint_key).sync());

  KeySlot slot;
  TRY(entropy_.fill(slot.ledger));
  TRY_ASSIGN(slot.seed, fresh_seed());
  LedgerGenesis genesis;
  genesis.id = slot.ledger;
  genesis.scope = options_.identity.scope;
  genesis.host_id = options_.identity.host_id;
  genesis.uid = options_.identity.uid;
  genesis.origin = options_.identity.origin;
  genesis.checkpoint_key =
      NoteKey{genesis.origin, NoteKeyType::ed25519, checkpoint_key.public_key()}.vkey();
  TRY_ASSIGN(genesis.first_key, public_key_of(slot));
  TRY_ASSIGN(const auto entry, encode(LedgerEntry{clock_.wall(), clock_.mono(), genesis}));
  TRY(write_slot(slot_file(0), slot));

  KeySlot next;
  next.ledger = slot.ledger;
  next.index = 1;
  TRY_ASSIGN(next.seed, fresh_seed());
  next.intent = entry;
  TRY(write_slot(slot_file(1), next));
  head_.id = slot.ledger;
  created_ = true;
  return {};
}

// Reads what stands behind head_; the number of bytes behind the last whole record is returned.
Result<std::uint64_t> Ledger::catch_up() {
  auto& entries = file(LedgerPart::entries);
  TRY_ASSIGN(const auto size, entries.size());
  if (size < head_.bytes && head_.size > 0) {
    return broken("its file is shorter than it was");
  }
  RecordScanner scanner(entries, head_.id, head_.bytes);
  while (true) {
    TRY_ASSIGN(const auto record, scanner.next());
    if (!record) {
      return size > head_.bytes ? size - head_.bytes : 0;
    }
    if (record->skipped != 0 || record->frame.record_type() != k_ledger_entry_record) {
      return broken("bytes that are no entry stand between its entries");
    }
    const auto read = head_.advance(record->offset, record->frame.seq, record->body);
    if (!read) {
      return broken(read.error().context);
    }
  }
}

// Under the lock: reads to the end, completes an entry that was promised but not written, and makes
// sure that exactly one key is left. After it, slots.live signs entry head_.size.
Result<Ledger::Slots> Ledger::settle() {
  TRY_ASSIGN(const auto torn_bytes, catch_up());
  Slots slots;
  for (int i = 0; i < 2; ++i) {
    TRY_ASSIGN(slots.slot[i], read_slot(slot_file(i)));
    if (slots.slot[i] && slots.slot[i]->ledger != head_.id) {
      return broken("a key slot belongs to another ledger");
    }
  }
  const auto find = [&slots](std::uint64_t index) {
    for (int i = 0; i < 2; ++i) {
      if (slots.slot[i] && slots.slot[i]->index == index) {
        return i;
      }
    }
    return -1;
  };
  int live = find(head_.size);
  int promised = find(head_.size + 1);
  if (live < 0) {
    return broken(
        "none of its key slots continues it: entries were removed, or an older copy was "
        "restored");
  }
  if (promised < 0 && torn_bytes != 0) {
    return broken("bytes stand behind its last entry that its writer did not put there");
  }
  if (promised >= 0) {
    // What the slot says is what will be signed: make sure that it is what a power cut leaves.
    TRY(write_slot(slot_file(promised), *slots.slot[promised]));
    TRY_ASSIGN(const auto next_key, public_key_of(*slots.slot[promised]));
    TRY(write_entry(slots.slot[promised]->intent, *slots.slot[live], next_key));
    std::swap(live, promised);
  }
  TRY_ASSIGN(const auto live_key, public_key_of(*slots.slot[live]));
  if (head_.size > 0 && live_key != head_.next_key) {
    return broken("the key in its slot is not the one that its last entry announced");
  }
  const int other = 1 - live;
  if (slots.slot[other]) {
    // The entry that this key signed may be in memory only. It goes to disk before the key goes.
    Bytes last(static_cast<std::size_t>(head_.bytes - head_.last_offset));
    TRY_ASSIGN(const auto n, file(LedgerPart::entries).read_at(head_.last_offset, last));
    if (n != last.size()) {
      return broken("its last entry cannot be read");
    }
    TRY(file(LedgerPart::entries).write_at(head_.last_offset, last));
    TRY(file(LedgerPart::entries).sync());
    TRY(erase_slot(slot_file(other)));
    slots.slot[other].reset();
  }
  slots.live = live;
  return slots;
}

// Signs and writes entry head_.size. The intent must be on disk.
Result<void> Ledger::write_entry(ByteView entry, const KeySlot& signer, const PublicKey& next_key) {
  LedgerRecord record;
  record.entry.assign(entry.begin(), entry.end());
  record.next_key = next_key;
  MerkleTree grown = head_.tree;
  grown.add(ledger_leaf(entry));
  TRY_ASSIGN(const auto key, SigningKey::from_seed(signer.seed.view()));
  TRY_ASSIGN(record.signature,
             key.sign(ledger_message(head_.id, grown.size(), grown.root(), next_key)));
  const Bytes body = encode(record);
  Bytes out;
  if (head_.size == 0) {
    out = encode_ledger_preamble(head_.id);
  }
  const std::size_t preamble = out.size();
  append_record(out, head_.id, k_ledger_entry_record, static_cast<std::uint32_t>(head_.size), body);
  auto& entries = file(LedgerPart::entries);
  TRY_ASSIGN(const auto size, entries.size());
  const std::uint64_t offset = head_.bytes - preamble;
  if (size > offset + out.size()) {
    return broken("bytes stand behind its last entry that its writer did not put there");
  }
  TRY(entries.write_at(offset, out));
  TRY(entries.sync());
  TRY(head_.advance(head_.bytes, static_cast<std::uint32_t>(head_.size), body));
  return {};
}

Result<void> Ledger::write_boot_if_new(Slots& slots) {
  if (options_.boot_id.empty() || options_.boot_id == head_.boot_id) {
    return {};
  }
  TRY(append_locked(LedgerBoot{options_.boot_id}, slots));
  return {};
}

Result<LedgerReceipt> Ledger::append_locked(LedgerFact fact, Slots& slots) {
  const bool boot = std::holds_alternative<LedgerBoot>(fact);
  const MonoTime now = clock_.mono();
  // Two processes can read the clock and then get the lock in the other order.
  LedgerEntry entry{clock_.wall(), boot ? now : std::max(now, head_.last_mono), std::move(fact)};
  TRY_ASSIGN(auto bytes, encode(entry));
  const Digest leaf = ledger_leaf(bytes);

  KeySlot next;
  next.ledger = head_.id;
  next.index = head_.size + 1;
  TRY_ASSIGN(next.seed, fresh_seed());
  next.intent = std::move(bytes);
  const int free = 1 - slots.live;
  TRY(write_slot(slot_file(free), next));
  TRY_ASSIGN(const auto next_key, public_key_of(next));
  TRY(write_entry(next.intent, *slots.slot[slots.live], next_key));
  TRY(erase_slot(slot_file(slots.live)));
  slots.slot[slots.live].reset();
  slots.slot[free] = std::move(next);
  slots.live = free;
  return LedgerReceipt{head_.size - 1, leaf, head_.size, head_.tree.root()};
}

Result<LedgerReceipt> Ledger::append(LedgerFact fact) {
  if (std::holds_alternative<LedgerGenesis>(fact) || std::holds_alternative<LedgerBoot>(fact)) {
    return fail(Errc::bad_usage, "genesis and boot entries are the ledger's own");
  }
  TRY(disk_->lock(options_.lock_timeout_ms));
  const ScopeExit unlock([this] { disk_->unlock(); });
  TRY_ASSIGN(auto slots, settle());
  TRY(write_boot_if_new(slots));
  auto receipt = append_locked(std::move(fact), slots);
  if (receipt) {
    remember_head();
  }
  return receipt;
}

// A hint: a failure costs the next reader a scan, nothing else.
void Ledger::remember_head() {
  const auto written = file(LedgerPart::head).write_at(0, encode(head_));
  static_cast<void>(written.has_value());
}

// The key that the entries name. While one is being replaced the file holds both.
Result<SigningKey> Ledger::checkpoint_signer() {
  TRY_ASSIGN(const auto named, NoteKey::parse(head_.checkpoint_key));
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{k_checkpoint_key_bytes}}) {
    Secret<k_checkpoint_key_bytes> seed;
    TRY_ASSIGN(const auto n, file(LedgerPart::checkpoint_key).read_at(offset, seed.span()));
    if (n == k_checkpoint_key_bytes) {
      TRY_ASSIGN(auto key, SigningKey::from_seed(seed.view()));
      if (key.public_key() == named.key) {
        return key;
      }
    }
  }
  return broken("its checkpoint key is not the one that its entries name");
}

// Brings the key that counts to the first place, where an interrupted rotation left it in the
// second.
Result<void> Ledger::settle_checkpoint_key() {
  TRY(checkpoint_signer());
  auto& keys = file(LedgerPart::checkpoint_key);
  Secret<k_checkpoint_key_bytes> seed;
  TRY_ASSIGN(const auto n, keys.read_at(0, seed.span()));
  TRY_ASSIGN(const auto named, NoteKey::parse(head_.checkpoint_key));
  TRY_ASSIGN(const auto first, SigningKey::from_seed(seed.view()));
  if (n == k_checkpoint_key_bytes && first.public_key() == named.key) {
    return {};
  }
  TRY(keys.read_at(k_checkpoint_key_bytes, seed.span()));
  TRY(keys.write_at(0, seed.view()));
  return keys.sync();
}

Result<LedgerReceipt> Ledger::rotate_checkpoint_key(std::string actor, std::string reason) {
  TRY(disk_->lock(options_.lock_timeout_ms));
  const ScopeExit unlock([this] { disk_->unlock(); });
  TRY_ASSIGN(auto slots, settle());
  TRY(settle_checkpoint_key());  // whoever cannot use the old one does not replace it
  TRY(write_boot_if_new(slots));
  auto& keys = file(LedgerPart::checkpoint_key);
  TRY_ASSIGN(auto seed, fresh_seed());
  TRY_ASSIGN(const auto key, SigningKey::from_seed(seed.view()));
  // Both are there until the entry decides which one counts.
  TRY(keys.write_at(k_checkpoint_key_bytes, seed.view()));
  TRY(keys.sync());
  LedgerKeyRotation fact;
  fact.checkpoint_key = NoteKey{head_.origin, NoteKeyType::ed25519, key.public_key()}.vkey();
  fact.actor = std::move(actor);
  fact.reason = std::move(reason);
  TRY_ASSIGN(const auto receipt, append_locked(std::move(fact), slots));
  remember_head();
  const Bytes nothing(k_checkpoint_key_bytes);
  TRY(keys.write_at(0, seed.view()));
  TRY(keys.sync());
  TRY(keys.write_at(k_checkpoint_key_bytes, nothing));
  TRY(keys.sync());
  return receipt;
}

Result<std::string> Ledger::checkpoint() {
  TRY(disk_->lock(options_.lock_timeout_ms));
  const ScopeExit unlock([this] { disk_->unlock(); });
  TRY_ASSIGN([[maybe_unused]] const auto slots, settle());
  TRY_ASSIGN(const auto public_key, NoteKey::parse(head_.checkpoint_key));
  TRY_ASSIGN(const auto key, checkpoint_signer());
  // Nothing leaves the host that a power cut could take back.
  TRY(file(LedgerPart::entries).sync());
  TRY_ASSIGN(const auto note, sign_checkpoint({head_.origin, head_.size, head_.tree.root(), {}},
                                              public_key.name, key));
  return encode(note);
}

}  // namespace sworn::format
