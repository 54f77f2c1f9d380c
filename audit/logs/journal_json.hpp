// SPDX-License-Identifier: Apache-2.0
// One journal entry on its way to a line of JSON. Pure; values are hostile bytes.
#pragma once

#include <string>
#include <string_view>

namespace sworn::audit::logs {

class JournalJson {
 public:
  void begin();
  // Fields that nobody here reads are skipped; the first of several of one name counts.
  void field(std::string_view name, std::string_view value);
  // The line with its line feed; empty where there was no field.
  [[nodiscard]] std::string finish();

 private:
  std::string line_;
};

}  // namespace sworn::audit::logs
