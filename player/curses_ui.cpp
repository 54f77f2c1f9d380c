// SPDX-License-Identifier: Apache-2.0
#include "player/curses_ui.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <string>

#define NCURSES_NOMACROS
#define NCURSES_WIDECHAR 1
#include "base/printable.hpp"
#include "player/curses_colours.hpp"
#include "player/curses_keys.hpp"
#include "player/curses_signals.hpp"

#include <curses.h>

#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

namespace sworn::player {
namespace {

constexpr wchar_t k_replacement = 0xFFFD;

// A terminfo string without its padding notes ("$<5>").
void append_capability(std::string& out, const char* name) {
  const char* const value = ::tigetstr(name);
  if (value == nullptr || value == reinterpret_cast<const char*>(-1)) {
    return;
  }
  std::string_view left(value);
  while (!left.empty()) {
    const auto pad = left.find("$<");
    out += left.substr(0, pad);
    if (pad == std::string_view::npos) {
      break;
    }
    const auto end = left.find('>', pad);
    left = end == std::string_view::npos ? std::string_view{} : left.substr(end + 1);
  }
}

std::string restore_sequence() {
  std::string out;
  const char* const mouse = ::tigetstr("kmous");
  if (mouse != nullptr && mouse != reinterpret_cast<const char*>(-1)) {
    out += "\033[?1000l\033[?1006l";
  }
  append_capability(out, "sgr0");
  append_capability(out, "op");
  append_capability(out, "rmkx");
  append_capability(out, "cnorm");
  append_capability(out, "rmcup");
  return out;
}

class CursesUi final : public UserInterface {
 public:
  static Result<std::unique_ptr<UserInterface>> open(const CursesOptions& options);
  ~CursesUi() override;
  CursesUi(const CursesUi&) = delete;
  CursesUi& operator=(const CursesUi&) = delete;

  [[nodiscard]] TermSize size() const override;
  bool draw(const Frame& frame) override;
  Wake wait(std::int64_t timeout_us) override;
  std::optional<Key> key() override {
    const auto key = read_key();
    keys_ += key ? 1U : 0U;
    return key;
  }
  void notify() override { signals_.notify(); }
  void set_mouse(bool on) override;

 private:
  CursesUi() = default;
  bool open_terminal(const char* term, bool colours);
  void set_up_modes();
  Wake handle_signals();
  void stop_and_continue();
  void draw_row(const Frame& frame, int row);
  void draw_cell(const Frame& frame, int row, int col);
  [[nodiscard]] attr_t attributes_of(const Style& style) const;

