// SPDX-License-Identifier: Apache-2.0
// swornd: the daemon of a host that records sessions. See swornd(8).
#include "base/version.hpp"
#include "recorder/descriptors.hpp"
#include "recorder/host/daemon.hpp"
#include "recorder/host/notify.hpp"
#include "recorder/host/sandbox.hpp"
#include "recorder/message.hpp"

#include <cstdio>
#include <string>
#include <vector>

#include <unistd.h>

namespace {

constexpr const char* k_help = R"(Usage: swornd [--config FILE] [--stderr]
Records the sessions of this host: greets clients, starts monitors, keeps the ledger.

  --config FILE  the policy (default /etc/sworn/sworn.conf)
  --stderr       say what happens on standard error instead of the system log
  --version      print the version
  --help         print this

Signals: HUP reads the policy again, TERM ends; sessions go on without it.
Exit status: 0 ended by a signal, 1 it could not start.

Examples:
  systemctl start swornd.socket
  swornd --stderr --config /etc/sworn/sworn.conf
)";

int refuse(const std::string& why) {
  std::fprintf(stderr, "swornd: %s\n  do:   swornd --help\n", why.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace sworn;
  namespace host = recorder::host;
  host::DaemonOptions options;
  bool to_stderr = false;
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--help") {
      std::fputs(k_help, stdout);
      return 0;
    }
    if (words[i] == "--version") {
      std::printf("swornd %s\n", std::string(k_version).c_str());
      return 0;
    }
    if (words[i] == "--stderr") {
      to_stderr = true;
    } else if (words[i] == "--config" && i + 1 < words.size()) {
      options.config = words[++i];
    } else {
      return refuse("there is no option " + words[i]);
    }
  }
  if (!recorder::stub_closed_descriptors()) {
    return 1;
  }
  host::open_log(to_stderr);
  const auto fail = [](const Error& error) {
    host::log_line(host::LogLevel::alert, "cannot start: " + describe(error));
    recorder::complain({"daemon: cannot start", describe(error), "see swornd(8), sworn doctor"});
    return 1;
  };
  if (::geteuid() != 0) {
    return fail({Errc::bad_usage, 0, "it must be started by root"});
  }
  if (auto hardened = host::harden_process(host::Privileges::keep); !hardened) {
    return fail(hardened.error());
  }
  auto signals = recorder::Signals::take();
  if (!signals) {
    return fail(signals.error());
  }
  auto daemon = host::Daemon::create(options, *signals);
  if (!daemon) {
    return fail(daemon.error());
  }
  (*daemon)->run();
  return 0;
}
