// SPDX-License-Identifier: Apache-2.0
// Notes of the sessions that a ledger has opened and not yet closed: one small file each in
// LEDGER/open, locked by the recorder for as long as it lives. The next start finds the notes of
// recorders that died and enters what became of their sessions. Notes are hints: what they say is
// held against the ledger and the session file, and without them a session merely stays open in the
// ledger.
//
// LEDGER/open/ID (the file id in hexadecimal), 0600:
//   sworn-open 1 LF  offset of the ledger's end before the session, decimal LF  path of the
//   recording
#pragma once

#include "base/fd.hpp"
#include "format/ledger.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace sworn::format {

class OpenSessionNote {
 public:
  // Before the session is entered in the ledger. `recording`: its final path, absolute.
  static Result<OpenSessionNote> create(const std::string& ledger_directory, const FileId& id,
                                        std::uint64_t ledger_bytes, const std::string& recording);
  // Once the ledger says how the session ended. A note that is only destroyed stays, unlocked.
  void remove();

 private:
  std::string path_;
  Fd lock_;
};

struct SweepReport {
  std::uint64_t live = 0;         // their recorders hold the lock
  std::uint64_t lost = 0;         // session_lost was entered
  std::uint64_t closed_late = 0;  // a finished file whose recorder could not enter that any more
  std::uint64_t settled = 0;      // the ledger knew the end already, or never knew the session
  std::uint64_t unreadable = 0;   // notes that say nothing; left alone
};

// Enters what became of sessions whose recorders are gone; two sweeps at once never enter it twice.
// Reads each such recording as a whole: call it where nobody waits. Ends early where `stop` becomes
// true. A note that cannot be settled stays for the next sweep; the first error is returned then.
Result<SweepReport> sweep_open_sessions(const std::string& ledger_directory, Ledger& ledger,
                                        const std::atomic<bool>& stop);

}  // namespace sworn::format
