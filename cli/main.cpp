// SPDX-License-Identifier: Apache-2.0
// `sworn`: the front end. Everything is in the library, where the tests reach it.
#include "cli/dispatch.hpp"

#include <string>
#include <vector>

#include <fcntl.h>

int main(int argc, char** argv) {
  // A file opened later must never land on 0, 1 or 2.
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) == -1) {
      ::open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
    }
  }
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  return sworn::cli::dispatch(words);
}
