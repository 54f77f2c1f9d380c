// SPDX-License-Identifier: Apache-2.0
#include "base/printable.hpp"
#include "base/scope_exit.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/ledger_place.hpp"
#include "cli/message.hpp"
#include "cli/text.hpp"
#include "format/age_box.hpp"
#include "format/ledger_disk.hpp"
#include "format/ledger_verify.hpp"
#include "format/redactor_key.hpp"
#include "format/secret.hpp"
#include "format/sign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

namespace sworn::cli {
namespace {

constexpr std::string_view k_redactor_word = "SWORN-REDACTOR-KEY-1 ";
constexpr std::string_view k_identity_word = "AGE-SECRET-KEY-1";
constexpr std::uint64_t k_max_key_file_bytes = 64U << 10U;

struct PublicHalf {
  std::string kind;  // "recipient", "redactor"
  std::string text;
};

Result<std::string> default_directory() {
  if (const char* config = std::getenv("XDG_CONFIG_HOME"); config != nullptr && *config == '/') {
    return std::string(config) + "/sworn/keys";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') {
    return std::string(home) + "/.config/sworn/keys";
  }
  return fail(Errc::not_found, "neither XDG_CONFIG_HOME nor HOME names a directory");
}

Result<PublicHalf> redactor_half(std::string_view hex) {
  auto seed_bytes = format::from_hex(hex);
  if (!seed_bytes || seed_bytes->size() != 32) {
    return fail(Errc::corrupt, "the key of a redactor is 64 hexadecimal digits");
  }
  format::Secret<32> seed;
  std::copy(seed_bytes->begin(), seed_bytes->end(), seed.span().begin());
  format::erase(*seed_bytes);
  TRY_ASSIGN(const auto key, format::SigningKey::from_seed(seed.view()));
  return PublicHalf{"redactor", format::to_hex(key.public_key())};
}

Result<std::vector<PublicHalf>> public_halves(std::string_view text) {
  std::vector<PublicHalf> out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with(k_redactor_word)) {
      TRY_ASSIGN(auto half, redactor_half(line.substr(k_redactor_word.size())));
      out.push_back(std::move(half));
    } else if (line.starts_with(k_identity_word)) {
      TRY_ASSIGN(const auto identity, format::AgeIdentity::parse(line));
      out.push_back({"recipient", identity.recipient().text()});
    }
  }
  if (out.empty()) {
    return fail(Errc::bad_usage, "it holds no key of a kind that sworn makes");
  }
  return out;
}

// An age identity in the form of age-keygen; never over another file.
Result<void> make_identity(const std::string& path) {
  SystemClock clock;
  format::SystemEntropy entropy;
  TRY_ASSIGN(const auto identity, format::AgeIdentity::generate(entropy));
  std::string text =
      fmt::format("# created: {}\n# public key: {}\n{}\n", format_rfc3339(clock.wall(), 0),
                  identity.recipient().text(), identity.text());
  const ScopeExit forget([&text] { format::erase(std::as_writable_bytes(std::span(text))); });
  TRY_ASSIGN(const auto file, PosixAppendFile::create(path));  // 0600
  TRY(file->append(as_bytes(text)));
  TRY(file->sync());
  return sync_parent_directory(path);
}

int make(const Arguments& args) {
  if (args.words().size() != 2 || (args.word(1) != "recipient" && args.word(1) != "redactor")) {
    return complain_usage("keys", "say what to make: recipient or redactor");
  }
  const auto write = [&]() -> Result<std::string> {
    std::string path = args.value_or("--output", "");
    if (path.empty()) {
      TRY_ASSIGN(const auto directory, default_directory());
      TRY(make_directories(directory));
      path = directory + "/" + args.word(1) + ".key";
    }
    if (args.word(1) == "recipient") {
      TRY(make_identity(path));
    } else {
      format::SystemEntropy entropy;
      TRY(format::make_redactor_key(path, entropy));
    }
    return path;
  };
  const auto path = write();
  if (!path) {
    return complain("keys", {"no key was made", describe(path.error()),
                             path.error().sys == EEXIST
                                 ? "a key is never overwritten: name another file with -o"
                                 : "name a file that can be written with -o"});
  }
  const auto text = read_whole_file(*path, k_max_key_file_bytes);
  const auto halves = text ? public_halves(as_text(*text))
                           : Result<std::vector<PublicHalf>>(tl::make_unexpected(text.error()));
  if (!halves) {
    return complain("keys", {*path + ": cannot be read back", describe(halves.error()), ""});
  }
  fmt::print("{}\n{} {}\n", printable(*path), halves->front().kind, halves->front().text);
  return k_exit_ok;
}

struct Shown {
  std::string path;
  std::vector<PublicHalf> halves;
  std::string trouble;
  bool exposed = false;  // others may read it
};

