// SPDX-License-Identifier: Apache-2.0
// sworn-login: the login shell, ForceCommand and `sworn rec` of a host with swornd. Runs as the
// user, with nothing that the user lacks; is linked statically, so that LD_* means nothing to it,
// and is not dumpable, so that the user's other processes cannot reach into it. It hands its
// descriptors to swornd, gets a terminal or pipes back, starts the real shell on them itself (so
// that everything the shell inherits is as it would be without us), and then only waits and passes
// on signals.
#include "base/file.hpp"
#include "base/printable.hpp"
#include "recorder/anchor.hpp"
#include "recorder/client/fallback.hpp"
#include "recorder/client/handshake.hpp"
#include "recorder/client/invocation.hpp"
#include "recorder/descriptors.hpp"
#include "recorder/message.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

namespace sworn::recorder::client {
namespace {

constexpr char k_own_path[] = "/usr/bin/sworn-login";
constexpr char k_recorder[] = "/usr/libexec/sworn/sworn-recorder";
constexpr int k_exit_denied = 254;
constexpr int k_exit_failed = 125;
constexpr std::size_t k_max_environment_bytes = 120 * 1024;  // more goes without the shell's hook

std::vector<std::string> environment() {
  std::vector<std::string> out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    out.emplace_back(*entry);
  }
  return out;
}

void set_shell(std::vector<std::string>& environment, const std::string& shell) {
  // Else whoever starts $SHELL (tmux, screen, editors) starts us again.
  std::erase_if(environment, [](const std::string& entry) { return entry.starts_with("SHELL="); });
  environment.push_back("SHELL=" + shell);
}

std::vector<char*> c_strings(std::vector<std::string>& words) {
  std::vector<char*> out;
  out.reserve(words.size() + 1);
  for (auto& word : words) {
    out.push_back(word.data());
  }
  out.push_back(nullptr);
  return out;
}

[[noreturn]] void become(const std::string& program, std::vector<std::string> argv,
                         std::vector<std::string> environment, const Signals& signals) {
  const auto arguments = c_strings(argv);
  const auto variables = c_strings(environment);
  signals.restore();
  ::execvpe(program.c_str(), arguments.data(), variables.data());
  const int error = errno;
  complain({"login: cannot run " + printable(program), describe({Errc::io, error, "execve"}), ""});
  std::_Exit(error == ENOENT ? 127 : 126);
}

struct Target {
  std::string program;
  std::vector<std::string> argv;
  std::vector<std::string> environment;
};

Target target_of(const Invocation& invocation, const std::string& shell) {
  Target out;
  out.environment = environment();
  set_shell(out.environment, shell);
  if (invocation.command.empty()) {
    out.program = shell;
    out.argv = shell_argv(invocation, shell);
  } else {
    out.program = invocation.command.front();
    out.argv = invocation.command;
    if (invocation.login) {
      const auto slash = out.program.rfind('/');
      out.argv[0] =
          "-" + (slash == std::string::npos ? out.program : out.program.substr(slash + 1));
    }
  }
  return out;
}

std::vector<std::uint32_t> own_groups() {
  std::vector<std::uint32_t> out{::getegid()};
  std::array<gid_t, 1024> groups{};
  const int n = ::getgroups(static_cast<int>(groups.size()), groups.data());
  out.insert(out.end(), groups.begin(), groups.begin() + std::max(n, 0));
  return out;
}

void log_alert(const std::string& text) {
  ::openlog("sworn-login", LOG_PID | LOG_NDELAY, LOG_AUTHPRIV);
  ::syslog(LOG_ALERT, "%s", text.c_str());
  ::closelog();
}

[[noreturn]] void without_daemon(const Invocation& invocation, const Error& why,
                                 const Signals& signals) {
  const auto fallback = load_fallback();
  const auto verdict = judge(fallback, ::getuid(), is_real_root(), own_groups());
  const std::string shell = fallback ? fallback->shell : Fallback{}.shell;
  const std::string who = "uid " + std::to_string(::getuid());
  switch (verdict) {
    case Verdict::not_recorded:
      break;
    case Verdict::denied:
      log_alert("no session for " + who + ": it cannot be recorded (" + describe(why) + ")");
      complain({"login: no session", "it cannot be recorded: " + describe(why),
                "ask an administrator of this host to look at: systemctl status swornd"});
      std::_Exit(k_exit_denied);
    case Verdict::unrecorded:
    case Verdict::break_glass: {
      const std::string how = verdict == Verdict::break_glass ? "break-glass" : "policy";
      log_alert("UNRECORDED session of " + who + " (" + how + "): " + describe(why));
      complain({"login: this session is NOT RECORDED",
                describe(why) + "; it goes on by " + how + ", and that is in the system log",
                "an administrator should look at: systemctl status swornd"});
      break;
    }
  }
  auto target = target_of(invocation, shell);
  become(target.program, std::move(target.argv), std::move(target.environment), signals);
}

// `rec` where the host does not record: what the user asked for is a recording, so it is one of his
// own.
[[noreturn]] void record_standalone(const Invocation& invocation, const Signals& signals) {
  std::vector<std::string> argv{"sworn-recorder", "rec"};
  for (const auto& [name, value] :
       {std::pair{"--reason", invocation.reason}, std::pair{"--ticket", invocation.ticket}}) {
    if (!value.empty()) {
      argv.emplace_back(name);
      argv.push_back(value);
    }
  }
  if (invocation.login) {
    argv.emplace_back("--login");
  }
  argv.emplace_back("--");
  argv.insert(argv.end(), invocation.command.begin(), invocation.command.end());
  become(k_recorder, std::move(argv), environment(), signals);
}

[[noreturn]] void end_as(const host::Finished& finished) {
  if (finished.signal != 0 && finished.signal < 65) {
    const int number = static_cast<int>(finished.signal);
    const rlimit none{0, 0};  // not our core
    ::setrlimit(RLIMIT_CORE, &none);
    ::signal(number, SIG_DFL);
    sigset_t one;
    ::sigemptyset(&one);
    ::sigaddset(&one, number);
    ::sigprocmask(SIG_UNBLOCK, &one, nullptr);
    ::raise(number);
  }
  std::_Exit(static_cast<int>(finished.status & 0xFFU));
}

// The session as seen from here.
class Session {
 public:
  Session(Decision decision, Signals& signals)
      : accepted_(std::get<host::Accepted>(decision.answer)),
        fds_(std::move(decision.fds)),
        signals_(signals) {}

