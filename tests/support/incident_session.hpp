// SPDX-License-Identifier: Apache-2.0
// A recording as an investigator gets it, for tests of the player: the same bytes every time.
#pragma once

#include "tests/support/sample_session.hpp"

#include <string>

namespace sworn::test {

inline void run_command(SampleSession& s, std::uint64_t n, const std::string& text,
                        const std::string& output, int status) {
  s.put(format::EventKind::input, as_bytes(text + "\r"));
  s.output(text + "\r\n");
  s.put(format::EventKind::command_begin,
        encode(format::CommandBegin{n, 42, text, "hook", "/root", "bash", 0, {}}));
  s.clock.advance(400'000);
  s.output(output);
  s.clock.advance(900'000);
  s.put(format::EventKind::command_end,
        encode(format::CommandEnd{n, 42, status, "0", "/root", {}}));
  s.output("root@db1:~# ");
  s.clock.advance(3'000'000);
}

// What an investigator looks at: commands, a failure, colours, an editor, a resize.
inline Bytes incident_session(TermSize size) {
  SampleSession s;
  format::SessionStart start;
  start.user = "root";
  start.hostname = "db1.prod";
  start.pts = "/dev/pts/3";
  start.ssh_connection = "10.2.3.4 50122 10.2.3.9 22";
  start.size = size;
  start.argv = {"/bin/bash"};
  start.zone = "CET";
  start.utc_offset_s = 3600;
  s.put(format::EventKind::session_start, encode(start));
  s.put(format::EventKind::clock, encode(format::ClockSample{s.clock.wall(), true, 500, "start"}));
  s.output("root@db1:~# ");
  run_command(s, 1, "ls --color", "\x1b[34mbin\x1b[m  \x1b[32mrun.sh\x1b[m  motd\r\n", 0);
  run_command(s, 2, "rm /var/log/postgresql.log", "", 0);
  run_command(s, 3, "systemctl restart rsyslog",
              "\x1b[1;31mJob for rsyslog.service failed.\x1b[m\r\n", 1);
  s.clock.advance(600'000'000);
  s.output("\x1b[?1049h\x1b[2J\x1b[H~\r\n~\r\n\x1b[7m/etc/rsyslog.conf\x1b[m");
  s.clock.advance(20'000'000);
  s.output("\x1b[?1049l");
  run_command(s, 4, "echo \xe6\xbc\xa2\xe5\xad\x97 caf\xc3\xa9",
              "\xe6\xbc\xa2\xe5\xad\x97 caf\xc3\xa9\r\n", 0);
  s.put(format::EventKind::exit, encode(format::Exit{}));
  must(s.writer->finish({0}));
  return s.file.data();
}

}  // namespace sworn::test
