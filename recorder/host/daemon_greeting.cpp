// SPDX-License-Identifier: Apache-2.0
// From a connection to a decision. The order of the checks is what makes them hold:
//   1. the kernel says who connected (SO_PEERCRED), a pidfd says whether that process still is;
//   2. it executes our client, and nobody traces it;
//   3. only then a nonce is sent, and the answer must carry the credentials of the same process
//      (SCM_CREDENTIALS). Who execs the client after connecting has a client that knows nothing of
//      this connection; who answers for it has another pid.
#include "base/printable.hpp"
#include "recorder/host/daemon.hpp"
#include "recorder/host/notify.hpp"
#include "recorder/user_terminal.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>

namespace sworn::recorder::host {
namespace {

constexpr int k_accepts_in_a_row = 64;
constexpr std::size_t k_max_connections = 2'048;
constexpr std::int64_t k_greeting_us = 2'000'000;
constexpr std::size_t k_max_note_bytes = 1'024;

std::string describe_peer(const Peer& peer) {
  return "uid " + std::to_string(peer.uid) + " pid " + std::to_string(peer.pid);
}

// Asks the name service: not on the loop's thread.
Person look_up(uid_t uid, gid_t gid, std::vector<std::uint32_t> groups) {
  Person out;
  out.uid = uid;
  std::array<char, 16'384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    out.name = found->pw_name;
  } else {
    out.name = std::to_string(uid);
  }
  groups.push_back(gid);
  for (const auto each : groups) {
    group record{};
    group* got = nullptr;
    if (::getgrgid_r(each, &record, buffer.data(), buffer.size(), &got) == 0 && got != nullptr) {
      out.groups.emplace_back(got->gr_name);
    }
  }
  return out;
}

}  // namespace

void Daemon::on_listener() {
  for (int i = 0; i < k_accepts_in_a_row; ++i) {
    Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket.valid()) {
      break;
    }
    auto peer = peer_of(socket.get());
    if (!peer || !make_room_for(peer->uid)) {
      continue;
    }
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    auto c = std::make_unique<Connection>();
    c->number = next_number_++;
    c->socket = std::move(socket);
    c->peer = std::move(*peer);
    c->likely = executes(c->peer.pid, options_.client);
    c->deadline = MonoTime{clock_.mono().us + k_greeting_us};
    const auto number = c->number;
    auto watch = loop_->watch(c->socket.get(), [this, number](Ready) {
      on_connection(number);
      arm_timer();
    });
    if (!watch) {
      continue;
    }
    c->watch = std::move(*watch);
    c->watch.want(true, false);
    connections_.emplace(number, std::move(c));
  }
  arm_timer();
}

// Silent peers of one user cost that user's own silent peers, and nobody else anything.
bool Daemon::make_room_for(uid_t uid) {
  std::size_t of_user = 0;
  std::uint64_t oldest_silent = 0;
  for (const auto& [number, c] : connections_) {
    if (c->peer.uid != uid) {
      continue;
    }
    ++of_user;
    if (!c->likely && oldest_silent == 0) {
      oldest_silent = number;
    }
  }
  if (of_user < config_.handshakes_per_user && connections_.size() < k_max_connections) {
    return true;
  }
  if (oldest_silent != 0) {
    drop(oldest_silent);
    return true;
  }
  return false;
}

void Daemon::drop(std::uint64_t number) {
  connections_.erase(number);
}

void Daemon::on_connection(std::uint64_t number) {
  const auto found = connections_.find(number);
  if (found == connections_.end()) {
    return;
  }
  Connection& c = *found->second;
  auto got = receive_packet(c.socket.get());
  if (got.state == Received::State::again) {
    return;
  }
  if (got.state != Received::State::done) {
    drop(number);
    return;
  }
  auto message = decode(got.packet.data);
  if (!message) {
    log_line(LogLevel::warning,
             describe_peer(c.peer) + " sent what is no message: " + describe(message.error()));
    drop(number);
    return;
  }
  if (auto* hello = std::get_if<Hello>(&*message); hello != nullptr && !c.greeted) {
    on_hello(c, std::move(*hello), std::move(got.packet.fds));
  } else if (const auto* answer = std::get_if<Answer>(&*message);
             answer != nullptr && c.greeted && !c.answered) {
    on_answer(c, *answer, got.packet);
  } else if (const auto* back = std::get_if<Register>(&*message); back != nullptr && !c.greeted) {
    on_register(c, *back);
  } else if (const auto* query = std::get_if<Query>(&*message); query != nullptr && !c.greeted) {
    on_query(c, *query);
  } else {
    drop(number);
  }
}

void Daemon::on_hello(Connection& c, Hello hello, std::vector<Fd> fds) {
  const auto facts = read_process(c.peer.pid);
  if (fds.size() != 3 || hello.reason.size() > k_max_note_bytes ||
      hello.ticket.size() > k_max_note_bytes || !facts) {
    drop(c.number);
    return;
  }
  if (!executes(c.peer.pid, options_.client) || facts->tracer != 0 || !is_alive(c.peer)) {
    log_line(LogLevel::alert, describe_peer(c.peer) +
                                  " asks for a session and is not the client of this host" +
                                  (facts->tracer != 0 ? " untraced" : ""));
    refuse(c, Refused::Action::denied, "this program is not the client of this host");
    return;
  }
  c.greeted = true;
  c.hello = std::move(hello);
  c.fds = std::move(fds);
  c.facts = *facts;
  if (!entropy_.fill(c.nonce) || !send_packet(c.socket.get(), encode(Challenge{c.nonce}))) {
    drop(c.number);
    return;
  }
  resolve(c);
}

