// SPDX-License-Identifier: Apache-2.0
#include "cli/recorder_path.hpp"

#include <filesystem>

#include <unistd.h>

namespace sworn::cli {

Result<std::string> find_recorder() {
  return find_program("sworn-recorder", "recorder");
}

Result<std::string> find_program(const std::string& name, const std::string& build_folder) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) {
    return fail_sys(error.value(), "cannot read /proc/self/exe");
  }
  const std::string directory = self.parent_path().string();
  const std::vector<std::string> candidates{directory + "/" + name,
                                            directory + "/../libexec/sworn/" + name,
                                            directory + "/../" + build_folder + "/" + name};
  for (const auto& path : candidates) {
    if (::access(path.c_str(), X_OK) == 0) {
      return std::filesystem::weakly_canonical(path, error).string();
    }
  }
  return fail(Errc::not_found, "looked for " + candidates[0] + " and " + candidates[1]);
}

Result<std::string> find_shared_file(const std::string& name) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) {
    return fail_sys(error.value(), "cannot read /proc/self/exe");
  }
  // Installed, and in a build tree.
  for (const auto* directory : {"/../share/doc/sworn/", "/../shared/"}) {
    const std::string path = self.parent_path().string() + directory + name;
    if (::access(path.c_str(), R_OK) == 0) {
      return path;
    }
  }
  return fail(Errc::not_found, name + " is not installed");
}

}  // namespace sworn::cli
