// SPDX-License-Identifier: Apache-2.0
// `sworn ledger check`: the ledger itself, what was seen of it before, and the sessions that it
// knows.
#pragma once

#include "base/result.hpp"
#include "cli/message.hpp"
#include "format/ledger_verify.hpp"

#include <string>
#include <string_view>

namespace sworn::cli {

class Arguments;

int check_ledger(const Arguments& args, const std::string& directory);

// 0, 2, 3 or 6 by the state; complains where it is not 0.
int report_state(std::string_view command, const format::LedgerReport& report,
                 const std::string& directory);

Message explain_ledger_error(const std::string& directory, const Error& error);
int ledger_exit_status(const Error& error);  // 3 where the ledger does not hold, 6, else 1

}  // namespace sworn::cli
