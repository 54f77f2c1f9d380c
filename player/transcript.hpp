// SPDX-License-Identifier: Apache-2.0
// Readable text of what a terminal showed, in the order in which it was shown: lines as they scroll
// away, are replaced or cleared, and what still stands when somebody asks. Wrapped lines are
// joined. What a full-screen program draws comes once per line and run of the program. Nothing that
// stood on the screen at the end of an event, scrolled off or was cleared is missing. One thread.
#pragma once

#include "player/vt/terminal.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace sworn::player {

class TranscriptBuilder final : public vt::Hooks {
 public:
  // Called with UTF-8 lines, unsanitised, without line feed. `full_screen`: of a full-screen
  // program.
  using LineSink = std::function<void(std::string_view line, bool full_screen)>;

  TranscriptBuilder(vt::Terminal& terminal, LineSink sink);
  ~TranscriptBuilder() override { terminal_.set_hooks(nullptr); }
  TranscriptBuilder(const TranscriptBuilder&) = delete;
  TranscriptBuilder& operator=(const TranscriptBuilder&) = delete;

  // After each event that can have changed the picture.
  void after_event();
  // Everything that stands on the screen and was not told yet.
  void flush();

  void on_row_scrolled_off(std::span<const vt::Cell> row, bool wrapped,
                           std::uint64_t row_id) override;
  void on_cleared() override {
    after_event();
    flush();
  }

 private:
  static constexpr std::uint64_t k_no_row = UINT64_MAX;
  struct Slot {
    std::uint64_t id = k_no_row;
    std::uint64_t stamp = 0;
    std::string text;
    bool told = false;  // exactly this text was told
  };

  void follow_rows();
  void leave(Slot& slot);
  void tell(std::string text);
  void tell_carry();
  Slot* find(std::uint64_t id, std::size_t hint);

  vt::Terminal& terminal_;
  LineSink sink_;
  std::vector<Slot> slots_;
  std::vector<Slot> next_;
  std::string carry_;  // rows of a wrapped line that scrolled off
  std::size_t hint_ = 0;
  bool full_screen_ = false;
  std::unordered_set<std::size_t> seen_;  // hashes of lines of this full-screen program
};

}  // namespace sworn::player
