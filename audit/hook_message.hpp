// SPDX-License-Identifier: Apache-2.0
// What the shell hooks send, and how it is put together again. A message is a row of fields that
// end with NUL:
//   "SW1" KEY TYPE TIME, then by type
//   B (a line begins), N (a line that never ran), L (a line that ran unseen): COUNT LAST CWD
//   HISTORY E (the end), X (the shell ends):                                         STATUS
//   PIPESTATUS CWD H (hello):                                                               SHELL
//   VERSION CWD
// bash writes a message in pieces (at newlines and full buffers), each a datagram of its own: they
// are joined by sender. Everything here is hostile until the key was seen; nothing is kept of a
// sender without it.
// COUNT "raw" stands for a HISTORY that is the line itself.
#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace sworn::audit {

inline constexpr std::size_t k_max_command_text = 1U << 20U;
inline constexpr std::size_t k_max_open_messages = 32;  // senders with an unfinished message

enum class HookType : char {
  begin = 'B',
  not_run = 'N',
  late = 'L',
  end = 'E',
  shell_exit = 'X',
  hello = 'H',
};

struct HookMessage {
  HookType type = HookType::begin;
  pid_t sender = 0;
  std::int64_t wall_us = -1;  // as the shell says; -1: it did not
  std::string first;          // COUNT, STATUS or SHELL
  std::string second;         // LAST, PIPESTATUS or VERSION
  std::string cwd;
  std::string text;        // the command line; B, N and L only
  bool has_text = false;   // the shell knew the line
  bool truncated = false;  // longer than k_max_command_text
};

class HookAssembler {
 public:
  explicit HookAssembler(std::string key) : key_(std::move(key)) {}

  enum class Outcome : std::uint8_t { taken, no_key, malformed };
  // Takes in one datagram; appends the messages that it completes.
  Outcome feed(pid_t sender, ByteView datagram, std::vector<HookMessage>& out);

  [[nodiscard]] std::size_t open_messages() const { return open_.size(); }

 private:
  struct Partial {
    std::string data;
    std::size_t nuls = 0;
    std::size_t expected = 0;  // NULs of the whole message; 0: not known yet
    std::uint64_t order = 0;
    bool overflow = false;
  };
  bool complete(Partial& partial, pid_t sender, std::vector<HookMessage>& out) const;
  void make_room();

  std::string key_;
  std::map<pid_t, Partial> open_;
  std::uint64_t order_ = 0;
};

// The command line out of what `history COUNT` (or fc) printed, LAST being the number of the last
// entry. False where the numbers are not those.
bool strip_history(std::string_view printed, std::uint64_t count, std::uint64_t last,
                   std::string& text);

}  // namespace sworn::audit
