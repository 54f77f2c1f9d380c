// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/journal_stream.hpp"
#include "audit/logs/line_reader.hpp"
#include "audit/logs/link.hpp"
#include "audit/logs/source_files.hpp"
#include "audit/logs/source_spec.hpp"
#include "audit/logs/time_format.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/text_stream.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

using namespace sworn;
using namespace sworn::audit::logs;
using test::text_stream;

namespace {

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string all_of(ByteStream& stream) {
  std::string out;
  std::array<std::byte, 100> block{};
  while (true) {
    const auto n = stream.read(block);
    if (!n) {
      return out + "ERROR " + n.error().context;
    }
    if (*n == 0) {
      return out;
    }
    out += as_text(ByteView(block).first(*n));
  }
}

std::string error_of(const std::string& toml) {
  const test::TempDir dir;
  const auto path = dir.path() + "/logs.toml";
  write(path, toml);
  const auto specs = read_source_config(path);
  return specs ? "" : specs.error().context.substr(dir.path().size() + 1);
}

}  // namespace

TEST_CASE("links: there and back") {
  const SessionLink link{"db1.prod", "00112233445566778899aabbccddeeff", 12'500'000, 4711};
  CHECK(to_text(link) == "sworn://db1.prod/00112233445566778899aabbccddeeff?t=12.500000&n=4711");
  const auto back = parse_link(to_text(link));
  REQUIRE(back);
  CHECK(back->host == "db1.prod");
  CHECK(back->file_id == link.file_id);
  CHECK(back->t_us == 12'500'000);
  CHECK(back->event == 4711U);
  const auto odd = parse_link(to_text({"a b\x1b/ü", link.file_id, std::nullopt, std::nullopt}));
  REQUIRE(odd);
  CHECK(odd->host == "a b\x1b/ü");
  CHECK_FALSE(odd->t_us);
  CHECK(parse_link("sworn:///00112233445566778899AABBCCDDEEFF?t=3&x=1")->t_us == 3'000'000);
  for (const auto* bad :
       {"sworn://", "sworn://h", "sworn://h/", "sworn://h/0011", "http://h/x", "",
        "sworn://h/0011223344556677889900112233445g", "sworn://%/00112233445566778899aabbccddeeff",
        "sworn://%4/00112233445566778899aabbccddeeff",
        "sworn://h/00112233445566778899aabbccddeeff?t=x",
        "sworn://h/00112233445566778899aabbccddeeff?t=-1",
        "sworn://h/00112233445566778899aabbccddeeff?t=1.",
        "sworn://h/00112233445566778899aabbccddeeff?t=1.1234567",
        "sworn://h/00112233445566778899aabbccddeeff?n=-1"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_link(bad));
  }
}

TEST_CASE("rotated files come oldest first, and only those that can matter") {
  const test::TempDir dir;
  const auto path = dir.path() + "/app.log";
  const std::vector<std::string> names{"app.log.2",   "app.log.1",  "app.log-20261120", "app.log",
                                       "app.log.bak", "app.logger", "app.log.1.gz.tmp"};
  int age = 100;
  for (const auto& name : names) {
    write(dir.path() + "/" + name, name + " line");  // without a line end
    age -= 10;
    std::filesystem::last_write_time(
        dir.path() + "/" + name,
        std::filesystem::file_time_type::clock::now() - std::chrono::hours(age));
  }
  const auto files = find_log_files(path, {0});
  REQUIRE(files);
  REQUIRE(files->size() == 4);
  CHECK(all_of(*chain_files(*files)) ==
        "app.log.2 line\napp.log.1 line\napp.log-20261120 line\napp.log line");
  SystemClock clock;
  const auto recent = find_log_files(path, {clock.wall().us - std::int64_t{75} * 3600 * 1'000'000});
  REQUIRE(recent);
  CHECK(recent->size() == 2);
  CHECK_FALSE(find_log_files(dir.path() + "/none", {0}));
}

