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
#include <unordered_map>

#define NCURSES_NOMACROS
#define NCURSES_WIDECHAR 1
#include "base/fd.hpp"
#include "base/printable.hpp"
#include "player/palette.hpp"

#include <curses.h>

#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

// term.h makes macros of the names of all capabilities.
#undef tab
#undef back_tab

namespace sworn::player {
namespace {

constexpr wchar_t k_replacement = 0xFFFD;

// What signal handlers need: written before they are installed, plain data only.
struct SignalState {
  int pipe = -1;
  int tty = -1;
  bool have_modes = false;
  termios modes{};
  std::array<char, 512> restore{};
  std::size_t restore_size = 0;
};
SignalState g_signals;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

extern "C" void on_signal(int number) {
  const int saved = errno;
  const auto byte = static_cast<unsigned char>(number);
  [[maybe_unused]] const auto n = ::write(g_signals.pipe, &byte, 1);
  errno = saved;
}

// The program is broken: leave the terminal usable, then die of the same signal.
extern "C" void on_crash(int number) {
  [[maybe_unused]] const auto n =
      ::write(g_signals.tty, g_signals.restore.data(), g_signals.restore_size);
  if (g_signals.have_modes) {
    ::tcsetattr(g_signals.tty, TCSANOW, &g_signals.modes);
  }
  ::raise(number);
}

void install(int number, void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  ::sigaction(number, &action, nullptr);
}

constexpr std::array<int, 7> k_signals{SIGTERM, SIGHUP,   SIGINT, SIGQUIT,
                                       SIGTSTP, SIGWINCH, SIGCONT};
constexpr std::array<int, 5> k_crashes{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

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

// Codes of our own for arrows with modifiers, which terminfo names differently everywhere.
constexpr int k_modified_base = 0x2000;
enum Modifier : int { mod_shift = 2, mod_alt = 3, mod_ctrl = 5 };

class CursesUi final : public UserInterface {
 public:
  static Result<std::unique_ptr<UserInterface>> open(const CursesOptions& options);
  ~CursesUi() override;
  CursesUi(const CursesUi&) = delete;
  CursesUi& operator=(const CursesUi&) = delete;

  [[nodiscard]] TermSize size() const override;
  bool draw(const Frame& frame) override;
  Wake wait(std::int64_t timeout_us) override;
  std::optional<Key> key() override;
  void notify() override;
  void set_mouse(bool on) override;

 private:
  CursesUi() = default;
  void set_up_modes();
  void set_up_keys();
  Wake handle_signals();
  void stop_and_continue();
  void draw_row(const Frame& frame, int row);
  void draw_cell(const Frame& frame, int row, int col);
  [[nodiscard]] int nearest(vt::Color colour);
  [[nodiscard]] int pair_of(vt::Color fg, vt::Color bg);
  [[nodiscard]] attr_t attributes_of(const Style& style) const;
  [[nodiscard]] std::optional<Key> key_of_code(wint_t code);
  [[nodiscard]] std::optional<Key> key_of_char(wint_t c);
  [[nodiscard]] std::optional<Key> mouse_key();

  SCREEN* screen_ = nullptr;
  ColourDepth depth_ = ColourDepth::none;
  bool utf8_ = false;
  bool test_sync_ = false;
  std::uint64_t updates_ = 0;
  Fd wake_read_;
  Fd wake_write_;
  std::optional<Frame> shown_;
  std::unordered_map<std::uint32_t, int> nearest_;
  std::unordered_map<std::uint64_t, int> pairs_;
  int next_pair_ = 1;
  bool pairs_full_ = false;
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
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    return fail_sys(errno, "cannot make a pipe");
  }
  ui->wake_read_ = Fd(ends[0]);
  ui->wake_write_ = Fd(ends[1]);
  g_signals.pipe = ends[1];
  g_signals.tty = STDOUT_FILENO;
  g_signals.have_modes = ::tcgetattr(STDIN_FILENO, &g_signals.modes) == 0;
  ui->screen_ = ::newterm(nullptr, stdout, stdin);
  if (ui->screen_ == nullptr) {
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
  ui->set_up_keys();
  if (options.colours && ::has_colors()) {
    ::start_color();
    ::use_default_colors();
    ui->depth_ = COLORS >= 256  ? ColourDepth::c256
                 : COLORS >= 16 ? ColourDepth::c16
                                : ColourDepth::c8;
  }
  return std::unique_ptr<UserInterface>(std::move(ui));
}

void CursesUi::set_up_modes() {
  const auto restore = restore_sequence();
  g_signals.restore_size = std::min(restore.size(), g_signals.restore.size());
  std::memcpy(g_signals.restore.data(), restore.data(), g_signals.restore_size);
  for (const int number : k_signals) {
    install(number, on_signal, SA_RESTART);
  }
  for (const int number : k_crashes) {
    install(number, on_crash, static_cast<int>(SA_RESETHAND | SA_NODEFER));
  }
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

void CursesUi::set_up_keys() {
  constexpr std::array<char, 4> k_finals{'A', 'B', 'C', 'D'};
  for (const int modifier : {mod_shift, mod_alt, mod_ctrl}) {
    for (std::size_t i = 0; i < k_finals.size(); ++i) {
      const auto sequence = fmt::format("\033[1;{}{}", modifier, k_finals[i]);
      ::define_key(sequence.c_str(), k_modified_base + modifier * 4 + static_cast<int>(i));
    }
  }
}

CursesUi::~CursesUi() {
  if (screen_ != nullptr) {
    ::endwin();
    ::delscreen(screen_);
  }
  for (const int number : k_signals) {
    install(number, SIG_DFL, 0);
  }
  for (const int number : k_crashes) {
    install(number, SIG_DFL, 0);
  }
  g_signals = SignalState{};
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

int CursesUi::nearest(vt::Color colour) {
  constexpr std::size_t k_remembered = 65'536;
  if (nearest_.size() >= k_remembered) {
    nearest_.clear();
  }
  const auto [it, added] = nearest_.try_emplace(colour.packed, 0);
  if (added) {
    it->second = nearest_colour(colour, depth_);
  }
  return it->second;
}

int CursesUi::pair_of(vt::Color fg, vt::Color bg) {
  if (depth_ == ColourDepth::none) {
    return 0;
  }
  const int front = nearest(fg);
  const int back = nearest(bg);
  if (front < 0 && back < 0) {
    return 0;
  }
  const auto find = [this](int f, int b) {
    const auto key = static_cast<std::uint64_t>(f + 1) << 32U | static_cast<std::uint64_t>(b + 1);
    return pairs_.try_emplace(key, 0);
  };
  auto [it, added] = find(front, back);
  if (!added) {
    return it->second;
  }
  if (next_pair_ >= COLOR_PAIRS) {
    // The table is full: this frame does with the text colour alone, the next one starts afresh.
    pairs_full_ = true;
    pairs_.erase(it);
    const auto [plain, missing] = find(front, -1);
    if (!missing) {
      return plain->second;
    }
    pairs_.erase(plain);
    return 0;
  }
  it->second = next_pair_++;
  ::init_extended_pair(it->second, front, back);
  return it->second;
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
  const int pair = pair_of(cell.style.fg, cell.style.bg);
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
  if (pairs_full_) {
    pairs_full_ = false;
    pairs_.clear();
    next_pair_ = 1;
    ::reset_color_pairs();
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
    const auto sync = fmt::format("\033]7777;{}\007", updates_);
    [[maybe_unused]] const auto n = ::write(STDOUT_FILENO, sync.data(), sync.size());
  }
  return true;
}

void CursesUi::stop_and_continue() {
  ::endwin();
  install(SIGTSTP, SIG_DFL, 0);
  ::raise(SIGTSTP);
  install(SIGTSTP, on_signal, SA_RESTART);
  shown_.reset();
  ::clearok(::curscr, TRUE);
}

Wake CursesUi::handle_signals() {
  Wake wake = Wake::timeout;
  std::array<unsigned char, 64> bytes{};
  while (true) {
    const auto n = ::read(wake_read_.get(), bytes.data(), bytes.size());
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
  std::array<pollfd, 2> fds{{{STDIN_FILENO, POLLIN, 0}, {wake_read_.get(), POLLIN, 0}}};
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

void CursesUi::notify() {
  const unsigned char nothing = 0;
  [[maybe_unused]] const auto n = ::write(wake_write_.get(), &nothing, 1);
}

void CursesUi::set_mouse(bool on) {
  ::mouseinterval(0);
  ::mousemask(on ? BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED : 0, nullptr);
}

std::optional<Key> CursesUi::mouse_key() {
  MEVENT event{};
  if (::getmouse(&event) != OK) {
    return std::nullopt;
  }
  Key key;
  key.row = event.y;
  key.col = event.x;
  if ((event.bstate & BUTTON1_PRESSED) != 0) {
    key.code = KeyCode::click;
  } else if ((event.bstate & BUTTON4_PRESSED) != 0) {
    key.code = KeyCode::wheel_up;
  } else if ((event.bstate & BUTTON5_PRESSED) != 0) {
    key.code = KeyCode::wheel_down;
  } else {
    return std::nullopt;
  }
  return key;
}

std::optional<Key> CursesUi::key_of_code(wint_t code) {
  const auto plain = [](KeyCode which, bool shift = false) {
    Key key;
    key.code = which;
    key.shift = shift;
    return key;
  };
  const int modified = static_cast<int>(code) - k_modified_base;
  if (modified >= mod_shift * 4 && modified < (mod_ctrl + 1) * 4) {
    constexpr std::array<KeyCode, 4> k_arrows{KeyCode::up, KeyCode::down, KeyCode::right,
                                              KeyCode::left};
    auto key = plain(k_arrows[static_cast<std::size_t>(modified % 4)]);
    key.shift = modified / 4 == mod_shift;
    key.alt = modified / 4 == mod_alt;
    key.ctrl = modified / 4 == mod_ctrl;
    return key;
  }
  switch (code) {
    case KEY_UP:
      return plain(KeyCode::up);
    case KEY_DOWN:
      return plain(KeyCode::down);
    case KEY_LEFT:
      return plain(KeyCode::left);
    case KEY_RIGHT:
      return plain(KeyCode::right);
    case KEY_SLEFT:
      return plain(KeyCode::left, true);
    case KEY_SRIGHT:
      return plain(KeyCode::right, true);
    case KEY_SR:
      return plain(KeyCode::up, true);
    case KEY_SF:
      return plain(KeyCode::down, true);
    case KEY_HOME:
      return plain(KeyCode::home);
    case KEY_END:
      return plain(KeyCode::end);
    case KEY_PPAGE:
      return plain(KeyCode::page_up);
    case KEY_NPAGE:
      return plain(KeyCode::page_down);
    case KEY_BACKSPACE:
      return plain(KeyCode::backspace);
    case KEY_DC:
      return plain(KeyCode::delete_forward);
    case KEY_ENTER:
      return plain(KeyCode::enter);
    case KEY_BTAB:
      return plain(KeyCode::back_tab);
    case KEY_F(1):
      return plain(KeyCode::f1);
    case KEY_F(2):
      return plain(KeyCode::f2);
    case KEY_F(5):
      return plain(KeyCode::f5);
    case KEY_MOUSE:
      return mouse_key();
    default:
      return std::nullopt;
  }
}

std::optional<Key> CursesUi::key_of_char(wint_t c) {
  Key key;
  switch (c) {
    case 9:
      key.code = KeyCode::tab;
      return key;
    case 10:
    case 13:
      key.code = KeyCode::enter;
      return key;
    case 8:
    case 127:
      key.code = KeyCode::backspace;
      return key;
    case 27: {
      wint_t next = 0;
      const int rc = ::wget_wch(stdscr, &next);
      if (rc == ERR) {
        key.code = KeyCode::escape;
        return key;
      }
      auto follower = rc == KEY_CODE_YES ? key_of_code(next) : key_of_char(next);
      if (follower) {
        follower->alt = true;
      }
      return follower;
    }
    default:
      break;
  }
  if (c < 32) {
    key.ctrl = true;
    key.c = static_cast<char32_t>(c + 64);
    return key;
  }
  key.c = static_cast<char32_t>(c);
  return key;
}

std::optional<Key> CursesUi::key() {
  while (true) {
    wint_t c = 0;
    const int rc = ::wget_wch(stdscr, &c);
    if (rc == ERR) {
      return std::nullopt;
    }
    const auto key = rc == KEY_CODE_YES ? key_of_code(c) : key_of_char(c);
    if (key) {
      return key;
    }
  }
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
