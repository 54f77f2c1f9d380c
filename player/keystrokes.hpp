// SPDX-License-Identifier: Apache-2.0
// Typed bytes as a person reads them: "ls<Enter>", "^C", "<Up>". Pure; the result is printable.
#pragma once

#include "base/bytes.hpp"

#include <string>

namespace sworn::player {

std::string keystroke_text(ByteView data);

}  // namespace sworn::player
