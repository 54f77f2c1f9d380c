// SPDX-License-Identifier: Apache-2.0
#include "format/checkpoint.hpp"

#include "format/base64.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace sworn::format {
namespace {

constexpr std::size_t k_timestamp_bytes = 8;
constexpr std::size_t k_max_extensions = 64;
constexpr std::int64_t k_us = 1'000'000;

tl::unexpected<Error> malformed(std::string_view what) {
  return fail(Errc::corrupt, "checkpoint: " + std::string(what));
}

// Decimal without a leading zero.
Result<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() ||
      (text.size() > 1 && text.front() == '0')) {
    return malformed("a size that is not a decimal number");
  }
  return out;
}

std::string cosigned_message(std::string_view checkpoint_text, std::uint64_t seconds) {
  return fmt::format("cosignature/v1\ntime {}\n{}", seconds, checkpoint_text);
}

}  // namespace

std::string encode(const Checkpoint& checkpoint) {
  std::string out =
      fmt::format("{}\n{}\n{}\n", checkpoint.origin, checkpoint.size, base64(checkpoint.root));
  for (const auto& line : checkpoint.extensions) {
    out += line + "\n";
  }
  return out;
}

Result<Checkpoint> parse_checkpoint_text(std::string_view text) {
  if (text.size() > k_max_note_bytes || !text.ends_with('\n')) {
    return malformed("too large, or its last line has no end");
  }
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (end == 0 || lines.size() == 3 + k_max_extensions) {
      return malformed("an empty line, or too many lines");
    }
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  if (lines.size() < 3) {
    return malformed("less than origin, size and root");
  }
  Checkpoint out;
  out.origin = lines[0];
  TRY_ASSIGN(out.size, parse_size(lines[1]));
  const auto root = from_base64(lines[2]);
  if (!root || root->size() != out.root.size()) {
    return malformed("a root that is not a SHA-256 hash in base64");
  }
  std::copy(root->begin(), root->end(), out.root.begin());
  out.extensions.assign(lines.begin() + 3, lines.end());
  return out;
}

Result<Note> sign_checkpoint(const Checkpoint& checkpoint, std::string_view key_name,
                             const SigningKey& key) {
  Note out;
  out.text = encode(checkpoint);
  if (const auto again = parse_checkpoint_text(out.text); !again || *again != checkpoint) {
    return fail(Errc::bad_usage, "a checkpoint whose lines would not read back");
  }
  TRY_ASSIGN(auto signature, sign_note(out.text, key_name, key));
  out.signatures.push_back(std::move(signature));
  return out;
}

Result<NoteSignature> cosign(std::string_view checkpoint_text, std::string_view witness_name,
                             const SigningKey& key, WallTime when) {
  if (when.us < 0 || !is_note_key_name(witness_name)) {
    return fail(Errc::bad_usage, "a cosignature needs a key name and a time after 1970");
  }
  const NoteKey public_key{std::string(witness_name), NoteKeyType::cosignature_v1,
                           key.public_key()};
  const auto seconds = static_cast<std::uint64_t>(when.us / k_us);
  TRY_ASSIGN(const auto signature, key.sign(as_bytes(cosigned_message(checkpoint_text, seconds))));
  NoteSignature out{public_key.name, public_key.id(), {}};
  for (std::size_t i = 0; i < k_timestamp_bytes; ++i) {
    out.signature.push_back(static_cast<std::byte>(seconds >> (56 - 8 * i)));
  }
  append(out.signature, signature);
  return out;
}

Result<Cosignature> verify_cosignature(std::string_view checkpoint_text,
                                       const NoteSignature& signature, const NoteKey& witness) {
  Signature value{};
  if (witness.type != NoteKeyType::cosignature_v1 || !signature.is_by(witness) ||
      signature.signature.size() != k_timestamp_bytes + value.size()) {
    return fail(Errc::bad_seal, "not a cosignature by " + witness.name);
  }
  std::uint64_t seconds = 0;
  for (std::size_t i = 0; i < k_timestamp_bytes; ++i) {
    seconds = seconds << 8U | std::to_integer<std::uint64_t>(signature.signature[i]);
  }
  std::copy(signature.signature.begin() + k_timestamp_bytes, signature.signature.end(),
            value.begin());
  // Beyond what a WallTime can hold nothing honest was signed.
  if (seconds > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() / k_us) ||
      !verify_signature(witness.key, as_bytes(cosigned_message(checkpoint_text, seconds)), value)) {
    return fail(Errc::bad_seal, "the cosignature of " + witness.name + " does not hold");
  }
  return Cosignature{witness.name, {static_cast<std::int64_t>(seconds) * k_us}};
}

Result<std::string> checkpoint_line(std::string_view bytes) {
  TRY_ASSIGN(const auto note, parse_note(bytes));
  TRY_ASSIGN(const auto checkpoint, parse_checkpoint_text(note.text));
  for (const auto& signature : note.signatures) {
    if (signature.name == checkpoint.origin && checkpoint.extensions.empty()) {
      std::string line = signature_line(signature);
      line.pop_back();
      return fmt::format("{}{} {} {} {}", k_checkpoint_line, checkpoint.origin, checkpoint.size,
                         base64(checkpoint.root), line.substr(line.rfind(' ') + 1));
    }
  }
  return fail(Errc::bad_usage, "a checkpoint that one line cannot hold");
}

std::optional<std::string> note_of_line(std::string_view line) {
  const auto begin = line.find(k_checkpoint_line);
  if (begin == std::string_view::npos || line.size() > k_max_note_bytes) {
    return std::nullopt;
  }
  line.remove_prefix(begin + k_checkpoint_line.size());
  std::array<std::string_view, 4> words;
  for (auto& word : words) {
    const auto end = std::min(line.find_first_of(" \r\n\t\""), line.size());
    word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    if (word.empty()) {
      return std::nullopt;
    }
  }
  return fmt::format("{}\n{}\n{}\n\n\u2014 {} {}\n", words[0], words[1], words[2], words[0],
                     words[3]);
}

Result<OpenedCheckpoint> open_checkpoint(std::string_view bytes, const NoteKey& log,
                                         std::string_view origin,
                                         std::span<const NoteKey> witnesses) {
  TRY_ASSIGN(const auto note, parse_note(bytes));
  TRY_ASSIGN([[maybe_unused]] const auto signers, verify_note(note, {&log, 1}));
  OpenedCheckpoint out;
  TRY_ASSIGN(out.checkpoint, parse_checkpoint_text(note.text));
  if (out.checkpoint.origin != origin) {
    return malformed("it is one of another origin");
  }
  for (const auto& witness : witnesses) {
    for (const auto& signature : note.signatures) {
      if (signature.is_by(witness)) {
        TRY_ASSIGN(auto seen, verify_cosignature(note.text, signature, witness));
        out.cosignatures.push_back(std::move(seen));
      }
    }
  }
  return out;
}

}  // namespace sworn::format
