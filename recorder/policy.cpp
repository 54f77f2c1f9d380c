// SPDX-License-Identifier: Apache-2.0
#include "recorder/policy.hpp"

#include <fmt/format.h>

namespace sworn::recorder {

std::string_view name_of(InputMode mode) {
  switch (mode) {
    case InputMode::none:
      return "none";
    case InputMode::commands:
      return "commands";
    case InputMode::all:
      return "all";
  }
  return "unknown";
}

std::string_view name_of(SyncMode mode) {
  switch (mode) {
    case SyncMode::none:
      return "none";
    case SyncMode::interval:
      return "interval";
    case SyncMode::critical:
      return "critical";
  }
  return "unknown";
}

std::string_view name_of(OnFailure action) {
  switch (action) {
    case OnFailure::terminate:
      return "terminate";
    case OnFailure::continue_and_alert:
      return "continue_and_alert";
  }
  return "unknown";
}

std::string policy_text(const Options& options) {
  std::string text = fmt::format("mode=standalone\ninput={}\nsync={}\non_failure={}\ncapture={}\n",
                                 name_of(options.input), name_of(options.sync),
                                 name_of(options.on_failure), audit::name_of(options.capture));
  if (!options.encrypt_to.empty()) {  // to whom stands in the header
    text += fmt::format("encrypted=yes\nsecond_person={}\ndetached_box={}\n",
                        options.second_person.empty() ? "no" : "yes",
                        options.detached_box.empty() ? "no" : "yes");
  }
  text += fmt::format("ledger={}\n", options.ledger.empty() ? "user" : options.ledger);
  return text;
}

}  // namespace sworn::recorder