Shown look_at(const std::string& path) {
  Shown out{path, {}, "", false};
  struct stat st {};
  if (::stat(path.c_str(), &st) == 0) {
    out.exposed = (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
  }
  auto bytes = read_whole_file(path, k_max_key_file_bytes);
  if (!bytes) {
    out.trouble = describe(bytes.error());
    return out;
  }
  auto halves = public_halves(as_text(*bytes));
  format::erase(*bytes);
  if (halves) {
    out.halves = std::move(*halves);
  } else {
    out.trouble = halves.error().context;
  }
  return out;
}

void print_shown(const Shown& shown, bool json) {
  for (const auto& half : shown.halves) {
    if (json) {
      print_json({{"schema", "sworn.key/1"},
                  {"kind", half.kind},
                  {"public", half.text},
                  {"path", shown.path},
                  {"exposed", shown.exposed}});
    } else {
      fmt::print("{:<12}{}  {}{}\n", half.kind, half.text, printable(shown.path),
                 shown.exposed ? "  OTHERS MAY READ IT" : "");
    }
  }
}

// The public facts that somebody else needs to pin this user's (or host's) ledger.
bool show_ledger(const std::string& directory, bool json) {
  const auto entries = open_ledger_entries(directory);
  const auto report = entries ? format::verify_ledger(**entries)
                              : Result<format::LedgerReport>(tl::make_unexpected(entries.error()));
  if (!report || !report->genesis) {
    return false;
  }
  if (json) {
    print_json({{"schema", "sworn.key/1"},
                {"kind", "ledger"},
                {"public", report->head.checkpoint_key},
                {"path", directory},
                {"ledger_id", format::to_hex(report->head.id)},
                {"genesis", format::to_hex(report->head.genesis)}});
  } else {
    fmt::print("{:<12}{}  {}\n", "ledger", format::to_hex(report->head.id), printable(directory));
    fmt::print("{:<12}{}\n", "  genesis", format::to_hex(report->head.genesis));
    fmt::print("{:<12}{}\n", "  vkey", printable(report->head.checkpoint_key));
  }
  return true;
}

int show_one(const Arguments& args) {
  const auto shown = look_at(args.word(1));
  if (!shown.trouble.empty()) {
    return complain("keys", {args.word(1) + ": no key is shown", shown.trouble,
                             "name a file that sworn keys make or age-keygen wrote"});
  }
  print_shown(shown, args.has("--json"));
  if (shown.exposed) {
    return complain("keys", {args.word(1) + ": others than its owner may read it",
                             "a private key that others can read is nobody's key",
                             "make a new one; if nobody had the time to read it: chmod 600"});
  }
  return k_exit_ok;
}

int show(const Arguments& args) {
  if (args.words().size() > 1) {
    return show_one(args);
  }
  const bool json = args.has("--json");
  bool any = false;
  if (const auto own = format::default_user_ledger()) {
    any = show_ledger(*own, json);
  }
  any = show_ledger(std::string(format::k_host_ledger), json) || any;
  bool exposed = false;
  if (const auto directory = default_directory()) {
    std::vector<std::string> paths;
    std::error_code ec;
    for (std::filesystem::directory_iterator it(*directory, ec), end; !ec && it != end;
         it.increment(ec)) {
      paths.push_back(it->path().string());
    }
    std::sort(paths.begin(), paths.end());
    for (const auto& path : paths) {
      const auto shown = look_at(path);
      print_shown(shown, json);
      any = any || !shown.halves.empty();
      exposed = exposed || (shown.exposed && !shown.halves.empty());
    }
  }
  if (!any && !json) {
    fmt::print("no keys yet: sworn keys make recipient, sworn keys make redactor\n");
  }
  return exposed
             ? complain("keys", {"others may read a private key", "",
                                 "make a new one; if nobody had the time to read it: chmod 600"})
             : k_exit_ok;
}

int run(const Arguments& args) {
  if (args.word(0) == "make") {
    return make(args);
  }
  if (args.word(0) == "show") {
    return show(args);
  }
  return complain_usage("keys", "there is no action " + args.word(0));
}

constexpr Option k_options[] = {
    {"-o,--output", ValueKind::file, "FILE",
     "make: where to (default $XDG_CONFIG_HOME/sworn/keys/KIND.key); never over another file"},
    {"--json", ValueKind::none, "",
     "show: one JSON object a line for each key (schema sworn.key/1)"},
};
constexpr ExitStatus k_exits[] = {
    {"0", "done"},
    {"1", "a key could not be made or read, or others may read a private key"},
};
constexpr Example k_examples[] = {
    {"sworn keys make recipient",
     "an age identity: recordings can be encrypted to its public half"},
    {"sworn keys make redactor -o officer.key", "a key that may remove events from copies"},
    {"sworn keys show", "the public halves, and what others need to pin the ledger"},
};

}  // namespace

constinit const Command k_cmd_keys = {
    .name = "keys",
    .summary = "make keys and show their public halves",
    .usage = "make recipient|redactor [-o FILE] | show [FILE] [--json]",
    .details =
        "Private keys are written to files that only their owner can read, and never over an "
        "existing "
        "file. The keys that sign recordings and ledger entries are none of these: each signs once "
        "and is erased by the recorder.",
    .operands = {"ACTION", ValueKind::text, 1, 2},
    .options = k_options,
    .examples = k_examples,
    .exits = k_exits,
    .run = run,
};

}  // namespace sworn::cli
