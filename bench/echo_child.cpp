// SPDX-License-Identifier: Apache-2.0
// The program at the far end of the latency figures: a raw-mode child that answers at once, so that
// nothing but the wrapper is measured.
//   bench_child echo    writes every byte back
//   bench_child line    says nothing until a carriage return, then answers one line
//   bench_child idle    waits to be killed
#include <cstdio>
#include <cstring>
#include <string_view>

#include <termios.h>
#include <unistd.h>

namespace {

void make_raw() {
  termios mode{};
  if (::tcgetattr(STDIN_FILENO, &mode) == 0) {
    ::cfmakeraw(&mode);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &mode);
  }
}

bool say(std::string_view text) {
  return ::write(STDOUT_FILENO, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

int answer(bool echo) {
  make_raw();
  // The driver starts its clock only after this byte, hence never before the terminal is raw.
  if (!say("!")) {
    return 1;
  }
  char buffer[256];
  ssize_t n = 0;
  while ((n = ::read(STDIN_FILENO, buffer, sizeof(buffer))) > 0) {
    const std::string_view got{buffer, static_cast<std::size_t>(n)};
    if (echo ? !say(got) : (got.find('\r') != std::string_view::npos && !say("done\r\n"))) {
      return 1;
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc == 2 ? argv[1] : "";
  if (mode == "echo" || mode == "line") {
    return answer(mode == "echo");
  }
  if (mode == "idle") {
    for (;;) {
      ::pause();
    }
  }
  std::fputs("usage: bench_child echo|line|idle\n", stderr);
  return 125;
}
