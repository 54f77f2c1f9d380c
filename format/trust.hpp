// SPDX-License-Identifier: Apache-2.0
// What a verifier believes beforehand: which ledgers it knows by their genesis, since when a host
// seals its sessions, how far it has seen each ledger grow, who may redact, which witnesses count.
// One small text file, rewritten as a whole; a word that is not understood is an error, never
// skipped. docs/ledger.md, "Trust store".
#pragma once

#include "base/clock.hpp"
#include "format/checkpoint.hpp"
#include "format/ledger_entry.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::format {

// First use: taken over from what was presented, not from somebody who knew it.
enum class PinnedBy : std::uint8_t { first_use, administrator };

struct SeenTree {
  std::uint64_t size = 0;
  Digest root{};
  WallTime when;
};

struct TrustedRedactor {
  std::string name;
  PublicKey key{};
};

struct TrustedLedger {
  LedgerId id{};
  std::string name;     // for people: "db-07"
  std::string host_id;  // of a host's ledger; empty for a user's
  Digest genesis{};
  NoteKey checkpoint_key;
  PinnedBy pinned_by = PinnedBy::first_use;
  WallTime pinned_at;
  std::optional<WallTime> sealed_since;  // sessions of this host that started later must be in it
  std::optional<SeenTree> seen;          // the largest tree that was verified
  std::vector<TrustedRedactor> redactors;
  std::vector<NoteKey> witnesses;
  std::uint32_t quorum = 0;  // how many of the witnesses must have cosigned
};

class TrustStore {
 public:
  // Of no one ledger: keys that may redact any session, and the certificates (DER) of the RFC 3161
  // authorities that are believed. At most 64 each.
  std::vector<TrustedRedactor> general_redactors;
  std::vector<Bytes> authorities;

  // Errc::corrupt with the line number; at most 1 MiB and 4,096 ledgers.
  static Result<TrustStore> parse(std::string_view text);
  // An absent file is an empty store.
  static Result<TrustStore> load(const std::string& path);
  // Replaces the file in one step, mode 0600, synced.
  [[nodiscard]] Result<void> save(const std::string& path) const;
  [[nodiscard]] std::string text() const;

  [[nodiscard]] const std::vector<TrustedLedger>& ledgers() const { return ledgers_; }
  [[nodiscard]] const TrustedLedger* find(const LedgerId& id) const;
  [[nodiscard]] const TrustedLedger* find_host(std::string_view host_id) const;
  // All keys that may redact, of every ledger and of none.
  [[nodiscard]] std::vector<PublicKey> redactors() const;
  // The authorities as PEM, for verify_timestamp().
  [[nodiscard]] std::string authorities_pem() const;
  // Takes over what `other` has and this one has not; of a ledger that both have only the larger
  // seen tree.
  void add_missing(const TrustStore& other);
  // Adds, or replaces the one with the same id.
  Result<void> put(TrustedLedger ledger);
  bool remove(const LedgerId& id);

 private:
  std::vector<TrustedLedger> ledgers_;
};

// $XDG_CONFIG_HOME/sworn/trust, else ~/.config/sworn/trust; the other is the host's.
inline constexpr std::string_view k_host_trust_store = "/etc/sworn/trust";
Result<std::string> default_trust_store();

// Who may redact, by the user's trust store and the host's.
Result<std::vector<TrustedRedactor>> named_redactors();
// The same for a verifier; a store that cannot be read names nobody.
std::vector<PublicKey> named_redactor_keys();

}  // namespace sworn::format
