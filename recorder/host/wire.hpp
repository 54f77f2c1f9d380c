// SPDX-License-Identifier: Apache-2.0
// What swornd, its monitors and its clients say to each other; docs/protocol.md is its normative
// page. One packet each: 'S' 'W', version, type, then the fields in order; numbers little-endian,
// strings and lists with their length in front. decode() takes hostile bytes: bounded, exact (no
// byte may be left over).
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/term_size.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace sworn::recorder::host {

inline constexpr std::uint8_t k_protocol_version = 1;
inline constexpr std::size_t k_max_string_bytes = 128 * 1024;  // what execve(2) takes as one word
inline constexpr std::size_t k_max_list = 16'384;
inline constexpr char k_daemon_socket[] = "/run/sworn/swornd.sock";

inline constexpr char k_capture_socket[] = "/run/sworn/bpf.sock";  // of sworn-bpf

using Nonce = std::array<std::byte, 32>;
using SessionId = std::array<std::byte, 16>;

// --- client -> swornd

enum class Entry : std::uint8_t { login, command, rec, profile };
struct Hello {  // with descriptors 0, 1 and 2
  Entry entry = Entry::login;
  std::string reason;
  std::string ticket;
};
struct Answer {  // with SCM_CREDENTIALS
  Nonce nonce{};
};

// --- swornd -> client

struct Challenge {
  Nonce nonce{};
};
struct Refused {
  enum class Action : std::uint8_t {
    not_recorded,  // the policy does not ask for a recording: start the shell
    denied,        // no session
    unrecorded,    // it should be recorded and cannot be; the policy lets it go on, loudly
  };
  Action action = Action::denied;
  std::string text;
  std::string shell;
};
struct Accepted {  // with: client link, anchor link, go pipe, then the terminal or the pipes
  SessionId id{};
  std::string shell;
  std::string notice;
  std::uint8_t terminal = 0;
  std::uint8_t streams = 0;  // bit n: descriptor n is a pipe of ours (in the order 0, 1, 2)
};

// --- client <-> monitor, on the client link

struct Setup {  // client: how it would start the command
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  std::string program;
};
struct Launch {  // monitor: how to start it; with the descriptors whose numbers are listed
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  std::vector<std::uint32_t> numbers;
  std::string program;
};
struct Signalled {  // client: a signal hit it
  std::uint32_t number = 0;
  std::uint8_t from_kernel = 0;
  std::uint64_t sender = 0;
};
struct Stop {  // monitor: stop yourself
  std::uint32_t number = 0;
};
struct Finished {  // monitor: everything is on record and on the terminal
  std::uint32_t status = 0;
  std::uint32_t signal = 0;
};

// --- swornd <-> monitor, on the daemon link

struct Plan {
  SessionId id{};
  Nonce token{};  // the monitor shows it when it comes back to another swornd
  std::string final_path;
  std::string user;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t loginuid = 0xFFFFFFFF;
  std::uint32_t audit_session = 0xFFFFFFFF;
  std::vector<std::uint32_t> groups;
  std::uint32_t client_pid = 0;
  std::string hostname;
  std::string cwd;
  std::string outer_tty;
  std::string pts;
  std::uint8_t terminal = 0;
  std::uint8_t taken_over = 0;
  std::uint8_t streams = 0;
  std::uint8_t merged = 0;  // descriptors 1 and 2 are one
  std::uint8_t hook = 0;    // ask the shell for its command lines
  std::uint8_t input = 0;
  std::uint8_t sync = 0;
  std::uint8_t on_failure = 0;
  std::vector<std::string> environment_allowed;
  std::string reason;
  std::string ticket;
  std::string policy;
  std::string notice;
  Bytes typed;  // before the terminal was taken over
  Bytes ledger;
  std::vector<std::string> encrypt_to;  // recipients; empty: in clear
  std::vector<std::string> second_person;
};
struct Prepared {  // monitor: the header is written
  std::uint32_t command_pid = 0;
};
struct Opened {  // swornd: the ledger has the session
};
struct Mark {  // monitor: a seal that the disk has
  std::uint32_t seal_no = 0;
  std::uint64_t tree_size = 0;
  Nonce root{};
};
struct Closed {  // monitor: the file is finished and synced
  Mark mark;
  std::string exit;
};
struct Register {  // monitor, to a swornd that did not start it
  SessionId id{};
  Nonce token{};
};
struct Problem {  // monitor: goes to the system log
  std::string what;
  std::string why;
};
struct Look {  // monitor: does one of these terminals hide what is typed?
  std::vector<std::uint32_t> devices;
};
struct Seen {  // swornd
  std::uint8_t hides = 0;
};

// --- anybody -> swornd

struct Query {
  std::string what;  // "status", "who", "view ID", ...
  std::vector<std::string> words;
};
struct Report {
  std::uint8_t ok = 0;
  std::string text;  // JSON, or why not
};

using Message = std::variant<Hello, Answer, Challenge, Refused, Accepted, Setup, Launch, Signalled,
                             Stop, Finished, Plan, Prepared, Opened, Mark, Closed, Register,
                             Problem, Look, Seen, Query, Report>;

Bytes encode(const Message& message);
Result<Message> decode(ByteView bytes);

}  // namespace sworn::recorder::host