  Result<void> start(const Invocation& invocation) {
    const std::size_t streams = accepted_.terminal != 0 ? 1 : count_streams();
    if (fds_.size() != 3 + streams) {
      return fail(Errc::corrupt, "swornd sent other descriptors than it said");
    }
    link_ = std::move(fds_[0]);
    anchor_ = std::move(fds_[1]);
    go_ = std::move(fds_[2]);
    if (accepted_.terminal == 2) {
      forget_hangup();
    }
    TRY(ask_monitor(target_of(invocation, accepted_.shell)));
    return fork_anchor();
  }

  [[noreturn]] void wait() {
    while (true) {
      std::array<pollfd, 2> ready{{{signals_.fd(), POLLIN, 0}, {link_.get(), POLLIN, 0}}};
      ::poll(ready.data(), ready.size(), -1);
      if (ready[0].revents != 0) {
        pass_signals();
      }
      if (ready[1].revents != 0) {
        on_link();
      }
    }
  }

 private:
  [[nodiscard]] std::size_t count_streams() const {
    const std::size_t streams = accepted_.streams;
    return (streams & 1U) + (streams >> 1U & 1U) + (streams >> 2U & 1U);
  }

  // The hangup of the old terminal was swornd's doing.
  void forget_hangup() {
    while (signals_.next()) {
    }
  }

  Result<void> ask_monitor(Target target) {
    host::Setup setup{target.argv, target.environment, target.program};
    std::size_t bytes = 0;
    for (const auto& entry : setup.environment) {
      bytes += entry.size() + 4;
    }
    for (const auto& word : setup.argv) {
      bytes += word.size() + 4;
    }
    const bool whole = bytes <= k_max_environment_bytes;
    if (!whole) {
      setup.environment.clear();
      setup.argv.resize(std::min<std::size_t>(setup.argv.size(), 1));
    }
    TRY(host::send_packet(link_.get(), host::encode(setup)));
    TRY_ASSIGN(auto packet, wait_for_packet(link_.get(), k_timeout_ms));
    TRY_ASSIGN(auto message, host::decode(packet.data));
    auto* launch = std::get_if<host::Launch>(&message);
    if (launch == nullptr || launch->numbers.size() != packet.fds.size()) {
      return fail(Errc::corrupt, "the monitor did not say how to start the shell");
    }
    if (!whole) {
      setup_ = {target.program, std::move(target.argv), std::move(target.environment), {}};
      return {};
    }
    setup_ = {launch->program, std::move(launch->argv), std::move(launch->environment), {}};
    return place(launch->numbers, std::move(packet.fds));
  }

  // The shell's hook names its descriptors by number.
  Result<void> place(const std::vector<std::uint32_t>& numbers, std::vector<Fd> fds) {
    for (std::size_t i = 0; i < fds.size(); ++i) {
      const int wanted = static_cast<int>(numbers[i]);
      if (wanted < 64 || wanted > 1'023) {
        return fail(Errc::corrupt, "the monitor asked for a descriptor number out of range");
      }
      if (fds[i].get() != wanted && ::dup3(fds[i].get(), wanted, O_CLOEXEC) < 0) {
        return fail_sys(errno, "no room for the descriptors of the shell's hook");
      }
      static_cast<void>(fds[i].get() == wanted ? fds[i].release() : 0);
      setup_.inherit.push_back(wanted);
    }
    return {};
  }

