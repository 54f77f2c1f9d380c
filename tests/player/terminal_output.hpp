// SPDX-License-Identifier: Apache-2.0
// Judges what the player wrote to its terminal: is there anything that only a recording can have
// put there? Written without the product's parser, on purpose: a list of what ncurses may send, and
// everything else is a finding.
#pragma once

#include <string>
#include <string_view>

namespace sworn::test {

// Empty where every byte is accounted for; else what is wrong and where.
std::string foreign_output(std::string_view output);

}  // namespace sworn::test
