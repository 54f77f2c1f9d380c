// SPDX-License-Identifier: Apache-2.0
#include "player/log_loader.hpp"

namespace sworn::player {

Result<LogBookPtr> load_logs(const Recording& /*recording*/,
                             const std::vector<std::string>& files) {
  if (!files.empty()) {
    return fail(Errc::unsupported, "reading log files is not part of this build");
  }
  return LogBookPtr{};
}

}  // namespace sworn::player
