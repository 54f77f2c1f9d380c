// SPDX-License-Identifier: Apache-2.0
#include "format/event.hpp"

#include <array>

namespace sworn::format {
namespace {

constexpr std::array<std::string_view, k_last_event_kind + 1> k_names{
    "unknown", "output",    "input",        "input_hidden",  "typed",         "resize",
    "signal",  "marker",    "clock",        "session_start", "command_begin", "command_end",
    "exec",    "exec_exit", "file",         "connect",       "log_line",      "alert",
    "gap",     "exit",      "error_output", "end_of_input",  "capture",       "side_output"};

}  // namespace

std::string_view name_of(EventKind kind) {
  const auto number = static_cast<std::size_t>(kind);
  return number < k_names.size() ? k_names[number] : k_names[0];
}

std::optional<EventKind> event_kind_from_name(std::string_view name) {
  for (std::size_t i = 1; i < k_names.size(); ++i) {
    if (k_names[i] == name) {
      return static_cast<EventKind>(i);
    }
  }
  return std::nullopt;
}

}  // namespace sworn::format
