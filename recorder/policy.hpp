// SPDX-License-Identifier: Apache-2.0
// The choices that a session is recorded under. Their text form is on record in the session_start
// event.
#pragma once

#include "audit/capture_layers.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::recorder {

// What of the keystrokes is stored. What is typed at a password prompt is stored in none of them.
enum class InputMode : std::uint8_t {
  none,      // nothing
  commands,  // what the terminal echoes
  all,       // every key
};

// When the file is forced to the disk. A killed recorder loses nothing in any of them: this is for
// power cuts.
enum class SyncMode : std::uint8_t {
  none,      // when the kernel likes
  interval,  // after the seal that ends every second with something new in it
  critical,  // also before the Enter of a command is passed on
};

enum class OnFailure : std::uint8_t {
  terminate,           // the session ends
  continue_and_alert,  // it goes on unrecorded, and says so on the screen and in the system log
};

std::string_view name_of(InputMode mode);
std::string_view name_of(SyncMode mode);
std::string_view name_of(OnFailure action);

struct Options {
  std::string output;  // empty: a new name in the default store
  InputMode input = InputMode::commands;
  SyncMode sync = SyncMode::interval;
  OnFailure on_failure = OnFailure::terminate;
  audit::CaptureMode capture = audit::CaptureMode::automatic;
  std::string capture_ring;  // bytes between kernel and sworn-bpf; "" for its default
  int alert_fd = -1;         // socket of the process that runs the alert rules
  std::string ledger;        // its directory; empty: the user's own; "none"
  std::string reason;
  std::string ticket;
  // Encrypts the recording: recipients (age1...) or files with them. With a second person, one of
  // both lists is needed to read it.
  std::vector<std::string> encrypt_to;
  std::vector<std::string> second_person;
  std::string detached_box;  // directory for the key boxes; empty: in the recording
  bool quiet = false;
  bool login = false;                // argv[0] of the command gets a leading dash
  bool streams = false;              // never add a terminal
  std::vector<std::string> command;  // empty: the user's shell
};

// One "name=value" a line; the same options always give the same text.
std::string policy_text(const Options& options);

}  // namespace sworn::recorder
