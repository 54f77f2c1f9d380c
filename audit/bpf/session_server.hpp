// SPDX-License-Identifier: Apache-2.0
// Serves the sessions that ask: one connection of a SOCK_SEQPACKET socket is one session. Gives
// each the records of its own processes and of nobody else. A client that does not read is held up
// by nobody: its packets wait up to a bound, and what does not fit is lost with its numbers, which
// the client sees. One thread.
#pragma once

#include "audit/bpf/capture_program.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

namespace sworn::bpf {

struct ServerOptions {
  Fd client;                   // a connected socket: its one session, then the end
  Fd listener;                 // or a listening one: as many as come
  std::vector<uid_t> allowed;  // besides root: who may ask for processes that are not his own
};

class SessionServer {
 public:
  // `program` may be empty: every session is then refused with `reason`.
  SessionServer(ServerOptions options, std::unique_ptr<CaptureProgram> program, std::string reason);
  ~SessionServer();
  SessionServer(const SessionServer&) = delete;
  SessionServer& operator=(const SessionServer&) = delete;

  // Until the one client has gone, or the listener fails.
  Result<void> run();

 private:
  struct Client {
    Fd fd;
    uid_t uid = 0;
    pid_t pid = 0;
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;  // 0: no session yet
    Bytes packet;                  // records that wait to be sent together
    std::deque<Bytes> queue;
    std::size_t queued = 0;
    bool wants_writing = false;
    bool closing = false;  // when the queue is empty
  };

  Result<void> set_up();
  Result<void> watch(int fd, bool writing);
  void admit(Fd fd);
  void accept_all();
  void on_client(Client& client, std::uint32_t events);
  bool read_message(Client& client);
  void on_open(Client& client, Fd pidfd);
  void on_flush(Client& client, std::uint32_t value);
  void drain();
  void on_record(ByteView record);
  void finish_packet(Client& client);
  void send(Client& client, Bytes message);
  void refuse(Client& client, const std::string& why);
  void flush_queue(Client& client);
  void drop_gone();
  [[nodiscard]] Result<void> may_follow(const Client& client, int pidfd) const;
  [[nodiscard]] std::uint32_t free_slot() const;

  ServerOptions options_;
  std::unique_ptr<CaptureProgram> program_;
  std::string reason_;
  Fd epoll_;
  std::map<int, Client> clients_;
  std::map<std::uint32_t, int> by_slot_;
  std::uint32_t next_generation_ = 1;
  std::uint32_t next_slot_ = 0;
};

}  // namespace sworn::bpf
