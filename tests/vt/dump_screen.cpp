// SPDX-License-Identifier: Apache-2.0
// dump_screen RECORDING: plays a recording made by record.py and prints, at each check, the screen
// as one line of JSON: {"check", "cols", "rows", "cursor": [row, col], "visible", "alternate",
// "cells": [[[text, fg, bg, bits], ...]]}. Colours are "", "N" (palette) or "#rrggbb". With
// --pieces N the output is fed N bytes at a time and goes through a snapshot after each piece.
#include "player/vt/terminal.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <iostream>
#include <string>

namespace {

using sworn::vt::Cell;
using sworn::vt::Terminal;

std::string color_text(sworn::vt::Color color) {
  switch (color.kind()) {
    case sworn::vt::ColorKind::none:
      return "";
    case sworn::vt::ColorKind::palette:
      return fmt::format("{}", color.value());
    case sworn::vt::ColorKind::rgb:
      break;
  }
  return fmt::format("#{:06x}", color.value());
}

nlohmann::json screen_json(const Terminal& terminal, const std::string& name) {
  const auto cursor = terminal.cursor();
  auto rows = nlohmann::json::array();
  for (int row = 0; row < terminal.size().rows; ++row) {
    auto cells = nlohmann::json::array();
    for (const Cell& cell : terminal.row(row)) {
      std::string text;
      terminal.append_cell_text(text, cell);
      cells.push_back({text, color_text(cell.fg), color_text(cell.bg), cell.attributes});
    }
    rows.push_back(std::move(cells));
  }
  return {{"check", name},
          {"cols", terminal.size().cols},
          {"rows", terminal.size().rows},
          {"cursor", {cursor.row, cursor.col + (cursor.pending_wrap ? 1 : 0)}},
          {"visible", cursor.visible},
          {"alternate", terminal.alternate_screen()},
          {"cells", std::move(rows)}};
}

bool feed(Terminal& terminal, std::string_view bytes, std::size_t piece) {
  if (piece == 0) {
    terminal.feed(sworn::as_bytes(bytes));
    return true;
  }
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    terminal.feed(sworn::as_bytes(bytes.substr(at, piece)));
    Terminal next({.cols = 1, .rows = 1});
    if (!next.load(terminal.save())) {
      return false;
    }
    terminal = std::move(next);
  }
  return true;
}

int play(std::istream& in, std::size_t piece) {
  Terminal terminal({.cols = 80, .rows = 24});
  std::string word;
  while (in >> word) {
    if (word == "size") {
      unsigned cols = 0;
      unsigned rows = 0;
      in >> cols >> rows;
      terminal.resize(
          {.cols = static_cast<std::uint16_t>(cols), .rows = static_cast<std::uint16_t>(rows)});
    } else if (word == "out") {
      std::size_t size = 0;
      in >> size;
      in.ignore(1);
      std::string bytes(std::min<std::size_t>(size, std::size_t{64} << 20U), '\0');
      in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
      if (!in || !feed(terminal, bytes, piece)) {
        fmt::print(stderr, "dump_screen: the recording is cut, or a snapshot does not load\n");
        return 1;
      }
    } else if (word == "check") {
      std::string name;
      std::getline(in >> std::ws, name);
      std::cout << screen_json(terminal, name)
                       .dump(-1, ' ', false, nlohmann::json::error_handler_t::strict)
                << '\n';
    } else {
      fmt::print(stderr, "dump_screen: unknown event {}\n", word);
      return 1;
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"The screens of a recording"};
  std::string path;
  std::size_t piece = 0;
  app.add_option("recording", path)->required()->check(CLI::ExistingFile);
  app.add_option("--pieces", piece, "bytes at a time, through snapshots");
  CLI11_PARSE(app, argc, argv);
  std::ifstream in(path, std::ios::binary);
  return play(in, piece);
}
