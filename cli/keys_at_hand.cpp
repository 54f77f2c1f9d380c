// SPDX-License-Identifier: Apache-2.0
#include "cli/keys_at_hand.hpp"

#include "cli/arguments.hpp"
#include "cli/message.hpp"
#include "format/key_ring.hpp"

#include <cstdlib>

namespace sworn::cli {
namespace {

std::vector<std::string> from_environment(const char* name) {
  const char* value = std::getenv(name);  // before any thread
  return value != nullptr && *value != 0 ? std::vector<std::string>{value}
                                         : std::vector<std::string>{};
}

}  // namespace

int take_keys(const Arguments& args) {
  const bool declared = !key_options(args.command()).empty();
  auto identities = declared ? args.values("--identity") : std::vector<std::string>();
  auto boxes = declared ? args.values("--key-box") : std::vector<std::string>();
  const bool asked = !identities.empty();
  identities = asked ? identities : from_environment("SWORN_IDENTITY");
  boxes = boxes.empty() ? from_environment("SWORN_KEY_BOXES") : boxes;
  auto& ring = format::KeyRing::of_process();
  for (const auto& path : identities) {
    if (const auto added = ring.add_file(path); !added) {
      return complain(args.command().name,
                      {path + ": this identity cannot be used", describe(added.error()),
                       asked ? "name the file that age-keygen or sworn keys made: --identity FILE"
                             : "set SWORN_IDENTITY to a file that age-keygen or sworn keys made"});
    }
  }
  for (auto& place : boxes) {
    ring.add_box_place(std::move(place));
  }
  return k_exit_ok;
}

}  // namespace sworn::cli
