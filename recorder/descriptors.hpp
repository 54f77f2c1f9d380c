// SPDX-License-Identifier: Apache-2.0
// Hygiene of the descriptors that we are started with. Call stub_closed_descriptors() before
// anything else is opened, else our own files would land on 0, 1 or 2 and the session's output in
// them.
#pragma once

#include "base/result.hpp"

#include <vector>

namespace sworn::recorder {

// /dev/null on each of 0, 1 and 2 that is closed.
Result<void> stub_closed_descriptors();

// Open descriptors above 2, which the command inherits. They are nothing to us, but as long as we
// keep them open too, whoever waits for their end waits for us: drop them once the command has its
// own.
std::vector<int> inherited_descriptors();
void close_all(const std::vector<int>& descriptors);

}  // namespace sworn::recorder
