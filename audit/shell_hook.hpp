// SPDX-License-Identifier: Apache-2.0
// Gets the command lines of an interactive shell from the shell itself, without touching a dotfile:
// the start-up script travels in a memfd, the events come back over an inherited datagram socket
// with sender credentials. Nothing of it is visible on the screen, in the user's files or in the
// environment of his programs. What the hook cannot see is listed in docs/audit-sources.md.
//
// Facts: command_begin, command_end, gap ("hook_flood", "hook_forged") and capture (a shell said
// hello; the counters at the end). Only for sessions with a terminal: a shell on pipes is not
// interactive and must not be prepared. Where the program is no shell we know, prepare() changes
// nothing and fd() is -1.
#pragma once

#include "audit/audit_source.hpp"
#include "base/clock.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace sworn::audit {

struct HookCounters {
  std::uint64_t events = 0;     // command_begin and command_end handed out
  std::uint64_t forged = 0;     // refused: the sender is not who it says
  std::uint64_t malformed = 0;  // refused: not understood
  std::uint64_t lost = 0;       // dropped because of a flood
  std::uint64_t truncated = 0;  // kept, but cut to a limit
};

class ShellHook final : public AuditSource {
 public:
  // `clock` must outlive the hook.
  explicit ShellHook(Clock& clock);
  ~ShellHook() override;
  ShellHook(const ShellHook&) = delete;
  ShellHook& operator=(const ShellHook&) = delete;

  [[nodiscard]] std::string_view name() const override { return "shell_hook"; }
  Result<void> prepare(ChildSetup& setup) override;
  void launched(pid_t command) override;
  [[nodiscard]] int fd() const override;
  Result<void> drain(std::vector<AuditFact>& out) override;
  void finish(std::vector<AuditFact>& out) override;

  [[nodiscard]] std::string_view shell() const;   // "bash", ...; empty: not hooked
  [[nodiscard]] std::string_view reason() const;  // why not: "not_a_shell", "not_interactive", ...
  [[nodiscard]] const HookCounters& counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sworn::audit
