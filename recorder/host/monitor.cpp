// SPDX-License-Identifier: Apache-2.0
#include "recorder/host/monitor.hpp"

#include "audit/capture_layers.hpp"
#include "base/printable.hpp"
#include "format/digest.hpp"
#include "format/key_ring.hpp"
#include "recorder/host/daemon_link.hpp"
#include "recorder/host/packet.hpp"
#include "recorder/host/sandbox.hpp"
#include "recorder/message.hpp"
#include "recorder/session_info.hpp"
#include "recorder/session_runner.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

namespace sworn::recorder::host {
namespace {

using format::EventKind;

constexpr std::size_t k_terminal_read = 4096;
constexpr std::size_t k_stream_read = 32 * 1024;
constexpr std::size_t k_typed_memory = 64 * 1024;
constexpr int k_client_ms = 5'000;  // for the client to say what it starts, and to start it
constexpr int k_ledger_ms = 2'000;  // the shell waits no longer for the ledger's disk
constexpr int k_goodbye_ms = 2'000;

Result<Message> wait_for_message(int socket, int timeout_ms, std::vector<Fd>* fds = nullptr) {
  pollfd ready{socket, POLLIN, 0};
  if (::poll(&ready, 1, timeout_ms) <= 0) {
    return fail_sys(ETIMEDOUT, "the other process does not answer");
  }
  auto got = receive_packet(socket);
  if (got.state != Received::State::done) {
    return fail_sys(ECONNRESET, "the other process ended the connection");
  }
  if (fds != nullptr) {
    *fds = std::move(got.packet.fds);
  }
  return decode(got.packet.data);
}

// The client, as the runner needs it.
class ClientLink final : public Bystander {
 public:
  explicit ClientLink(int socket) : socket_(socket) {}
  [[nodiscard]] int fd() const override { return socket_; }
  std::optional<News> next() override {
    if (gone_) {
      return std::nullopt;
    }
    const auto got = receive_packet(socket_, 4096);
    if (got.state == Received::State::again) {
      return std::nullopt;
    }
    const auto message = got.state == Received::State::done
                             ? decode(got.packet.data)
                             : Result<Message>(fail(Errc::truncated, "gone"));
    const auto* signal = message ? std::get_if<Signalled>(&*message) : nullptr;
    if (signal == nullptr || signal->number > 64) {
      gone_ = true;  // gone, or not ours any more
      return News{true, {}};
    }
    return News{false,
                {static_cast<int>(signal->number), signal->from_kernel != 0,
                 static_cast<std::int64_t>(signal->sender)}};
  }
  void stop(int number) override {
    static_cast<void>(send_packet(socket_, encode(Stop{static_cast<std::uint32_t>(number)})));
  }

