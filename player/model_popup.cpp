// SPDX-License-Identifier: Apache-2.0
// The windows that lie over the panes: help, details, notes, one cell, the history of a row.
#include "base/printable.hpp"
#include "player/model.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sworn::player {

std::vector<std::string> Model::cell_lines() const {
  const auto& terminal = replay_->terminal();
  const auto at = cell_of_interest();
  std::vector<std::string> lines;
  const auto size = terminal.size();
  if (at.row < 0 || at.col < 0 || at.row >= size.rows || at.col >= size.cols) {
    lines.emplace_back("outside the recorded screen");
    return lines;
  }
  const auto& cell = terminal.row(at.row)[static_cast<std::size_t>(at.col)];
  lines.push_back(fmt::format("row {}, column {} of {}x{}{}", at.row + 1, at.col + 1, size.cols,
                              size.rows, terminal.alternate_screen() ? ", alternate screen" : ""));
  std::string text;
  terminal.append_cell_text(text, cell);
  std::string points;
  std::string_view left = text;
  while (!left.empty()) {
    const auto step = decode_utf8(left);
    points += fmt::format("U+{:04X} ", static_cast<unsigned>(step.code_point));
    left.remove_prefix(step.length);
  }
  lines.push_back("code points  " + (cell.glyph == 0 ? std::string("never written") : points));
  const auto colour = [](vt::Color color) {
    switch (color.kind()) {
      case vt::ColorKind::none:
        return std::string("default");
      case vt::ColorKind::palette:
        return fmt::format("palette {}", color.value());
      case vt::ColorKind::rgb:
        return fmt::format("#{:06x}", color.value());
    }
    return std::string{};
  };
  lines.push_back(fmt::format("colours      {} on {}", colour(cell.fg), colour(cell.bg)));
  std::string attributes;
  const std::array<std::pair<std::uint16_t, std::string_view>, 9> names{
      {{vt::k_bold, "bold"},
       {vt::k_dim, "dim"},
       {vt::k_italic, "italic"},
       {vt::k_underline_mask, "underlined"},
       {vt::k_blink, "blinking"},
       {vt::k_inverse, "inverse"},
       {vt::k_conceal, "CONCEALED"},
       {vt::k_strike, "struck out"},
       {vt::k_wide, "two columns"}}};
  for (const auto& [bit, name] : names) {
    if ((cell.attributes & bit) != 0) {
      attributes += std::string(attributes.empty() ? "" : ", ") + std::string(name);
    }
  }
  lines.push_back("attributes   " + (attributes.empty() ? "none" : attributes));
  if (cell.link != 0) {
    lines.push_back("link         " + printable(terminal.link(cell.link), 400));
  }
  if (!terminal.title().empty()) {
    lines.push_back("window title " + printable(terminal.title(), 400));
  }
  return lines;
}

std::vector<std::string> Model::detail_lines() const {
  auto lines = info_.details;
  lines.emplace_back();
  for (auto& line : integrity_lines(integrity_)) {
    lines.push_back(std::move(line));
  }
  lines.emplace_back();
  lines.push_back(fmt::format("events        {}, {} commands, {} bytes of output", facts_->events,
                              facts_->commands.size(), facts_->output_bytes));
  lines.push_back(
      fmt::format("clock         {} steps of the recorded host's clock", facts_->clock.steps()));
  if (facts_->left_out > 0) {
    lines.push_back(fmt::format("left out      {} items beyond the player's limits or unreadable",
                                facts_->left_out));
  }
  if (const auto trouble = index_->text()->trouble(); !trouble.empty()) {
    lines.push_back("search        later screen text is not searched: " + trouble);
  }
  if (logs_ != nullptr) {
    lines.emplace_back();
    for (const auto& line : logs_->details) {
      lines.push_back("log lines     " + line);
    }
    if (!logs_->trouble.empty()) {
      lines.push_back("log lines     " + logs_->trouble);
    }
  }
  return lines;
}

std::vector<Model::PopupLine> Model::program_lines() const {
  const auto* const command = command_of_interest();
  if (command == nullptr) {
    return {{"no command has begun yet", false, {}}};
  }
  std::vector<PopupLine> content{{"$ " + command->text, true, {}}};
  if (audit_ == nullptr || audit_->reading) {
    content.push_back({"what ran is being put together ...", false, {}});
    return content;
  }
  if (!audit_->trouble.empty()) {
    content.push_back({audit_->trouble, false, {}});
    return content;
  }
  const auto it = audit_->programs.find(command->begin_event);
  if (it == audit_->programs.end()) {
    content.push_back({audit_->kernel ? "started no program of its own"
                                      : "programs are not on record: the kernel was not asked",
                       false,
                       {}});
    return content;
  }
  for (const auto& line : it->second) {
    content.push_back({clock_text(line.t, 3) + "  " + line.text, false, line.position});
  }
  return content;
}

