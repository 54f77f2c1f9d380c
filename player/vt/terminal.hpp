// SPDX-License-Identifier: Apache-2.0
// The terminal model: bytes in, a grid of cells out. No I/O, no replies, no clock; the same bytes
// give the same screen on every host (widths come from a frozen table, not from the locale). Input
// is hostile: every string, parameter, size and table is bounded. Follows tmux/VTE where terminals
// differ. One thread per Terminal; copies of nothing are handed out, views die with the next
// feed/resize/load.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/term_size.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace sworn::vt {

// Bump when the same bytes may give another screen or another snapshot: caches are keyed by it.
inline constexpr std::uint32_t k_emulator_version = 1;

enum class ColorKind : std::uint8_t { none = 0, palette = 1, rgb = 2 };

// none: the default colour; palette: value 0..255; rgb: value 0xRRGGBB.
struct Color {
  std::uint32_t packed = 0;  // kind << 24 | value
  [[nodiscard]] ColorKind kind() const { return static_cast<ColorKind>(packed >> 24U); }
  [[nodiscard]] std::uint32_t value() const { return packed & 0xFFFFFFU; }
  friend bool operator==(const Color&, const Color&) = default;
};

enum class Underline : std::uint8_t { none = 0, single, double_, curly, dotted, dashed };

// Bits of Cell::attributes.
inline constexpr std::uint16_t k_bold = 1U << 0U;
inline constexpr std::uint16_t k_dim = 1U << 1U;
inline constexpr std::uint16_t k_italic = 1U << 2U;
inline constexpr std::uint16_t k_underline_shift = 3;  // three bits: Underline
inline constexpr std::uint16_t k_underline_mask = 7U << 3U;
inline constexpr std::uint16_t k_blink = 1U << 6U;
inline constexpr std::uint16_t k_inverse = 1U << 7U;
inline constexpr std::uint16_t k_conceal = 1U << 8U;
inline constexpr std::uint16_t k_strike = 1U << 9U;
inline constexpr std::uint16_t k_overline = 1U << 10U;
inline constexpr std::uint16_t k_protect = 1U << 11U;
inline constexpr std::uint16_t k_wide = 1U << 12U;          // first half of a two-column character
inline constexpr std::uint16_t k_continuation = 1U << 13U;  // second half

struct Cell {
  std::uint32_t glyph = 0;  // 0: never written; < 0x110000: code point; else interned cluster
  Color fg{};
  Color bg{};
  std::uint16_t attributes = 0;
  std::uint16_t link = 0;  // 0: none; else index for Terminal::link()
  friend bool operator==(const Cell&, const Cell&) = default;
};
static_assert(sizeof(Cell) == 16);

struct Cursor {
  int row = 0;  // 0-based, on the visible screen
  int col = 0;
  bool visible = true;
  bool pending_wrap = false;  // the last column was written, the next character wraps first
  int shape = 0;              // DECSCUSR parameter
};

// What the byte stream says beside the picture. Default implementations do nothing. Called from
// feed(); strings are bounded, unsanitised and valid during the call only.
class Hooks {
 public:
  virtual ~Hooks() = default;
  // A row left the top of the primary screen (before it is reused). `wrapped`: it continues in the
  // next.
  virtual void on_row_scrolled_off(std::span<const Cell> /*row*/, bool /*wrapped*/,
                                   std::uint64_t /*row_id*/) {}
  virtual void on_title(std::string_view /*title*/) {}
  virtual void on_bell() {}
  // 7 (directory), 9 and 777 (notice), 52 (clipboard), 133 and 633 (shell marks), 1337 except
  // images.
  virtual void on_osc(int /*number*/, std::string_view /*payload*/) {}
  virtual void on_alternate_screen(bool /*active*/) {}
  virtual void on_cleared() {}  // ED 2, ED 3, ED 0 from the first cell, RIS: the whole screen goes
  virtual void on_image_dropped(std::string_view /*protocol*/, std::size_t /*bytes*/) {}
};

class Terminal {
 public:
  // Sizes are clamped to 1..4096 each way and to 2^20 cells in all (fewer rows).
  explicit Terminal(TermSize size);
  ~Terminal();
  Terminal(Terminal&&) noexcept;
  Terminal& operator=(Terminal&&) noexcept;
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  void set_hooks(Hooks* hooks);  // not owned; nullptr: none
  void feed(ByteView bytes);
  // xterm semantics: no reflow; growing brings back rows that scrolled off, up to 100. Calls no
  // hooks.
  void resize(TermSize size);

  [[nodiscard]] TermSize size() const;
  [[nodiscard]] Cursor cursor() const;
  [[nodiscard]] std::span<const Cell> row(int index) const;  // the active screen; size().cols cells
  [[nodiscard]] bool row_wrapped(int index) const;           // continues in the next row
  // Follows a line as it scrolls; changes when the row is reused. For the search index.
  [[nodiscard]] std::uint64_t row_id(int index) const;
  // Grows whenever the content of that row may have changed: the count of bytes fed when it last
  // did. It does not depend on how the bytes were cut into feeds.
  [[nodiscard]] std::uint64_t row_stamp(int index) const;
  [[nodiscard]] bool alternate_screen() const;
  [[nodiscard]] bool reverse_video() const;  // DECSCNM
  [[nodiscard]] const std::string& title() const;
  // The target; the number is good until the next feed. "" for 0 and for numbers that are not in
  // use.
  [[nodiscard]] std::string_view link(std::uint16_t id) const;

  // The text of a cell in UTF-8, combining marks included, unsanitised; a blank cell gives " ", the
  // second half of a wide character "".
  void append_cell_text(std::string& out, const Cell& cell) const;
  [[nodiscard]] std::string row_text(int index) const;  // trailing blanks removed

  // Complete state, parser included: load(save()) continues exactly. The loader is bounded and
  // takes hostile bytes; after an error the terminal is unchanged.
  [[nodiscard]] Bytes save() const;
  Result<void> load(ByteView snapshot);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sworn::vt
