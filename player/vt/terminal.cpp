// SPDX-License-Identifier: Apache-2.0
#include "player/vt/terminal.hpp"

#include "player/vt/interpreter.hpp"
#include "player/vt/parser.hpp"

namespace sworn::vt {
namespace {

constexpr std::uint32_t k_snapshot_magic = 0x54565753;  // "SWVT"

}  // namespace

struct Terminal::Impl {
  explicit Impl(TermSize size) : interpreter(size) {}

  [[nodiscard]] const Screen& screen() const { return interpreter.screen; }

  Parser parser;
  Interpreter interpreter;
};

Terminal::Terminal(TermSize size) : impl_(std::make_unique<Impl>(size)) {}
Terminal::~Terminal() = default;
Terminal::Terminal(Terminal&&) noexcept = default;
Terminal& Terminal::operator=(Terminal&&) noexcept = default;

void Terminal::set_hooks(Hooks* hooks) {
  impl_->interpreter.screen.hooks = hooks;
}

void Terminal::feed(ByteView bytes) {
  impl_->parser.feed(bytes, impl_->interpreter, impl_->interpreter.screen.now);
}

void Terminal::resize(TermSize size) {
  impl_->interpreter.screen.resize(size);
}

TermSize Terminal::size() const {
  const Grid& grid = impl_->screen().grid();
  return {.cols = static_cast<std::uint16_t>(grid.cols()),
          .rows = static_cast<std::uint16_t>(grid.rows())};
}

Cursor Terminal::cursor() const {
  const Screen& screen = impl_->screen();
  return {.row = screen.position().row,
          .col = screen.position().col,
          .visible = screen.modes().has(Mode::cursor_visible),
          .pending_wrap = screen.position().pending_wrap,
          .shape = screen.cursor_shape};
}

std::span<const Cell> Terminal::row(int index) const {
  return impl_->screen().grid().view(index);
}

bool Terminal::row_wrapped(int index) const {
  return impl_->screen().grid().info(index).wrapped;
}

std::uint64_t Terminal::row_id(int index) const {
  return impl_->screen().grid().info(index).id;
}

std::uint64_t Terminal::row_stamp(int index) const {
  return impl_->screen().grid().info(index).stamp;
}

bool Terminal::alternate_screen() const {
  return impl_->screen().on_alternate();
}

bool Terminal::reverse_video() const {
  return impl_->screen().modes().has(Mode::reverse_video);
}

const std::string& Terminal::title() const {
  return impl_->interpreter.title();
}

std::string_view Terminal::link(std::uint16_t id) const {
  return impl_->screen().link(id);
}

void Terminal::append_cell_text(std::string& out, const Cell& cell) const {
  impl_->screen().append_text(out, cell);
}

std::string Terminal::row_text(int index) const {
  std::string text;
  std::size_t end = 0;
  for (const Cell& cell : row(index)) {
    append_cell_text(text, cell);
    if (cell.glyph != 0 && cell.glyph != U' ') {
      end = text.size();
    }
  }
  text.resize(end);
  return text;
}

Bytes Terminal::save() const {
  Bytes snapshot;
  ByteWriter out(snapshot);
  out.u32(k_snapshot_magic).u32(k_emulator_version);
  impl_->parser.save(out);
  impl_->interpreter.save(out);
  return snapshot;
}

Result<void> Terminal::load(ByteView snapshot) {
  ByteReader in(snapshot);
  TRY_ASSIGN(const auto magic, in.u32());
  TRY_ASSIGN(const auto version, in.u32());
  if (magic != k_snapshot_magic) {
    return fail(Errc::corrupt, "snapshot: these bytes are none");
  }
  if (version != k_emulator_version) {
    return fail(Errc::unsupported, "snapshot: made by another version of the emulator");
  }
  auto fresh = std::make_unique<Impl>(TermSize{.cols = 1, .rows = 1});
  TRY(fresh->parser.load(in));
  TRY(fresh->interpreter.load(in));
  if (!in.done()) {
    return fail(Errc::corrupt, "snapshot: there are bytes behind its end");
  }
  fresh->interpreter.screen.hooks = impl_->interpreter.screen.hooks;
  impl_ = std::move(fresh);
  return {};
}

}  // namespace sworn::vt
