// SPDX-License-Identifier: Apache-2.0
#include "format/age_box.hpp"

#include "format/aead.hpp"
#include "format/base64.hpp"
#include "format/bech32.hpp"

#include <algorithm>

namespace sworn::format {
namespace {

constexpr std::string_view k_version_line = "age-encryption.org/v1";
constexpr std::string_view k_any_version = "age-encryption.org/";
constexpr std::string_view k_recipient_prefix = "age";
constexpr std::string_view k_identity_prefix = "age-secret-key-";
constexpr std::string_view k_x25519_info = "age-encryption.org/v1/X25519";
constexpr std::size_t k_columns = 64;
constexpr std::size_t k_nonce_bytes = 16;
constexpr std::size_t k_stream_chunk = 64 * 1024;
constexpr std::size_t k_wrapped_bytes = 16 + k_aead_tag_bytes;
constexpr std::size_t k_max_arguments = 64;

tl::unexpected<Error> malformed(std::string_view what) {
  return fail(Errc::corrupt, "age header: " + std::string(what));
}

// Lines of the header, LF only.
class HeaderLines {
 public:
  explicit HeaderLines(ByteView box)
      : text_(as_text(box.first(std::min(box.size(), k_max_age_header_bytes)))) {}

  Result<std::string_view> next() {
    const auto end = text_.find('\n', position_);
    if (end == std::string_view::npos) {
      return malformed("it ends before its MAC, or exceeds 1 MiB");
    }
    line_start_ = position_;
    position_ = end + 1;
    return text_.substr(line_start_, end - line_start_);
  }
  [[nodiscard]] std::size_t line_start() const { return line_start_; }
  [[nodiscard]] std::size_t position() const { return position_; }

