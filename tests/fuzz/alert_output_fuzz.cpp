// SPDX-License-Identifier: Apache-2.0
// Output of any bytes as lines: the same whatever pieces it comes in, bounded, without controls.
#include "audit/alert/output_lines.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sworn::audit::alert::OutputLines;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto lines = [&](std::size_t piece) {
    OutputLines out;
    std::string all;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      out.feed(text.substr(at, piece), [&](std::string_view line) {
        if (line.empty() || line.size() > OutputLines::k_max_line ||
            line.find_first_of("\r\n\x1b") != std::string_view::npos) {
          std::abort();
        }
        all += line;
        all += '\n';
      });
    }
    return all + out.unfinished();
  };
  if (lines(1) != lines(1000)) {
    std::abort();
  }
  return 0;
}
