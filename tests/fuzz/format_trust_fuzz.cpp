// SPDX-License-Identifier: Apache-2.0
// Hostile trust stores: what is accepted must write and read back the same.
#include "format/trust.hpp"

#include <cstdlib>

using namespace sworn::format;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto store = TrustStore::parse({reinterpret_cast<const char*>(data), size});
  if (store) {
    const std::string text = store->text();
    if (TrustStore::parse(text).value().text() != text) {
      std::abort();
    }
  }
  return 0;
}
