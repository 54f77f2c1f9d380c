// SPDX-License-Identifier: Apache-2.0
#include "cli/recorder_path.hpp"

#include <filesystem>

#include <unistd.h>

namespace sworn::cli {

std::vector<std::string> recorder_candidates(const std::string& directory) {
  return {directory + "/sworn-recorder", directory + "/../libexec/sworn/sworn-recorder",
          directory + "/../recorder/sworn-recorder"};
}

Result<std::string> find_recorder() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) {
    return fail_sys(error.value(), "cannot read /proc/self/exe");
  }
  const auto candidates = recorder_candidates(self.parent_path().string());
  for (const auto& path : candidates) {
    if (::access(path.c_str(), X_OK) == 0) {
      return std::filesystem::weakly_canonical(path, error).string();
    }
  }
  return fail(Errc::not_found, "looked for " + candidates[0] + " and " + candidates[1]);
}

}  // namespace sworn::cli
