// SPDX-License-Identifier: Apache-2.0
// Gives up everything that reading the kernel's records does not need: all capabilities but
// CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN, and new privileges by exec.
#pragma once

#include "base/result.hpp"

namespace sworn::bpf {

// Fails with Errc::unsupported where one of the three is missing.
Result<void> keep_only_bpf();

}  // namespace sworn::bpf
