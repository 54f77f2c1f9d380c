// SPDX-License-Identifier: Apache-2.0
#include "base/crc32c.hpp"
#include "base/printable.hpp"

#include <doctest/doctest.h>

using namespace sworn;

TEST_CASE("printable: text stays and controls become visible") {
  CHECK(printable("caf\xc3\xa9 \xe6\xbc\xa2") == "caf\xc3\xa9 \xe6\xbc\xa2");
  CHECK(printable("\x1b]52;c;AA\x07") == "\\x1b]52;c;AA\\x07");
  CHECK(printable("a\nb\x7f") == "a\\x0ab\\x7f");
  CHECK(printable("\xc2\x9b") == "\\u{009b}");            // C1 CSI
  CHECK(printable("\xe2\x80\xae") == "\\u{202e}");        // right-to-left override
  CHECK(printable("\xff\xc0\x80") == "\\xff\\xc0\\x80");  // not UTF-8, overlong
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // surrogate
}

TEST_CASE("printable: cut with dots, never inside a character") {
  CHECK(printable("abcdef", 6) == "abcdef");
  CHECK(printable("abcdefg", 6) == "abc...");
  CHECK(printable("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 6) == "\xc3\xa9...");
}

TEST_CASE("crc32c: the check value and chaining") {
  CHECK(crc32c(as_bytes("123456789")) == 0xE3069283U);
  CHECK(crc32c(as_bytes("6789"), crc32c(as_bytes("12345"))) == 0xE3069283U);
  CHECK(crc32c({}) == 0);
}
