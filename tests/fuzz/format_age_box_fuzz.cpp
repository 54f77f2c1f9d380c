// SPDX-License-Identifier: Apache-2.0
// Hostile key boxes, binary and armored, and key texts.
#include "format/age_box.hpp"

#include <cstdlib>

using namespace sworn;
using namespace sworn::format;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto identity =
      AgeIdentity::parse(
          "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX")
          .value();
  const ByteView input(reinterpret_cast<const std::byte*>(data), size);
  [[maybe_unused]] const auto opened = age_decrypt(input, {&identity, 1});
  if (const auto recipient = AgeRecipient::parse(as_text(input)); recipient) {
    // One text for each key.
    if (recipient->text() != as_text(input)) {
      std::abort();
    }
  }
  if (const auto stripped = strip_age_armor(as_text(input)); stripped) {
    if (strip_age_armor(age_armor(*stripped)).value() != *stripped) {
      std::abort();
    }
  }
  return 0;
}
