// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/line_topic.hpp"

#include <doctest/doctest.h>

using sworn::audit::logs::topic_of;

TEST_CASE("line topics: logins, refusals, changes") {
  CHECK(topic_of("Nov 21 01:53:15 h sshd[9]: Failed password for root from 192.0.2.1 port 2") ==
        "login_failed");
  CHECK(topic_of("Nov 21 01:53:15 h sshd[9]: Accepted publickey for a from 192.0.2.1") == "login");
  CHECK(topic_of("Nov 21 01:53:15 h sudo:   a : user NOT in sudoers ; TTY=pts/0 ; COMMAND=/x") ==
        "denied");
  CHECK(topic_of("Nov 21 01:53:15 h sudo:   a : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/id") ==
        "privilege");
  CHECK(topic_of("Nov 21 01:53:15 h su[4]: FAILED SU (to root) a on pts/0") == "denied");
  CHECK(topic_of("Nov 21 01:53:15 h su[4]: (to root) a on pts/0") == "privilege");
  CHECK(topic_of("Nov 21 01:53:15 h useradd[4]: new user: name=x, UID=1002") == "account_change");
  CHECK(topic_of("2026-11-21T01:53:15Z h systemd[1]: Stopped auditd.service.") == "service_change");
  CHECK(topic_of("USER_AUTH op=PAM:authentication acct=a /usr/bin/su (res failed pid 4)") ==
        "denied");
  CHECK(topic_of("USER_AUTH op=PAM:authentication acct=a /usr/sbin/sshd (res failed)") ==
        "login_failed");
  CHECK(topic_of("USER_CMD cmd=id (res success pid 4)") == "privilege");
  CHECK(topic_of("ADD_USER op=add-user acct=x /usr/sbin/useradd (res success)") ==
        "account_change");
  CHECK(topic_of("CONFIG_CHANGE op=add_rule (res 1)") == "audit_change");
  CHECK(topic_of("SERVICE_STOP unit=x (res success)") == "service_change");
  CHECK(topic_of("Nov 21 01:53:15 h app: Failed password for nobody, says sshd").empty());
  CHECK(topic_of("").empty());
  CHECK(topic_of("plain words").empty());
}
