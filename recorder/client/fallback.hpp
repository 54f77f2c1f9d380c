// SPDX-License-Identifier: Apache-2.0
// What to do where swornd does not answer. It leaves its answer behind in advance, in a small file
// that belongs to root; without that file only root gets a shell.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::recorder::client {

inline constexpr char k_fallback_path[] = "/var/lib/sworn/client";

struct Fallback {
  std::string shell = "/bin/bash";
  bool may_continue = false;                // on_failure = continue_and_alert
  std::vector<std::uint32_t> break_glass;   // gids
  std::vector<std::uint32_t> not_recorded;  // uids
};

enum class Verdict : std::uint8_t {
  not_recorded,  // the policy does not ask for a recording of this user
  unrecorded,    // may go on, loudly
  break_glass,   // the same, as a member of the break-glass group or as root
  denied,
};

Result<Fallback> parse_fallback(std::string_view text);
std::string fallback_text(const Fallback& fallback);
// Only a regular file of root's that nobody else may write.
Result<Fallback> load_fallback(const std::string& path = k_fallback_path);

// `real_root`: uid 0 of the machine, not of a user namespace that anybody can make.
[[nodiscard]] bool is_real_root();
Verdict judge(const Result<Fallback>& fallback, std::uint32_t uid, bool real_root,
              const std::vector<std::uint32_t>& gids);

}  // namespace sworn::recorder::client