std::vector<Model::PopupLine> Model::finding_lines() const {
  if (audit_ == nullptr || audit_->reading) {
    return {{"what ran is being put together ...", false, {}}};
  }
  if (!audit_->trouble.empty()) {
    return {{audit_->trouble, false, {}}};
  }
  if (audit_->findings.empty()) {
    return {{audit_->kernel ? "everything that ran is explained by a command line"
                            : "nothing; but the kernel was not asked what ran",
             false,
             {}}};
  }
  std::vector<PopupLine> content{
      {"what does not add up: hints for a person, never a verdict", true, {}}};
  for (const auto& line : audit_->findings) {
    content.push_back({clock_text(line.t, 3) + "  " + line.text, false, line.position});
  }
  return content;
}

std::vector<Model::PopupLine> Model::popup_content() const {
  std::vector<PopupLine> content;
  const auto add = [&content](const std::vector<std::string>& lines, bool headings) {
    for (const auto& line : lines) {
      content.push_back({line, headings && !line.empty() && line.front() != ' ', {}});
    }
  };
  switch (popup_) {
    case Popup::none:
      break;
    case Popup::help:
      add(help_lines(), true);
      break;
    case Popup::details:
      add(detail_lines(), false);
      break;
    case Popup::notes:
      for (const auto& note : notes_.all()) {
        content.push_back({fmt::format("{:<2} {} {}  {}{}", note.id.empty() ? "*" : note.id,
                                       clock_text(note.t, 0), printable(note.author, 20), note.text,
                                       note.text.empty() ? "(bookmark)" : ""),
                           false, note.position});
      }
      if (content.empty()) {
        add({"none yet: m sets a bookmark, a writes a note"}, false);
      }
      break;
    case Popup::cell:
      add(cell_lines(), false);
      break;
    case Popup::row_history:
      return history_;
    case Popup::programs:
      return program_lines();
    case Popup::findings:
      return finding_lines();
  }
  return content;
}

void Model::draw_popup(Frame& frame) {
  const auto lines = popup_content();
  int widest = 24;
  bool selectable = false;
  for (const auto& line : lines) {
    widest = std::max(widest, std::min(text_width(line.text), 200));
    selectable = selectable || line.position;
  }
  const int cols = std::min(widest + 4, size_.cols - 2);
  const int rows = std::min(static_cast<int>(lines.size()) + 2, size_.rows - 2);
  const Rect box{(size_.rows - rows) / 2, (size_.cols - cols) / 2, rows, cols};
  frame.fill(box, styles::k_plain);
  const std::size_t visible = static_cast<std::size_t>(std::max(1, rows - 2));
  if (selectable) {
    popup_selected_ = std::min(popup_selected_, lines.size() - 1);
    while (popup_selected_ + 1 < lines.size() && !lines[popup_selected_].position) {
      ++popup_selected_;
    }
    popup_top_ = std::clamp(
        popup_top_, popup_selected_ + 1 - std::min(popup_selected_ + 1, visible), popup_selected_);
  }
  popup_top_ = std::min(popup_top_, lines.size() > visible ? lines.size() - visible : 0);
  const auto piece = [this](std::string_view ascii, std::string_view fancy) {
    return ascii_ ? ascii : fancy;
  };
  for (int col = 1; col + 1 < cols; ++col) {
    frame.put(box.row, box.col + col, 1, piece("-", "\u2500"), styles::k_bold);
    frame.put(box.row + rows - 1, box.col + col, 1, piece("-", "\u2500"), styles::k_bold);
  }
  for (int row = 1; row + 1 < rows; ++row) {
    frame.put(box.row + row, box.col, 1, piece("|", "\u2502"), styles::k_bold);
    frame.put(box.row + row, box.col + cols - 1, 1, piece("|", "\u2502"), styles::k_bold);
    const auto index = popup_top_ + static_cast<std::size_t>(row - 1);
    if (index < lines.size()) {
      auto style = lines[index].heading ? styles::k_bold : styles::k_plain;
      if (selectable && index == popup_selected_) {
        style.attributes |= vt::k_inverse;
        frame.fill({box.row + row, box.col + 1, 1, cols - 2}, style);
      }
      frame.put(box.row + row, box.col + 2, cols - 4, lines[index].text, style);
    }
  }
  frame.put(box.row, box.col, 1, piece("+", "\u250C"), styles::k_bold);
  frame.put(box.row, box.col + cols - 1, 1, piece("+", "\u2510"), styles::k_bold);
  frame.put(box.row + rows - 1, box.col, 1, piece("+", "\u2514"), styles::k_bold);
  frame.put(box.row + rows - 1, box.col + cols - 1, 1, piece("+", "\u2518"), styles::k_bold);
  std::string more = lines.size() > visible
                         ? fmt::format(" {}-{} of {}, arrows scroll,", popup_top_ + 1,
                                       std::min(lines.size(), popup_top_ + visible), lines.size())
                         : std::string();
  more += selectable ? " Enter goes there, q closes " : " q closes ";
  frame.put(box.row + rows - 1, box.col + 2, cols - 4, more, styles::k_dim);
}

}  // namespace sworn::player
