// SPDX-License-Identifier: Apache-2.0
#include "recorder/descriptors.hpp"

#include "base/scope_exit.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace sworn::recorder {

Result<void> stub_closed_descriptors() {
  while (true) {
    const int fd = ::open("/dev/null", O_RDWR);  // takes the lowest free number
    if (fd < 0) {
      return fail_sys(errno, "cannot open /dev/null");
    }
    if (fd > STDERR_FILENO) {
      ::close(fd);
      return {};
    }
  }
}

std::vector<int> inherited_descriptors() {
  std::vector<int> out;
  DIR* directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) {
    return out;
  }
  const ScopeExit closer([directory] { ::closedir(directory); });
  while (const dirent* entry = ::readdir(directory)) {
    int fd = -1;
    const char* end = entry->d_name + std::strlen(entry->d_name);
    if (std::from_chars(entry->d_name, end, fd).ptr == end && fd > STDERR_FILENO &&
        fd != ::dirfd(directory)) {
      out.push_back(fd);
    }
  }
  return out;
}

void close_all(const std::vector<int>& descriptors) {
  for (const int fd : descriptors) {
    ::close(fd);
  }
}

}  // namespace sworn::recorder
