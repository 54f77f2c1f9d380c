// SPDX-License-Identifier: Apache-2.0
// swornd: greets clients, checks who they are, decides by the policy, hands terminals and files to
// monitors, keeps the ledger, and answers what people ask. One thread; nothing in it waits: what
// does (ledger, name service) is done by workers. Sessions do not need it to go on.
#pragma once

#include "base/clock.hpp"
#include "recorder/event_loop.hpp"
#include "recorder/host/config.hpp"
#include "recorder/host/host_ledger.hpp"
#include "recorder/host/host_store.hpp"
#include "recorder/host/outer_terminal.hpp"
#include "recorder/host/packet.hpp"
#include "recorder/host/peer.hpp"
#include "recorder/host/spawn.hpp"
#include "recorder/host/worker.hpp"
#include "recorder/signals.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sworn::recorder::host {

struct DaemonOptions {
  HostPaths paths;
  std::string config = k_config_path;
  std::string monitor = "/usr/libexec/sworn/sworn-monitor";
  std::string capture = "/usr/libexec/sworn/sworn-bpf";
  std::string client = "/usr/bin/sworn-login";
  std::string account = "sworn";
  std::string readers = "sworn-audit";
};

class Daemon {
 public:
  static Result<std::unique_ptr<Daemon>> create(DaemonOptions options, Signals& signals);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  void run();  // until SIGTERM

 private:
  // A peer that has connected and is not yet something else.
  struct Connection {
    std::uint64_t number = 0;
    Fd socket;
    EventLoop::Watch watch;
    Peer peer;
    MonoTime deadline{};
    bool likely = false;    // it executed the client program when it connected
    bool greeted = false;   // it is the client program
    bool answered = false;  // and the same process answered the challenge
    Hello hello;
    Nonce nonce{};
    std::vector<Fd> fds;
    ProcessFacts facts;
    std::optional<Person> person;
  };
  struct Session {
    SessionNote note;
    std::shared_ptr<HostLedger::Entry> entry;
    Fd link;
    EventLoop::Watch watch;
    Rules rules;
    bool closing = false;
    bool never_began = false;
    std::optional<Mark> fresh;             // not in the ledger yet
    std::optional<MonoTime> adopt_before;  // found at the start; its monitor may come back
  };

  Daemon(DaemonOptions options, Signals& signals);
  Result<void> set_up();
  Result<void> listen();
  Result<void> adopt_notes();
  void reload();
  void write_fallback();

  void on_listener();
  void on_signals();
  void on_connection(std::uint64_t number);
  void on_hello(Connection& c, Hello hello, std::vector<Fd> fds);
  void on_answer(Connection& c, const Answer& answer, const Packet& packet);
  void on_register(Connection& c, const Register& message);
  void on_query(Connection& c, const Query& query);
  void resolve(Connection& c);
  void decide(Connection& c);
  void refuse(Connection& c, Refused::Action action, const std::string& text,
              const std::string& shell = "");
  // It should be recorded and cannot be.
  void refuse_by_policy(Connection& c, const Rules& rules, const std::string& why);
  Result<void> start_session(Connection& c, const Rules& rules);
  void drop(std::uint64_t number);
  bool make_room_for(uid_t uid);

  void watch_session(Session& session);
  void on_monitor(const SessionId& id);
  void on_monitor_message(Session& session, Message& message);
  void on_closed(Session& session, const Closed& closed);
  void on_lost(Session& session, const std::string& reason);
  void forget(const SessionId& id);

  void beat();
  void tick();
  void arm_timer();
  void make_spare();
  Result<MonitorProcess> take_monitor();
  Report answer_query(const Query& query, const Peer& peer, const ProcessFacts& facts);
  [[nodiscard]] Session* session_on(std::uint32_t device);
  [[nodiscard]] std::size_t sessions_of(uid_t uid) const;

  DaemonOptions options_;
  Signals& signals_;
  SystemClock clock_;
  format::SystemEntropy entropy_;
  Config config_;
  std::string hostname_;
  MonitorAccount account_;
  gid_t readers_ = 0;
  gid_t tty_group_ = 5;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<HostLedger> ledger_;
  std::optional<Error> ledger_error_;
  std::unique_ptr<Worker> names_;
  Fd listener_;
  EventLoop::Watch listener_watch_;
  EventLoop::Watch signal_watch_;
  std::map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::map<SessionId, std::unique_ptr<Session>> sessions_;
  std::uint64_t next_number_ = 1;
  std::optional<MonitorProcess> spare_;
  MonoTime next_spare_{};  // no try before
  MonoTime next_beat_{};
  std::optional<MonoTime> next_watchdog_;
  bool stopping_ = false;
};

}  // namespace sworn::recorder::host
