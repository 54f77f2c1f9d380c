// SPDX-License-Identifier: Apache-2.0
// sworn://HOST/SESSION?t=SECONDS&n=EVENT: a moment of a recording, as every entry that leaves it
// carries one. SESSION is the random id of the file, so that a renamed copy is found, too. Pure;
// parse() takes hostile text.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sworn::audit::logs {

struct SessionLink {
  std::string host;                  // may be empty
  std::string file_id;               // 32 hexadecimal digits
  std::optional<std::int64_t> t_us;  // from the first event
  std::optional<std::uint64_t> event;
};

bool is_link(std::string_view text);  // begins like one
std::string to_text(const SessionLink& link);
Result<SessionLink> parse_link(std::string_view text);

}  // namespace sworn::audit::logs
