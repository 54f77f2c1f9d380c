// SPDX-License-Identifier: Apache-2.0
// C2SP signed notes: a text and the signatures of named keys below it. Keys travel as "vkeys":
// NAME+ID+BASE64. Parsing takes hostile text: at most 256 KiB, 64 signatures, valid UTF-8. Nothing
// of a note may be believed before verify_note() said which keys signed it.
#pragma once

#include "base/result.hpp"
#include "format/sign.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::format {

inline constexpr std::size_t k_max_note_bytes = 256U << 10U;
inline constexpr std::size_t k_max_note_signatures = 64;

enum class NoteKeyType : std::uint8_t { ed25519 = 0x01, cosignature_v1 = 0x04 };

struct NoteKey {
  std::string name;
  NoteKeyType type = NoteKeyType::ed25519;
  PublicKey key{};
  static Result<NoteKey> parse(std::string_view vkey);
  [[nodiscard]] std::string vkey() const;
  [[nodiscard]] std::uint32_t id() const;  // first bytes of SHA-256(name, LF, type, key)
  friend bool operator==(const NoteKey&, const NoteKey&) = default;
};

struct NoteSignature {
  std::string name;
  std::uint32_t key_id = 0;
  Bytes signature;  // without the key id; its form depends on the key's type
  [[nodiscard]] bool is_by(const NoteKey& key) const {
    return name == key.name && key_id == key.id();
  }
};

struct Note {
  std::string text;  // ends in a newline
  std::vector<NoteSignature> signatures;
};

// Not empty, UTF-8, no white space, no '+'.
bool is_note_key_name(std::string_view name);

Result<Note> parse_note(std::string_view bytes);
std::string encode(const Note& note);
std::string signature_line(const NoteSignature& signature);
// Lines as a witness answers them; the text they belong to is elsewhere.
Result<std::vector<NoteSignature>> parse_signature_lines(std::string_view lines);

// An Ed25519 signature over the text. `text` must end in a newline.
Result<NoteSignature> sign_note(std::string_view text, std::string_view name,
                                const SigningKey& key);

// Which of `keys` (indices) signed. Unknown signatures are ignored; Errc::bad_seal where the
// signature of a known key does not hold or where none of them signed.
Result<std::vector<std::size_t>> verify_note(const Note& note, std::span<const NoteKey> keys);

}  // namespace sworn::format