  SignalGuard signals_;
  SCREEN* screen_ = nullptr;
  CursesColours colours_;
  bool utf8_ = false;
  bool test_sync_ = false;
  std::uint64_t updates_ = 0;
  std::uint64_t keys_ = 0;
  std::optional<Frame> shown_;
};

Result<std::unique_ptr<UserInterface>> CursesUi::open(const CursesOptions& options) {
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0) {
    return fail(Errc::bad_usage,
                "the player needs a terminal on standard input and output; for scripts there are "
                "sworn screen, sworn search and sworn export");
  }
  const char* const term = std::getenv("TERM");
  if (term == nullptr || term[0] == '\0') {
    return fail(Errc::bad_usage,
                "TERM is not set: try TERM=xterm-256color sworn play ..., or sworn screen");
  }
  std::unique_ptr<CursesUi> ui(new CursesUi());
  TRY(ui->signals_.open());
  const bool opened = ui->open_terminal(term, options.colours);
  if (!opened) {
    return fail(
        Errc::bad_usage,
        fmt::format("the terminal type \"{}\" is not known on this host, or cannot move its "
                    "cursor: try TERM=xterm-256color or TERM=vt100",
                    printable(term, 40)));
  }
  ::set_term(ui->screen_);
  ui->utf8_ = locale_is_utf8();
  ui->test_sync_ = options.test_sync;
  ui->set_up_modes();
  define_modified_keys();
  if (options.colours) {
    ui->colours_.start();
  }
  return std::unique_ptr<UserInterface>(std::move(ui));
}

// With direct colours where the terminal says that it has them: an entry of our own knows how to
// ask for them. The user's own entry does for everything else.
bool CursesUi::open_terminal(const char* term, bool colours) {
  const char* const direct = colours ? direct_colour_entry(term) : nullptr;
  const auto directory = direct == nullptr ? std::string() : own_terminfo();
  if (!directory.empty()) {
    ::setenv("TERMINFO_DIRS", (directory + ":").c_str(), 1);
    screen_ = ::newterm(direct, stdout, stdin);
  }
  if (screen_ == nullptr) {
    screen_ = ::newterm(nullptr, stdout, stdin);
  }
  return screen_ != nullptr;
}

void CursesUi::set_up_modes() {
  signals_.install(restore_sequence());
  ::set_escdelay(25);
  ::cbreak();
  ::noecho();
  ::nonl();
  ::intrflush(stdscr, FALSE);
  ::keypad(stdscr, TRUE);
  ::nodelay(stdscr, TRUE);
  ::leaveok(stdscr, FALSE);
  ::scrollok(stdscr, FALSE);
  ::curs_set(1);
}

CursesUi::~CursesUi() {
  if (screen_ != nullptr) {
    ::endwin();
    ::delscreen(screen_);
  }
}

TermSize CursesUi::size() const {
  const auto clamp = [](int n) { return static_cast<std::uint16_t>(std::clamp(n, 1, 4096)); };
  return {clamp(::getmaxx(stdscr)), clamp(::getmaxy(stdscr))};
}

attr_t CursesUi::attributes_of(const Style& style) const {
  attr_t attributes = A_NORMAL;
  const auto has = [&style](std::uint16_t bit) { return (style.attributes & bit) != 0; };
  if (has(vt::k_bold)) {
    attributes |= A_BOLD;
  }
  if (has(vt::k_dim)) {
    attributes |= A_DIM;
  }
  if (has(vt::k_italic)) {
    attributes |= A_ITALIC;
  }
  if (has(vt::k_underline_mask)) {
    attributes |= A_UNDERLINE;
  }
  if (has(vt::k_inverse)) {
    attributes |= A_REVERSE;
  }
  return attributes;
}

void CursesUi::draw_cell(const Frame& frame, int row, int col) {
  const auto& cell = frame.at(row, col);
  if (cell.width == 0) {
    return;
  }
  std::array<wchar_t, FrameCell::k_marks + 2> text{};
  std::size_t n = 0;
  auto base = static_cast<wchar_t>(cell.base);
  // The last word on every character: what the C library measures differently would shift the row,
  // and what it does not know may be anything. Controls cannot get here, and would fail this test
  // as well.
  const bool room = cell.width == 1 || frame.at(row, col + 1).width == 0;
  const bool fits = is_showable(cell.base) && ::wcwidth(base) == cell.width && room;
  if (!utf8_ && (cell.base < 0x20 || cell.base > 0x7E)) {
    base = L'?';
  } else if (!fits) {
    base = k_replacement;
  }
  text[n++] = base;
  if (fits && utf8_) {
    for (const auto mark : cell.marks) {
      if (mark != 0 && is_showable(mark) && ::wcwidth(static_cast<wchar_t>(mark)) == 0) {
        text[n++] = static_cast<wchar_t>(mark);
      }
    }
  }
  cchar_t out{};
  const int pair = colours_.pair_of(cell.style.fg, cell.style.bg);
  ::setcchar(&out, text.data(), attributes_of(cell.style), 0, &pair);
  ::mvwadd_wch(stdscr, row, col, &out);
  if (cell.width == 2 && base != static_cast<wchar_t>(cell.base)) {
    text = {L' '};
    ::setcchar(&out, text.data(), attributes_of(cell.style), 0, &pair);
    ::mvwadd_wch(stdscr, row, col + 1, &out);
  }
}

void CursesUi::draw_row(const Frame& frame, int row) {
  const int cols = frame.size().cols;
  if (shown_ && shown_->size() == frame.size()) {
    bool same = true;
    for (int col = 0; col < cols && same; ++col) {
      same = frame.at(row, col) == shown_->at(row, col);
    }
    if (same) {
      return;
    }
  }
  for (int col = 0; col < cols; ++col) {
    draw_cell(frame, row, col);
  }
}

bool CursesUi::draw(const Frame& frame) {
  // A terminal behind a slow line gets fewer frames, never a queue of old ones.
  pollfd out{STDOUT_FILENO, POLLOUT, 0};
  if (::poll(&out, 1, 0) == 0) {
    return false;
  }
  if (colours_.start_afresh()) {
    shown_.reset();
  }
  if (!shown_ || shown_->size() != frame.size()) {
    ::werase(stdscr);
  }
  for (int row = 0; row < frame.size().rows; ++row) {
    draw_row(frame, row);
  }
  if (frame.cursor) {
    ::wmove(stdscr, frame.cursor->row, frame.cursor->col);
  } else {
    ::wmove(stdscr, frame.size().rows - 1, frame.size().cols - 1);
  }
  ::curs_set(frame.cursor ? 1 : 0);
  ::wnoutrefresh(stdscr);
  ::doupdate();
  shown_ = frame;
  ++updates_;
  if (test_sync_) {
    const auto sync = fmt::format("\033]7777;{};{}\007", updates_, keys_);
    [[maybe_unused]] const auto n = ::write(STDOUT_FILENO, sync.data(), sync.size());
  }
  return true;
}

void CursesUi::stop_and_continue() {
  ::endwin();
  SignalGuard::stop();
  shown_.reset();
  ::clearok(::curscr, TRUE);
}

Wake CursesUi::handle_signals() {
  Wake wake = Wake::timeout;
  std::array<unsigned char, 64> bytes{};
  while (true) {
    const auto n = ::read(signals_.wake_fd(), bytes.data(), bytes.size());
    if (n <= 0) {
      return wake;
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
      switch (bytes[i]) {
        case 0:
          wake = wake == Wake::timeout ? Wake::notified : wake;
          break;
        case SIGWINCH:
        case SIGCONT: {
          winsize size{};
          if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 &&
              size.ws_col > 0) {
            ::resizeterm(size.ws_row, size.ws_col);
          }
          shown_.reset();
          ::clearok(::curscr, TRUE);
          wake = Wake::resized;
          break;
        }
        case SIGTSTP:
          stop_and_continue();
          wake = Wake::resized;
          break;
        default:
          return Wake::stop;
      }
    }
  }
}

