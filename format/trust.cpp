// SPDX-License-Identifier: Apache-2.0
#include "format/trust.hpp"

#include "base/file.hpp"
#include "base/printable.hpp"
#include "base/scope_exit.hpp"
#include "format/base64.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <set>

#include <fcntl.h>
#include <unistd.h>

namespace sworn::format {
namespace {

constexpr std::string_view k_first_line = "sworn-trust 1";
constexpr std::size_t k_max_bytes = 1U << 20U;
constexpr std::size_t k_max_ledgers = 4096;
constexpr std::size_t k_max_items = 64;  // witnesses or redactors of one ledger

tl::unexpected<Error> wrong(std::string_view what) {
  return fail(Errc::corrupt, std::string(what));
}

template <std::size_t N>
Result<void> take_hex(std::string_view text, std::array<std::byte, N>& out) {
  const auto bytes = from_hex(text);
  if (!bytes || bytes->size() != N) {
    return wrong(fmt::format("{} bytes in hexadecimal are wanted", N));
  }
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return {};
}

Result<std::uint64_t> take_number(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) {
    return wrong("a number is wanted");
  }
  return out;
}

Result<WallTime> take_time(std::string_view text) {
  const auto out = parse_rfc3339(text);
  if (!out) {
    return wrong("a time like 2026-11-21T02:40:42Z is wanted");
  }
  return *out;
}

// "a b c" -> "a" and "b c".
std::pair<std::string_view, std::string_view> split_word(std::string_view text) {
  const auto space = text.find(' ');
  return space == std::string_view::npos ? std::pair{text, std::string_view()}
                                         : std::pair{text.substr(0, space), text.substr(space + 1)};
}

Result<PinnedBy> take_pinned_by(std::string_view word) {
  if (word == "first-use") {
    return PinnedBy::first_use;
  }
  if (word == "administrator") {
    return PinnedBy::administrator;
  }
  return wrong("'first-use' or 'administrator' is wanted");
}

Result<void> take_seen(std::string_view value, TrustedLedger& ledger) {
  const auto [size, rest] = split_word(value);
  const auto [root, when] = split_word(rest);
  SeenTree seen;
  TRY_ASSIGN(seen.size, take_number(size));
  const auto bytes = from_base64(root);
  if (!bytes || bytes->size() != seen.root.size()) {
    return wrong("a root in base64 is wanted");
  }
  std::copy(bytes->begin(), bytes->end(), seen.root.begin());
  TRY_ASSIGN(seen.when, take_time(when));
  ledger.seen = seen;
  return {};
}

Result<void> take_redactor(std::string_view value, std::vector<TrustedRedactor>& redactors) {
  const auto [key, name] = split_word(value);
  TrustedRedactor redactor{std::string(name), {}};
  TRY(take_hex(key, redactor.key));
  redactors.push_back(std::move(redactor));
  return {};
}

// One line in front of all ledgers.
Result<void> take_general_line(std::string_view word, std::string_view value, TrustStore& store) {
  if (word == "redactor") {
    TRY(take_redactor(value, store.general_redactors));
  } else if (word == "authority") {
    const auto der = from_base64(value);
    if (!der || der->empty()) {
      return wrong("a certificate in base64 is wanted");
    }
    store.authorities.push_back(*der);
  } else {
    return wrong("'ledger ID' must come first");
  }
  if (store.general_redactors.size() > k_max_items || store.authorities.size() > k_max_items) {
    return wrong("more than 64 redactors or authorities");
  }
  return {};
}

// One line inside a ledger's part. Errors are completed with the line number by the caller.
Result<void> take_line(std::string_view word, std::string_view value, TrustedLedger& ledger) {
  if (word == "name") {
    ledger.name = value;
  } else if (word == "host") {
    ledger.host_id = value;
  } else if (word == "genesis") {
    return take_hex(value, ledger.genesis);
  } else if (word == "checkpoint-key") {
    TRY_ASSIGN(ledger.checkpoint_key, NoteKey::parse(value));
  } else if (word == "pinned") {
    const auto [how, when] = split_word(value);
    TRY_ASSIGN(ledger.pinned_by, take_pinned_by(how));
    TRY_ASSIGN(ledger.pinned_at, take_time(when));
  } else if (word == "sealed-since") {
    TRY_ASSIGN(ledger.sealed_since, take_time(value));
  } else if (word == "seen") {
    return take_seen(value, ledger);
  } else if (word == "redactor") {
    TRY(take_redactor(value, ledger.redactors));
  } else if (word == "witness") {
    TRY_ASSIGN(auto witness, NoteKey::parse(value));
    ledger.witnesses.push_back(std::move(witness));
  } else if (word == "quorum") {
    TRY_ASSIGN(const auto quorum, take_number(value));
    ledger.quorum = static_cast<std::uint32_t>(std::min<std::uint64_t>(quorum, k_max_items + 1));
  } else {
    return wrong("a word that is not known here: " + printable(word, 40));
  }
  if (ledger.witnesses.size() > k_max_items || ledger.redactors.size() > k_max_items) {
    return wrong("more than 64 witnesses or redactors");
  }
  return {};
}

Result<void> check(const TrustedLedger& ledger) {
  if (ledger.genesis == Digest{} || ledger.checkpoint_key.name.empty() || ledger.name.empty()) {
    return wrong("a ledger needs name, genesis and checkpoint-key");
  }
  if (ledger.quorum > ledger.witnesses.size()) {
    return wrong("the quorum is larger than the number of witnesses");
  }
  const auto one_line = [](std::string_view text) {
    return printable(text) == text && !text.starts_with(' ') && !text.ends_with(' ');
  };
  const bool names_fit =
      one_line(ledger.name) && one_line(ledger.host_id) &&
      std::all_of(ledger.redactors.begin(), ledger.redactors.end(),
                  [&](const TrustedRedactor& r) { return !r.name.empty() && one_line(r.name); });
  if (!names_fit) {
    return wrong("a name with control characters or spaces around it");
  }
  return {};
}

}  // namespace

