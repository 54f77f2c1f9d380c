// SPDX-License-Identifier: Apache-2.0
// Sequences into calls on the screen. What asks for an answer (DA, DSR, DECRQM ...), reports keys
// or the mouse, or manages windows is ignored: nobody is there to answer.
#pragma once

#include "player/vt/parser.hpp"
#include "player/vt/screen.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::vt {

inline constexpr std::size_t k_title_bytes = 1024;
inline constexpr std::size_t k_title_stack = 10;  // as xterm

class Interpreter final : public ParserSink {
 public:
  explicit Interpreter(TermSize size) : screen(size) {}

  void print_ascii(std::string_view run) override { screen.print_ascii(run); }
  void print_text(std::span<const char32_t> text) override { screen.print_text(text); }
  void control(std::uint8_t byte) override;
  void escape(std::string_view intermediates, char final) override;
  void csi(const Csi& sequence) override;
  void string(StringKind kind, std::string_view kept, std::uint64_t size) override;

  [[nodiscard]] const std::string& title() const { return title_; }

  void save(ByteWriter& out) const;
  Result<void> load(ByteReader& in);

  Screen screen;

 private:
  // interpreter.cpp
  void plain_escape(char final);
  bool csi_motion(const Csi& sequence);
  bool csi_edit(const Csi& sequence);
  bool csi_other(const Csi& sequence);
  void csi_private(const Csi& sequence);
  void csi_with_intermediate(const Csi& sequence);
  void erase(const Csi& sequence, Erase how);
  void window_operation(const Csi& sequence);
  // interpreter_modes.cpp
  void ansi_modes(const Csi& sequence, bool on);
  void private_modes(const Csi& sequence, bool on);
  void private_mode(int number, bool on);
  void save_modes(const Csi& sequence);
  void restore_modes(const Csi& sequence);
  // interpreter_rectangles.cpp
  void rectangle(const Csi& sequence);
  void change_attributes(const Csi& sequence);
  // interpreter_strings.cpp
  void osc(std::string_view kept, std::uint64_t size);
  void set_title(std::string_view title);
  void drop_image(std::string_view protocol, std::uint64_t size);

  std::string title_;
  std::vector<std::string> title_stack_;
  std::uint32_t saved_mode_bits_ =
      0;  // XTSAVE: their values; bit k_mode_count: the alternate screen
  std::uint32_t saved_mode_mask_ = 0;  // which were saved
};

}  // namespace sworn::vt
