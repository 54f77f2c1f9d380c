// SPDX-License-Identifier: Apache-2.0
#include "audit/bpf/privileges.hpp"

#include <array>
#include <cerrno>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sworn::bpf {
namespace {

constexpr std::array k_needed{CAP_NET_ADMIN, CAP_PERFMON, CAP_BPF};
constexpr int k_words = 2;

}  // namespace

Result<void> keep_only_bpf() {
  // Before Linux 5.11 maps count as locked memory. May be refused where it does not matter.
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  ::setrlimit(RLIMIT_MEMLOCK, &unlimited);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, k_words> have{};
  if (::syscall(SYS_capget, &header, have.data()) != 0) {
    return fail_sys(errno, "cannot read my capabilities");
  }
  std::array<__user_cap_data_struct, k_words> keep{};
  for (const int capability : k_needed) {
    const auto word = static_cast<std::size_t>(capability / 32);
    const auto bit = 1U << static_cast<unsigned>(capability % 32);
    if ((have[word].permitted & bit) == 0) {
      return fail(Errc::unsupported,
                  "capabilities are missing: CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN are needed");
    }
    keep[word].permitted |= bit;
    keep[word].effective |= bit;
  }
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    if (capability != CAP_NET_ADMIN && capability != CAP_PERFMON && capability != CAP_BPF) {
      ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);  // needs CAP_SETPCAP; without it none is left
    }
  }
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (::syscall(SYS_capset, &header, keep.data()) != 0) {
    return fail_sys(errno, "cannot give up capabilities");
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_DUMPABLE, 0) != 0) {
    return fail_sys(errno, "cannot give up new privileges");
  }
  return {};
}

}  // namespace sworn::bpf