 private:
  int socket_;
  bool gone_ = false;
};

struct Monitor {
  Plan plan;
  std::vector<Fd> fds;
  SystemClock clock;
  format::SystemEntropy entropy;
  std::unique_ptr<DaemonLink> daemon;
  Fd client;
  Fd anchor;
  Fd go;
  Fd ptm;
  std::array<Fd, 3> ours;   // our ends of the streams
  std::array<Fd, 3> outer;  // the user's
  Setup setup;
  SessionParts parts;
};

// The plan's packet holds: file, tail, client link, anchor link, go pipe, and for a terminal its
// ptm and the user's terminal. Streams come in a second packet: for each of them our end and the
// user's.
Result<void> receive_streams(Monitor& m, int link) {
  if (m.fds.size() != (m.plan.terminal != 0 ? 7U : 5U)) {
    return fail(Errc::corrupt, "swornd sent other descriptors than it said");
  }
  m.client = std::move(m.fds[2]);
  m.anchor = std::move(m.fds[3]);
  m.go = std::move(m.fds[4]);
  if (m.plan.terminal != 0) {
    m.ptm = std::move(m.fds[5]);
    m.outer[0] = std::move(m.fds[6]);
    return {};
  }
  std::vector<Fd> more;
  TRY(wait_for_message(link, k_client_ms, &more));
  std::size_t next = 0;
  for (std::size_t i = 0; i < m.ours.size(); ++i) {
    if (((static_cast<unsigned>(m.plan.streams) >> i) & 1U) == 0) {
      continue;
    }
    if (next + 2 > more.size()) {
      return fail(Errc::corrupt, "swornd sent fewer streams than it said");
    }
    m.ours.at(i) = std::move(more[next++]);
    m.outer.at(i) = std::move(more[next++]);
  }
  return {};
}

Options options_of(const Plan& plan) {
  Options out;
  out.input = static_cast<InputMode>(std::min<std::uint8_t>(plan.input, 2));
  out.sync = static_cast<SyncMode>(std::min<std::uint8_t>(plan.sync, 2));
  out.on_failure = static_cast<OnFailure>(std::min<std::uint8_t>(plan.on_failure, 1));
  out.reason = plan.reason;
  out.ticket = plan.ticket;
  return out;
}

// Hears from the client what it would start, and says how to: with the shell's hook where it fits.
Result<void> agree_on_command(Monitor& m) {
  TRY_ASSIGN(auto message, wait_for_message(m.client.get(), k_client_ms));
  auto* setup = std::get_if<Setup>(&message);
  if (setup == nullptr) {
    return fail(Errc::corrupt, "the client did not say what it starts");
  }
  m.setup = std::move(*setup);
  audit::ChildSetup child{m.setup.program, m.setup.argv, m.setup.environment, {}};
  auto layers = std::make_unique<audit::CaptureLayers>(
      m.clock,
      audit::CaptureLayers::Options{
          .mode = audit::CaptureMode::automatic,
          .interactive = m.plan.terminal != 0 && m.plan.hook != 0 && !m.setup.environment.empty(),
          .helper = "",
          .connect_path = k_capture_socket,
          .ring_bytes = ""});
  audit::ChildSetup prepared = child;
  if (layers->prepare(prepared)) {
    child = std::move(prepared);
    m.parts.audit = std::move(layers);
  }
  Launch launch{child.argv, child.environment, {}, child.program};
  for (const int fd : child.inherit) {
    launch.numbers.push_back(static_cast<std::uint32_t>(fd));
  }
  return send_packet(m.client.get(), encode(launch), child.inherit);
}

format::SessionStart session_start(const Monitor& m) {
  format::SessionStart start;
  start.user = m.plan.user;
  start.uid = m.plan.uid;
  start.loginuid = m.plan.loginuid;
  start.audit_ses = m.plan.audit_session;
  start.groups = m.plan.groups;
  start.hostname = m.plan.hostname;
  start.tty = m.plan.outer_tty;
  start.pts = m.plan.pts;
  start.size = m.parts.size;
  start.terminal = m.plan.terminal != 0;
  start.argv = bounded_argv(m.setup.argv);
  start.cwd = m.plan.cwd;
  for (const auto& entry : m.setup.environment) {
    const auto equals = entry.find('=');
    if (equals == std::string::npos || equals == 0) {
      continue;
    }
    const auto name = entry.substr(0, equals);
    const auto value = entry.substr(equals + 1, 1024);
    const auto& allowed = m.plan.environment_allowed;
    const bool listed = std::find(allowed.begin(), allowed.end(), name) != allowed.end();
    if (start.environment.size() < 64 && (listed || may_record_variable(name))) {
      start.environment.emplace_back(name, value);
    }
    if (name == "TERM") {
      start.term = value;
    } else if (name == "SSH_CONNECTION") {
      start.ssh_connection = value;
    }
  }
  start.reason = m.plan.reason;
  start.ticket = m.plan.ticket;
  start.policy = m.plan.policy;
  start.input_policy = name_of(m.parts.options.input);
  start.recorder_pid = ::getpid();
  start.child_pid = m.parts.command->pid();
  return start;
}

Result<std::unique_ptr<Recording>> make_recording(Monitor& m) {
  Recording::Plan plan;
  plan.final_path = m.plan.final_path;
  plan.sync = m.parts.options.sync;
  plan.header = make_header(m.parts.options, m.clock);
  plan.header.mode = "host";
  plan.header.policy_digest = format::to_hex(format::sha256(as_bytes(m.plan.policy)));
  plan.header.ledger = m.plan.ledger;
  // A recording that the policy wants encrypted is never made in clear.
  for (const auto* list : {&m.plan.encrypt_to, &m.plan.second_person}) {
    std::vector<format::AgeRecipient> group;
    for (const auto& item : *list) {
      TRY_ASSIGN(const auto more, format::read_recipients(item));
      group.insert(group.end(), more.begin(), more.end());
    }
    if (!group.empty()) {
      plan.recipients.push_back(std::move(group));
    }
  }
  plan.part = std::move(m.fds[0]);
  plan.tail = std::move(m.fds[1]);
  return Recording::create(std::move(plan), m.clock, m.entropy);
}

Result<void> take_terminal(Monitor& m) {
  if (m.plan.terminal == 0) {
    return {};
  }
  if (m.plan.taken_over != 0 && (::setsid() < 0 || ::ioctl(m.outer[0].get(), TIOCSCTTY, 0) != 0)) {
    return fail_sys(errno, "cannot take the user's terminal");
  }
  ::dup2(m.outer[0].get(), STDERR_FILENO);  // where our messages reach the user
  TRY_ASSIGN(auto terminal, UserTerminal::adopt(std::move(m.outer[0]), m.plan.outer_tty));
  m.parts.size = terminal.size();
  m.parts.terminal.emplace(std::move(terminal));
  return {};
}

void make_lanes(Monitor& m) {
  auto& lanes = m.parts.lanes;
  if (m.plan.terminal != 0) {
    Fd read_end(::fcntl(m.ptm.get(), F_DUPFD_CLOEXEC, 3));
    Fd write_end(::fcntl(m.parts.terminal->fd(), F_DUPFD_CLOEXEC, 3));
    lanes.emplace_back(EventKind::output, Channel::own_input(std::move(read_end)),
                       Channel::own_output(std::move(write_end)), k_terminal_read);
    lanes.back().keep_without_sink();
    return;
  }
  constexpr std::array k_kinds{EventKind::input, EventKind::output, EventKind::error_output};
  for (std::size_t i = 1; i < 3; ++i) {
    if (m.ours[i].valid()) {
      lanes.emplace_back(k_kinds.at(i), Channel::own_input(std::move(m.ours[i])),
                         Channel::adopted_output(std::move(m.outer[i])), k_stream_read);
    }
  }
  if (m.ours[0].valid()) {
    m.parts.input_lane.emplace(EventKind::input, Channel::adopted_input(std::move(m.outer[0])),
                               Channel::own_output(std::move(m.ours[0])), k_stream_read);
  }
}

Result<void> set_keyboard(Monitor& m, SessionRunner& runner) {
  if (m.plan.terminal == 0) {
    return {};
  }
  TRY_ASSIGN(auto memory, LockedMemory::create(k_typed_memory));
  Channel typed = Channel::own_input(Fd(::fcntl(runner.terminal_fd(), F_DUPFD_CLOEXEC, 3)));
  typed.put_back(std::move(m.plan.typed));
  Fd forwarded(::fcntl(m.ptm.get(), F_DUPFD_CLOEXEC, 3));
  EchoProbe probe(m.ptm.get(), runner.command_pid(), terminal_device(m.ptm.get()));
  auto* daemon = m.daemon.get();
  probe.ask_others([daemon](const std::vector<int>& devices) {
    constexpr int k_patience_ms = 20;
    return daemon->hides({devices.begin(), devices.end()}, k_patience_ms);
  });
  runner.set_keyboard(std::move(typed), Channel::own_output(std::move(forwarded)),
                      std::move(memory), std::move(probe), m.parts.options.input);
  return {};
}

// Everything up to the command's first instruction.
Result<void> prepare(Monitor& m) {
  m.parts.options = options_of(m.plan);
  m.parts.recording_path = m.plan.final_path;
  TRY(take_terminal(m));
  TRY_ASSIGN(auto recording, make_recording(m));
  m.daemon->post(Prepared{});  // the ledger can begin
  TRY(agree_on_command(m));
  TRY_ASSIGN(m.parts.command, Command::attach(std::move(m.anchor), std::move(m.go), k_client_ms));
  m.parts.options.command = m.setup.argv;
  if (m.parts.audit) {
    m.parts.audit->launched(m.parts.command->pid());
  }
  const ClockQuality quality = m.clock.quality();
  TRY(recording->put(EventKind::session_start, encode(session_start(m))));
  TRY(recording->put(EventKind::clock,
                     encode(format::ClockSample{m.clock.wall(), quality.synchronised,
                                                quality.max_error_us, "start"})));
  TRY(recording->seal_now());
  if (!m.daemon->wait_opened(k_ledger_ms)) {
    if (m.parts.options.on_failure != OnFailure::continue_and_alert) {
      return fail_sys(ETIMEDOUT, "the ledger of this host does not take the session");
    }
    TRY(recording->put(EventKind::gap, encode(format::Gap{"ledger", 0, 0, "no answer in time"})));
    m.daemon->post(Problem{"a session began without its entry in the ledger", "no answer in time"});
  }
  m.parts.recording = std::move(recording);
  return {};
}

void say_recorded(const Monitor& m) {
  if (m.plan.terminal != 0 && !m.plan.notice.empty()) {
    const std::string text = m.plan.notice + "\r\n";
    [[maybe_unused]] const auto n = ::write(STDERR_FILENO, text.data(), text.size());
  }
}

std::string exit_text(const SessionCore::Outcome& outcome) {
  if (outcome.wait_status && WIFSIGNALED(*outcome.wait_status)) {
    return "signalled " + std::to_string(WTERMSIG(*outcome.wait_status));
  }
  return "exited " + std::to_string(outcome.exit_status);
}

void say_goodbye(Monitor& m, const SessionRunner& runner, int status) {
  const auto outcome = runner.outcome();
  Closed closed;
  closed.exit = exit_text(outcome);
  if (const auto seal = runner.final_seal()) {
    closed.mark = {seal->seal_no, seal->tree_size, seal->root};
  }
  m.daemon->post(std::move(closed));
  Finished finished{static_cast<std::uint32_t>(status), 0};
  if (outcome.wait_status && WIFSIGNALED(*outcome.wait_status) && status >= 128) {
    finished.signal = static_cast<std::uint32_t>(WTERMSIG(*outcome.wait_status));
  }
  static_cast<void>(send_packet(m.client.get(), encode(finished)));
}

int give_up(Monitor& m, const Error& error) {
  ::openlog("sworn-monitor", LOG_PID | LOG_NDELAY, LOG_AUTHPRIV);
  ::syslog(LOG_ALERT, "a session of %s could not begin: %s", printable(m.plan.user).c_str(),
           describe(error).c_str());
  if (m.plan.terminal != 0) {
    complain({"login: no session", describe(error),
              "ask an administrator of this host to look at: journalctl -u swornd"});
  } else if (m.outer[2].valid()) {
    ::dup2(m.outer[2].get(), STDERR_FILENO);
    complain({"login: no session", describe(error), ""});
  }
  m.daemon->post(Problem{"a session could not begin", describe(error)});
  static_cast<void>(send_packet(m.client.get(), encode(Finished{125, 0})));
  m.daemon->flush(k_goodbye_ms);
  return 1;
}

}  // namespace

int run_monitor(Fd link) {
  Monitor m;
  constexpr int k_for_ever = -1;
  auto message = wait_for_message(link.get(), k_for_ever, &m.fds);
  auto* plan = message ? std::get_if<Plan>(&*message) : nullptr;
  if (plan == nullptr) {
    return 0;  // swornd has no use for us
  }
  m.plan = std::move(*plan);
  auto signals = Signals::take();  // before there are threads
  const auto received = harden_process().and_then([&] { return receive_streams(m, link.get()); });
  m.daemon = std::make_unique<DaemonLink>(std::move(link), m.plan.id, m.plan.token);
  const auto begin = [&]() -> Result<void> {
    TRY(received);
    if (!signals) {
      return tl::make_unexpected(signals.error());
    }
    TRY(m.daemon->start());
    return prepare(m);
  };
  if (auto begun = begin(); !begun) {
    return give_up(m, begun.error());
  }
  if (auto* recording = m.parts.recording.get(); recording != nullptr) {
    // Only what the disk has may be said in the ledger.
    recording->on_heartbeat([recording, daemon = m.daemon.get()] {
      if (const auto point = recording->sync_point(); point && *point) {
        daemon->post(Mark{(*point)->seal_no, (*point)->tree_size, (*point)->root});
      }
    });
  }
  make_lanes(m);
  say_recorded(m);
  m.parts.bystander = std::make_unique<ClientLink>(m.client.get());
  SessionRunner runner(std::move(m.parts), *signals, m.clock);
  const auto run = [&]() -> Result<int> {
    TRY(set_keyboard(m, runner));
    runner.set_terminal(std::move(m.ptm));
    TRY(confine_monitor());
    return runner.run();
  };
  const auto status = run();
  if (!status) {
    return give_up(m, status.error());
  }
  say_goodbye(m, runner, *status);
  m.daemon->flush(k_goodbye_ms);
  return 0;
}

}  // namespace sworn::recorder::host
