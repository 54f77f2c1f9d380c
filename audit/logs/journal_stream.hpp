// SPDX-License-Identifier: Apache-2.0
// The systemd journal as lines of JSON, the way `journalctl -o json` would print them but with the
// fields that matter only: read through libsystemd, or from the export format (`journalctl -o
// export`, systemd-journal-remote). The names of journald's own fields (_PID, _AUDIT_SESSION) are
// kept: line_parser knows that nobody but journald can write those. One thread.
#pragma once

#include "audit/logs/decompress.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

#include <memory>
#include <string>

namespace sworn::audit::logs {

struct JournalPlace {
  std::string path;  // a journal file, a directory of them; empty: this host's journal
  WallTime from;
  WallTime to;  // entries after it are not read
};

// Errc::unsupported where this build has no libsystemd; Errc::not_found where there is no journal.
Result<std::unique_ptr<ByteStream>> open_journal(const JournalPlace& place);

// Whether a file begins like a journal file ("LPKSHHRH") or like the export format.
enum class JournalKind : std::uint8_t { none, file, exported };
JournalKind journal_kind(const std::string& path);

// Entries of the export format as lines of JSON.
std::unique_ptr<ByteStream> convert_export(std::unique_ptr<ByteStream> exported);

}  // namespace sworn::audit::logs
