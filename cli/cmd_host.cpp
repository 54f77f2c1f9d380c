// SPDX-License-Identifier: Apache-2.0
// `sworn config`, `who`, `status`, `doctor` and `retention` belong to hosts that run swornd. Their
// words are checked here, from the one table; the work is done by sworn-host, so that the front end
// carries nothing of the daemon.
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/message.hpp"
#include "cli/recorder_path.hpp"

#include <cerrno>
#include <string>
#include <vector>

#include <unistd.h>

namespace sworn::cli {
namespace {

int run(const Arguments& args) {
  const std::string name(args.command().name);
  const auto program = find_program("sworn-host", "recorder/host");
  if (!program) {
    return complain(name,
                    {"sworn-host was not found", describe(program.error()),
                     "install sworn completely: cmake --install build/release"},
                    k_exit_failure);
  }
  std::vector<std::string> words{"sworn-host", name};
  words.insert(words.end(), args.words().begin(), args.words().end());
  for (const auto& option : args.command().options) {
    const std::string flag(long_name(option));
    if (args.has(flag)) {
      words.push_back(flag);
    }
  }
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  ::execv(program->c_str(), argv.data());
  return complain(name,
                  {"sworn-host could not be started", describe({Errc::io, errno, *program}),
                   "check the installation of sworn"},
                  k_exit_failure);
}

constexpr Option k_json[] = {{"--json", ValueKind::none, "", "JSON, for scripts (docs/json.md)"}};
constexpr Option k_retention_options[] = {
    {"--dry-run", ValueKind::none, "", "say what would be removed, and remove nothing"},
    {"--json", ValueKind::none, "", "JSON, for scripts (docs/json.md)"},
};

constexpr ExitStatus k_config_exits[] = {
    {"0", "every key is understood"},
    {"1", "there are mistakes, or the file is not root's alone"},
};
constexpr Example k_config_examples[] = {
    {"sworn config check", "file, line and reason of every mistake"},
    {"sworn config show", "the policy with everything that the file does not say"},
};
constexpr ExitStatus k_who_exits[] = {
    {"0", "swornd has answered"},
    {"1", "swornd does not answer"},
};
constexpr Example k_who_examples[] = {
    {"sworn who", "who is being recorded, on which terminal, since when"},
    {"sworn who --json | jq .sessions[].user", "the same for scripts"},
};
constexpr ExitStatus k_status_exits[] = {
    {"0", "this terminal is recorded"},
    {"1", "it is not, or swornd does not answer"},
};
constexpr Example k_status_examples[] = {
    {"sworn status", "by which session, under which policy"},
};
constexpr ExitStatus k_doctor_exits[] = {
    {"0", "no hole was found"},
    {"1", "the words are not understood"},
    {"2", "sessions of this host can go unrecorded; each hole is listed"},
};
constexpr Example k_doctor_examples[] = {
    {"sudo sworn doctor", "what is wired, what is not, which logins have no recording"},
};
constexpr ExitStatus k_retention_exits[] = {
    {"0", "every recording was judged by its class"},
    {"1", "one could not be judged or removed; it stays"},
};
constexpr Example k_retention_examples[] = {
    {"sworn retention run --dry-run", "what would be removed today, and why"},
    {"sworn retention run", "remove it; the ledger has an entry first"},
};

}  // namespace

constinit const Command k_cmd_config = {
    .name = "config",
    .summary = "check or show the policy of this host",
    .usage = "check|show [--json] [FILE]",
    .details =
        "Reads /etc/sworn/sworn.conf, or FILE, as swornd would: only a file that root alone can "
        "write counts, and a key that is not known is a mistake.",
    .operands = {"check|show", ValueKind::file, 1, 2},
    .options = k_json,
    .examples = k_config_examples,
    .exits = k_config_exits,
    .run = run,
};

constinit const Command k_cmd_who = {
    .name = "who",
    .summary = "list the sessions that this host records now",
    .usage = "[--json]",
    .details = "Asks swornd. Root and the group sworn-audit see all sessions, others their own.",
    .operands = {},
    .options = k_json,
    .examples = k_who_examples,
    .exits = k_who_exits,
    .run = run,
};

constinit const Command k_cmd_status = {
    .name = "status",
    .summary = "say whether this terminal is recorded",
    .usage = "[--json]",
    .details = "Asks swornd which session the terminal of this shell belongs to.",
    .operands = {},
    .options = k_json,
    .examples = k_status_examples,
    .exits = k_status_exits,
    .run = run,
};

constinit const Command k_cmd_doctor = {
    .name = "doctor",
    .summary = "name what is not recorded on this host",
    .usage = "[--json]",
    .details =
        "Looks at swornd, the policy, login shells, sshd, sudo, cron, container tools and the "
        "logins of the last day. Changes nothing.",
    .operands = {},
    .options = k_json,
    .examples = k_doctor_examples,
    .exits = k_doctor_exits,
    .run = run,
};

constinit const Command k_cmd_retention = {
    .name = "retention",
    .summary = "remove recordings whose time is over",
    .usage = "run [--dry-run] [--json]",
    .details =
        "Judges every closed recording by the class that its own policy names and by the legal "
        "holds of /etc/sworn/sworn.conf. The ledger says what is removed before it is.",
    .operands = {"run", ValueKind::text, 1, 1},
    .options = k_retention_options,
    .examples = k_retention_examples,
    .exits = k_retention_exits,
    .run = run,
};

}  // namespace sworn::cli