 private:
  std::string_view text_;
  std::size_t line_start_ = 0;
  std::size_t position_ = 0;
};

Result<std::vector<std::string>> split_arguments(std::string_view text) {
  std::vector<std::string> out;
  while (true) {
    const auto end = text.find(' ');
    const auto argument = text.substr(0, end);
    const bool visible = std::all_of(argument.begin(), argument.end(),
                                     [](char c) { return c >= 0x21 && c <= 0x7E; });
    if (argument.empty() || !visible || out.size() == k_max_arguments) {
      return malformed("a stanza with a wrong argument");
    }
    out.emplace_back(argument);
    if (end == std::string_view::npos) {
      return out;
    }
    text.remove_prefix(end + 1);
  }
}

Result<AgeStanza> parse_stanza(std::string_view first_line, HeaderLines& lines) {
  AgeStanza stanza;
  TRY_ASSIGN(stanza.arguments, split_arguments(first_line.substr(3)));
  while (true) {
    TRY_ASSIGN(const auto line, lines.next());
    if (line.size() > k_columns) {
      return malformed("a stanza with a line that is too long");
    }
    const auto part = from_base64(line, Base64Padding::without);
    if (!part) {
      return malformed("a stanza whose body is not canonical base64");
    }
    append(stanza.body, *part);
    if (line.size() < k_columns) {
      return stanza;
    }
  }
}

// X25519 stanzas only; nullopt-like: not_found where it is for somebody else.
Result<AgeFileKey> unwrap_stanza(const AgeStanza& stanza, const AgeIdentity& identity) {
  if (stanza.arguments.size() != 2) {
    return malformed("an X25519 stanza with a wrong number of arguments");
  }
  const auto share_bytes = from_base64(stanza.arguments[1], Base64Padding::without);
  X25519Public share{};
  if (!share_bytes || share_bytes->size() != share.size()) {
    return malformed("an X25519 stanza with a wrong share");
  }
  if (stanza.body.size() != k_wrapped_bytes) {
    return malformed("an X25519 stanza with a body of a wrong length");
  }
  std::copy(share_bytes->begin(), share_bytes->end(), share.begin());
  const auto shared = x25519(identity.secret(), share);
  if (!shared) {
    return shared.error().code == Errc::bad_seal ? malformed(shared.error().context)
                                                 : tl::make_unexpected(shared.error());
  }
  Bytes salt(share.begin(), share.end());
  append(salt, identity.recipient().key);
  TRY_ASSIGN(const auto wrap_key, hkdf_sha256(shared->view(), salt, k_x25519_info));
  Bytes opened;
  if (!aead_open(AeadCipher::chacha20_poly1305, wrap_key.view(), AeadNonce{}, {}, stanza.body,
                 opened)) {
    return fail(Errc::not_found, "age: the box is not for this identity");
  }
  auto file_key = AgeFileKey::copy_of(opened);
  erase(opened);
  return file_key;
}

AeadNonce stream_nonce(std::uint64_t counter, bool last) {
  AeadNonce nonce{};
  for (std::size_t i = 0; i < 8; ++i) {
    nonce[10 - i] = static_cast<std::byte>(counter >> (8 * i));
  }
  nonce[11] = static_cast<std::byte>(last ? 1 : 0);
  return nonce;
}

Result<void> append_stanza(std::string& out, const AgeRecipient& recipient,
                           const AgeFileKey& file_key, Entropy& entropy) {
  Key ephemeral;
  TRY(entropy.fill(ephemeral.span()));
  TRY_ASSIGN(const auto share, x25519_public(ephemeral.view()));
  TRY_ASSIGN(const auto shared, x25519(ephemeral.view(), recipient.key));
  Bytes salt(share.begin(), share.end());
  append(salt, recipient.key);
  TRY_ASSIGN(const auto wrap_key, hkdf_sha256(shared.view(), salt, k_x25519_info));
  Bytes body;
  TRY(aead_seal(AeadCipher::chacha20_poly1305, wrap_key.view(), AeadNonce{}, {}, file_key.view(),
                body));
  out += "-> X25519 " + base64(share, Base64Padding::without) + "\n";
  out += base64(body, Base64Padding::without) + "\n";  // 43 characters: one short line
  return {};
}

Result<void> append_payload(Bytes& out, ByteView plaintext, const AgeFileKey& file_key,
                            Entropy& entropy) {
  std::array<std::byte, k_nonce_bytes> salt{};
  TRY(entropy.fill(salt));
  append(out, salt);
  TRY_ASSIGN(const auto key, hkdf_sha256(file_key.view(), salt, "payload"));
  std::uint64_t counter = 0;
  do {
    const auto part = plaintext.first(std::min(plaintext.size(), k_stream_chunk));
    plaintext = plaintext.subspan(part.size());
    TRY(aead_seal(AeadCipher::chacha20_poly1305, key.view(),
                  stream_nonce(counter++, plaintext.empty()), {}, part, out));
  } while (!plaintext.empty());
  return {};
}

}  // namespace

Result<AgeRecipient> AgeRecipient::parse(std::string_view text) {
  const auto decoded = from_bech32(text);
  AgeRecipient out;
  if (!decoded || decoded->prefix != k_recipient_prefix || decoded->upper_case ||
      decoded->data.size() != out.key.size()) {
    return fail(Errc::bad_usage, "not an age X25519 recipient (age1...)");
  }
  std::copy(decoded->data.begin(), decoded->data.end(), out.key.begin());
  return out;
}

std::string AgeRecipient::text() const {
  return bech32(k_recipient_prefix, key);
}

Result<AgeIdentity> AgeIdentity::parse(std::string_view text) {
  auto decoded = from_bech32(text);
  if (!decoded || decoded->prefix != k_identity_prefix || !decoded->upper_case ||
      decoded->data.size() != 32) {
    return fail(Errc::bad_usage, "not an age X25519 identity (AGE-SECRET-KEY-1...)");
  }
  AgeIdentity out;
  out.secret_ = Key::copy_of(decoded->data);
  erase(decoded->data);
  TRY_ASSIGN(out.recipient_.key, x25519_public(out.secret_.view()));
  return out;
}

Result<AgeIdentity> AgeIdentity::generate(Entropy& entropy) {
  AgeIdentity out;
  TRY(entropy.fill(out.secret_.span()));
  TRY_ASSIGN(out.recipient_.key, x25519_public(out.secret_.view()));
  return out;
}

std::string AgeIdentity::text() const {
  std::string out = bech32(k_identity_prefix, secret_.view());
  for (auto& c : out) {
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return out;
}

Result<AgeHeader> parse_age_header(ByteView box) {
  HeaderLines lines(box);
  TRY_ASSIGN(const auto version, lines.next());
  if (version != k_version_line) {
    if (version.starts_with(k_any_version) && !version.ends_with('\r')) {
      return fail(Errc::unsupported, "age header: a version other than v1");
    }
    return malformed("this is not an age file");
  }
  AgeHeader out;
  while (true) {
    TRY_ASSIGN(const auto line, lines.next());
    if (line.starts_with("--- ")) {
      const auto mac = from_base64(line.substr(4), Base64Padding::without);
      if (!mac || mac->size() != out.mac.size()) {
        return malformed("a wrong MAC line");
      }
      std::copy(mac->begin(), mac->end(), out.mac.begin());
      out.mac_covers = lines.line_start() + 3;
      out.payload_offset = lines.position();
      break;
    }
    if (!line.starts_with("-> ")) {
      return malformed("a line that begins neither a stanza nor the MAC");
    }
    if (out.stanzas.size() == k_max_age_stanzas) {
      return malformed("more than 1,024 stanzas");
    }
    TRY_ASSIGN(auto stanza, parse_stanza(line, lines));
    out.stanzas.push_back(std::move(stanza));
  }
  if (out.stanzas.empty()) {
    return malformed("it has no stanza");
  }
  // The one rule about stanzas of a type that we do not open.
  const bool scrypt = std::any_of(out.stanzas.begin(), out.stanzas.end(),
                                  [](const AgeStanza& s) { return s.arguments[0] == "scrypt"; });
  if (scrypt && out.stanzas.size() != 1) {
    return malformed("a passphrase stanza beside another one");
  }
  return out;
}

Result<AgeFileKey> unwrap_age_file_key(const AgeHeader& header,
                                       std::span<const AgeIdentity> identities) {
  for (const auto& identity : identities) {
    for (const auto& stanza : header.stanzas) {
      if (stanza.arguments[0] != "X25519") {
        continue;
      }
      auto file_key = unwrap_stanza(stanza, identity);
      if (file_key || file_key.error().code != Errc::not_found) {
        return file_key;
      }
    }
  }
  return fail(Errc::not_found, "age: the box is not for any of these identities");
}

Result<void> check_age_header(ByteView box, const AgeHeader& header, const AgeFileKey& file_key) {
  TRY_ASSIGN(const auto mac_key, hkdf_sha256(file_key.view(), {}, "header"));
  TRY_ASSIGN(const auto mac, hmac_sha256(mac_key.view(), box.first(header.mac_covers)));
  if (!equal_in_constant_time(mac, header.mac)) {
    return fail(Errc::bad_seal, "age header: its MAC does not hold");
  }
  return {};
}

Result<Bytes> open_age_payload(ByteView payload, const AgeFileKey& file_key) {
  if (payload.size() < k_nonce_bytes) {
    return malformed("it is not followed by a nonce");
  }
  TRY_ASSIGN(const auto key, hkdf_sha256(file_key.view(), payload.first(k_nonce_bytes), "payload"));
  payload = payload.subspan(k_nonce_bytes);
  constexpr std::size_t k_sealed_chunk = k_stream_chunk + k_aead_tag_bytes;
  Bytes out;
  out.reserve(payload.size());
  const auto refuse = [&](Errc code, std::string_view what) {
    erase(out);
    return fail(code, "age payload: " + std::string(what));
  };
  std::uint64_t counter = 0;
  do {
    const bool last = payload.size() <= k_sealed_chunk;
    const auto part = payload.first(std::min(payload.size(), k_sealed_chunk));
    payload = payload.subspan(part.size());
    if (part.size() < k_aead_tag_bytes) {
      return refuse(Errc::truncated, "it ends before its last chunk");
    }
    if (part.size() == k_aead_tag_bytes && counter != 0) {
      return refuse(Errc::corrupt, "an empty last chunk");
    }
    if (!aead_open(AeadCipher::chacha20_poly1305, key.view(), stream_nonce(counter++, last), {},
                   part, out)) {
      return refuse(Errc::bad_seal, "a chunk was changed, or the last one is missing");
    }
  } while (!payload.empty());
  return out;
}

Result<Bytes> age_encrypt(ByteView plaintext, std::span<const AgeRecipient> recipients,
                          Entropy& entropy) {
  if (recipients.empty() || recipients.size() > k_max_age_stanzas) {
    return fail(Errc::bad_usage, "a key box needs 1 to 1,024 recipients");
  }
  std::vector<X25519Public> keys;
  for (const auto& recipient : recipients) {
    keys.push_back(recipient.key);
  }
  std::sort(keys.begin(), keys.end());
  if (std::adjacent_find(keys.begin(), keys.end()) != keys.end()) {
    return fail(Errc::bad_usage, "a recipient of the key box is named twice");
  }
  AgeFileKey file_key;
  TRY(entropy.fill(file_key.span()));
  std::string header(k_version_line);
  header += '\n';
  for (const auto& recipient : recipients) {
    TRY(append_stanza(header, recipient, file_key, entropy));
  }
  header += "---";
  TRY_ASSIGN(const auto mac_key, hkdf_sha256(file_key.view(), {}, "header"));
  TRY_ASSIGN(const auto mac, hmac_sha256(mac_key.view(), as_bytes(header)));
  header += " " + base64(mac, Base64Padding::without) + "\n";
  Bytes out = to_bytes(header);
  TRY(append_payload(out, plaintext, file_key, entropy));
  return out;
}

Result<Bytes> age_decrypt(ByteView box, std::span<const AgeIdentity> identities) {
  Bytes stripped;
  if (is_age_armored(box)) {
    TRY_ASSIGN(stripped, strip_age_armor(as_text(box)));
    box = stripped;
  }
  TRY_ASSIGN(const auto header, parse_age_header(box));
  TRY_ASSIGN(const auto file_key, unwrap_age_file_key(header, identities));
  TRY(check_age_header(box, header, file_key));
  return open_age_payload(box.subspan(header.payload_offset), file_key);
}

}  // namespace sworn::format
