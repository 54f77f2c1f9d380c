// SPDX-License-Identifier: Apache-2.0
// Salvage of a hostile file: the copy proves as much as the source did and nothing more.
#include "format/salvage.hpp"
#include "format/verify.hpp"
#include "tests/fuzz/mend.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace sworn;
  using namespace sworn::format;
  const auto file = fuzz::hostile_file(bytes, size);
  test::FakeClock clock;
  test::FakeEntropy entropy;
  test::MemFile copy;
  if (!salvage(file, "", copy, clock, entropy, "fuzz")) {
    return 0;
  }
  const auto before = verify(file).value();
  const auto after = verify(copy).value();
  if (after.seals != before.seals || after.events != before.events ||
      after.verdict == Verdict::self_consistent) {
    std::abort();
  }
  return 0;
}
