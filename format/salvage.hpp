// SPDX-License-Identifier: Apache-2.0
// Copies what is provable of a crashed or damaged session into a new file: original bytes unchanged
// through the last valid seal, then critical records RECOVERED (at least one) with what lay behind
// it (unsealed chunks, tail events), signed by a fresh key under another domain. Never shown or
// counted as sealed. The source is opened read-only and never changed.
#pragma once

#include "base/clock.hpp"
#include "base/file.hpp"
#include "format/session_writer.hpp"

#include <string>

namespace sworn::format {

struct SalvageReport {
  std::uint64_t sealed_events = 0;
  std::uint64_t sealed_bytes = 0;
  std::uint64_t recovered_events = 0;
  std::uint64_t recovered_bytes = 0;  // of event data; of ciphertext in an encrypted session
  std::uint64_t unreadable_bytes = 0;
  bool tail_used = false;
  bool tail_hole = false;
};

// An encrypted session needs no key: what is recovered is its ciphertext, byte for byte.
// `tail_path` empty: no tail. Fails with Errc::bad_usage for a closed, undamaged file: nothing to
// salvage.
Result<SalvageReport> salvage(const ReadFile& source, const std::string& tail_path, AppendFile& out,
                              Clock& clock, Entropy& entropy, const std::string& reason);

}  // namespace sworn::format
