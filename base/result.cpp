// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"

#include "base/printable.hpp"

#include <system_error>

namespace sworn {

std::string describe(const Error& error) {
  std::string text = printable(error.context);
  if (error.sys != 0) {
    text += ": ";
    text += std::generic_category().message(error.sys);
  }
  return text;
}

}  // namespace sworn
