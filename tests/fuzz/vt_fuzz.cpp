// SPDX-License-Identifier: Apache-2.0
// Hostile terminal output. Two bytes of size, then output; 0xff (never part of UTF-8) gives an
// order: 0 goes through a snapshot, 1 resizes to the next two bytes, all else is output. A second
// terminal gets the same in other pieces and must end in the same state.
#include "player/vt/terminal.hpp"
#include "tests/fuzz/vt_check.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace {

using sworn::ByteView;
using sworn::TermSize;
using sworn::test::must;
using sworn::vt::Terminal;

// A hook that looks at the terminal, as the search index does.
class Looker final : public sworn::vt::Hooks {
 public:
  explicit Looker(const Terminal& terminal) : terminal_(terminal) {}
  void on_row_scrolled_off(std::span<const sworn::vt::Cell> row, bool /*wrapped*/,
                           std::uint64_t id) override {
    must(row.size() == terminal_.size().cols && id > 0);
  }
  void on_cleared() override { look(); }
  void on_alternate_screen(bool active) override {
    must(active != terminal_.alternate_screen());
    look();
  }
  void on_osc(int number, std::string_view payload) override {
    must(number > 0 && payload.size() <= 8192);
  }

 private:
  void look() {
    if (++looks_ < 50) {
      sworn::test::check_row(terminal_, terminal_.size().rows - 1);
    }
  }
  const Terminal& terminal_;
  int looks_ = 0;
};

TermSize size_of(std::uint8_t cols, std::uint8_t rows) {
  return {.cols = static_cast<std::uint16_t>(cols % 140 + 1),
          .rows = static_cast<std::uint16_t>(rows % 50 + 1)};
}

void through_snapshot(Terminal& terminal) {
  const auto snapshot = terminal.save();
  must(terminal.load(snapshot).has_value());
  must(terminal.save() == snapshot);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const std::span<const std::uint8_t> input(data, size);
  Terminal first(size_of(input[0], input[1]));
  Terminal second(size_of(input[0], input[1]));
  Looker looker(first);
  first.set_hooks(&looker);
  for (std::size_t at = 2; at < size;) {
    if (input[at] == 0xFF && at + 1 < size && input[at + 1] == 0) {
      through_snapshot(second);
      at += 2;
    } else if (input[at] == 0xFF && at + 3 < size && input[at + 1] == 1) {
      first.resize(size_of(input[at + 2], input[at + 3]));
      second.resize(size_of(input[at + 2], input[at + 3]));
      sworn::test::check_terminal(first);
      at += 4;
    } else {
      std::size_t end = at + 1;
      while (end < size && input[end] != 0xFF) {
        ++end;
      }
      const ByteView piece = std::as_bytes(input.subspan(at, end - at));
      first.feed(piece);
      const std::size_t cut = input[at] % (piece.size() + 1);
      second.feed(piece.first(cut));
      second.feed(piece.subspan(cut));
      at = end;
    }
  }
  sworn::test::check_terminal(first);
  through_snapshot(first);
  must(first.save() == second.save());
  return 0;
}
