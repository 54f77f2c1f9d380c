// SPDX-License-Identifier: Apache-2.0
#include "base/printable.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/ledger_check.hpp"
#include "cli/ledger_place.hpp"
#include "cli/message.hpp"
#include "cli/text.hpp"
#include "format/base64.hpp"
#include "format/ledger_verify.hpp"
#include "format/trust.hpp"
#include "format/verify_with_ledger.hpp"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

namespace sworn::cli {
namespace {

using format::TrustedLedger;
using format::TrustStore;

constexpr std::uint64_t k_max_pem_bytes = 1U << 20U;

Result<std::string> store_path(const Arguments& args) {
  const auto given = args.value("--trust");
  return given ? Result<std::string>(*given) : format::default_trust_store();
}

// Whoever may change the trust store decides what is proven.
Result<void> check_mode(const std::string& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fail(Errc::bad_usage, path +
                                     " may be written to by others: chmod go-w it, and look at "
                                     "what is in it first");
  }
  return {};
}

const TrustedLedger* find_ledger(const TrustStore& store, const std::string& word) {
  const TrustedLedger* out = nullptr;
  for (const auto& ledger : store.ledgers()) {
    if (ledger.name == word || (word.size() >= 8 && format::to_hex(ledger.id).starts_with(word))) {
      if (out != nullptr) {
        return nullptr;  // of two that fit neither is meant
      }
      out = &ledger;
    }
  }
  return out;
}

std::string how_pinned(const TrustedLedger& ledger) {
  return ledger.pinned_by == format::PinnedBy::administrator ? "administrator" : "first use";
}

void print_ledger(const TrustedLedger& l) {
  const auto line = [](std::string_view label, const std::string& text) {
    fmt::print("{}", labelled(label, text, 16));
  };
  line("ledger", format::to_hex(l.id) + "  " + l.name);
  line("pinned", how_pinned(l) + ", " + format_rfc3339(l.pinned_at, 0));
  line("genesis", format::to_hex(l.genesis));
  line("checkpoint key", l.checkpoint_key.vkey());
  if (!l.host_id.empty()) {
    line("host", l.host_id);
  }
  if (l.sealed_since) {
    line("sealed since", format_rfc3339(*l.sealed_since, 0));
  }
  if (l.seen) {
    line("seen", fmt::format("{} at {}", count(l.seen->size, "entry", "entries"),
                             format_rfc3339(l.seen->when, 0)));
  }
  for (const auto& redactor : l.redactors) {
    line("redactor", format::to_hex(redactor.key) + "  " + redactor.name);
  }
  for (const auto& witness : l.witnesses) {
    line("witness", witness.vkey());
  }
  if (!l.witnesses.empty()) {
    line("quorum",
         fmt::format("{} of {}", std::max<std::uint32_t>(l.quorum, 1), l.witnesses.size()));
  }
}

Json to_json(const TrustedLedger& l) {
  Json redactors = Json::array();
  for (const auto& redactor : l.redactors) {
    redactors.push_back({{"key", format::to_hex(redactor.key)}, {"name", redactor.name}});
  }
  Json witnesses = Json::array();
  for (const auto& witness : l.witnesses) {
    witnesses.push_back(witness.vkey());
  }
  return {{"schema", "sworn.trust/1"},
          {"ledger_id", format::to_hex(l.id)},
          {"name", l.name},
          {"host_id", l.host_id.empty() ? Json(nullptr) : Json(l.host_id)},
          {"genesis", format::to_hex(l.genesis)},
          {"checkpoint_key", l.checkpoint_key.vkey()},
          {"pinned_by", how_pinned(l)},
          {"pinned_at", json_time(l.pinned_at)},
          {"sealed_since", json_time(l.sealed_since)},
          {"seen_size", l.seen ? Json(l.seen->size) : Json(nullptr)},
          {"seen_at", l.seen ? json_time(l.seen->when) : Json(nullptr)},
          {"redactors", std::move(redactors)},
          {"witnesses", std::move(witnesses)},
          {"quorum", std::max<std::uint32_t>(l.quorum, 1)}};
}

int list(const Arguments& args, const TrustStore& store, const std::string& path) {
  bool first = true;
  for (const auto& ledger : store.ledgers()) {
    if (args.has("--json")) {
      print_json(to_json(ledger));
    } else {
      fmt::print("{}", first ? "" : "\n");
      print_ledger(ledger);
    }
    first = false;
  }
  if (args.has("--json")) {
    return k_exit_ok;
  }
  for (const auto& redactor : store.general_redactors) {
    fmt::print("redactor of any session: {}  {}\n", format::to_hex(redactor.key),
               printable(redactor.name));
  }
  if (!store.authorities.empty()) {
    fmt::print("time stamp authorities: {}\n", store.authorities.size());
  }
  if (first && store.general_redactors.empty() && store.authorities.empty()) {
    fmt::print("nothing is trusted yet in {}\n", printable(path));
  }
  return k_exit_ok;
}

template <std::size_t N>
Result<void> take_hex(const std::string& text, std::array<std::byte, N>& out,
                      std::string_view what) {
  const auto bytes = format::from_hex(text);
  if (!bytes || bytes->size() != N) {
    return fail(Errc::bad_usage, fmt::format("{} is {} hexadecimal digits", what, 2 * N));
  }
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return {};
}

// "HEX=NAME".
Result<format::TrustedRedactor> parse_redactor(const std::string& text) {
  const auto equals = text.find('=');
  format::TrustedRedactor out;
  if (equals == std::string::npos || equals + 1 == text.size()) {
    return fail(Errc::bad_usage, "--redactor is KEY=NAME, the key in hexadecimal");
  }
  TRY(take_hex(text.substr(0, equals), out.key, "the key of a redactor"));
  out.name = text.substr(equals + 1);
  return out;
}

// The certificates of a PEM file, as DER.
Result<std::vector<Bytes>> read_certificates(const std::string& path) {
  TRY_ASSIGN(const auto bytes, read_whole_file(path, k_max_pem_bytes));
  std::string_view text = as_text(bytes);
  constexpr std::string_view k_begin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view k_end = "-----END CERTIFICATE-----";
  std::vector<Bytes> out;
  while (true) {
    const auto begin = text.find(k_begin);
    const auto end = text.find(k_end, begin == std::string_view::npos ? 0 : begin);
    if (begin == std::string_view::npos || end == std::string_view::npos) {
      break;
    }
    std::string body(text.substr(begin + k_begin.size(), end - begin - k_begin.size()));
    std::erase_if(body, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
    TRY_ASSIGN(auto der, format::from_base64(body));
    out.push_back(std::move(der));
    text.remove_prefix(end + k_end.size());
  }
  if (out.empty()) {
    return fail(Errc::bad_usage, path + " holds no PEM certificate");
  }
  return out;
}

// What a ledger that is here says of itself; only one that holds is taken.
Result<TrustedLedger> from_directory(const std::string& directory, WallTime now) {
  TRY_ASSIGN(const auto entries, open_ledger_entries(directory));
  TRY_ASSIGN(const auto report, format::verify_ledger(*entries));
  TrustStore fresh;
  std::string name = report.genesis ? report.genesis->origin : "";
  TRY(remember_ledger(fresh, report, name, now));
  return fresh.ledgers().front();
}

// Values that somebody was told make an administrator's pin; they must be those of the ledger.
Result<void> take_told_values(const Arguments& args, TrustedLedger& ledger) {
  if (const auto told = args.value("--genesis")) {
    format::Digest genesis{};
    TRY(take_hex(*told, genesis, "--genesis"));
    if (ledger.genesis != format::Digest{} && ledger.genesis != genesis) {
      return fail(Errc::bad_seal,
                  "this ledger has another genesis than the one that you were told: " +
                      format::to_hex(ledger.genesis));
    }
    ledger.genesis = genesis;
    ledger.pinned_by = format::PinnedBy::administrator;
  }
  if (const auto told = args.value("--checkpoint-key")) {
    TRY_ASSIGN(const auto key, format::NoteKey::parse(*told));
    if (!ledger.checkpoint_key.name.empty() && !(ledger.checkpoint_key == key)) {
      return fail(Errc::bad_seal,
                  "this ledger has another checkpoint key than the one that you were "
                  "told: " +
                      ledger.checkpoint_key.vkey());
    }
    ledger.checkpoint_key = key;
  }
  return {};
}

Result<void> take_options(const Arguments& args, TrustedLedger& ledger) {
  TRY(take_told_values(args, ledger));
  ledger.name = args.value_or("--name", ledger.name);
  if (const auto since = args.value("--sealed-since")) {
    ledger.sealed_since = parse_rfc3339(*since);
    if (!ledger.sealed_since) {
      return fail(Errc::bad_usage, "--sealed-since is a time like 2026-11-01T00:00:00Z");
    }
  }
  for (const auto& text : args.values("--redactor")) {
    TRY_ASSIGN(auto redactor, parse_redactor(text));
    std::erase_if(ledger.redactors, [&](const auto& r) { return r.key == redactor.key; });
    ledger.redactors.push_back(std::move(redactor));
  }
  for (const auto& text : args.values("--witness")) {
    TRY_ASSIGN(auto witness, format::NoteKey::parse(text));
    if (witness.type != format::NoteKeyType::cosignature_v1) {
      return fail(Errc::bad_usage, "the key of a witness is a cosignature key (type 04)");
    }
    std::erase_if(ledger.witnesses, [&](const auto& w) { return w == witness; });
    ledger.witnesses.push_back(std::move(witness));
  }
  if (const auto quorum = args.value("--quorum")) {
    const auto [end, error] =
        std::from_chars(quorum->data(), quorum->data() + quorum->size(), ledger.quorum);
    if (error != std::errc() || end != quorum->data() + quorum->size() || ledger.quorum == 0) {
      return fail(Errc::bad_usage, "--quorum is a number from 1");
    }
  }
  return {};
}

Result<void> add_general(const Arguments& args, TrustStore& store) {
  for (const auto& text : args.values("--redactor")) {
    TRY_ASSIGN(auto redactor, parse_redactor(text));
    store.general_redactors.push_back(std::move(redactor));
  }
  for (const auto& path : args.values("--authority")) {
    TRY_ASSIGN(auto certificates, read_certificates(path));
    for (auto& der : certificates) {
      if (std::find(store.authorities.begin(), store.authorities.end(), der) ==
          store.authorities.end()) {
        store.authorities.push_back(std::move(der));
      }
    }
  }
  return {};
}

bool is_directory(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

Result<TrustedLedger> ledger_to_add(const Arguments& args, const TrustStore& store, WallTime now) {
  const std::string& word = args.word(1);
  if (const auto* known = find_ledger(store, word)) {
    return *known;
  }
  if (is_directory(word)) {
    TRY_ASSIGN(auto out, from_directory(word, now));
    if (const auto* known = store.find(out.id)) {
      if (known->genesis != out.genesis) {
        return fail(Errc::bad_seal, "the store knows this ledger id with another genesis");
      }
      return *known;
    }
    return out;
  }
  // Nothing is here to look at: all of it was told.
  TrustedLedger out;
  TRY(take_hex(word, out.id, "a ledger id"));
  if (!args.value("--genesis") || !args.value("--checkpoint-key") || !args.value("--name")) {
    return fail(Errc::bad_usage,
                "a ledger that is not here needs --genesis, --checkpoint-key and --name");
  }
  out.pinned_at = now;
  return out;
}

Result<void> add(const Arguments& args, TrustStore& store) {
  TRY(add_general(args, store));
  if (args.words().size() < 2) {
    if (args.values("--authority").empty() && args.values("--redactor").empty()) {
      return fail(Errc::bad_usage,
                  "say what: a ledger (its directory, id or name), --authority or "
                  "--redactor");
    }
    return {};
  }
  SystemClock clock;
  TRY_ASSIGN(auto ledger, ledger_to_add(args, store, clock.wall()));
  if (!args.values("--redactor").empty()) {
    store.general_redactors.resize(store.general_redactors.size() -
                                   args.values("--redactor").size());  // of this ledger only
  }
  TRY(take_options(args, ledger));
  const bool fresh = store.find(ledger.id) == nullptr;
  if (fresh && ledger.pinned_by == format::PinnedBy::first_use) {
    fmt::print(
        "FIRST USE: {} is pinned as it stands here; nobody has vouched for it yet.\n"
        "  Ask its administrator for the genesis and compare (sworn keys show prints it there):\n"
        "  genesis {}\n",
        printable(ledger.name), format::to_hex(ledger.genesis));
  }
  return store.put(std::move(ledger));
}

Result<void> remove(const Arguments& args, TrustStore& store) {
  if (args.words().size() < 2) {
    return fail(Errc::bad_usage, "say which ledger: its id (8 digits at least) or its name");
  }
  const auto* known = find_ledger(store, args.word(1));
  if (known == nullptr) {
    return fail(Errc::not_found, "the store has no such ledger, or more than one: " + args.word(1));
  }
  store.remove(format::LedgerId(known->id));
  return {};
}

int complain_trust(const Error& error, const std::string& path) {
  if (error.code == Errc::bad_usage) {
    return complain_usage("trust", error.context);
  }
  return complain("trust",
                  {"the trust store was not changed", describe(error),
                   "see what is in it: sworn trust ls --trust " + path},
                  error.code == Errc::bad_seal ? 3 : k_exit_failure);
}

int run(const Arguments& args) {
  const auto path = store_path(args);
  if (!path) {
    return complain("trust", {"cannot tell where the trust store is", describe(path.error()),
                              "name it: --trust FILE"});
  }
  if (const auto safe = check_mode(*path); !safe) {
    return complain("trust", {"the trust store is not safe", safe.error().context, ""});
  }
  auto store = TrustStore::load(*path);
  if (!store) {
    return complain("trust", {"the trust store cannot be read", describe(store.error()),
                              "repair that line by hand"});
  }
  const std::string& action = args.word(0);
  if (action == "ls") {
    return list(args, *store, *path);
  }
  if (action != "add" && action != "rm") {
    return complain_usage("trust", "there is no action " + action);
  }
  const auto change = [&]() -> Result<void> {
    TRY(action == "add" ? add(args, *store) : remove(args, *store));
    if (const auto parent = std::filesystem::path(*path).parent_path(); !parent.empty()) {
      TRY(make_directories(parent.string()));
    }
    return store->save(*path);
  };
  if (const auto changed = change(); !changed) {
    return complain_trust(changed.error(), *path);
  }
  return k_exit_ok;
}

constexpr Option k_options[] = {
    {"--trust", ValueKind::file, "FILE",
     "the store (default $XDG_CONFIG_HOME/sworn/trust; the administrator's is /etc/sworn/trust)"},
    {"--name", ValueKind::text, "NAME", "what to call the ledger, as the name of its host"},
    {"--genesis", ValueKind::text, "HEX",
     "the beginning of the ledger as its administrator told it: makes a real pin of a first use"},
    {"--checkpoint-key", ValueKind::text, "VKEY", "its checkpoint key, as told"},
    {"--sealed-since", ValueKind::time, "TIME",
     "its host keeps every session in it since then: one that names no ledger is a fault"},
    {"--witness", ValueKind::text, "VKEY", "a C2SP witness that is believed for this ledger"},
    {"--quorum", ValueKind::number, "N",
     "how many of the witnesses must have cosigned (default 1)"},
    {"--redactor", ValueKind::text, "KEY=NAME",
     "a key that may redact; without a ledger: any session"},
    {"--authority", ValueKind::file, "FILE", "PEM certificates of RFC 3161 authorities"},
    {"--json", ValueKind::none, "",
     "ls: one JSON object a line for each ledger (schema sworn.trust/1)"},
};
constexpr ExitStatus k_exits[] = {
    {"0", "done"},
    {"1", "the store cannot be read or written, or the command line is wrong"},
    {"3", "what is there is not what was told, or does not hold; nothing was changed"},
};
constexpr Example k_examples[] = {
    {"sworn trust add /var/lib/sworn/ledger --name db-07", "pin a ledger as it stands here"},
    {"sworn trust add db-07 --genesis 9b2e... --sealed-since 2026-11-01T00:00:00Z",
     "what its administrator said over the telephone: now it is a pin"},
    {"sworn trust add db-07 --witness witness.example/w1+df1c0a35+BIE5... --quorum 1",
     "believe a witness"},
    {"sworn trust ls", "what is trusted, and since when"},
};

}  // namespace

constinit const Command k_cmd_trust = {
    .name = "trust",
    .summary = "say whose ledgers, witnesses and keys are believed",
    .usage = "add|ls|rm [LEDGER] [OPTIONS]",
    .details =
        "sworn verify answers whose recording it is from this store. LEDGER is the directory of a "
        "ledger, or the id or name of one that the store knows. A ledger that is added without "
        "--genesis is taken over as it is and called first use in every report. What was seen of a "
        "ledger is remembered, so that an older copy put in its place is found.",
    .operands = {"ACTION", ValueKind::text, 1, 2},
    .options = k_options,
    .examples = k_examples,
    .exits = k_exits,
    .run = run,
};

}  // namespace sworn::cli
