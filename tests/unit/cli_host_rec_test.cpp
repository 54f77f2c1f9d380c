// SPDX-License-Identifier: Apache-2.0
#include "cli/host_rec.hpp"

#include <doctest/doctest.h>

namespace sworn::cli {

using Words = std::vector<std::string>;

TEST_CASE("cli: rec goes to the host where it asks for nothing of its own") {
  CHECK(host_client_words({}) == Words{"sworn-login", "--rec", "--"});
  CHECK(host_client_words({"--reason", "disk", "-q", "--", "ls", "-l"}) ==
        Words{"sworn-login", "--rec", "--reason", "disk", "--", "ls", "-l"});
  CHECK(host_client_words({"ls", "-o", "x"}) ==
        Words{"sworn-login", "--rec", "--", "ls", "-o", "x"});
}

TEST_CASE(
    "cli: rec stays standalone where it asks for a file, for rules or for something unknown") {
  CHECK_FALSE(host_client_words({"-o", "x.sworn"}));
  CHECK_FALSE(host_client_words({"--input=all"}));
  CHECK_FALSE(host_client_words({"--reason=x"}));
  CHECK_FALSE(host_client_words({"--reason"}));
  CHECK_FALSE(host_client_words({"--help"}));
}

}  // namespace sworn::cli
