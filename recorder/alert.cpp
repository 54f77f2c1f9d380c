// SPDX-License-Identifier: Apache-2.0
#include "recorder/alert.hpp"

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/printable.hpp"

#include <fcntl.h>
#include <syslog.h>

namespace sworn::recorder {

void raise_alert(const Message& message, const std::string& recording_path) {
  const std::string line = message.what + " (" + message.why + "): " + printable(recording_path);
  ::openlog("sworn-recorder", LOG_PID | LOG_NDELAY, LOG_AUTHPRIV);
  ::syslog(LOG_ALERT, "%s", line.c_str());
  ::closelog();
  const Fd note(::open((recording_path + ".note").c_str(),
                       O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (note.valid()) {
    SystemClock clock;
    static_cast<void>(
        write_all(note.get(), as_bytes(format_rfc3339(clock.wall(), 3) + " " + line + "\n")));
  }
}

}  // namespace sworn::recorder
