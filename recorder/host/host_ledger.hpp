// SPDX-License-Identifier: Apache-2.0
// The host's ledger on a thread of its own: every entry waits for the disk. Jobs run in the order
// in which they were posted; `done` runs in collect(), on the loop's thread.
#pragma once

#include "base/clock.hpp"
#include "format/ledger.hpp"
#include "recorder/host/host_store.hpp"
#include "recorder/host/worker.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>

namespace sworn::recorder::host {

class HostLedger {
 public:
  using Done = std::function<void(Result<void>)>;

  HostLedger(HostPaths paths, std::string hostname, std::function<void()> on_done);
  Result<void> start();  // opens or makes the ledger; waits for it
  void collect() { worker_.collect(); }
  [[nodiscard]] std::size_t waiting() const { return worker_.waiting(); }

  // For the next session's header. Of the loop's thread.
  [[nodiscard]] const Bytes& reference() const { return reference_; }

  // What is known of one session on the ledger's thread.
  struct Entry {
    std::atomic<bool> entered{false};
    format::FileId file_id{};  // ledger's thread only, as the next one
    Mark last;
  };
  void open(std::shared_ptr<Entry> entry, SessionNote note, Done done);
  void beat(std::vector<std::pair<std::shared_ptr<Entry>, Mark>> marks, Done done);
  // The file gets its final name first: what the ledger says of it is then true.
  void close(std::shared_ptr<Entry> entry, SessionNote note, Mark mark, std::string exit,
             bool immutable, Done done);
  // An empty reason: the session never began, and its files go.
  void lose(std::shared_ptr<Entry> entry, SessionNote note, std::string reason, Done done);
  // Once, at the start. `handled`: recordings (.part) that the caller looks after.
  void sweep(std::vector<std::string> handled, Done done);
  void append(format::LedgerFact fact, Done done);

 private:
  void post(std::function<Result<void>()> job, Done done);
  Result<void> settle(const Entry& entry, const std::string& final_path, const std::string& reason);
  Result<void> append_now(format::LedgerFact fact);

  HostPaths paths_;
  std::string hostname_;
  SystemClock clock_;
  format::SystemEntropy entropy_;
  std::unique_ptr<format::Ledger> ledger_;  // ledger's thread only once started
  Bytes reference_;
  Worker worker_;
};

}  // namespace sworn::recorder::host