Result<TrustStore> TrustStore::parse(std::string_view text) {
  if (text.size() > k_max_bytes) {
    return fail(Errc::exhausted, "a trust store of more than 1 MiB");
  }
  TrustStore out;
  std::optional<TrustedLedger> open;
  std::size_t number = 0;
  std::set<std::string> seen_words;
  const auto at_line = [&number](const Error& error) {
    return fail(Errc::corrupt, fmt::format("trust store, line {}: {}", number, error.context));
  };
  const auto finish = [&]() -> Result<void> {
    if (open) {
      TRY(check(*open));
      out.ledgers_.push_back(std::move(*open));
      open.reset();
    }
    return {};
  };
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (number == 1 && line != k_first_line) {
      return at_line({Errc::corrupt, 0, "it must begin with 'sworn-trust 1'"});
    }
    if (number == 1 || line.empty() || line.starts_with('#')) {
      continue;
    }
    const auto [word, value] = split_word(line);
    Result<void> taken;
    if (word == "ledger") {
      taken = finish();
      open.emplace();
      seen_words.clear();
      if (taken) {
        taken = take_hex(value, open->id);
      }
      if (taken && (out.find(open->id) != nullptr || out.ledgers_.size() == k_max_ledgers)) {
        taken = wrong("a ledger that is named twice, or one too many");
      }
    } else if (!open) {
      taken = take_general_line(word, value, out);
    } else if (word != "redactor" && word != "witness" &&
               !seen_words.insert(std::string(word)).second) {
      taken = wrong("said twice: " + printable(word, 40));
    } else {
      taken = take_line(word, value, *open);
    }
    if (!taken) {
      return at_line(taken.error());
    }
  }
  if (const auto last = finish(); !last) {
    return at_line(last.error());
  }
  if (number == 0) {
    return fail(Errc::corrupt, "an empty trust store file");
  }
  return out;
}

std::string TrustStore::text() const {
  std::string out(k_first_line);
  out += '\n';
  for (const auto& redactor : general_redactors) {
    out += fmt::format("redactor {} {}\n", to_hex(redactor.key), redactor.name);
  }
  for (const auto& authority : authorities) {
    out += fmt::format("authority {}\n", base64(authority));
  }
  for (const auto& l : ledgers_) {
    out += fmt::format("\nledger {}\nname {}\n", to_hex(l.id), l.name);
    if (!l.host_id.empty()) {
      out += fmt::format("host {}\n", l.host_id);
    }
    out +=
        fmt::format("genesis {}\ncheckpoint-key {}\n", to_hex(l.genesis), l.checkpoint_key.vkey());
    out += fmt::format("pinned {} {}\n",
                       l.pinned_by == PinnedBy::first_use ? "first-use" : "administrator",
                       format_rfc3339(l.pinned_at));
    if (l.sealed_since) {
      out += fmt::format("sealed-since {}\n", format_rfc3339(*l.sealed_since));
    }
    if (l.seen) {
      out += fmt::format("seen {} {} {}\n", l.seen->size, base64(l.seen->root),
                         format_rfc3339(l.seen->when));
    }
    for (const auto& redactor : l.redactors) {
      out += fmt::format("redactor {} {}\n", to_hex(redactor.key), redactor.name);
    }
    for (const auto& witness : l.witnesses) {
      out += fmt::format("witness {}\n", witness.vkey());
    }
    if (l.quorum != 0) {
      out += fmt::format("quorum {}\n", l.quorum);
    }
  }
  return out;
}

Result<TrustStore> TrustStore::load(const std::string& path) {
  const auto bytes = read_whole_file(path, k_max_bytes);
  if (!bytes) {
    if (bytes.error().sys == ENOENT) {
      return TrustStore();
    }
    return tl::make_unexpected(bytes.error());
  }
  auto out = parse(as_text(*bytes));
  if (!out) {
    return fail(out.error().code, path + ": " + out.error().context);
  }
  return out;
}

