// SPDX-License-Identifier: Apache-2.0
// Runs a program on a fresh terminal and acts as the person in front of it: types, waits for text
// on the RENDERED screen (never for bytes of the stream, never for a time), resizes, sends signals.
// Every wait has a deadline; deadlines are stretched under sanitizers and by SWORN_TEST_SLOW (a
// factor). One thread. The destructor kills what still runs.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "base/term_size.hpp"
#include "player/vt/terminal.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace sworn::test {

struct SpawnOptions {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH
  std::vector<std::string>
      environment;  // NAME=VALUE, set on top of the inherited ones; "NAME": unset
  std::string cwd;  // empty: unchanged
  TermSize size{80, 24};
};

class PtyDriver {
 public:
  using Seconds = std::chrono::duration<double>;
  static constexpr Seconds k_patience{10};

  static Result<std::unique_ptr<PtyDriver>> spawn(const SpawnOptions& options);
  ~PtyDriver();
  PtyDriver(const PtyDriver&) = delete;
  PtyDriver& operator=(const PtyDriver&) = delete;

  Result<void> type(std::string_view bytes);
  Result<void> resize(TermSize size);  // the kernel sends SIGWINCH
  Result<void> signal(int number);     // to the program itself

  // Reads output until `done` holds; false where the deadline passes or the terminal closes before.
  bool wait_until(const std::function<bool()>& done, Seconds patience = k_patience);
  bool wait_text(std::string_view text, Seconds patience = k_patience);
  bool wait_gone(std::string_view text, Seconds patience = k_patience);
  // Wait status of the program; nullopt where it still runs at the deadline.
  std::optional<int> wait_exit(Seconds patience = k_patience);
  // Takes in what is there now.
  void pump();

  [[nodiscard]] const vt::Terminal& terminal() const { return terminal_; }
  [[nodiscard]] std::string screen()
      const;  // rows without trailing blanks, without trailing empty rows
  [[nodiscard]] bool shows(std::string_view text) const;
  [[nodiscard]] const std::string& output() const { return output_; }  // all bytes; at most 64 MiB
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int ptm() const { return ptm_.get(); }

 private:
  PtyDriver(Fd ptm, pid_t pid, TermSize size);
  bool read_some(int timeout_ms);
  void answer_queries(std::string_view bytes);

  Fd ptm_;
  pid_t pid_;
  vt::Terminal terminal_;
  std::string output_;
  std::string query_;  // the end of the output, where a question to the terminal may begin
  bool closed_ = false;
  std::optional<int> status_;
};

// The factor by which deadlines are stretched.
double slowness();

}  // namespace sworn::test
