// SPDX-License-Identifier: Apache-2.0
// The texts of a bundle: what was verified, for people and as a page, and what is in it. Pure.
#pragma once

#include "base/clock.hpp"
#include "cli/json.hpp"

#include <string>
#include <vector>

namespace sworn::cli {

struct CaseItem {
  std::string name;     // of the file in recordings/
  std::string verdict;  // "INTACT+ANCHORED"
  std::string text;     // as sworn verify prints it
  std::string why;      // where less is proven than it should; else empty
  Json json;
};

std::string report_text(const std::vector<CaseItem>& items);
std::string report_html(const std::vector<CaseItem>& items, WallTime made);
std::string bundle_readme(const std::vector<CaseItem>& items);

}  // namespace sworn::cli
