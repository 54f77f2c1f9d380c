// SPDX-License-Identifier: Apache-2.0
#include "tests/vt/script.hpp"

#include "base/printable.hpp"
#include "player/vt/terminal.hpp"
#include "player/vt/utf8.hpp"
#include "tests/vt/script_text.hpp"

#include <fmt/format.h>

#include <fstream>
#include <map>
#include <set>

namespace sworn::test {
namespace {

using vt::Cell;
using vt::Terminal;

constexpr TermSize k_size = {.cols = 80, .rows = 25};  // what these scripts assume

// The colours that the scripts name, in the order of the palette.
constexpr const char* k_palette[] = {"0,0,0",   "224,0,0",   "0,224,0",   "224,224,0",
                                     "0,0,224", "224,0,224", "0,224,224", "224,224,224"};

std::string color_text(vt::Color color, const char* standard) {
  const unsigned value = color.value();
  switch (color.kind()) {
    case vt::ColorKind::none:
      return fmt::format("rgb({})", standard);
    case vt::ColorKind::palette:
      return value < 8 ? fmt::format("rgb({})", k_palette[value]) : fmt::format("idx({})", value);
    case vt::ColorKind::rgb:
      break;
  }
  return fmt::format("rgb({},{},{})", value >> 16U, (value >> 8U) & 0xFFU, value & 0xFFU);
}

std::string attribute_text(const Cell& cell, bool reverse_video) {
  const auto has = [&](unsigned bit) { return (cell.attributes & bit) != 0; };
  const unsigned underline = (cell.attributes & vt::k_underline_mask) >> vt::k_underline_shift;
  std::string text;
  text += has(vt::k_bold) ? "B" : "";
  text += underline != 0 ? fmt::format("U{}", underline) : "";
  text += has(vt::k_italic) ? "I" : "";
  text += has(vt::k_blink) ? "K" : "";
  text += has(vt::k_inverse) != reverse_video ? "R" : "";
  text += has(vt::k_conceal) ? "C" : "";
  text += has(vt::k_dim) ? "D" : "";
  text += has(vt::k_strike) ? "X" : "";
  text += has(vt::k_overline) ? "O" : "";
  return text;
}

class Runner {
 public:
  explicit Runner(const std::string& path) : path_(path), terminal_(k_size) {
    begin_section("start");
  }

  std::vector<SectionResult> run() {
    std::ifstream file(path_);
    std::string line;
    if (!file) {
      fail("cannot be read");
    }
    while (std::getline(file, line)) {
      ++number_;
      const auto text = trim(line);
      if (text.empty() || text.starts_with('#')) {
        continue;
      }
      if (text.starts_with('!')) {
        check_glyphs();
        begin_section(std::string(trim(text.substr(1))));
      } else {
        one_line(text);
      }
    }
    check_glyphs();
    return std::move(results_);
  }

 private:
  void begin_section(std::string name) { results_.push_back({.name = std::move(name)}); }
  void fail(const std::string& what) {
    results_.back().failures.push_back(fmt::format("line {}: {}", number_, printable(what, 400)));
  }
  void expect(const std::string& what, const std::string& got, const std::string& wanted) {
    ++results_.back().checks;
    if (got != wanted) {
      fail(fmt::format("{} is \"{}\", not \"{}\"", what, got, wanted));
    }
  }

  void one_line(std::string_view text) {
    if (text.starts_with("$REP ") || text.starts_with("$SEQ ")) {
      repeat(text);
    } else if (text.starts_with('?')) {
      check_glyphs();
      query(text.substr(1));
    } else if (text.front() >= 'A' && text.front() <= 'Z') {
      check_glyphs();
      command(text);
    } else {
      event(text);
    }
  }

  // $REP 3: line   $SEQ 1 3: line with \# for the number
  void repeat(std::string_view text) {
    const auto [head, line] = split_at(text, ':');
    const auto words = words_of(head);
    const bool counts = words[0] == "$SEQ";
    const int first = counts ? std::stoi(std::string(words[1])) : 1;
    const int last = std::stoi(std::string(words[counts ? 2 : 1]));
    for (int i = first; i <= last; ++i) {
      std::string one(line);
      for (auto at = one.find("\\#"); counts && at != std::string::npos; at = one.find("\\#")) {
        one.replace(at, 2, std::to_string(i));
      }
      one_line(one);
    }
  }

