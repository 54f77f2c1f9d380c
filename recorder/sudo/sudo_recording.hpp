// SPDX-License-Identifier: Apache-2.0
// One command that sudo runs, recorded inside the sudo process: sudo relays the bytes anyway, its
// I/O plugin only writes them down. The same file, tail, seals and ledger entries as a session of
// swornd; without a thread, so sealing is driven by a timer of sudo's own loop (tick()) and by
// close(). What is typed is marked, never stored: the plugin cannot see whether the inner terminal
// echoes.
#pragma once

#include "base/clock.hpp"
#include "base/term_size.hpp"
#include "format/event_payload.hpp"
#include "format/ledger.hpp"
#include "format/session_writer.hpp"
#include "format/tail.hpp"
#include "recorder/host/host_store.hpp"

#include <memory>
#include <string>
#include <vector>

namespace sworn::recorder::sudo {

struct SudoFacts {
  std::string user;
  std::uint32_t uid = 0;
  std::string runas;
  std::string hostname;
  std::string tty;
  std::string cwd;
  std::vector<std::string> argv;
  TermSize size;
  bool terminal = false;
};

class SudoRecording {
 public:
  static Result<std::unique_ptr<SudoRecording>> open(const SudoFacts& facts);
  ~SudoRecording();
  SudoRecording(const SudoRecording&) = delete;
  SudoRecording& operator=(const SudoRecording&) = delete;

  // On record when it returns.
  Result<void> put(format::EventKind kind, ByteView data);
  Result<void> tick();  // once a second
  Result<void> close(int wait_status);

 private:
  SudoRecording() = default;
  Result<void> begin(const SudoFacts& facts);
  Result<void> seal(format::SealReason reason);

  host::HostPaths paths_;
  std::string final_path_;
  SystemClock clock_;
  format::SystemEntropy entropy_;
  std::unique_ptr<PosixAppendFile> file_;
  std::unique_ptr<format::SessionWriter> writer_;
  std::unique_ptr<format::TailWriter> tail_;
  std::unique_ptr<format::Ledger> ledger_;
  MonoTime last_seal_{};
  bool fresh_ = false;
};

}  // namespace sworn::recorder::sudo