void Daemon::resolve(Connection& c) {
  const auto number = c.number;
  const auto posted = names_->post([this, number, uid = c.peer.uid, gid = c.peer.gid,
                                    groups = c.facts.groups]() -> Worker::Done {
    return [this, number, person = look_up(uid, gid, groups)] {
      if (const auto found = connections_.find(number); found != connections_.end()) {
        found->second->person = person;
        decide(*found->second);
      }
    };
  });
  if (!posted) {
    drop(number);
  }
}

void Daemon::on_answer(Connection& c, const Answer& answer, const Packet& packet) {
  const bool same = packet.sender && packet.sender->pid == c.peer.pid &&
                    packet.sender->uid == c.peer.uid && answer.nonce == c.nonce;
  if (!same || !is_alive(c.peer)) {
    log_line(LogLevel::alert, describe_peer(c.peer) + ": another process answered for it");
    refuse(c, Refused::Action::denied, "another process answered the challenge");
    return;
  }
  c.answered = true;
  decide(c);
}

void Daemon::refuse(Connection& c, Refused::Action action, const std::string& text,
                    const std::string& shell) {
  static_cast<void>(send_packet(c.socket.get(), encode(Refused{action, text, shell})));
  drop(c.number);
}

void Daemon::refuse_by_policy(Connection& c, const Rules& rules, const std::string& why) {
  const Person& person = *c.person;
  const bool glass = person.uid == 0 || may_break_glass(config_, person);
  if (rules.on_failure == OnFailure::continue_and_alert || glass) {
    const std::string how =
        rules.on_failure == OnFailure::continue_and_alert ? "by policy" : "by break-glass";
    log_line(LogLevel::alert,
             "UNRECORDED session of " + printable(person.name) + " (" + how + "): " + why);
    if (!ledger_error_) {
      ledger_->append(
          format::LedgerView{{}, person.name, "unrecorded session, " + how + ": " + why},
          [](const Result<void>&) {});
    }
    refuse(c, Refused::Action::unrecorded, why + "; it goes on " + how + ", and that is on record",
           rules.shell);
    return;
  }
  log_line(LogLevel::alert, "no session for " + printable(person.name) + ": " + why);
  refuse(c, Refused::Action::denied, why);
}

// Both the answer and the names are needed; whichever comes last leads here.
void Daemon::decide(Connection& c) {
  if (!c.answered || !c.person) {
    return;
  }
  const Rules rules = rules_for(config_, *c.person);
  if (!is_recorded(config_, *c.person, hostname_)) {
    refuse(c, Refused::Action::not_recorded, "", rules.shell);
    return;
  }
  const int device = terminal_device(c.fds[0].get());
  if (const Session* outer = device > 0 ? session_on(static_cast<std::uint32_t>(device)) : nullptr;
      outer != nullptr && terminal_device(c.fds[1].get()) == device &&
      terminal_device(c.fds[2].get()) == device) {
    log_line(LogLevel::notice, "a session of " + printable(c.person->name) + " on " +
                                   outer->note.pts + " is covered by session " +
                                   to_hex(outer->note.id));
    refuse(c, Refused::Action::not_recorded, "", rules.shell);
    return;
  }
  if ((rules.require_reason && c.hello.reason.empty()) ||
      (rules.require_ticket && c.hello.ticket.empty())) {
    refuse(
        c, Refused::Action::denied,
        "the policy of this host wants a reason or a ticket: sworn rec --reason TEXT --ticket ID");
    return;
  }
  if (sessions_of(c.peer.uid) >= config_.sessions_per_user) {
    log_line(LogLevel::alert, printable(c.person->name) + " has too many sessions");
    refuse(c, Refused::Action::denied, "you have as many sessions as the policy allows");
    return;
  }
  if (ledger_error_) {
    refuse_by_policy(c, rules, "the ledger cannot be used: " + describe(*ledger_error_));
    return;
  }
  if (free_bytes(options_.paths) < config_.reserve_bytes) {
    refuse_by_policy(c, rules, "the disk of the recordings is full");
    return;
  }
  if (auto started = start_session(c, rules); !started) {
    refuse_by_policy(c, rules, describe(started.error()));
    return;
  }
  drop(c.number);
}

std::size_t Daemon::sessions_of(uid_t uid) const {
  return static_cast<std::size_t>(
      std::count_if(sessions_.begin(), sessions_.end(),
                    [uid](const auto& each) { return each.second->note.uid == uid; }));
}

Daemon::Session* Daemon::session_on(std::uint32_t device) {
  for (const auto& [id, session] : sessions_) {
    if (session->note.pts_device == device && !session->closing && session->link.valid()) {
      return session.get();
    }
  }
  return nullptr;
}

}  // namespace sworn::recorder::host