  void command(std::string_view text) {
    const auto word = words_of(text).front();
    const auto rest = trim(text.substr(word.size()));
    static const std::set<std::string_view> k_no_matter = {
        "WANTSTATE",   "WANTSCREEN", "WANTPARSER", "UTF8",          "DAMAGEMERGE",
        "DAMAGEFLUSH", "MOUSEMOVE",  "MOUSEBTN",   "INCHAR",        "INKEY",
        "FOCUS",       "PASTE",      "SELECTION",  "SETDEFAULTCOL", "WANTENCODING"};
    if (word == "INIT") {
      terminal_ = Terminal(k_size);
    } else if (word == "RESET") {
      push(
          "\x1b"
          "c");
    } else if (word == "RESIZE") {
      const auto numbers = parse_numbers(rest);
      if (!numbers || numbers->size() != 2) {
        return fail("RESIZE needs rows,cols");
      }
      terminal_.resize({.cols = static_cast<std::uint16_t>((*numbers)[1]),
                        .rows = static_cast<std::uint16_t>((*numbers)[0])});
    } else if (word == "PUSH") {
      const auto bytes = parse_bytes(rest);
      bytes ? push(*bytes) : fail("PUSH cannot be read");
    } else if (word == "ENCIN") {
      const auto bytes = parse_bytes(rest);
      bytes ? decode(*bytes) : fail("ENCIN cannot be read");
    } else if (!k_no_matter.contains(word)) {
      fail(fmt::format("unknown command {}", word));
    }
  }

  void push(std::string_view bytes) { terminal_.feed(as_bytes(bytes)); }

  void decode(std::string_view bytes) {
    decoded_.clear();
    for (std::size_t i = 0; i < bytes.size();) {
      const auto byte = static_cast<std::uint8_t>(bytes[i]);
      if (byte < 0x80 && !decoder_.pending()) {
        decoded_.push_back(byte);
        ++i;
        continue;
      }
      const auto step = decoder_.step(byte);
      if (step == vt::Utf8Step::done) {
        decoded_.push_back(decoder_.value());
      } else if (step != vt::Utf8Step::more) {
        decoded_.push_back(vt::k_replacement);
      }
      i += step == vt::Utf8Step::broken ? 0U : 1U;
    }
  }

  // What happened during the last command. `putglyph 0x65,0x301 1 0,0 prot` waits until the command
  // is over, because a later one may fall on the same cell.
  void event(std::string_view text) {
    const auto words = words_of(text);
    if (words[0] == "putglyph" && words.size() >= 4) {
      const auto position = parse_numbers(words[3]);
      const auto points = parse_numbers(words[1]);
      const bool other_size = text.find(" dwl") != std::string_view::npos;
      if (!position || position->size() != 2 || !points || other_size) {
        return fail(fmt::format("not shown: {}", text));
      }
      glyphs_[{static_cast<int>((*position)[0]), static_cast<int>((*position)[1])}] = {
          .text = to_utf8(*points), .wide = words[2] == "2", .protect = text.ends_with(" prot")};
    } else if (words[0] == "movecursor") {
      query("cursor = " + std::string(words[1]));
    } else if (words[0] == "encout") {
      const auto list = trim(text.substr(words[0].size()));
      ++results_.back().checks;
      if (parse_numbers(list) != decoded_) {
        fail(fmt::format("decoded {:x}, not {}", fmt::join(decoded_, ","), list));
      }
    } else if (words[0] == "settermprop" && words.size() >= 3) {
      termprop(words[1], trim(text.substr(text.find(words[2]))));
    }
  }

  void termprop(std::string_view which, std::string_view value) {
    if (which == "1") {
      expect("cursor visible", terminal_.cursor().visible ? "true" : "false", std::string(value));
    } else if (which == "4" && value.starts_with('[') && value.ends_with(']')) {
      const auto title = parse_bytes(value.substr(1, value.size() - 2));
      expect("title", terminal_.title(), title.value_or("?"));
    }
  }

  struct Glyph {
    std::string text;
    bool wide = false;
    bool protect = false;
  };

