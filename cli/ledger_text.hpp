// SPDX-License-Identifier: Apache-2.0
// Ledger entries and reports for people and for scripts. Pure.
#pragma once

#include "cli/json.hpp"
#include "format/ledger_entry.hpp"
#include "format/ledger_verify.hpp"

#include <string>

namespace sworn::cli {

// "alice opened web1.sworn (7f3a...)": what an entry says, without number and time.
std::string describe_entry(const format::LedgerFact& fact);
// The session that it is about, in hexadecimal; empty where it is about none or several.
std::string session_of(const format::LedgerFact& fact);

// schema sworn.ledger_entry/1; `stored`: its bytes, whose members follow.
Json entry_to_json(std::uint64_t index, ByteView stored, const format::LedgerEntry& entry);

std::string short_id(ByteView id);  // the first 8 digits, as in the names of session files

}  // namespace sworn::cli
