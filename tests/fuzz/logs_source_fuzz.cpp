// SPDX-License-Identifier: Apache-2.0
// A log of any bytes, through everything that reads logs: lines, times, JSON, audit records, the
// journal's export, placing on a clock with a step in it, lineage, topics, links, TOML.
#include "audit/logs/journal_stream.hpp"
#include "audit/logs/line_topic.hpp"
#include "audit/logs/link.hpp"
#include "audit/logs/log_merge.hpp"
#include "audit/logs/time_format.hpp"
#include "audit/logs/toml_file.hpp"
#include "tests/support/text_stream.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sworn;
  using namespace sworn::audit::logs;
  const std::string text(reinterpret_cast<const char*>(data), size);
  format::ClockMap clock;
  clock.add({1'000'000'000}, {1'795'225'000'000'000});
  clock.add({1'500'000'000}, {1'795'225'500'000'000});
  clock.add({1'500'000'001}, {1'795'221'900'000'000});
  clock.add({2'000'000'000}, {1'795'222'400'000'000});
  SessionLineage lineage;
  lineage.audit_ses = 7;
  lineage.user = "alice";
  lineage.pids = {5};
  lineage.sudo = {{1, "sudo id", "", {1'000'000'000}, {2'000'000'000}}};
  LogMerge merge({clock, {{1'000'000'000}, {2'000'000'000}}, "6f1c2f0e"}, lineage);
  merge.add(test::text_stream(text, 4096), {.name = "a"});
  merge.add(convert_export(test::text_stream(text, 13)), {.name = "b"});
  merge.add(test::text_stream(text, 4096), {.name = "c", .time_format = "%d.%m.%y %H:%M:%S.%f"});
  std::uint64_t given = 0;
  while (const auto line = merge.next()) {
    if (line->entry.until < line->entry.t || line->entry.source > 2) {
      std::abort();
    }
    static_cast<void>(topic_of(line->text));
    ++given;
  }
  std::uint64_t kept = 0;
  for (std::size_t i = 0; i < merge.source_count(); ++i) {
    kept += merge.source(i).kept;
  }
  if (kept != given) {
    std::abort();
  }
  if (const auto link = parse_link(text)) {
    if (!parse_link(to_text(*link))) {
      std::abort();
    }
  }
  static_cast<void>(TimeFormat::check(text));
  if (auto toml = TomlFile::parse(text, "t")) {
    if (auto tables = toml->tables("rule")) {
      for (auto& table : *tables) {
        static_cast<void>(table.text("name"));
        static_cast<void>(table.done());
      }
    }
  }
  return 0;
}