  void check_glyphs() {
    for (const auto& [at, glyph] : glyphs_) {
      const auto size = terminal_.size();
      if (at.first >= size.rows || at.second >= size.cols) {
        fail("putglyph outside the screen");
        continue;
      }
      const Cell& cell = terminal_.row(at.first)[static_cast<std::size_t>(at.second)];
      std::string text;
      terminal_.append_cell_text(text, cell);
      const auto where = fmt::format("cell {},{}", at.first, at.second);
      expect(where, text, glyph.text);
      expect(where + " wide", (cell.attributes & vt::k_wide) != 0 ? "1" : "0",
             glyph.wide ? "1" : "0");
      expect(where + " protected", (cell.attributes & vt::k_protect) != 0 ? "1" : "0",
             glyph.protect ? "1" : "0");
    }
    glyphs_.clear();
  }

  void query(std::string_view text) {
    const auto [left, wanted] = split_at(text, '=');
    const auto words = words_of(left);
    const auto place = words.size() > 1 ? parse_numbers(words[1]) : std::vector<unsigned>();
    const std::string what(left);
    if (words[0] == "cursor") {
      const auto cursor = terminal_.cursor();
      expect(what, fmt::format("{},{}", cursor.row, cursor.col), std::string(wanted));
    } else if (words[0] == "pending_wrap") {
      expect(what, terminal_.cursor().pending_wrap ? "1" : "0", std::string(wanted));
    } else if (words[0] == "pen") {
      pen(words[1], wanted);
    } else if (words[0] == "title") {
      expect(what, terminal_.title(), parse_bytes(wanted).value_or("?"));
    } else if (words[0] == "alternate") {
      expect(what, terminal_.alternate_screen() ? "1" : "0", std::string(wanted));
    } else if (words[0] == "reverse_video") {
      expect(what, terminal_.reverse_video() ? "1" : "0", std::string(wanted));
    } else if (words[0] == "cursor_shape") {
      expect(what, std::to_string(terminal_.cursor().shape), std::string(wanted));
    } else if (place && (place->size() == 1 || place->size() == 2 || place->size() == 4)) {
      screen_query(words[0], *place, wanted, what);
    } else {
      fail(fmt::format("unknown query {}", text));
    }
  }

  void screen_query(std::string_view kind, const std::vector<unsigned>& place,
                    std::string_view wanted, const std::string& what) {
    const int row = static_cast<int>(place[0]);
    const std::size_t col = place.size() > 1 ? place[1] : 0;
    if (row >= terminal_.size().rows || col >= terminal_.size().cols) {
      return fail(fmt::format("{} is outside the screen", what));
    }
    if (kind == "screen_row") {
      const unsigned line = place[0];
      expect(what, block({line, 0, line + 1, terminal_.size().cols}), wanted_text(wanted));
    } else if (kind == "screen_chars" && place.size() == 4) {
      expect(what, block(place), wanted_text(wanted));
    } else if (kind == "screen_text" && place.size() == 4) {
      const auto bytes = parse_numbers(wanted).value_or(std::vector<unsigned>{'?'});
      std::string text;
      for (const unsigned byte : bytes) {
        text += static_cast<char>(byte);
      }
      expect(what, block(place), text);
    } else if (kind == "screen_cell") {
      expect(what, cell_text(row, col), std::string(wanted));
    } else if (kind == "screen_eol") {
      const bool empty =
          terminal_.row_text(row).size() <= col;  // the scripts ask in ASCII rows only
      expect(what, empty ? "1" : "0", std::string(wanted));
    } else if (kind == "screen_attrs_extent") {
      expect(what, extent(row, col), std::string(wanted));
    } else if (kind == "lineinfo") {
      std::string info = row > 0 && terminal_.row_wrapped(row - 1) ? "cont" : "";
      expect(what, info, std::string(wanted));
    } else {
      fail(fmt::format("unknown query {}", what));
    }
  }

  static std::string wanted_text(std::string_view wanted) {
    if (wanted.starts_with('"')) {
      return parse_bytes(wanted).value_or("?");
    }
    return to_utf8(parse_numbers(wanted).value_or(std::vector<unsigned>{'?'}));
  }

