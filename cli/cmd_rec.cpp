// SPDX-License-Identifier: Apache-2.0
// `sworn rec` is another program: nothing that plays, parses or draws is mapped into the process
// that wraps a shell. This one only finds it and becomes it.
#include "cli/alert_watch.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/host_rec.hpp"
#include "cli/message.hpp"
#include "cli/recorder_path.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

namespace sworn::cli {
namespace {

constexpr int k_exit_recorder_failed = 125;  // as env(1) and timeout(1)

// Where the recorder's own words say --alerts RULES: the words' index of RULES, or of
// --alerts=RULES.
struct AlertsWord {
  std::size_t at = 0;
  std::string rules;
};
std::optional<AlertsWord> find_alerts(const std::vector<std::string>& words);
// Comes back where the client cannot be executed: then the recording is one's own.
void become_host_client(const Arguments& args) {
  auto words = host_records() ? host_client_words(args.words()) : std::nullopt;
  if (!words) {
    return;
  }
  std::vector<char*> argv;
  for (auto& word : *words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  ::execv(k_host_client, argv.data());
}

int run(const Arguments& args) {
  become_host_client(args);
  const auto recorder = find_recorder();
  if (!recorder) {
    return complain("rec",
                    {"sworn-recorder was not found", describe(recorder.error()),
                     "install sworn completely: cmake --install build/release"},
                    k_exit_recorder_failed);
  }
  std::vector<std::string> words{"sworn-recorder", "rec"};
  words.insert(words.end(), args.words().begin(), args.words().end());
  // Rules are run beside the recorder, not in it: it gets the socket of the process that does.
  if (const auto alerts = find_alerts(words)) {
    const auto fd = start_watcher(alerts->rules);
    if (!fd) {
      return complain("rec",
                      {"the alert rules cannot be used: " + alerts->rules, describe(fd.error()),
                       "correct the file (sworn alert check FILE), or record without --alerts"},
                      k_exit_recorder_failed);
    }
    words[alerts->at] =
        fmt::format("{}fd:{}", words[alerts->at].starts_with("--alerts=") ? "--alerts=" : "", *fd);
  }
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  ::execv(recorder->c_str(), argv.data());
  return complain("rec",
                  {"sworn-recorder could not be started", describe({Errc::io, errno, *recorder}),
                   "check the installation of sworn"},
                  k_exit_recorder_failed);
}

// The recorder parses these itself; tests/cli/rec-options compares the two.
constexpr Option k_options[] = {
    {"-o,--output", ValueKind::file, "FILE",
     "name of the recording, never overwritten (default: a new one in "
     "$XDG_DATA_HOME/sworn/sessions)"},
    {"--input", ValueKind::choice, "none|commands|all",
     "what of the keystrokes is stored (default commands: what the terminal echoes)"},
    {"--sync", ValueKind::choice, "none|interval|critical",
     "when the file is forced to the disk (default interval: once a second)"},
    {"--on-failure", ValueKind::choice, "terminate|continue_and_alert",
     "what happens when recording is no longer possible (default terminate)"},
    {"--capture", ValueKind::choice, "auto|shell|exec|full|none",
     "what is captured of the commands that run (default auto: what is there)"},
    {"--capture-ring", ValueKind::text, "BYTES",
     "size of the ring between the kernel and the capture process (default 8388608)"},
    {"--alerts", ValueKind::file, "RULES",
     "run alert rules while the session is recorded: a TOML file, or default"},
    {"--ledger", ValueKind::directory, "DIR|none",
     "the ledger that the session is kept in (default $XDG_STATE_HOME/sworn/ledger); none: nobody "
     "will see that it was cut or removed"},
    {"--reason", ValueKind::text, "TEXT", "why this session takes place; on record"},
    {"--ticket", ValueKind::text, "TEXT", "the ticket it belongs to; on record"},
    {"--encrypt-to", ValueKind::file, "RECIPIENT|FILE",
     "encrypt the recording to an age recipient (age1...) or to those in a file; may be repeated, "
     "any of them can read it"},
    {"--second-person", ValueKind::file, "RECIPIENT|FILE",
     "reading takes one of these as well as one of --encrypt-to; may be repeated"},
    {"--detached-box", ValueKind::directory, "DIR",
     "keep the key box in this directory, not in the recording: sworn shred destroys the contents "
     "by it"},
    {"--login", ValueKind::none, "", "start the command as a login shell"},
    {"--streams", ValueKind::none, "", "never add a terminal, keep the three streams apart"},
    {"-q,--quiet", ValueKind::none, "", "do not say at the start that the session is recorded"},
};
std::optional<AlertsWord> find_alerts(const std::vector<std::string>& words) {
  constexpr std::string_view k_name = "--alerts";
  for (std::size_t i = 2; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--" || !word.starts_with('-')) {
      return std::nullopt;  // what follows is the command
    }
    if (word == k_name && i + 1 < words.size()) {
      return AlertsWord{i + 1, words[i + 1]};
    }
    if (word.starts_with("--alerts=")) {
      return AlertsWord{i, word.substr(k_name.size() + 1)};
    }
    for (const auto& option : k_options) {
      const bool named =
          ("," + std::string(option.flags) + ",").find("," + word + ",") != std::string::npos;
      if (named && option.kind != ValueKind::none) {
        ++i;  // its value
        break;
      }
    }
  }
  return std::nullopt;
}

constexpr ExitStatus k_exits[] = {
    {"N", "that of the recorded program; 128+N where signal N ended it"},
    {"125", "the recorder failed"},
    {"126", "the program cannot be executed"},
    {"127", "the program was not found"},
};
constexpr Example k_examples[] = {
    {"sworn rec", "record a shell until it exits"},
    {"sworn rec -o upgrade.sworn -- apt-get upgrade", "record one command"},
    {"sworn rec --alerts default", "with the shipped alert rules, live"},
    {"sworn rec --reason \"replace disk\" --ticket OPS-1234",
     "with what the investigator will ask first"},
};

}  // namespace

constinit const Command k_cmd_rec = {
    .name = "rec",
    .summary = "record a session",
    .usage = "[OPTIONS] [--] [COMMAND [ARGUMENT...]]",
    .details =
        "Runs COMMAND (default: the shell of the user) on a terminal of its own, or between pipes "
        "where "
        "there is no terminal, and keeps everything in a sealed session file.",
    .operands = {"COMMAND", ValueKind::file, 0, k_any},
    .options = k_options,
    .examples = k_examples,
    .exits = k_exits,
    .run = run,
    .pass_through = true,
};

}  // namespace sworn::cli