Wake CursesUi::wait(std::int64_t timeout_us) {
  std::array<pollfd, 2> fds{{{STDIN_FILENO, POLLIN, 0}, {signals_.wake_fd(), POLLIN, 0}}};
  const int timeout =
      timeout_us < 0 ? -1
                     : static_cast<int>(std::min<std::int64_t>((timeout_us + 999) / 1000, 60'000));
  const int ready = ::poll(fds.data(), fds.size(), timeout);
  if (ready < 0) {
    return errno == EINTR ? handle_signals() : Wake::stop;
  }
  if ((fds[1].revents & POLLIN) != 0) {
    const auto wake = handle_signals();
    if (wake != Wake::timeout) {
      return wake;
    }
  }
  if ((fds[0].revents & POLLIN) != 0) {
    return Wake::key;
  }
  if ((fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) {
    return Wake::stop;
  }
  return Wake::timeout;
}

void CursesUi::set_mouse(bool on) {
  ::mouseinterval(0);
  ::mousemask(on ? BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED : 0, nullptr);
}

}  // namespace

bool locale_is_utf8() {
  return std::strcmp(::nl_langinfo(CODESET), "UTF-8") == 0;
}

Result<std::unique_ptr<UserInterface>> open_curses_ui(const CursesOptions& options) {
  std::setlocale(LC_CTYPE, "");
  return CursesUi::open(options);
}

}  // namespace sworn::player
