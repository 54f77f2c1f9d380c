// SPDX-License-Identifier: Apache-2.0
// What a log line is about, where it is one of the things that an investigator asks for beyond
// executions: logins and refusals, changes of accounts, of services, of the audit itself. By the
// record type of auditd, and by the words that sudo, su, sshd, login, useradd and systemd have used
// for decades. Empty for everything else. Pure.
#pragma once

#include <string_view>

namespace sworn::audit::logs {

// "login", "login_failed", "denied" (sudo, su), "privilege" (sudo, su granted), "account_change",
// "service_change", "audit_change", "".
std::string_view topic_of(std::string_view text);

}  // namespace sworn::audit::logs
