// SPDX-License-Identifier: Apache-2.0
// Which ledger a command works on: the one that --ledger names, the host's, or that of this user.
#pragma once

#include "base/clock.hpp"
#include "base/file.hpp"
#include "format/ledger.hpp"
#include "format/session_header.hpp"
#include "format/trust.hpp"

#include <memory>
#include <optional>
#include <string>

namespace sworn::cli {

class Arguments;

// --ledger DIR, --host, else the user's own. For commands that declare both options.
Result<std::string> ledger_option(const Arguments& args);

Result<std::unique_ptr<PosixReadFile>> open_ledger_entries(const std::string& directory);

// The directory of the ledger that the header names, where it is the user's or the host's; nullopt
// where the session is in none, or in one that is not here.
std::optional<std::string> ledger_of(const format::SessionHeader& header);

// For appending; never made here. `clock` and `entropy` outlive it.
Result<std::unique_ptr<format::Ledger>> open_ledger_for_writing(const std::string& directory,
                                                                Clock& clock,
                                                                format::Entropy& entropy);

// Enters a fact about a session in its ledger. False: that ledger is not here, and nothing was
// entered.
Result<bool> note_in_ledger(const format::SessionHeader& header, format::LedgerFact fact);
// The same; a failure becomes a warning on stderr, because what was done cannot be undone.
void note_in_ledger_or_warn(std::string_view command, const format::SessionHeader& header,
                            format::LedgerFact fact);

// That somebody looked at a recording, in the ledger that the recording is in, where that is here.
void note_view(std::string_view command, const std::string& path, const std::string& what);

// "alice", for entries about what somebody did; the login name where it is known, with the
// effective one where that is another: "alice (as root)".
std::string actor_name();

// What the user and the administrator trust, as one store; of what both name the administrator's
// counts. --trust FILE takes that file alone, --trust none nothing.
Result<format::TrustStore> load_trust(const std::optional<std::string>& option);

}  // namespace sworn::cli
