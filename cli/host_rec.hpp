// SPDX-License-Identifier: Apache-2.0
// `sworn rec` on a host that runs swornd: the host records, where nothing was asked for that only a
// recording of one's own can give (a file name, other rules, ...).
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace sworn::cli {

// The words for sworn-login, the host's client; nullopt: record standalone. `words`: those of
// `rec`.
std::optional<std::vector<std::string>> host_client_words(const std::vector<std::string>& words);

// swornd listens here, and its client is installed.
bool host_records();
inline constexpr const char* k_host_client = "/usr/bin/sworn-login";

}  // namespace sworn::cli
