// SPDX-License-Identifier: Apache-2.0
#include "recorder/options.hpp"

#include "base/printable.hpp"
#include "recorder/message.hpp"
#include "recorder/version.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <map>
#include <memory>

#include <sys/stat.h>

namespace sworn::recorder {
namespace {

constexpr std::size_t k_max_note_bytes = 1024;  // of --reason and --ticket

constexpr std::uint64_t k_min_ring = 4096;
constexpr std::uint64_t k_max_ring = 1U << 30U;

constexpr std::string_view k_footer = R"(
Without a command the user's shell is started. What is typed where the terminal does not echo (passwords)
is never stored.

Exit status: that of the command, 128+N where signal N ended it; 125 the recorder failed,
126 the command cannot be executed, 127 it was not found.

Examples:
  sworn rec
  sworn rec --reason "replace disk" --ticket OPS-1234
  sworn rec -o upgrade.sworn -- apt-get upgrade
  sworn rec --encrypt-to age1... --encrypt-to /etc/sworn/escrow.recipients
  tar c /etc | sworn rec -o backup.sworn -- ssh vault 'cat > etc.tar'
)";

class UsageFormatter final : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* /*app*/, std::string /*name*/) const override {
    return "Usage: sworn rec [OPTIONS] [--] [COMMAND [ARGUMENT...]]\n";
  }
};

// By name only: CLI11's own transformers would also take the numbers behind the names.
template <typename E>
void add_choice(CLI::App& app, const std::string& flag, E& target, std::initializer_list<E> values,
                const std::string& text) {
  std::map<std::string, E> by_name;
  std::string list;
  for (const E value : values) {
    by_name.emplace(std::string(name_of(value)), value);
    list += (list.empty() ? "" : "|") + std::string(name_of(value));
  }
  const auto choose = [&target, by_name, flag, list](const std::string& name) {
    const auto found = by_name.find(name);
    if (found == by_name.end()) {
      throw CLI::ValidationError(flag, "must be one of " + list);
    }
    target = found->second;
  };
  app.add_option_function<std::string>(flag, choose, text)
      ->type_name(list)
      ->default_str(std::string(name_of(target)));
}

// As text, for the command line of sworn-bpf.
std::string ring_size(const std::string& text) {
  std::uint64_t bytes = 0;
  const auto* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, bytes);
  if (error != std::errc{} || end != last || !std::has_single_bit(bytes) || bytes < k_min_ring ||
      bytes > k_max_ring) {
    throw CLI::ValidationError("--capture-ring", "must be a power of two from 4096 to 1073741824");
  }
  return text;
}

// `sworn rec` starts the process that runs the rules, and hands us its socket as fd:N.
int alert_socket(const std::string& text) {
  constexpr std::string_view k_prefix = "fd:";
  int fd = -1;
  const auto* last = text.data() + text.size();
  const auto* first = text.data() + std::min(k_prefix.size(), text.size());
  const auto [end, error] = std::from_chars(first, last, fd);
  struct stat status {};
  if (!text.starts_with(k_prefix) || error != std::errc{} || end != last || fd < 3 ||
      ::fstat(fd, &status) != 0 || !S_ISSOCK(status.st_mode)) {
    throw CLI::ValidationError("--alerts",
                               "the rules are run by another process: use sworn rec --alerts");
  }
  return fd;
}

ParsedOptions complaint(const std::string& what, const std::string& why) {
  return {std::nullopt, to_text({"rec: " + what, why, "see: sworn rec --help"}),
          k_exit_recorder_failed};
}

// prefix_command() hands over everything from the first word that is not an option; only a word
// behind "--" may look like one.
std::optional<std::string> take_command(std::vector<std::string> rest, Options& options) {
  if (!rest.empty() && rest.front() == "--") {
    rest.erase(rest.begin());
  } else if (!rest.empty() && rest.front().starts_with('-')) {
    return "there is no option " + printable(rest.front());
  }
  options.command = std::move(rest);
  return std::nullopt;
}

}  // namespace