Result<void> TrustStore::save(const std::string& path) const {
  std::string pattern = path + ".XXXXXX";
  const Fd fd(::mkostemp(pattern.data(), O_CLOEXEC));  // mode 0600
  if (!fd.valid()) {
    return fail_sys(errno, "cannot create " + pattern);
  }
  ScopeExit remove([&pattern] { ::unlink(pattern.c_str()); });
  TRY(write_all(fd.get(), as_bytes(text())));
  if (::fsync(fd.get()) != 0) {
    return fail_sys(errno, "cannot sync " + pattern);
  }
  if (std::rename(pattern.c_str(), path.c_str()) != 0) {
    return fail_sys(errno, "cannot replace " + path);
  }
  remove.dismiss();
  return sync_parent_directory(path);
}

const TrustedLedger* TrustStore::find(const LedgerId& id) const {
  const auto it = std::find_if(ledgers_.begin(), ledgers_.end(),
                               [&](const TrustedLedger& l) { return l.id == id; });
  return it == ledgers_.end() ? nullptr : &*it;
}

const TrustedLedger* TrustStore::find_host(std::string_view host_id) const {
  const auto it = std::find_if(ledgers_.begin(), ledgers_.end(), [&](const TrustedLedger& l) {
    return !host_id.empty() && l.host_id == host_id;
  });
  return it == ledgers_.end() ? nullptr : &*it;
}

std::vector<PublicKey> TrustStore::redactors() const {
  std::vector<PublicKey> out;
  const auto take = [&out](const std::vector<TrustedRedactor>& redactors) {
    for (const auto& redactor : redactors) {
      out.push_back(redactor.key);
    }
  };
  take(general_redactors);
  for (const auto& ledger : ledgers_) {
    take(ledger.redactors);
  }
  return out;
}

std::string TrustStore::authorities_pem() const {
  constexpr std::size_t k_pem_line = 64;
  std::string out;
  for (const auto& der : authorities) {
    const std::string text = base64(der);
    out += "-----BEGIN CERTIFICATE-----\n";
    for (std::size_t i = 0; i < text.size(); i += k_pem_line) {
      out += text.substr(i, k_pem_line) + "\n";
    }
    out += "-----END CERTIFICATE-----\n";
  }
  return out;
}

void TrustStore::add_missing(const TrustStore& other) {
  for (const auto& ledger : other.ledgers_) {
    const auto same = std::find_if(ledgers_.begin(), ledgers_.end(),
                                   [&](const TrustedLedger& l) { return l.id == ledger.id; });
    if (same == ledgers_.end() && ledgers_.size() < k_max_ledgers) {
      ledgers_.push_back(ledger);
    } else if (same != ledgers_.end() && ledger.seen && ledger.genesis == same->genesis &&
               (!same->seen || same->seen->size < ledger.seen->size)) {
      same->seen = ledger.seen;
    }
  }
  general_redactors.insert(general_redactors.end(), other.general_redactors.begin(),
                           other.general_redactors.end());
  authorities.insert(authorities.end(), other.authorities.begin(), other.authorities.end());
}

Result<void> TrustStore::put(TrustedLedger ledger) {
  TRY(check(ledger));
  remove(ledger.id);
  if (ledgers_.size() == k_max_ledgers) {
    return fail(Errc::exhausted, "more than 4,096 ledgers in the trust store");
  }
  ledgers_.push_back(std::move(ledger));
  return {};
}

bool TrustStore::remove(const LedgerId& id) {
  return std::erase_if(ledgers_, [&](const TrustedLedger& l) { return l.id == id; }) != 0;
}

Result<std::string> default_trust_store() {
  if (const char* config = std::getenv("XDG_CONFIG_HOME"); config != nullptr && *config == '/') {
    return std::string(config) + "/sworn/trust";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') {
    return std::string(home) + "/.config/sworn/trust";
  }
  return fail(Errc::not_found, "neither XDG_CONFIG_HOME nor HOME names a directory");
}

Result<std::vector<TrustedRedactor>> named_redactors() {
  std::vector<std::string> places{std::string(k_host_trust_store)};
  if (auto own = default_trust_store()) {
    places.push_back(*std::move(own));
  }
  std::vector<TrustedRedactor> out;
  for (const auto& place : places) {
    TRY_ASSIGN(const auto store, TrustStore::load(place));
    out.insert(out.end(), store.general_redactors.begin(), store.general_redactors.end());
    for (const auto& ledger : store.ledgers()) {
      out.insert(out.end(), ledger.redactors.begin(), ledger.redactors.end());
    }
  }
  return out;
}

std::vector<PublicKey> named_redactor_keys() {
  std::vector<PublicKey> out;
  if (const auto named = named_redactors()) {
    for (const auto& redactor : *named) {
      out.push_back(redactor.key);
    }
  }
  return out;
}

}  // namespace sworn::format
