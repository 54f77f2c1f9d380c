// SPDX-License-Identifier: Apache-2.0
// `sworn rec` is another program: nothing that plays, parses or draws is mapped into the process
// that wraps a shell. This one only finds it and becomes it.
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/message.hpp"
#include "cli/recorder_path.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <vector>

#include <unistd.h>

namespace sworn::cli {
namespace {

constexpr int k_exit_recorder_failed = 125;  // as env(1) and timeout(1)

int run(const Arguments& args) {
  const auto recorder = find_recorder();
  if (!recorder) {
    return complain("rec",
                    {"sworn-recorder was not found", describe(recorder.error()),
                     "install sworn completely: cmake --install build/release"},
                    k_exit_recorder_failed);
  }
  std::vector<std::string> words{"sworn-recorder"};
  words.insert(words.end(), args.words().begin(), args.words().end());
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

constexpr Option k_options[] = {
    {"-o,--output", ValueKind::file, "FILE", "name of the recording; never overwritten"},
    {"--input", ValueKind::choice, "none|commands|all",
     "what of the keystrokes is stored (default commands: what the terminal echoes)"},
};
constexpr ExitStatus k_exits[] = {
    {"N", "that of the recorded program; 128+N where signal N ended it"},
    {"125", "the recorder failed"},
    {"126", "the program cannot be executed"},
    {"127", "the program was not found"},
};
constexpr Example k_examples[] = {
    {"sworn rec", "record a shell until it exits"},
    {"sworn rec -o upgrade.sworn -- apt-get upgrade", "record one command"},
};

}  // namespace

constinit const Command k_cmd_rec = {
    .name = "rec",
    .summary = "record a session",
    .usage = "[-o FILE] [--input=none|commands|all] [--] [COMMAND [ARGUMENT...]]",
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
