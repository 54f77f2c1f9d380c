// SPDX-License-Identifier: Apache-2.0
// Trail lines of any bytes: never proven unless they are; a whole one survives being read.
#include "audit/trail/trail_chain.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sworn::audit::trail;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  TrailVerifier verifier;
  verifier.file("f");
  std::uint64_t number = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    verifier.line(rest.substr(0, end), ++number, end == rest.size());
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (verifier.proven() > verifier.lines()) {
    std::abort();
  }
  if (text.find('\n') == std::string_view::npos && !text.empty()) {
    ChainState state{std::string(32, 'a'), 5, std::string(64, 'b')};
    auto line = chained_line(std::string(text) + "}", state);
    line.pop_back();
    const auto read = read_chained_line(line);
    if (!read || !read->proven || read->seq != 5) {
      std::abort();
    }
  }
  return 0;
}
