// SPDX-License-Identifier: Apache-2.0
#include "format/note.hpp"

#include "base/printable.hpp"
#include "format/base64.hpp"
#include "format/digest.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sworn::format {
namespace {

constexpr std::string_view k_dash = "\xE2\x80\x94 ";  // U+2014 and a space
constexpr std::size_t k_max_name_bytes = 255;
constexpr std::size_t k_key_id_bytes = 4;

bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool is_note_text(std::string_view text) {
  while (!text.empty()) {
    const auto step = decode_utf8(text);
    if (!step.valid || (step.code_point < 0x20 && step.code_point != '\n')) {
      return false;
    }
    text.remove_prefix(step.length);
  }
  return true;
}

tl::unexpected<Error> malformed(std::string_view what) {
  return fail(Errc::corrupt, "signed note: " + std::string(what));
}

Result<NoteSignature> parse_signature_line(std::string_view line) {
  if (!line.starts_with(k_dash)) {
    return malformed("a signature line that does not begin with a dash");
  }
  line.remove_prefix(k_dash.size());
  const auto space = line.find(' ');
  if (space == std::string_view::npos || !is_note_key_name(line.substr(0, space))) {
    return malformed("a signature line without a key name");
  }
  const auto bytes = from_base64(line.substr(space + 1));
  if (!bytes || bytes->size() <= k_key_id_bytes) {
    return malformed("a signature that is not canonical base64 or too short");
  }
  NoteSignature out;
  out.name = line.substr(0, space);
  for (std::size_t i = 0; i < k_key_id_bytes; ++i) {
    out.key_id = out.key_id << 8U | std::to_integer<std::uint32_t>((*bytes)[i]);
  }
  out.signature.assign(bytes->begin() + k_key_id_bytes, bytes->end());
  return out;
}

bool holds(const Note& note, const NoteSignature& signature, const NoteKey& key) {
  Signature value{};
  if (key.type != NoteKeyType::ed25519 || signature.signature.size() != value.size()) {
    return false;
  }
  std::copy(signature.signature.begin(), signature.signature.end(), value.begin());
  return verify_signature(key.key, as_bytes(note.text), value);
}

}  // namespace

bool is_note_key_name(std::string_view name) {
  if (name.empty() || name.size() > k_max_name_bytes) {
    return false;
  }
  while (!name.empty()) {
    const auto step = decode_utf8(name);
    if (!step.valid || step.code_point == '+' || step.code_point < 0x20 ||
        is_space(step.code_point)) {
      return false;
    }
    name.remove_prefix(step.length);
  }
  return true;
}

std::uint32_t NoteKey::id() const {
  Bytes message = to_bytes(name);
  message.push_back(std::byte{'\n'});
  message.push_back(static_cast<std::byte>(type));
  append(message, key);
  const Digest digest = sha256(message);
  std::uint32_t out = 0;
  for (std::size_t i = 0; i < k_key_id_bytes; ++i) {
    out = out << 8U | std::to_integer<std::uint32_t>(digest[i]);
  }
  return out;
}

std::string NoteKey::vkey() const {
  Bytes data{static_cast<std::byte>(type)};
  append(data, key);
  return fmt::format("{}+{:08x}+{}", name, id(), base64(data));
}

Result<NoteKey> NoteKey::parse(std::string_view vkey) {
  const auto first = vkey.find('+');
  const auto second = first == std::string_view::npos ? first : vkey.find('+', first + 1);
  if (second == std::string_view::npos || !is_note_key_name(vkey.substr(0, first))) {
    return fail(Errc::bad_usage, "not a verifier key (NAME+ID+KEY)");
  }
  NoteKey out;
  out.name = vkey.substr(0, first);
  const auto data = from_base64(vkey.substr(second + 1));
  if (!data || data->size() != 1 + out.key.size()) {
    return fail(Errc::bad_usage, "a verifier key of a wrong length");
  }
  out.type = static_cast<NoteKeyType>((*data)[0]);
  if (out.type != NoteKeyType::ed25519 && out.type != NoteKeyType::cosignature_v1) {
    return fail(Errc::unsupported, fmt::format("a verifier key of type {}; this build knows 1 "
                                               "(Ed25519) and 4 (cosignature/v1)",
                                               static_cast<unsigned>(out.type)));
  }
  std::copy(data->begin() + 1, data->end(), out.key.begin());
  if (vkey.substr(first + 1, second - first - 1) != fmt::format("{:08x}", out.id())) {
    return fail(Errc::bad_usage, "a verifier key whose ID does not belong to it");
  }
  return out;
}

Result<std::vector<NoteSignature>> parse_signature_lines(std::string_view lines) {
  if (lines.size() > k_max_note_bytes || !lines.ends_with('\n') || !is_note_text(lines)) {
    return malformed("its signature lines are no text lines");
  }
  std::vector<NoteSignature> out;
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    if (out.size() == k_max_note_signatures) {
      return malformed("more than 64 signatures");
    }
    TRY_ASSIGN(auto signature, parse_signature_line(lines.substr(0, end)));
    out.push_back(std::move(signature));
    lines.remove_prefix(end + 1);
  }
  return out;
}

Result<Note> parse_note(std::string_view bytes) {
  if (bytes.size() > k_max_note_bytes) {
    return malformed("larger than 256 KiB");
  }
  const auto split = bytes.rfind("\n\n");
  if (split == std::string_view::npos || !is_note_text(bytes)) {
    return malformed("no text with a blank line behind it");
  }
  Note out;
  out.text = bytes.substr(0, split + 1);
  TRY_ASSIGN(out.signatures, parse_signature_lines(bytes.substr(split + 2)));
  return out;
}

std::string signature_line(const NoteSignature& signature) {
  Bytes data;
  for (std::size_t i = 0; i < k_key_id_bytes; ++i) {
    data.push_back(static_cast<std::byte>(signature.key_id >> (24 - 8 * i)));
  }
  append(data, signature.signature);
  return std::string(k_dash) + signature.name + " " + base64(data) + "\n";
}

std::string encode(const Note& note) {
  std::string out = note.text + "\n";
  for (const auto& signature : note.signatures) {
    out += signature_line(signature);
  }
  return out;
}

Result<NoteSignature> sign_note(std::string_view text, std::string_view name,
                                const SigningKey& key) {
  if (!is_note_key_name(name) || !text.ends_with('\n') || !is_note_text(text)) {
    return fail(Errc::bad_usage, "a note needs a key name without spaces and text lines");
  }
  NoteKey public_key{std::string(name), NoteKeyType::ed25519, key.public_key()};
  TRY_ASSIGN(const auto signature, key.sign(as_bytes(text)));
  return NoteSignature{public_key.name, public_key.id(), Bytes(signature.begin(), signature.end())};
}

Result<std::vector<std::size_t>> verify_note(const Note& note, std::span<const NoteKey> keys) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    for (const auto& signature : note.signatures) {
      if (!signature.is_by(keys[i])) {
        continue;
      }
      if (!holds(note, signature, keys[i])) {
        return fail(Errc::bad_seal, "the signature of " + keys[i].name + " does not hold");
      }
      if (out.empty() || out.back() != i) {
        out.push_back(i);
      }
    }
  }
  if (out.empty()) {
    return fail(Errc::bad_seal, "a note that no known key signed");
  }
  return out;
}

}  // namespace sworn::format
