// SPDX-License-Identifier: Apache-2.0
// sworn-recorder: records one session. The front end `sworn rec` executes it with the same
// arguments.
#include "base/bytes.hpp"
#include "base/file.hpp"
#include "recorder/descriptors.hpp"
#include "recorder/launch.hpp"
#include "recorder/options.hpp"

#include <cstdio>
#include <string>
#include <vector>

#include <malloc.h>
#include <unistd.h>

int main(int argc, char** argv) {
  using namespace sworn;
  // First of all: what was closed at the start must not be taken by a file of ours.
  if (!recorder::stub_closed_descriptors()) {
    return recorder::k_exit_recorder_failed;
  }
  ::mallopt(M_ARENA_MAX, 1);  // a heap of its own for the worker costs more than it would ever wait
  const auto inherited = recorder::inherited_descriptors();
  const auto parsed = recorder::parse_options({argv + 1, argv + argc});
  if (!parsed.options) {
    const int fd = parsed.exit_status == 0 ? STDOUT_FILENO : STDERR_FILENO;
    return write_all(fd, as_bytes(parsed.text)) ? parsed.exit_status
                                                : recorder::k_exit_recorder_failed;
  }
  return recorder::record_session(*parsed.options, inherited);
}
