// SPDX-License-Identifier: Apache-2.0
#include "cli/ledger_place.hpp"

#include "base/printable.hpp"
#include "cli/arguments.hpp"
#include "cli/message.hpp"
#include "format/ledger_disk.hpp"
#include "format/ledger_session.hpp"
#include "format/record.hpp"

#include <charconv>

#include <pwd.h>
#include <unistd.h>

namespace sworn::cli {
namespace {

std::string first_line(const std::string& path) {
  const auto bytes = read_whole_file(path, 4096);
  std::string out = bytes ? std::string(as_text(*bytes)) : std::string();
  out.resize(std::min(out.find('\n'), out.size()));
  return out;
}

std::string user_of(uid_t uid) {
  const passwd* entry = ::getpwuid(uid);
  return entry == nullptr ? "uid " + std::to_string(uid) : std::string(entry->pw_name);
}

bool is_ledger(const std::string& directory, const format::LedgerId& id) {
  const auto entries = open_ledger_entries(directory);
  std::array<std::byte, format::k_preamble_bytes> bytes{};
  const auto n = entries ? (*entries)->read_at(0, bytes) : Result<std::size_t>(std::size_t{0});
  const auto found = format::decode_ledger_preamble(ByteView(bytes).first(n.value_or(0)));
  return found && *found == id;
}

}  // namespace

Result<std::string> ledger_option(const Arguments& args) {
  if (const auto directory = args.value("--ledger")) {
    return *directory;
  }
  return args.has("--host") ? Result<std::string>(std::string(format::k_host_ledger))
                            : format::default_user_ledger();
}

Result<std::unique_ptr<PosixReadFile>> open_ledger_entries(const std::string& directory) {
  return PosixReadFile::open(format::ledger_entries_path(directory));
}

std::optional<std::string> ledger_of(const format::SessionHeader& header) {
  const auto reference = format::decode_ledger_reference(header.ledger);
  if (header.ledger.empty() || !reference) {
    return std::nullopt;
  }
  const auto own = format::default_user_ledger();
  if (own && is_ledger(*own, reference->ledger)) {
    return *own;
  }
  std::string host(format::k_host_ledger);
  return is_ledger(host, reference->ledger) ? std::optional(host) : std::nullopt;
}

Result<std::unique_ptr<format::Ledger>> open_ledger_for_writing(const std::string& directory,
                                                                Clock& clock,
                                                                format::Entropy& entropy) {
  TRY_ASSIGN(auto disk, format::PosixLedgerDisk::open(directory, false));
  format::LedgerOptions options;
  options.boot_id = first_line("/proc/sys/kernel/random/boot_id");
  return format::Ledger::open(std::move(disk), clock, entropy, std::move(options));
}

Result<bool> note_in_ledger(const format::SessionHeader& header, format::LedgerFact fact) {
  const auto directory = ledger_of(header);
  if (!directory) {
    return false;
  }
  SystemClock clock;
  format::SystemEntropy entropy;
  TRY_ASSIGN(const auto ledger, open_ledger_for_writing(*directory, clock, entropy));
  TRY(ledger->append(std::move(fact)));
  return true;
}

void note_in_ledger_or_warn(std::string_view command, const format::SessionHeader& header,
                            format::LedgerFact fact) {
  const auto noted = note_in_ledger(header, std::move(fact));
  if (!noted) {
    complain(command, {"this could not be entered in the ledger", describe(noted.error()),
                       "see what is wrong with it: sworn ledger check"});
  }
}

void note_view(std::string_view command, const std::string& path, const std::string& what) {
  const auto file = PosixReadFile::open(path);
  const auto identity = file ? format::read_session_identity(**file)
                             : Result<format::SessionIdentity>(tl::make_unexpected(file.error()));
  if (identity && !identity->header.ledger.empty()) {
    note_in_ledger_or_warn(command, identity->header,
                           format::LedgerView{identity->file_id, actor_name(), what});
  }
}

std::string actor_name() {
  const std::string effective = user_of(::geteuid());
  const std::string text = first_line("/proc/self/loginuid");
  std::uint32_t login = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), login);
  constexpr std::uint32_t k_unset = 0xFFFFFFFF;
  if (error != std::errc() || end == text.data() || login == k_unset || login == ::geteuid()) {
    return effective;
  }
  return user_of(login) + " (as " + effective + ")";
}

Result<format::TrustStore> load_trust(const std::optional<std::string>& option) {
  if (option == "none") {
    return format::TrustStore();
  }
  if (option) {
    if (::access(option->c_str(), F_OK) != 0) {
      return fail_sys(errno, "cannot read " + *option);
    }
    return format::TrustStore::load(*option);
  }
  TRY_ASSIGN(auto out, format::TrustStore::load(std::string(format::k_host_trust_store)));
  const auto own_path = format::default_trust_store();
  if (own_path) {
    TRY_ASSIGN(const auto own, format::TrustStore::load(*own_path));
    out.add_missing(own);
  }
  return out;
}

}  // namespace sworn::cli
