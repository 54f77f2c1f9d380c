// SPDX-License-Identifier: Apache-2.0
// Hostile snapshots: the input is the state behind the header. What loads must be a terminal that
// holds its invariants, survives output and a resize, and saves to what loads again.
#include "player/vt/terminal.hpp"
#include "tests/fuzz/vt_check.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace {

constexpr std::size_t k_header = 8;
// Something of everything: margins, both screens, edits, wide characters, marks, resets.
constexpr std::string_view k_output =
    "x\xcc\x81\xe6\xbc\xa2\x1b[3b\t\x1b[Z\r\n\x1bM\x1b[2@\x1b[2P\x1b[L\x1b[M\x1b[S\x1b[T\x1b"
    "8\x1b[?6h\x1b[5;5H"
    "wrap wrap wrap wrap wrap wrap wrap wrap wrap wrap wrap wrap wrap wrap wrap wrap wrap wrap "
    "wrap wrap"
    "\x1b[?1049h\x1b[2;3r\x1b[?69h\x1b[2;9s\n\n\x1b['}\x1b[$x\x1b[4;4;9;9;1;2;2$v\x1b[J\x1b[?"
    "1049l\x1b[23;2t\x1b[?7r"
    "\x1b]8;;http://a/\x07link\x1b#8\x1b[!p\x1b"
    "c";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sworn::test::check_terminal;
  using sworn::test::must;
  sworn::vt::Terminal terminal({.cols = 4, .rows = 2});
  const auto own = terminal.save();
  sworn::Bytes snapshot(own.begin(), own.begin() + k_header);
  sworn::append(snapshot, std::as_bytes(std::span(data, size)));
  if (!terminal.load(snapshot)) {
    must(terminal.save() == own);
    return 0;
  }
  if (int{terminal.size().cols} * terminal.size().rows > 100000) {
    return 0;  // correct, but too slow for a fuzzer
  }
  check_terminal(terminal);
  const auto saved = terminal.save();
  must(terminal.load(saved).has_value());
  must(terminal.save() == saved);
  for (std::size_t i = 0; i < k_output.size(); ++i) {
    terminal.feed(sworn::as_bytes(k_output.substr(i, 1)));
  }
  check_terminal(terminal);
  must(terminal.load(saved).has_value());
  terminal.resize({.cols = 33, .rows = 200});
  check_terminal(terminal);
  terminal.feed(sworn::as_bytes(k_output));
  terminal.resize({.cols = 2, .rows = 1});
  check_terminal(terminal);
  return 0;
}
