// SPDX-License-Identifier: Apache-2.0
#include "format/anchors.hpp"

#include "base/printable.hpp"
#include "format/checkpoint.hpp"
#include "format/digest.hpp"
#include "format/record.hpp"
#include "format/timestamp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

namespace sworn::format {
namespace {

constexpr std::size_t k_max_found = 10'000;

// A tree that is not the ledger's: whoever made the anchor saw another one.
bool roots_agree(const Anchor& anchor, const LedgerReport& ledger) {
  const auto root = ledger.roots.find(anchor.size);
  return root != ledger.roots.end() && root->second == anchor.root;
}

AnchorReport& blame(AnchorReport& out, std::string why) {
  out.state = AnchorState::wrong;
  out.why = std::move(why);
  return out;
}

struct Quorum {
  std::span<const NoteKey> witnesses;
  std::uint32_t needed = 1;
};

Quorum quorum_of(const LedgerReport& ledger, const TrustStore* trust) {
  const auto* known = trust == nullptr ? nullptr : trust->find(ledger.head.id);
  return known == nullptr ? Quorum{}
                          : Quorum{known->witnesses, std::max<std::uint32_t>(known->quorum, 1)};
}

// The checkpoint key of now or of the genesis: an anchor may be older than a key rotation.
Result<OpenedCheckpoint> open_any(std::string_view note, const LedgerReport& ledger,
                                  std::span<const NoteKey> witnesses) {
  Result<OpenedCheckpoint> out = fail(Errc::corrupt, "the ledger names no checkpoint key");
  for (const auto& vkey : ledger.checkpoint_keys) {
    if (const auto key = NoteKey::parse(vkey)) {
      out = open_checkpoint(note, *key, ledger.head.origin, witnesses);
      if (out) {
        break;
      }
    }
  }
  return out;
}

void judge_note(AnchorReport& out, const LedgerReport& ledger, const TrustStore* trust) {
  const auto quorum = quorum_of(ledger, trust);
  const auto opened = open_any(as_text(out.anchor.proof), ledger, quorum.witnesses);
  if (!opened) {
    blame(out, opened.error().context);
    return;
  }
  if (opened->checkpoint.size != out.anchor.size || opened->checkpoint.root != out.anchor.root) {
    blame(out, "its checkpoint is not about the tree that its entry names");
    return;
  }
  for (const auto& cosignature : opened->cosignatures) {
    if (std::find(out.by.begin(), out.by.end(), cosignature.witness) == out.by.end()) {
      out.by.push_back(cosignature.witness);
    }
    out.when = out.when ? std::min(*out.when, cosignature.when) : cosignature.when;
  }
  if (!out.anchor.entry) {
    // Who hands it to the verifier vouches for where it was kept.
    out.state = AnchorState::holds;
    out.by.push_back(out.anchor.source);
  } else if (out.anchor.type != "cosignature") {
    out.state = AnchorState::sent_only;
    out.why = "the host says that it sent this checkpoint there";
  } else if (out.by.size() >= quorum.needed && !out.by.empty()) {
    out.state = AnchorState::holds;
  } else {
    out.state = AnchorState::not_trusted;
    out.why = out.by.empty() ? "no witness in the trust store made it"
                             : fmt::format("{} of {} witnesses that the policy wants",
                                           out.by.size(), quorum.needed);
  }
}

void judge_timestamp(AnchorReport& out, const LedgerReport& ledger, const TrustStore* trust) {
  if (trust == nullptr || trust->authorities.empty()) {
    out.state = AnchorState::not_trusted;
    out.why = "no time stamp authority is in the trust store";
    return;
  }
  const auto text = encode(Checkpoint{ledger.head.origin, out.anchor.size, out.anchor.root, {}});
  const auto stamp =
      verify_timestamp(out.anchor.proof, sha256(as_bytes(text)), trust->authorities_pem());
  if (!stamp) {
    blame(out, stamp.error().context);
    return;
  }
  out.state = AnchorState::holds;
  out.when = stamp->when;
  out.by.push_back("time stamp " + stamp->serial);
}

Anchor found(std::string note, const std::string& source) {
  Anchor out;
  out.type = "checkpoint";
  out.source = source;
  if (const auto parsed = parse_note(note)) {
    if (const auto checkpoint = parse_checkpoint_text(parsed->text)) {
      out.size = checkpoint->size;
      out.root = checkpoint->root;
    }
  }
  out.proof = to_bytes(note);
  return out;
}

}  // namespace

std::string_view name_of(AnchorState state) {
  switch (state) {
    case AnchorState::holds:
      return "holds";
    case AnchorState::not_trusted:
      return "not trusted";
    case AnchorState::sent_only:
      return "sent";
    case AnchorState::wrong:
      return "WRONG";
  }
  return "unknown";
}

Result<std::vector<Anchor>> anchors_of(const ReadFile& entries) {
  std::vector<Anchor> out;
  std::array<std::byte, k_preamble_bytes> preamble{};
  TRY_ASSIGN(const auto n, entries.read_at(0, preamble));
  const auto id = decode_ledger_preamble(ByteView(preamble).first(n));
  if (!id) {
    return out;
  }
  RecordScanner scanner(entries, *id, k_preamble_bytes);
  for (std::uint64_t index = 0;; ++index) {
    TRY_ASSIGN(const auto record, scanner.next());
    if (!record) {
      return out;
    }
    const auto decoded = decode_ledger_record(record->body);
    const auto entry = decoded ? decode_ledger_entry(decoded->entry)
                               : Result<LedgerEntry>(tl::make_unexpected(decoded.error()));
    const auto* anchor = entry ? std::get_if<LedgerAnchor>(&entry->fact) : nullptr;
    if (anchor != nullptr) {
      out.push_back({anchor->type, index, "", anchor->tree_size, anchor->root, anchor->proof});
    }
  }
}

std::vector<Anchor> anchors_in(std::string_view text, const std::string& source) {
  std::deque<Anchor> out;
  if (parse_note(text)) {
    out.push_back(found(std::string(text), source));
    text = {};
  }
  for (std::uint64_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    if (auto note = note_of_line(text.substr(0, end))) {
      out.push_back(found(std::move(*note), fmt::format("{}:{}", source, number)));
      if (out.size() > k_max_found) {
        out.pop_front();
      }
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {out.begin(), out.end()};
}

AnchorReport judge(const Anchor& anchor, const LedgerReport& ledger, const TrustStore* trust) {
  AnchorReport out;
  out.anchor = anchor;
  if (anchor.type == "rfc3161") {
    judge_timestamp(out, ledger, trust);
  } else if (anchor.type == "collector") {
    out.state = AnchorState::not_trusted;
    out.why = "this build knows no collectors";
  } else {
    judge_note(out, ledger, trust);
  }
  const bool counts = out.state == AnchorState::holds || out.state == AnchorState::sent_only;
  out.contradicts = counts && !roots_agree(anchor, ledger);
  if (counts && anchor.size > ledger.head.size) {
    blame(out,
          fmt::format("it is about {} entries; the ledger has {}", anchor.size, ledger.head.size));
  } else if (out.contradicts) {
    blame(out, fmt::format("the first {} entries are not those that it is about", anchor.size));
  }
  return out;
}

}  // namespace sworn::format
