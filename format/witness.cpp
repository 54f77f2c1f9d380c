// SPDX-License-Identifier: Apache-2.0
#include "format/witness.hpp"

#include "format/base64.hpp"
#include "format/merkle.hpp"

#include <fmt/format.h>

#include <charconv>

namespace sworn::format {
namespace {

constexpr std::size_t k_max_answer_bytes = 256U << 10U;
constexpr int k_ok = 200;
constexpr int k_forbidden = 403;
constexpr int k_not_found = 404;
constexpr int k_conflict = 409;
constexpr int k_unprocessable = 422;

// The size that a witness answers a conflict with; nullopt where it says nothing of the kind.
std::optional<std::uint64_t> size_in(const HttpAnswer& answer) {
  std::string_view text = answer.body;
  if (!answer.content_type.starts_with("text/x.tlog.size") || !text.ends_with('\n')) {
    return std::nullopt;
  }
  text.remove_suffix(1);
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return out;
}

Result<Cosigned> take_cosignatures(std::string_view body, const Note& note,
                                   std::span<const NoteKey> witnesses) {
  TRY_ASSIGN(const auto lines, parse_signature_lines(body));
  Cosigned out;
  Note extended = note;
  for (const auto& line : lines) {
    for (const auto& witness : witnesses) {
      if (line.is_by(witness)) {
        auto cosignature = verify_cosignature(note.text, line, witness);
        if (!cosignature) {
          return fail(Errc::corrupt, cosignature.error().context);
        }
        out.cosignatures.push_back(std::move(*cosignature));
        extended.signatures.push_back(line);
      }
    }
  }
  if (out.cosignatures.empty()) {
    return fail(Errc::corrupt, "the witness answered without a cosignature of a known key");
  }
  out.note = encode(extended);
  return out;
}

Result<HttpAnswer> ask(WitnessTransport& transport, std::uint64_t old_size,
                       std::span<const Digest> leaves, std::string_view checkpoint) {
  MerkleProof proof;
  if (old_size != 0) {
    TRY_ASSIGN(proof, consistency_proof(leaves, old_size));
  }
  TRY_ASSIGN(auto answer, transport.add_checkpoint(witness_request(old_size, proof, checkpoint)));
  if (answer.body.size() > k_max_answer_bytes) {
    return fail(Errc::corrupt, "the witness answered with more than 256 KiB");
  }
  return answer;
}

tl::unexpected<Error> refusal(const HttpAnswer& answer) {
  switch (answer.status) {
    case k_not_found:
      return fail(Errc::bad_usage, "the witness does not know this ledger");
    case k_forbidden:
      return fail(Errc::bad_usage, "the witness does not accept the key of this checkpoint");
    case k_conflict:
      return fail(Errc::bad_seal, "the witness saw another tree of the same size");
    case k_unprocessable:
      return fail(Errc::bad_seal, "the witness saw a ledger that this one did not grow out of");
    default:
      return fail(Errc::io, fmt::format("the witness answered with status {}", answer.status));
  }
}

}  // namespace

std::string witness_request(std::uint64_t old_size, std::span<const Digest> proof,
                            std::string_view checkpoint) {
  std::string out = fmt::format("old {}\n", old_size);
  for (const auto& hash : proof) {
    out += base64(hash) + "\n";
  }
  out += "\n";
  out += checkpoint;
  return out;
}

Result<Cosigned> show_to_witness(WitnessTransport& transport, std::string_view checkpoint,
                                 std::span<const Digest> leaves, std::uint64_t seen,
                                 std::span<const NoteKey> witnesses) {
  TRY_ASSIGN(const auto note, parse_note(checkpoint));
  TRY_ASSIGN(const auto named, parse_checkpoint_text(note.text));
  if (named.size != leaves.size() || named.root != merkle_root(leaves) || seen > named.size) {
    return fail(Errc::bad_usage, "the leaves are not those of the checkpoint");
  }
  TRY_ASSIGN(auto answer, ask(transport, seen, leaves, checkpoint));
  const auto theirs = answer.status == k_conflict ? size_in(answer) : std::nullopt;
  if (theirs && *theirs > named.size) {
    return fail(Errc::bad_seal, fmt::format("the witness saw {} entries of this ledger; it has {}",
                                            *theirs, named.size));
  }
  if (theirs && *theirs != seen) {
    TRY_ASSIGN(answer, ask(transport, *theirs, leaves, checkpoint));
  }
  if (answer.status != k_ok) {
    return refusal(answer);
  }
  return take_cosignatures(answer.body, note, witnesses);
}

}  // namespace sworn::format