  std::string block(const std::vector<unsigned>& place) const {
    std::string text;
    for (unsigned row = place[0]; row < place[2]; ++row) {
      std::string line;
      std::size_t end = 0;
      const auto cells = terminal_.row(static_cast<int>(row));
      for (unsigned col = place[1]; col < place[3] && col < cells.size(); ++col) {
        terminal_.append_cell_text(line, cells[col]);
        end = cells[col].glyph != 0 ? line.size() : end;
      }
      line.resize(end);
      text += (row == place[0] ? "" : "\n") + line;
    }
    return text;
  }

  std::string cell_text(int row, std::size_t col) const {
    const Cell& cell = terminal_.row(row)[col];
    std::string points;
    std::string text;
    terminal_.append_cell_text(text, cell);
    vt::Utf8Decoder decoder;
    for (const char c : cell.glyph == 0 ? std::string() : text) {
      const auto byte = static_cast<std::uint8_t>(c);
      const bool ascii = byte < 0x80;
      if (ascii || decoder.step(byte) == vt::Utf8Step::done) {
        points += fmt::format("{}0x{:x}", points.empty() ? "" : ",",
                              ascii ? byte : unsigned{decoder.value()});
      }
    }
    return fmt::format("{{{}}} width={} attrs={{{}}} fg={} bg={}", points,
                       (cell.attributes & vt::k_wide) != 0 ? 2 : 1,
                       attribute_text(cell, terminal_.reverse_video()),
                       color_text(cell.fg, "240,240,240"), color_text(cell.bg, "0,0,0"));
  }

  std::string extent(int row, std::size_t col) const {
    const auto cells = terminal_.row(row);
    const auto style = [&](std::size_t at) {
      return attribute_text(cells[at], false) + color_text(cells[at].fg, "") +
             color_text(cells[at].bg, "");
    };
    std::size_t first = col;
    std::size_t last = col;
    while (first > 0 && style(first - 1) == style(col)) {
      --first;
    }
    while (last + 1 < cells.size() && style(last + 1) == style(col)) {
      ++last;
    }
    return fmt::format("{},{}-{},{}", row, first, row + 1, last);
  }

  // The pen is seen in what it writes: on a copy.
  void pen(std::string_view which, std::string_view wanted) {
    Terminal copy(k_size);
    if (!copy.load(terminal_.save())) {
      return fail("the snapshot does not load");
    }
    copy.feed(as_bytes("\x1b[HX"));
    const Cell cell = copy.row(copy.cursor().row)[static_cast<std::size_t>(copy.cursor().col - 1)];
    const auto on = [&](unsigned bit) {
      return std::string((cell.attributes & bit) != 0 ? "on" : "off");
    };
    const std::map<std::string_view, std::string> values = {
        {"bold", on(vt::k_bold)},
        {"italic", on(vt::k_italic)},
        {"blink", on(vt::k_blink)},
        {"reverse", on(vt::k_inverse)},
        {"dim", on(vt::k_dim)},
        {"conceal", on(vt::k_conceal)},
        {"strike", on(vt::k_strike)},
        {"overline", on(vt::k_overline)},
        {"underline",
         std::to_string((cell.attributes & vt::k_underline_mask) >> vt::k_underline_shift)},
        {"foreground", pen_color(cell.fg, "240,240,240,is_default_fg")},
        {"background", pen_color(cell.bg, "0,0,0,is_default_bg")}};
    const auto value = values.find(which);
    if (value == values.end()) {
      return fail(fmt::format("the pen has no {}", which));
    }
    expect("pen " + std::string(which), value->second, std::string(wanted));
  }

  static std::string pen_color(vt::Color color, const char* standard) {
    return color.kind() == vt::ColorKind::palette ? fmt::format("idx({})", color.value())
                                                  : color_text(color, standard);
  }

  std::string path_;
  int number_ = 0;
  Terminal terminal_;
  vt::Utf8Decoder decoder_;
  std::vector<unsigned> decoded_;
  std::map<std::pair<int, int>, Glyph> glyphs_;
  std::vector<SectionResult> results_;
};

}  // namespace

std::vector<SectionResult> run_script(const std::string& path) {
  return Runner(path).run();
}

}  // namespace sworn::test
