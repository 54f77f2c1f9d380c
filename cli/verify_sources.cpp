// SPDX-License-Identifier: Apache-2.0
#include "cli/verify_sources.hpp"

#include "cli/arguments.hpp"
#include "cli/ledger_place.hpp"
#include "format/ledger_session.hpp"

#include <filesystem>

namespace sworn::cli {
namespace {

constexpr std::uint64_t k_max_anchor_file_bytes = 256U << 20U;

}  // namespace

Result<VerifySources> VerifySources::from_parts(std::optional<std::string> ledger,
                                                std::optional<std::string> trust) {
  VerifySources out;
  out.ledger_ = std::move(ledger);
  out.trust_option_ = std::move(trust);
  TRY_ASSIGN(out.trust_, load_trust(out.trust_option_));
  return out;
}

Result<VerifySources> VerifySources::from(const Arguments& args) {
  TRY_ASSIGN(auto out, from_parts(args.value("--ledger"), args.value("--trust")));
  for (const auto& path : args.values("--anchor")) {
    TRY_ASSIGN(const auto bytes, read_whole_file(path, k_max_anchor_file_bytes));
    auto found = format::anchors_in(as_text(bytes), path);
    if (found.empty()) {
      return fail(Errc::bad_usage, path + " holds no checkpoint");
    }
    out.found_.insert(out.found_.end(), found.begin(), found.end());
  }
  for (const auto& what : args.values("--require")) {
    out.policy_.require_ledger = out.policy_.require_ledger || what == "ledger";
    out.policy_.require_pin = out.policy_.require_pin || what == "pin";
    out.policy_.require_anchor = out.policy_.require_anchor || what == "anchor";
  }
  out.policy_.forbid_redaction = args.has("--no-redaction");
  return out;
}

std::string VerifySources::ledger_directory(const format::SessionHeader* header) const {
  if (ledger_) {
    return *ledger_ == "none" ? std::string() : *ledger_;
  }
  return header == nullptr ? std::string() : ledger_of(*header).value_or("");
}

Result<format::Evidence> VerifySources::gather(const ReadFile& session,
                                               const format::Progress& progress) const {
  const auto identity = format::read_session_identity(session);
  const std::string directory = ledger_directory(identity ? &identity->header : nullptr);
  std::unique_ptr<PosixReadFile> ledger;
  if (!directory.empty()) {
    TRY_ASSIGN(ledger, open_ledger_entries(directory));
  }
  format::EvidenceSources sources;
  sources.ledger = ledger.get();
  sources.trust = &trust_;
  sources.found = found_;
  return format::gather_evidence(session, sources, policy_, progress);
}

Result<void> VerifySources::remember(const format::Evidence& evidence, bool first_use) const {
  if (!evidence.ledger || trust_option_ == "none" ||
      evidence.standing >= format::Standing::rollback ||
      (!first_use && trust_.find(evidence.ledger->ledger.head.id) == nullptr)) {
    return {};
  }
  std::string path = trust_option_.value_or("");
  if (path.empty()) {
    TRY_ASSIGN(path, format::default_trust_store());
  }
  TRY_ASSIGN(auto store, format::TrustStore::load(path));
  const auto& ledger = evidence.ledger->ledger;
  const auto* known = store.find(ledger.head.id);
  if (known != nullptr && known->seen && known->seen->size >= ledger.head.size) {
    return {};
  }
  SystemClock clock;
  TRY(remember_ledger(store, ledger, ledger.head.origin, clock.wall()));
  if (const auto parent = std::filesystem::path(path).parent_path(); !parent.empty()) {
    TRY(make_directories(parent.string()));
  }
  return store.save(path);
}

}  // namespace sworn::cli
