// SPDX-License-Identifier: Apache-2.0
// sworn-monitor: one session of a host. Started by swornd only, which hands it the link on
// descriptor 3; see recorder/host/monitor.hpp.
#include "recorder/host/monitor.hpp"

#include <cstdio>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

int main() {
  constexpr int k_link = 3;
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(k_link, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET) {
    std::fputs("sworn-monitor is started by swornd only\n", stderr);
    return 1;
  }
  ::fcntl(k_link, F_SETFD, FD_CLOEXEC);
  return sworn::recorder::host::run_monitor(sworn::Fd(k_link));
}
