// SPDX-License-Identifier: Apache-2.0
// Gets the command lines of an interactive shell from the shell itself, without touching a dotfile: the
// start-up script travels in a memfd, the events come back over an inherited datagram socket with sender
// credentials. Nothing of it is visible on the screen, in the files of the user or in the environment of his
// programs. What the hook cannot see is in docs/audit-sources.md.
//
//   TRY_ASSIGN(auto hook, ShellHook::create(clock));
//   auto start = hook->prepare({.program = "/bin/bash", .argv = {"-bash"}, .environment = env});
//   fork; child:  hook->release_in_child(); execve(program, start.argv, start.environment)
//         parent: hook->started(pid); poll hook->fd(); hook->drain(sink); ...; hook->finish(sink)
//
// Where the program is no shell we know (or not interactive), prepare() returns its input unchanged,
// `hooked` is false and fd() is -1. One thread; release_in_child() is async-signal-safe.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "audit/audit_source.hpp"
#include "base/clock.hpp"

namespace sworn::audit {

struct ShellStart {
  std::string program;                   // path or name, as it will be executed
  std::vector<std::string> argv;         // argv[0] may be "-bash"
  std::vector<std::string> environment;  // "NAME=value"
  bool terminal = true;                  // stdin and stderr of the child will be a terminal
};

struct PreparedShell {
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  std::vector<int> keep_fds;  // must survive into the child under these numbers
  bool hooked = false;
  std::string shell;        // "bash", "zsh", "fish" where hooked
  std::string reason;       // why not hooked: "not_a_shell", "not_interactive", "restricted", ...
};

class ShellHook final : public AuditSource {
 public:
  // `clock` must outlive the hook.
  static Result<std::unique_ptr<ShellHook>> create(Clock& clock);
  ~ShellHook() override;
  ShellHook(const ShellHook&) = delete;
  ShellHook& operator=(const ShellHook&) = delete;

  // Call once. Never fails: without descriptors or /proc the shell starts unhooked, with the reason.
  PreparedShell prepare(const ShellStart& start);

  // In the child, between fork and exec: lets keep_fds survive the exec.
  void release_in_child() const noexcept;

  // In the parent, after fork: `shell` is the process that was started. Closes the child's ends.
  void started(pid_t shell);

  [[nodiscard]] int fd() const override;
  Result<void> drain(AuditSink& sink) override;
  [[nodiscard]] const AuditCounters& counters() const override;

  // At the end of the session: takes in the rest and reports what is still open or was lost.
  Result<void> finish(AuditSink& sink);

 private:
  struct Impl;
  explicit ShellHook(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sworn::audit
