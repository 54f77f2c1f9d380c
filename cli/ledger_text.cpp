// SPDX-License-Identifier: Apache-2.0
#include "cli/ledger_text.hpp"

#include "base/printable.hpp"
#include "cli/text.hpp"
#include "format/ledger_chain.hpp"

#include <fmt/format.h>

#include <type_traits>

namespace sworn::cli {
namespace {

constexpr std::size_t k_max_text = 120;

std::string shown(const std::string& text) {
  return printable(text, k_max_text);
}
std::string because(const std::string& reason) {
  return reason.empty() ? "" : ": " + shown(reason);
}

struct Describe {
  std::string operator()(const format::LedgerGenesis& g) const {
    return fmt::format(
        "ledger of {}, scope {}{}", shown(g.origin), shown(g.scope),
        g.previous_size != 0 ? fmt::format(", continues one of {} entries", g.previous_size) : "");
  }
  std::string operator()(const format::LedgerBoot& b) const { return "boot " + shown(b.boot_id); }
  std::string operator()(const format::LedgerSessionOpen& o) const {
    return fmt::format("{} {} opened by {}", short_id(o.file_id), shown(o.name), shown(o.user));
  }
  std::string operator()(const format::LedgerHeartbeat& h) const {
    std::string out = count(h.sessions.size(), "session", "sessions");
    for (std::size_t i = 0; i < h.sessions.size() && i < 3; ++i) {
      out += fmt::format("{} {} at seal {}", i == 0 ? ":" : ",", short_id(h.sessions[i].file_id),
                         h.sessions[i].seal_no);
    }
    return out + (h.sessions.size() > 3 ? ", ..." : "");
  }
  std::string operator()(const format::LedgerSessionClose& c) const {
    return fmt::format("{} closed with seal {}, {}", short_id(c.mark.file_id), c.mark.seal_no,
                       shown(c.exit));
  }
  std::string operator()(const format::LedgerSessionLost& l) const {
    return fmt::format("{} LOST{}", short_id(l.file_id), because(l.reason));
  }
  std::string operator()(const format::LedgerRecovery& r) const {
    return fmt::format("{} interrupted behind seal {}{}", short_id(r.mark.file_id), r.mark.seal_no,
                       because(r.reason));
  }
  std::string operator()(const format::LedgerRedaction& r) const {
    return fmt::format("{} redacted by {}{}", short_id(r.file_id), shown(r.actor),
                       because(r.reason));
  }
  std::string operator()(const format::LedgerRetentionDelete& d) const {
    return fmt::format("{} deleted by {}{}", short_id(d.file_id), shown(d.actor),
                       because(d.reason));
  }
  std::string operator()(const format::LedgerKeyRotation& k) const {
    return fmt::format("new checkpoint key by {}{}", shown(k.actor), because(k.reason));
  }
  std::string operator()(const format::LedgerAnchor& a) const {
    return fmt::format("{} of the first {} entries", shown(a.type), a.tree_size);
  }
  std::string operator()(const format::LedgerView& v) const {
    return fmt::format("{} viewed by {}: {}", short_id(v.file_id), shown(v.actor), shown(v.what));
  }
  std::string operator()(const format::LedgerReview& r) const {
    return fmt::format("{} reviewed by {}: {}{}", short_id(r.file_id), shown(r.actor),
                       shown(r.outcome), because(r.note));
  }
  std::string operator()(const format::LedgerUnknown& u) const {
    return "of a kind that this build does not know: " + shown(u.kind);
  }
};

struct FileIdOf {
  template <typename T>
  std::string operator()(const T& fact) const {
    if constexpr (requires { fact.file_id; }) {
      return format::to_hex(fact.file_id);
    } else if constexpr (requires { fact.mark; }) {
      return format::to_hex(fact.mark.file_id);
    } else {
      return "";
    }
  }
};

}  // namespace

std::string short_id(ByteView id) {
  return format::to_hex(id.first(std::min<std::size_t>(4, id.size())));
}

std::string describe_entry(const format::LedgerFact& fact) {
  return std::visit(Describe{}, fact);
}

std::string session_of(const format::LedgerFact& fact) {
  return std::visit(FileIdOf{}, fact);
}

Json entry_to_json(std::uint64_t index, ByteView stored, const format::LedgerEntry& entry) {
  Json out = {{"schema", "sworn.ledger_entry/1"},
              {"entry", index},
              {"kind", format::kind_of(entry.fact)},
              {"time", json_time(entry.wall)},
              {"leaf", format::to_hex(format::ledger_leaf(stored))}};
  const std::string session = session_of(entry.fact);
  out["file_id"] = session.empty() ? Json(nullptr) : Json(session);
  const auto text = format::ledger_entry_json(stored);
  // Always an object: it was decoded before.
  out["stored"] = text ? Json::parse(*text, nullptr, false) : Json(nullptr);
  return out;
}

}  // namespace sworn::cli
