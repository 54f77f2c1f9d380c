// SPDX-License-Identifier: Apache-2.0
#include "player/literal_scan.hpp"
#include "player/matcher.hpp"
#include "player/text_segment.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>

namespace {

using namespace sworn;
using namespace sworn::player;

std::shared_ptr<const Matcher> pattern(std::string_view text, PatternKind kind = PatternKind::regex,
                                       CaseRule rule = CaseRule::smart) {
  auto matcher = Matcher::compile(text, kind, rule);
  REQUIRE(matcher);
  return *matcher;
}

std::string small(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return text;
}

TEST_CASE("literal scan: finds what a plain search finds, at every place and length") {
  std::mt19937 random(1);
  const std::string_view letters = "abAB@`[{_ 0\n\xC3";
  for (int round = 0; round < 3'000; ++round) {
    std::string text;
    const auto size = random() % 90;
    for (unsigned i = 0; i < size; ++i) {
      text += letters[random() % letters.size()];
    }
    std::string needle;
    const auto length = 1 + random() % 5;
    for (unsigned i = 0; i < length; ++i) {
      needle += letters[random() % (letters.size() - 1)];
    }
    const auto from = random() % (text.size() + 1);
    CAPTURE(text);
    CAPTURE(needle);
    CHECK(LiteralScan(needle, false).find(text, from) == text.find(needle, from));
    CHECK(LiteralScan(needle, true).find(text, from) == small(text).find(small(needle), from));
  }
}

TEST_CASE("matcher: smart case, exact case, ignored case") {
  CHECK(pattern("Error")->find("some Error"));
  CHECK_FALSE(pattern("Error")->find("some error"));
  CHECK(pattern("error")->find("some ERROR"));
  CHECK(pattern("Error", PatternKind::text, CaseRule::ignore)->find("ERROR"));
  CHECK_FALSE(pattern("error", PatternKind::text, CaseRule::exact)->find("ERROR"));
  CHECK(pattern("größe", PatternKind::text)->find("die GRÖSSE und die Größe"));
  CHECK(pattern("gr.ße", PatternKind::regex)->find("Die Größe"));
}

TEST_CASE("matcher: rows are searched one by one") {
  const std::string rows = "first row\nsecond row\nthird";
  CHECK_FALSE(pattern("row.second")->find(rows));
  CHECK_FALSE(pattern("row\\ssecond")->find(rows));
  const auto begin = pattern("^second")->find(rows);
  REQUIRE(begin);
  CHECK(begin->offset == 10);
  const auto end = pattern("row$")->find(rows);
  REQUIRE(end);
  CHECK(end->offset == 6);
  CHECK(pattern("row$")->find(rows, 7)->offset == 17);
  CHECK_FALSE(Matcher::compile("a\nb", PatternKind::text));
  CHECK_FALSE(Matcher::compile("(", PatternKind::regex));
  CHECK_FALSE(Matcher::compile("", PatternKind::text));
}

TEST_CASE("matcher: what a match must contain is never more than it must") {
  CHECK(required_text("rm .*/var/log", false) == "/var/log");
  CHECK(required_text("dele?te", false) == "del");
  CHECK(required_text("colou*r", false) == "colo");
  CHECK(required_text("a{3}bcd", false) == "bcd");
  CHECK(required_text("lo+ng", false) == "lo");
  CHECK(required_text("\\bpasswd\\b", false) == "passwd");
  CHECK(required_text("10\\.0\\.0\\.1", false) == "10.0.0.1");
  CHECK(required_text("[abc]xyz[^d]", false) == "xyz");
  CHECK(required_text("Upper", false) == "upper");
  CHECK(required_text("task", true) == "ta");  // U+017F and U+212A fold to s and k
  for (const auto* const clever :
       {"a|b", "(ab)?c", "(?i)ab", "\\Qab\\E", "\\x41b", "[[:alpha:]]b", "*a", "a\\", "[ab"}) {
    CAPTURE(clever);
    CHECK(required_text(clever, false).empty());
  }
}

TEST_CASE("matcher: the short cut finds the same as the expression alone") {
  std::mt19937 random(5);
  const std::string_view letters = "abcdr \n.";
  for (const auto* const expression :
       {"ab.*cd", "^ab", "cd$", "a+b", "abr?a", "[ab]cd", "a\\.b", "d.d", "^a.*d$"}) {
    const auto quick = pattern(expression);
    // An alternative switches the short cut off and changes nothing else.
    const auto slow = pattern(std::string("(?:") + expression + ")");
    REQUIRE(slow->required().empty());
    for (int round = 0; round < 400; ++round) {
      std::string text;
      for (int i = 0; i < 60; ++i) {
        text += letters[random() % letters.size()];
      }
      std::size_t from = 0;
      CAPTURE(expression);
      CAPTURE(text);
      while (true) {
        const auto a = quick->find(text, from);
        const auto b = slow->find(text, from);
        REQUIRE(a.has_value() == b.has_value());
        if (!a) {
          break;
        }
        REQUIRE(a->offset == b->offset);
        REQUIRE(a->length == b->length);
        from = a->offset + a->length;
      }
    }
  }
}

TEST_CASE("text filter: never says no to what is there") {
  std::mt19937 random(3);
  std::string text;
  for (int i = 0; i < 20'000; ++i) {
    text += static_cast<char>(' ' + random() % 95);
  }
  const auto filter = TextFilter::of(text);
  for (int i = 0; i < 2'000; ++i) {
    const auto at = random() % (text.size() - 12);
    CHECK(TextFilter::may_contain(filter, small(text.substr(at, 3 + random() % 9))));
  }
  CHECK(TextFilter::may_contain(filter, "ab"));
  CHECK(TextFilter::may_contain(Bytes(7), "what is it"));
  CHECK_FALSE(TextFilter::may_contain(TextFilter::of("hello world"), "goodbye"));
}

}  // namespace