ParsedOptions parse_options(const std::vector<std::string>& args) {
  if (args.empty() || args.front() != "rec") {
    if (!args.empty() && args.front() == "--version") {
      const auto without = audit::built_without_bpf();
      return {std::nullopt,
              fmt::format("sworn-recorder {}\nkernel capture: {}\n", k_version,
                          without.empty() ? "sworn-bpf" : without),
              0};
    }
    return complaint(
        "this program records one session",
        args.empty() ? "no subcommand" : "not a subcommand: " + printable(args.front()));
  }
  Options options;
  CLI::App app("Records a command, or the user's shell, into a signed session file.", "sworn rec");
  app.formatter(std::make_shared<UsageFormatter>());
  app.footer(std::string(k_footer));
  app.prefix_command();
  app.add_option("-o,--output", options.output, "Write the recording to FILE; never replaces one")
      ->type_name("FILE");
  add_choice(app, "--input", options.input, {InputMode::none, InputMode::commands, InputMode::all},
             "What of the keystrokes to store");
  add_choice(app, "--sync", options.sync, {SyncMode::none, SyncMode::interval, SyncMode::critical},
             "When to force the file to the disk");
  add_choice(app, "--on-failure", options.on_failure,
             {OnFailure::terminate, OnFailure::continue_and_alert},
             "What to do when recording is no longer possible");
  using audit::CaptureMode;
  add_choice(app, "--capture", options.capture,
             {CaptureMode::automatic, CaptureMode::shell, CaptureMode::exec, CaptureMode::full,
              CaptureMode::none},
             "What to capture of the commands that run: what is there; command lines only; also "
             "executions (root); also opened files");
  app.add_option_function<std::string>(
         "--capture-ring",
         [&options](const std::string& text) { options.capture_ring = ring_size(text); },
         "Size of the ring between the kernel and the capture process: a power of two")
      ->type_name("BYTES")
      ->default_str("8388608");
  app.add_option_function<std::string>(
         "--alerts", [&options](const std::string& text) { options.alert_fd = alert_socket(text); },
         "Run alert rules while the session is recorded: a TOML file, or default")
      ->type_name("RULES");
  app.add_option("--ledger", options.ledger,
                 "Keep the session in the ledger DIR instead of the user's own; none: in no ledger")
      ->type_name("DIR|none");
  app.add_option("--reason", options.reason, "Why this session takes place; on record")
      ->type_name("TEXT");
  app.add_option("--ticket", options.ticket, "The ticket it belongs to; on record")
      ->type_name("TEXT");
  app.add_option(
         "--encrypt-to", options.encrypt_to,
         "Encrypt the recording to an age recipient (age1...) or to those in a file; may be "
         "repeated, any of them can read it")
      ->type_name("RECIPIENT|FILE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--second-person", options.second_person,
                 "Reading takes one of these as well as one of --encrypt-to; may be repeated")
      ->type_name("RECIPIENT|FILE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--detached-box", options.detached_box,
                 "Keep the key box in this directory, not in the recording: sworn shred destroys "
                 "the contents by it")
      ->type_name("DIR");
  app.add_flag("--login", options.login, "Start the command as a login shell");
  app.add_flag("--streams", options.streams, "Never add a terminal, keep the three streams apart");
  app.add_flag("-q,--quiet", options.quiet, "Do not say at the start that the session is recorded");

  std::vector<std::string> reversed(args.rbegin(), args.rend() - 1);  // as CLI11 wants them
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    return {std::nullopt, app.help(), 0};
  } catch (const CLI::ParseError& error) {
    return complaint("the options cannot be understood", printable(error.what()));
  }
  if (const auto refused = take_command(app.remaining(), options)) {
    return complaint(*refused, "options of the command stand behind the command or behind --");
  }
  if (options.encrypt_to.empty() &&
      !(options.second_person.empty() && options.detached_box.empty())) {
    return complaint("--second-person and --detached-box belong to an encrypted recording",
                     "there is no --encrypt-to");
  }
  if (options.reason.size() > k_max_note_bytes || options.ticket.size() > k_max_note_bytes) {
    return complaint("the reason or the ticket is too long",
                     fmt::format("the limit is {} bytes", k_max_note_bytes));
  }
  if (std::any_of(options.command.begin(),
                  options.command.begin() + (options.command.empty() ? 0 : 1),
                  [](const std::string& word) { return word.empty(); })) {
    return complaint("the command is an empty word", "nothing can be executed by that name");
  }
  return {std::move(options), "", 0};
}

}  // namespace sworn::recorder