TEST_CASE("a rotated file that breaks off is named") {
  const test::TempDir dir;
  write(dir.path() + "/x.log", "new\n");
  write(dir.path() + "/x.log.1.gz",
        std::string("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b", 11));
  std::filesystem::last_write_time(
      dir.path() + "/x.log.1.gz",
      std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  const auto text = all_of(*chain_files(*find_log_files(dir.path() + "/x.log", {0})));
  CHECK(text.find("ERROR") != std::string::npos);
  CHECK(text.find("x.log.1.gz") != std::string::npos);
}

TEST_CASE("source configuration: what it takes, and errors with line and reason") {
  const test::TempDir dir;
  const auto path = dir.path() + "/logs.toml";
  write(path,
        "[[source]]\npath = \"/var/log/app.log\"\nzone = \"+02:00\"\noffset = 0.25\n"
        "time_format = \"%d.%m.%Y %H:%M:%S\"\nrotated = false\n\n[[source]]\njournal = "
        "true\nname = \"j\"\n");
  const auto specs = read_source_config(path);
  REQUIRE(specs);
  REQUIRE(specs->size() == 2);
  CHECK((*specs)[0].options.name == "app.log");
  CHECK((*specs)[0].options.offset_us == 250'000);
  CHECK_FALSE((*specs)[0].rotated);
  CHECK((*specs)[1].journal);
  CHECK((*specs)[1].options.name == "j");
  CHECK(error_of("[[source]]\npath = 7\n") == "logs.toml:2: path must be a text");
  CHECK(error_of("[[source]]\npath = \"/x\"\nzoen = \"UTC\"\n") ==
        "logs.toml:3: zoen is not known here");
  CHECK(error_of("[[source]]\npath = \"/x\"\n\nzone = \"Mars\"\n") ==
        "logs.toml:4: a zone is local, UTC or an offset such as +02:00");
  CHECK(error_of("[[source]]\nname = \"x\"\n") ==
        "logs.toml:1: a source has either a path or a journal");
  CHECK(error_of("[source]\npath = \"/x\"\n") ==
        "logs.toml:1: source must be written as [[source]]");
  CHECK(
      error_of("[[source]]\npath = \"/x\"\ntime_format = \"%Q\"\n").find("logs.toml:3: %Q is no") ==
      0);
  CHECK(error_of("x = = 1\n").find("logs.toml:1: ") == 0);
  CHECK(error_of("x = 1\n[[)ule]]\n") == "logs.toml:2: a name must follow the bracket of a table");
  CHECK(error_of("[").find("logs.toml:1: ") == 0);
  CHECK(error_of("").find("no [[source]]") != std::string::npos);
}

TEST_CASE("configured time formats") {
  const TimeContext context{*parse_rfc3339("2026-11-21T00:00:00Z"), Zone::utc()};
  const auto at = [&](const char* pattern, const char* line) {
    const auto format = TimeFormat::parse(pattern, context);
    REQUIRE(format);
    const auto found = format->find(line);
    return found ? format_rfc3339(found->at) : std::string("none");
  };
  CHECK(at("%d.%m.%Y %H:%M:%S", "app: 21.11.2026 01:53:15 x") == "2026-11-21T01:53:15.000000Z");
  CHECK(at("%d.%m.%y %I:%M:%S %p", "21.11.26 01:53:15 PM") == "2026-11-21T13:53:15.000000Z");
  CHECK(at("<%e %b %Y, %H:%M:%S.%f %z>", "< 1 Nov 2026, 01:53:15.25 +02:00>") ==
        "2026-10-31T23:53:15.250000Z");
  CHECK(at("%s.%f", "1795225995.5") == "2026-11-21T01:53:15.500000Z");
  CHECK(at("%H:%M", "31.2.2026") == "none");
  CHECK(at("%d.%m.%Y", "31.02.2026") == "none");
  CHECK_FALSE(TimeFormat::check("%"));
  CHECK_FALSE(TimeFormat::check("no time"));
  CHECK_FALSE(TimeFormat::check("%q"));
}

TEST_CASE("the journal's export format becomes lines of JSON") {
  std::string text =
      "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1795225995000000\nMESSAGE=one \"quoted\" \\ "
      "line\n_PID=5\n"
      "OTHER=left out\n\n"
      "__CURSOR=s=2\n__REALTIME_TIMESTAMP=1795225996000000\nMESSAGE\n";
  text += std::string("\x09\0\0\0\0\0\0\0", 8) + "two\nlines\n_PID=6\n\n";
  for (const std::size_t piece : {1U, 7U, 4096U}) {
    auto stream = convert_export(text_stream(text, piece));
    CHECK(all_of(*stream) ==
          "{\"__REALTIME_TIMESTAMP\":\"1795225995000000\",\"MESSAGE\":\"one \\\"quoted\\\" \\\\ "
          "line\",\"_PID\":\"5\"}\n"
          "{\"__REALTIME_TIMESTAMP\":\"1795225996000000\",\"MESSAGE\":\"two\\u000alines\",\"_PID\":"
          "\"6\"}\n");
  }
  const auto cut = all_of(*convert_export(text_stream("MESSAGE\n\x09")));
  CHECK(cut.find("ERROR") != std::string::npos);
  const auto huge =
      all_of(*convert_export(text_stream("MESSAGE\n" + std::string(8, '\xff') + "x")));
  CHECK(huge.find("believable") != std::string::npos);
}