  Result<void> fork_anchor() {
    AnchorPlan plan;
    plan.setup = &setup_;
    plan.signals = &signals_;
    plan.report_fd = anchor_.get();
    plan.go_fd = go_.get();
    plan.recorder_fds = {link_.get()};
    if (accepted_.terminal != 0) {
      plan.pts = fds_[3].get();
      std::fill(std::begin(plan.stdio), std::end(plan.stdio), plan.pts);
    } else {
      std::size_t next = 3;
      for (std::size_t i = 0; i < 3; ++i) {
        if (((static_cast<unsigned>(accepted_.streams) >> i) & 1U) != 0) {
          plan.stdio[i] = fds_[next++].get();
        } else if (i == 2 && (accepted_.streams & 2U) != 0) {
          plan.stdio[2] = plan.stdio[1];  // 1 and 2 were one and stay one
        }
      }
    }
    const pid_t pid = ::fork();
    if (pid < 0) {
      return fail_sys(errno, "cannot start another process");
    }
    if (pid == 0) {
      run_anchor(plan);
    }
    anchor_.reset();
    go_.reset();
    fds_.clear();
    for (const int fd : setup_.inherit) {
      ::close(fd);
    }
    // The ends of streams and the old terminal are not ours any more.
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
      const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
      ::dup2(null.get(), fd);
    }
    return {};
  }

  void pass_signals() {
    while (const auto signal = signals_.next()) {
      if (signal->number == SIGCHLD) {
        while (::waitpid(-1, nullptr, WNOHANG) > 0) {
        }
        continue;
      }
      static_cast<void>(host::send_packet(
          link_.get(),
          host::encode(host::Signalled{static_cast<std::uint32_t>(signal->number),
                                       static_cast<std::uint8_t>(signal->from_kernel ? 1 : 0),
                                       static_cast<std::uint64_t>(signal->sender)})));
    }
  }

  void on_link() {
    auto got = host::receive_packet(link_.get());
    if (got.state == host::Received::State::again) {
      return;
    }
    if (got.state != host::Received::State::done) {
      // The monitor is gone, and the terminal with it; the anchor hangs the command up.
      ::poll(nullptr, 0, 100);
      std::_Exit(k_exit_failed);
    }
    const auto message = host::decode(got.packet.data);
    if (!message) {
      return;
    }
    if (const auto* finished = std::get_if<host::Finished>(&*message)) {
      end_as(*finished);
    }
    if (const auto* stop = std::get_if<host::Stop>(&*message);
        stop != nullptr && stop->number < 65) {
      if (!signals_.stop_self(static_cast<int>(stop->number))) {
        static_cast<void>(
            host::send_packet(link_.get(), host::encode(host::Signalled{SIGCONT, 0, 0})));
      }
    }
  }

  host::Accepted accepted_;
  std::vector<Fd> fds_;
  Signals& signals_;
  Fd link_;
  Fd anchor_;
  Fd go_;
  audit::ChildSetup setup_;
};

int run(int argc, char** argv) {
  ::prctl(PR_SET_DUMPABLE, 0);
  if (!stub_closed_descriptors()) {
    return k_exit_failed;
  }
  const std::vector<std::string> words(argv, argv + argc);
  const auto invocation = read_invocation(words, std::getenv("SSH_ORIGINAL_COMMAND"), k_own_path);
  if (!invocation.problem.empty()) {
    complain({"login: the arguments cannot be understood", printable(invocation.problem), ""});
    return k_exit_failed;
  }
  auto signals = Signals::take();
  if (!signals) {
    complain({"login: cannot start", describe(signals.error()), ""});
    return k_exit_failed;
  }
  auto decision = shake_hands({invocation.entry, invocation.reason, invocation.ticket});
  const bool asked = invocation.entry == host::Entry::rec;
  if (!decision && asked) {
    record_standalone(invocation, *signals);
  }
  if (!decision) {
    without_daemon(invocation, decision.error(), *signals);
  }
  if (const auto* refused = std::get_if<host::Refused>(&decision->answer)) {
    if (refused->action == host::Refused::Action::denied) {
      complain({"login: no session", printable(refused->text), ""});
      return k_exit_denied;
    }
    if (refused->action == host::Refused::Action::unrecorded) {
      complain({"login: this session is NOT RECORDED", printable(refused->text), ""});
    }
    if (asked && refused->action == host::Refused::Action::not_recorded) {
      record_standalone(invocation, *signals);
    }
    auto target = target_of(invocation, refused->shell);
    become(target.program, std::move(target.argv), std::move(target.environment), *signals);
  }
  Session session(std::move(*decision), *signals);
  if (auto started = session.start(invocation); !started) {
    complain({"login: the session cannot start", describe(started.error()), ""});
    return k_exit_failed;
  }
  session.wait();
}

}  // namespace
}  // namespace sworn::recorder::client

int main(int argc, char** argv) {
  return sworn::recorder::client::run(argc, argv);
}
