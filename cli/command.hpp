// SPDX-License-Identifier: Apache-2.0
// What a subcommand of `sworn` is: one constant object beside its implementation (cmd_NAME.cpp),
// listed in the table of commands.cpp. Dispatch, --help, `sworn help`, suggestions, shell
// completion and the check of the man pages are all fed from these objects, so none of them can say
// something else than the code does.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sworn::cli {

class Arguments;

// What a value is, for completion and for the texts.
enum class ValueKind : std::uint8_t {
  none,
  text,
  number,
  time,
  choice,
  file,
  directory,
  session,
  command
};

struct Option {
  std::string_view flags;  // "-o,--output"; the last name is the one that code asks for
  ValueKind kind = ValueKind::none;
  std::string_view value;  // shown: "FILE"; for a choice "none|commands|all"; empty for a flag
  std::string_view help;
  bool hidden = false;
};

struct Operands {
  std::string_view name;  // "FILE"; empty: the command takes none
  ValueKind kind = ValueKind::none;
  std::size_t least = 0;
  std::size_t most = 0;  // k_any: no limit
};
inline constexpr std::size_t k_any = static_cast<std::size_t>(-1);

struct Example {
  std::string_view line;
  std::string_view meaning;
};

struct ExitStatus {
  std::string_view status;  // "0", "125"
  std::string_view meaning;
};

// Statuses that every command shares; verify adds its own (format::exit_status_of).
inline constexpr int k_exit_ok = 0;
inline constexpr int k_exit_failure = 1;  // I/O, usage, not a session file
inline constexpr int k_exit_unsupported = 6;

struct Command {
  std::string_view name;
  std::string_view summary;  // one line, no full stop
  std::string_view usage;    // what follows "sworn NAME"
  std::string_view details;  // a paragraph for --help
  Operands operands;
  std::span<const Option> options;
  std::span<const Example> examples;
  std::span<const ExitStatus> exits;
  int (*run)(const Arguments& args);
  // The words behind the name go to run() unparsed: the command belongs to another program.
  bool pass_through = false;
  bool hidden = false;
};

// Options of every command that reads recordings (operands of kind session): what opens encrypted
// ones. $SWORN_IDENTITY and $SWORN_KEY_BOXES say the same. dispatch() takes them; a command need
// not know.
inline constexpr Option k_key_options[] = {
    {"--identity", ValueKind::file, "FILE",
     "opens encrypted recordings: an age identity file, or a share; may be repeated "
     "(default $SWORN_IDENTITY)"},
    {"--key-box", ValueKind::file, "PLACE",
     "key box, or directory of them, of recordings that do not hold their own "
     "(default $SWORN_KEY_BOXES)"},
};
constexpr std::span<const Option> key_options(const Command& command) {
  return command.operands.kind == ValueKind::session ? std::span<const Option>(k_key_options)
                                                     : std::span<const Option>();
}

// The rows of two tables of options, for a command whose parts live in several files.
template <std::size_t N, std::size_t M>
constexpr std::array<Option, N + M> joined(const std::array<Option, N>& a,
                                           const std::array<Option, M>& b) {
  std::array<Option, N + M> out{};
  for (std::size_t i = 0; i < N; ++i) {
    out[i] = a[i];
  }
  for (std::size_t i = 0; i < M; ++i) {
    out[N + i] = b[i];
  }
  return out;
}

}  // namespace sworn::cli
