// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace sworn::recorder {

inline constexpr std::string_view k_version = SWORN_VERSION;

}  // namespace sworn::recorder
