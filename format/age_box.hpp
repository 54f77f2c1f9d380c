// SPDX-License-Identifier: Apache-2.0
// Key boxes: age v1 files (C2SP age.md) for X25519 recipients, which Debian's `age` command opens
// and writes as well. A box is small (a session key), so both directions work in memory, and
// nothing of a payload is given out before all of it has authenticated. Opening takes hostile
// bytes: bounded header, stanzas of other types skipped. docs/ledger.md, "Key boxes".
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "format/key_derivation.hpp"
#include "format/session_writer.hpp"

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::format {

inline constexpr std::size_t k_max_age_header_bytes = 1U << 20U;
inline constexpr std::size_t k_max_age_stanzas = 1024;

// Whom a box is closed for: "age1...".
struct AgeRecipient {
  X25519Public key{};
  static Result<AgeRecipient> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
};

// Who opens it: "AGE-SECRET-KEY-1...". The text is a secret as well; whoever asks for it erases it.
class AgeIdentity {
 public:
  static Result<AgeIdentity> parse(std::string_view text);
  static Result<AgeIdentity> generate(Entropy& entropy);
  [[nodiscard]] const AgeRecipient& recipient() const { return recipient_; }
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::span<const std::byte, 32> secret() const { return secret_.view(); }

 private:
  AgeIdentity() = default;
  Key secret_;
  AgeRecipient recipient_;
};

// At least one recipient; the same one twice is refused (it is a typing error in a policy).
Result<Bytes> age_encrypt(ByteView plaintext, std::span<const AgeRecipient> recipients,
                          Entropy& entropy);

// Takes both the binary and the armored form. Errc::unsupported: another age version; corrupt: the
// header or armor is malformed; not_found: no stanza is for these identities; bad_seal: the header
// or the payload was changed; truncated: the payload ends too early.
Result<Bytes> age_decrypt(ByteView box, std::span<const AgeIdentity> identities);

// The steps of age_decrypt() over the binary form.
struct AgeStanza {
  std::vector<std::string> arguments;  // at least one: the type
  Bytes body;
};
struct AgeHeader {
  std::vector<AgeStanza> stanzas;
  std::array<std::byte, 32> mac{};
  std::size_t mac_covers = 0;  // bytes from the start
  std::size_t payload_offset = 0;
};
using AgeFileKey = Secret<16>;
Result<AgeHeader> parse_age_header(ByteView box);
Result<AgeFileKey> unwrap_age_file_key(const AgeHeader& header,
                                       std::span<const AgeIdentity> identities);
Result<void> check_age_header(ByteView box, const AgeHeader& header, const AgeFileKey& file_key);
Result<Bytes> open_age_payload(ByteView payload, const AgeFileKey& file_key);

// The armor: strict PEM (RFC 7468) with white space allowed around it, LF or CRLF.
bool is_age_armored(ByteView box);
std::string age_armor(ByteView box);
Result<Bytes> strip_age_armor(std::string_view text);

}  // namespace sworn::format
