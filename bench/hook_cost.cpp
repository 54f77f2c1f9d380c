// SPDX-License-Identifier: Apache-2.0
// What the shell hook costs: the time from Enter to the next prompt of an empty command (":") in a
// hooked and in an ordinary bash or zsh (hook_cost ROUNDS SHELL), alternating. Prints minimum and
// median of each in microseconds and the difference.
#include "tests/support/pty_shell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace {

using sworn::test::PtyShell;
using sworn::test::ShellRun;

struct Series {
  std::unique_ptr<PtyShell> shell;
  std::vector<double> us;
};

bool measure(Series& series) {
  const auto before = std::chrono::steady_clock::now();
  series.shell->type(":\r");
  if (!series.shell->wait_for(PtyShell::k_prompt)) {
    return false;
  }
  const auto after = std::chrono::steady_clock::now();
  series.us.push_back(std::chrono::duration<double, std::micro>(after - before).count());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::stoi(argv[1]) : 1000;
  const std::string shell = argc > 2 ? argv[2] : "bash";
  const bool zsh = shell == "zsh";
  const std::string rc = argc > 3 ? argv[3]
                         : zsh    ? "unsetopt PROMPT_SP PROMPT_CR"
                                  : "HISTCONTROL=ignoreboth";
  std::vector<Series> series(2);
  for (std::size_t i = 0; i < 2; ++i) {
    ShellRun run;
    run.program = zsh ? "/usr/bin/zsh" : "/bin/bash";
    run.argv = {shell};
    run.files = {{zsh ? ".zshrc" : ".bashrc", "PS1='@@> '\n" + rc + "\n"}};
    run.hooked = i == 1;
    series[i].shell = std::make_unique<PtyShell>(run);
    if (!series[i].shell->wait_for(PtyShell::k_prompt)) {
      return 1;
    }
  }
  for (int i = 0; i < rounds; ++i) {
    if (!measure(series[0]) || !measure(series[1])) {
      return 1;
    }
  }
  for (auto& one : series) {
    std::sort(one.us.begin(), one.us.end());
  }
  const auto median = [](const Series& s) { return s.us[s.us.size() / 2]; };
  fmt::print(
      "{{\"rounds\": {}, \"plain_min_us\": {:.0f}, \"plain_p50_us\": {:.0f}, \"hooked_min_us\": "
      "{:.0f}, "
      "\"hooked_p50_us\": {:.0f}, \"cost_min_us\": {:.0f}, \"cost_p50_us\": {:.0f}}}\n",
      rounds, series[0].us[0], median(series[0]), series[1].us[0], median(series[1]),
      series[1].us[0] - series[0].us[0], median(series[1]) - median(series[0]));
  return 0;
}
