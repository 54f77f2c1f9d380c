// SPDX-License-Identifier: Apache-2.0
// Sessions: from a decision to a monitor, what the monitor reports, and how it ends.
#include "base/printable.hpp"
#include "format/store.hpp"
#include "recorder/echo_probe.hpp"
#include "recorder/host/daemon.hpp"
#include "recorder/host/notify.hpp"
#include "recorder/pty.hpp"
#include "recorder/user_terminal.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sworn::recorder::host {
namespace {

constexpr int k_stream_pipe_bytes = 256 * 1024;

struct Pair {
  Fd ours;
  Fd theirs;
};

Result<Pair> make_link() {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return fail_sys(errno, "socketpair");
  }
  return Pair{Fd(pair[0]), Fd(pair[1])};
}

// `input`: the command reads.
Result<Pair> make_pipe(bool input) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail_sys(errno, "pipe");
  }
  Pair out{Fd(ends[input ? 1 : 0]), Fd(ends[input ? 0 : 1])};
  ::fcntl(out.ours.get(), F_SETPIPE_SZ, k_stream_pipe_bytes);
  return out;
}

// The monitor may not open what belongs to the user; and O_NONBLOCK must not be set on what others
// share. So pipes and terminals are opened anew here; sockets and files are used as they are.
Fd open_anew(const Fd& fd, bool input) {
  struct stat st {};
  if (::fstat(fd.get(), &st) == 0 && (S_ISFIFO(st.st_mode) || ::isatty(fd.get()) != 0)) {
    Fd out(::open(("/proc/self/fd/" + std::to_string(fd.get())).c_str(),
                  (input ? O_RDONLY : O_WRONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (out.valid()) {
      return out;
    }
  }
  return Fd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
}

bool are_one(const Fd& a, const Fd& b) {
  struct stat first {};
  struct stat second {};
  return ::fstat(a.get(), &first) == 0 && ::fstat(b.get(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

// Everything that a session is made of, before anybody else has any of it.
struct Making {
  Plan plan;
  SessionNote note;
  Accepted accepted;
  std::optional<OuterTerminal> outer;
  std::optional<Pty> pty;
  Pair client;
  Pair anchor;
  Pair go;
  std::array<Pair, 3> streams;
  std::array<Fd, 3> user_ends;
  SessionFiles files;
};

Result<void> make_streams(Making& m, const std::vector<Fd>& fds, InputMode input) {
  for (std::size_t i = 0; i < 3; ++i) {
    if ((i == 0 && input == InputMode::none) || (i == 2 && are_one(fds[1], fds[2]))) {
      continue;
    }
    TRY_ASSIGN(m.streams.at(i), make_pipe(i == 0));
    m.user_ends.at(i) = open_anew(fds[i], i == 0);
    m.plan.streams = static_cast<std::uint8_t>(m.plan.streams | 1U << i);
  }
  m.plan.merged = (m.plan.streams & 4U) == 0 ? 1 : 0;
  m.accepted.streams = m.plan.streams;
  return {};
}

}  // namespace

Result<void> Daemon::start_session(Connection& c, const Rules& rules) {
  Making m;
  TRY(entropy_.fill(m.plan.id));
  TRY(entropy_.fill(m.plan.token));
  const WallTime now = clock_.wall();
  m.plan.final_path =
      options_.paths.sessions() + "/" + format::session_file_name(hostname_, now, m.plan.id);
  m.plan.user = c.person->name;
  m.plan.uid = c.peer.uid;
  m.plan.gid = c.peer.gid;
  m.plan.loginuid = proc_number(c.peer.pid, "loginuid");
  m.plan.audit_session = proc_number(c.peer.pid, "sessionid");
  m.plan.groups = c.facts.groups;
  m.plan.client_pid = static_cast<std::uint32_t>(c.peer.pid);
  m.plan.hostname = hostname_;
  m.plan.hook = rules.shell_hook ? 1 : 0;
  m.plan.input = static_cast<std::uint8_t>(rules.input);
  m.plan.sync = static_cast<std::uint8_t>(rules.sync);
  m.plan.on_failure = static_cast<std::uint8_t>(rules.on_failure);
  m.plan.environment_allowed = config_.environment;
  m.plan.reason = c.hello.reason;
  m.plan.ticket = c.hello.ticket;
  m.plan.policy = effective_policy(config_, rules);
  m.plan.encrypt_to = config_.recipients;
  m.plan.second_person = config_.second_person;
  m.plan.cwd = working_directory(c.peer.pid);
  m.plan.notice = rules.notice;
  m.plan.ledger = ledger_->reference();
  m.plan.terminal = ::isatty(c.fds[0].get()) != 0 ? 1 : 0;

  // What can fail comes first; the user's terminal is taken when all the rest is there.
  TRY_ASSIGN(m.client, make_link());
  TRY_ASSIGN(m.anchor, make_link());
  TRY_ASSIGN(m.go, make_pipe(true));
  if (m.plan.terminal != 0) {
    TRY_ASSIGN(m.outer, open_outer(c.fds[0].get()));
    TRY_ASSIGN(m.pty, Pty::open(m.outer->modes, m.outer->size));
    if (::fchown(m.pty->pts.get(), c.peer.uid, tty_group_) != 0 ||
        ::fchmod(m.pty->pts.get(), 0620) != 0) {
      return fail_sys(errno, "cannot give the session's terminal to the user");
    }
    m.plan.pts = m.pty->name;
    m.plan.outer_tty = m.outer->name;
  } else {
    TRY(make_streams(m, c.fds, rules.input));
  }
  TRY_ASSIGN(m.files, create_session_files(options_.paths, m.plan.final_path, readers_));
  auto monitor = take_monitor();
  if (!monitor) {
    discard_session(options_.paths, m.plan.final_path);
    return tl::make_unexpected(monitor.error());
  }
  if (m.outer && is_login_terminal(*m.outer, c.facts, config_.login_programs)) {
    if (auto taken = take_over(*m.outer, account_.uid); !taken) {
      discard_session(options_.paths, m.plan.final_path);
      return taken;
    }
  } else if (m.outer) {
    ::ioctl(m.outer->fd.get(), TIOCEXCL);  // nobody opens it anew; who has it open keeps it
  }
  m.plan.taken_over = m.outer && m.outer->taken ? 1 : 0;
  m.accepted.terminal = static_cast<std::uint8_t>(m.plan.terminal + m.plan.taken_over);
  if (m.outer) {
    m.plan.typed = std::move(m.outer->typed);
  }
  m.accepted.id = m.plan.id;
  m.accepted.shell = rules.shell;

  std::vector<int> for_monitor{m.files.part.get(), m.files.tail.get(), m.client.ours.get(),
                               m.anchor.ours.get(), m.go.ours.get()};
  std::vector<int> for_client{m.client.theirs.get(), m.anchor.theirs.get(), m.go.theirs.get()};
  std::vector<int> for_monitor_too;
  if (m.plan.terminal != 0) {
    for_monitor.insert(for_monitor.end(), {m.pty->ptm.get(), m.outer->fd.get()});
    for_client.push_back(m.pty->pts.get());
  } else {
    for (std::size_t i = 0; i < 3; ++i) {
      if (m.streams.at(i).ours.valid()) {
        for_monitor_too.insert(for_monitor_too.end(),
                               {m.streams.at(i).ours.get(), m.user_ends.at(i).get()});
        for_client.push_back(m.streams.at(i).theirs.get());
      }
    }
  }
  const auto hand_over = [&]() -> Result<void> {
    TRY(send_packet(monitor->link.get(), encode(m.plan), for_monitor));
    if (m.plan.terminal == 0) {
      TRY(send_packet(monitor->link.get(), encode(Opened{}), for_monitor_too));
    }
    return send_packet(c.socket.get(), encode(m.accepted), for_client);
  };
  if (auto handed = hand_over(); !handed) {
    discard_session(options_.paths, m.plan.final_path);
    if (m.plan.taken_over != 0) {
      give_back(m.plan.outer_tty, m.outer->device, c.peer.uid);
    }
    return handed;
  }

  auto session = std::make_unique<Session>();
  session->entry = std::make_shared<HostLedger::Entry>();
  session->link = std::move(monitor->link);
  session->rules = rules;
  auto& note = session->note;
  note.id = m.plan.id;
  note.token = m.plan.token;
  note.final_path = m.plan.final_path;
  note.user = m.plan.user;
  note.uid = m.plan.uid;
  note.client_pid = m.plan.client_pid;
  note.monitor_pid = static_cast<std::uint32_t>(monitor->pid);
  note.loginuid = m.plan.loginuid;
  note.audit_session = m.plan.audit_session;
  note.started_us = static_cast<std::uint64_t>(now.us);
  note.pts = m.plan.pts;
  note.pts_device =
      m.pty ? static_cast<std::uint32_t>(std::max(terminal_device(m.pty->pts.get()), 0)) : 0;
  note.outer_tty = m.plan.outer_tty;
  note.outer_device = m.outer ? static_cast<std::uint32_t>(m.outer->device) : 0;
  note.taken = m.plan.taken_over;
  note.policy = m.plan.policy;
  static_cast<void>(write_note(options_.paths, note));
  log_line(LogLevel::info, "session " + to_hex(note.id) + " of " + printable(note.user) + " on " +
                               (note.pts.empty() ? "streams" : note.pts));
  watch_session(*session);
  const SessionId id = note.id;
  sessions_.emplace(id, std::move(session));
  return {};
}

void Daemon::watch_session(Session& session) {
  const SessionId id = session.note.id;
  auto watch = loop_->watch(session.link.get(), [this, id](Ready) {
    on_monitor(id);
    arm_timer();
  });
  if (watch) {
    session.watch = std::move(*watch);
    session.watch.want(true, false);
  }
}

void Daemon::on_monitor(const SessionId& id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) {
    return;
  }
  Session& session = *found->second;
  auto got = receive_packet(session.link.get());
  if (got.state == Received::State::again) {
    return;
  }
  auto message = got.state == Received::State::done
                     ? decode(got.packet.data)
                     : Result<Message>(fail(Errc::truncated, "gone"));
  if (message) {
    on_monitor_message(session, *message);
    return;
  }
  session.watch.close();
  session.link.reset();
  if (!session.closing) {
    on_lost(session, session.never_began ? "" : "its monitor was killed");
  }
}

void Daemon::on_monitor_message(Session& session, Message& message) {
  if (std::holds_alternative<Prepared>(message)) {
    const SessionId id = session.note.id;
    ledger_->open(session.entry, session.note, [this, id](const Result<void>& done) {
      const auto found = sessions_.find(id);
      if (!done) {
        log_line(LogLevel::alert, "a session is not in the ledger: " + describe(done.error()));
      } else if (found != sessions_.end()) {
        found->second->note.entered = 1;
        static_cast<void>(write_note(options_.paths, found->second->note));
        static_cast<void>(send_packet(found->second->link.get(), encode(Opened{})));
      }
    });
  } else if (const auto* mark = std::get_if<Mark>(&message)) {
    session.fresh = *mark;
  } else if (const auto* closed = std::get_if<Closed>(&message)) {
    on_closed(session, *closed);
  } else if (const auto* look = std::get_if<Look>(&message)) {
    const bool hides =
        look->devices.size() > 64 ||
        std::any_of(look->devices.begin(), look->devices.end(),
                    [](std::uint32_t device) { return device_hides(static_cast<int>(device)); });
    static_cast<void>(
        send_packet(session.link.get(), encode(Seen{static_cast<std::uint8_t>(hides ? 1 : 0)})));
  } else if (const auto* trouble = std::get_if<Problem>(&message)) {
    session.never_began = session.never_began || trouble->what == "a session could not begin";
    log_line(LogLevel::alert, "session " + to_hex(session.note.id) + " of " +
                                  printable(session.note.user) + ": " + printable(trouble->what) +
                                  ": " + printable(trouble->why));
  }
}

void Daemon::on_closed(Session& session, const Closed& closed) {
  session.closing = true;
  const SessionId id = session.note.id;
  if (session.note.taken != 0) {
    give_back(session.note.outer_tty, static_cast<int>(session.note.outer_device),
              session.note.uid);
  }
  ledger_->close(session.entry, session.note, closed.mark, closed.exit, config_.immutable,
                 [this, id](const Result<void>& done) {
                   if (!done) {
                     log_line(LogLevel::alert, "session " + to_hex(id) +
                                                   " ended and that is not in the ledger: " +
                                                   describe(done.error()));
                   }
                   forget(id);
                 });
}

// The shell's terminal went with the monitor. The user's is hung up too: nothing unrecorded comes
// after.
void Daemon::on_lost(Session& session, const std::string& reason) {
  session.closing = true;
  const auto& note = session.note;
  log_line(LogLevel::alert, "session " + to_hex(note.id) + " of " + printable(note.user) +
                                " is lost: " + (reason.empty() ? "it could not begin" : reason));
  if (note.taken != 0) {
    const Fd outer(::open(note.outer_tty.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    if (outer.valid() && terminal_device(outer.get()) == static_cast<int>(note.outer_device)) {
      ::ioctl(outer.get(), TIOCVHANGUP);
    }
    give_back(note.outer_tty, static_cast<int>(note.outer_device), note.uid);
  }
  const SessionId id = note.id;
  ledger_->lose(session.entry, note, reason, [this, id](const Result<void>& done) {
    if (!done) {
      log_line(LogLevel::alert, "the loss of session " + to_hex(id) +
                                    " is not in the ledger: " + describe(done.error()));
    }
    forget(id);
  });
}

void Daemon::forget(const SessionId& id) {
  remove_note(options_.paths, id);
  sessions_.erase(id);
}

void Daemon::on_register(Connection& c, const Register& message) {
  const auto found = sessions_.find(message.id);
  const bool known = c.peer.uid == account_.uid && found != sessions_.end() &&
                     found->second->note.token == message.token && !found->second->closing;
  if (!known) {
    log_line(LogLevel::warning, "a process that is no monitor of ours says it is");
    drop(c.number);
    return;
  }
  Session& session = *found->second;
  session.watch.close();
  session.adopt_before.reset();
  c.watch.close();
  session.link = std::move(c.socket);
  watch_session(session);
  if (session.note.entered != 0) {
    static_cast<void>(send_packet(session.link.get(), encode(Opened{})));
  }
  log_line(LogLevel::notice, "the monitor of session " + to_hex(session.note.id) + " is back");
  drop(c.number);
}

}  // namespace sworn::recorder::host
