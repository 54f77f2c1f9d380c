// SPDX-License-Identifier: Apache-2.0
// What does not add up in a session: programs that no command line explains, shells that report
// nothing, work that was handed to somebody outside, text that nobody saw. A list of hints for a
// person, each with how sure it is and where to look; never a verdict. Pure.
#pragma once

#include "audit/logs/entry_list.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::audit::logs {

enum class Confidence : std::uint8_t { low, medium, high };
std::string_view name_of(Confidence confidence);

// Names are part of the JSON output: never change one.
enum class DivergenceKind : std::uint8_t {
  execution_without_command,  // the shell did it, but no line says so
  name_not_in_text,           // a line started a program that its text does not name
  hook_lost,                  // a line never ended, and the shell went on
  hook_silent,                // a shell that should report never did
  hook_forged,                // somebody else spoke in the shell's name
  shell_without_hook,         // an interactive shell or interpreter that reports nothing
  code_from_input,   // a shell or interpreter that reads its commands from a pipe or socket
  hidden_program,    // a program that is in no directory any more, or never was
  handed_outside,    // asked somebody outside of the session to run something
  outlives_session,  // still running when the recording ended
  shell_connection,  // a shell itself connected somewhere
  lineage_lost,      // a process without a way up to its command line
  capture_lost,      // events are missing
  no_text,           // a line ran, and the shell could not tell its text
};
std::string_view name_of(DivergenceKind kind);

struct Divergence {
  DivergenceKind kind = DivergenceKind::execution_without_command;
  Confidence confidence = Confidence::low;
  MonoTime at;
  std::uint64_t event = 0;           // where to jump to
  std::size_t command = k_no_index;  // index of the entry
  std::size_t process = k_no_index;  // index of the process
  std::string text;                  // for people; unsanitised
};

// In the order of time. At most k_max_divergences; the last one then says that there are more.
inline constexpr std::size_t k_max_divergences = 10'000;
std::vector<Divergence> find_divergences(const EntryList& list);

}  // namespace sworn::audit::logs
