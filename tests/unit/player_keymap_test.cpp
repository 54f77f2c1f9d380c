// SPDX-License-Identifier: Apache-2.0
#include "player/keymap.hpp"
#include "tests/support/source_dir.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

namespace {

using namespace sworn::player;

std::vector<std::string> words(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::vector<std::string> out;
  for (std::string word; in >> word;) {
    out.push_back(word);
  }
  return out;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\*_[]~").find(c) != std::string_view::npos) {
      out += '\\';
    }
    out += c;
  }
  return out;
}

// The section of the manual page, as scdoc.
std::string keys_of_the_manual() {
  std::string text;
  std::string group;
  for (const auto& row : key_table()) {
    if (row.help.empty()) {
      continue;
    }
    if (title_of(row.group) != group) {
      group = title_of(row.group);
      text += "*" + group + "*\n\n";
    }
    if (row.keys.empty()) {
      text.pop_back();
      text += "\t" + escaped(row.help.substr(row.help.find_first_not_of(' '))) + "\n\n";
      continue;
    }
    std::string keys;
    for (const auto& key : words(row.action == Action::percent ? "0-9" : row.keys)) {
      keys += (keys.empty() ? "*" : ", *") + escaped(key) + "*";
    }
    text += keys + "\n\t" + escaped(row.help) + "\n\n";
  }
  return text;
}

TEST_CASE("keymap: every key is one that can be pressed, and means one thing in each place") {
  std::map<std::pair<int, std::string>, int> seen;
  for (const auto& row : key_table()) {
    for (const auto& word : words(row.keys)) {
      CAPTURE(word);
      const auto key = parse_key(word);
      REQUIRE(key);
      CHECK(name_of(*key) == word);
      CHECK(++seen[{static_cast<int>(row.scope), word}] == 1);
      const auto scope = row.scope == Scope::any ? Scope::screen : row.scope;
      const auto found = lookup(*key, scope);
      REQUIRE(found);
    }
  }
}

TEST_CASE("keymap: a place of its own goes before everywhere") {
  CHECK(lookup(*parse_key("+"), Scope::screen) == Action::faster);
  CHECK(lookup(*parse_key("+"), Scope::timeline) == Action::timeline_in);
  CHECK(lookup(*parse_key("PgUp"), Scope::list) == Action::list_page_up);
  CHECK(lookup(*parse_key("PgUp"), Scope::screen) == Action::back_10min);
  CHECK_FALSE(lookup(*parse_key("PgUp"), Scope::timeline));
}

TEST_CASE("keymap: the manual page has the same keys") {
  const auto path = std::string(SWORN_SOURCE_DIR) + "/docs/man/sworn-play.1.scd";
  std::ifstream in(path);
  std::string page{std::istreambuf_iterator<char>(in), {}};
  const std::string before = "# KEYS\n\n";
  const auto begin = page.find(before);
  REQUIRE(begin != std::string::npos);
  const auto end = page.find("# FILES", begin);
  REQUIRE(end != std::string::npos);
  const auto wanted = keys_of_the_manual();
  const auto at = begin + before.size();
  if (std::getenv("SWORN_UPDATE_GOLDEN") != nullptr) {
    page.replace(at, end - at, wanted);
    std::ofstream(path) << page;
    return;
  }
  CHECK(page.substr(at, end - at) == wanted);
}

}  // namespace
