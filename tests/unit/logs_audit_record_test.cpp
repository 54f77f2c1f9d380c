// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/audit_record.hpp"
#include "audit/logs/record_assembler.hpp"
#include "tests/support/corpus.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

using namespace sworn;
using namespace sworn::audit::logs;
using nlohmann::json;

namespace {

std::vector<AuditEvent> assemble(const std::vector<std::string>& lines) {
  RecordAssembler assembler;
  std::vector<AuditEvent> out;
  for (const auto& line : lines) {
    if (auto record = parse_audit_record(line)) {
      assembler.add(std::move(*record), out);
    }
  }
  assembler.flush(out);
  return out;
}

std::string percent(const std::string& bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto u = static_cast<unsigned char>(c);
    if (u < 0x21 || u > 0x7E || c == '%' || c == '"' || c == '\\' || c == '+') {
      constexpr const char* k_digits = "0123456789abcdef";
      out += {'%', k_digits[u >> 4U], k_digits[u & 15U]};
    } else {
      out += c;
    }
  }
  return out;
}

std::string trimmed(const std::string& text) {
  const auto from = text.find_first_not_of(' ');
  const auto to = text.find_last_not_of(' ');
  return from == std::string::npos ? "" : text.substr(from, to - from + 1);
}

// The expected files write numbers of other bases with a prefix.
bool same_value(const AuditField& field, const json& expected) {
  if (expected.is_null()) {
    return field.kind == AuditValue::none;
  }
  if (expected.is_number()) {
    return field.value == expected.dump();
  }
  const auto text = expected.get<std::string>();
  if (field.kind == AuditValue::hex && field.name == "saddr") {
    return percent(field.value) == text;
  }
  if (field.kind == AuditValue::group) {
    return "{" + trimmed(field.value) + "}" == text;
  }
  if (field.kind == AuditValue::bare && (text.starts_with("0x") || text.starts_with("0o"))) {
    const int base = text[1] == 'x' ? 16 : 8;
    return std::stoull(field.value, nullptr, base) == std::stoull(text.substr(2), nullptr, base);
  }
  return field.value == text;
}

const AuditField* find_any(const AuditRecord& record, const std::string& name) {
  const auto* found = record.find(name);
  return found != nullptr ? found : record.find_enriched(name);
}

void check_record(const AuditEvent& event, const AuditRecord& record, const json& expected) {
  for (const auto& [name, value] : expected.items()) {
    CAPTURE(record.type);
    CAPTURE(name);
    if (name == "ARGV") {
      std::vector<std::string> got;
      if (record.type == "EXECVE") {
        got = event.argv();
      } else if (record.type == "PROCTITLE") {
        got = event.proctitle();
      } else {
        for (const auto* argument : {"a0", "a1", "a2", "a3"}) {
          got.push_back("0x" + record.find(argument)->value);
        }
      }
      REQUIRE(got.size() == value.size());
      for (std::size_t i = 0; i < got.size(); ++i) {
        // The long arguments are cut in the expected file.
        const auto want = value[i].get<std::string>();
        const bool same = record.type == "SYSCALL"
                              ? std::stoull(got[i], nullptr, 16) == std::stoull(want, nullptr, 16)
                              : got[i] == want;
        CHECK(same);
      }
      continue;
    }
    const auto* field = find_any(record, name);
    REQUIRE(field != nullptr);
    CAPTURE(field->value);
    CHECK(same_value(*field, value));
  }
}

}  // namespace

TEST_CASE("audit record: the parts of a line") {
  const auto record = parse_audit_record(
      "node=web type=USER_CMD msg=audit(1795224237.503:59): pid=5188 uid=1001 auid=4242 ses=2 "
      "msg='cwd=\"/home/tester\" cmd=636174202F65 exe=\"/usr/bin/sudo\" "
      "res=success'\x1dUID=\"tester\" AUID=\"x\"");
  REQUIRE(record);
  CHECK(record->type == "USER_CMD");
  CHECK(record->node == "web");
  CHECK(record->serial == 59);
  CHECK(record->at == WallTime{1'795'224'237'503'000});
  CHECK(record->number("pid") == 5188);
  CHECK(record->find("cmd")->value == "cat /e");
  CHECK(record->find("cmd")->kind == AuditValue::hex);
  CHECK(record->find("cwd")->value == "/home/tester");
  CHECK(record->find("res")->value == "success");
  CHECK(record->find_enriched("UID")->value == "tester");
  CHECK(record->find("UID") == nullptr);
  CHECK(record->find("nothing") == nullptr);
  CHECK_FALSE(record->number("exe"));
}

TEST_CASE("audit record: old style words and nulls") {
  const auto record = parse_audit_record(
      "type=AVC msg=audit(1170021493.977:293): avc:  denied  { read write } for  pid=13010 "
      "comm=\"pickup\" key=(null)");
  REQUIRE(record);
  CHECK(record->words == "avc: denied { read write } for");
  CHECK(record->find("key")->kind == AuditValue::none);
  CHECK(record->number("pid") == 13010);
}

TEST_CASE("audit record: what is none is refused and cuts do no harm") {
  for (const auto* bad : {"", "type=", "type=X", "type=X msg=audit(", "type=X msg=audit(1.2:3)",
                          "type=X msg=audit(-1.2:3):", "type=X msg=audit(1.2000:3):",
                          "type=X msg=audit(99999999999999.1:3):", "hello", "node=x"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_audit_record(bad));
  }
  const std::string line =
      "type=X msg=audit(1.2:3): a=\"quoted\" b='group x=1' c={ d } e=4142 comm=4142\x1d"
      "F=\"g\"";
  for (std::size_t cut = 0; cut <= line.size(); ++cut) {
    const auto record = parse_audit_record(line.substr(0, cut));
    CHECK(record.has_value() == (cut >= 24));
  }
  CHECK(parse_audit_record(line)->find("e")->value == "4142");
  CHECK(parse_audit_record(line)->find("comm")->value == "AB");
}

TEST_CASE("record assembler: interleaved events come apart") {
  const auto events = assemble(
      {"type=SYSCALL msg=audit(1.100:1): pid=1 ses=2",
       "type=SYSCALL msg=audit(1.100:2): pid=2 ses=3",
       "type=EXECVE msg=audit(1.100:1): argc=3 a0=\"a\" a1_len=4 a1[0]=41 a1[1]=42",
       "type=CWD msg=audit(1.100:2): cwd=\"/\"", "type=EXECVE msg=audit(1.100:1): a2=\"c\"",
       "type=EOE msg=audit(1.100:2): ", "type=SYSCALL msg=audit(4.000:3): pid=3"});
  REQUIRE(events.size() == 3);
  CHECK(events[0].serial == 2);
  CHECK(events[0].ended);
  CHECK(events[1].serial == 1);
  CHECK_FALSE(events[1].ended);
  CHECK(events[1].argv() == std::vector<std::string>{"a", "AB", "c"});
  CHECK(events[1].summary() == "exec a AB c (pid 1 ses 2)");
  CHECK(events[2].serial == 3);
}

TEST_CASE("record assembler: memory is bounded") {
  RecordAssembler assembler;
  std::vector<AuditEvent> out;
  for (std::uint64_t serial = 0; serial < 5'000; ++serial) {
    AuditRecord record;
    record.type = "SYSCALL";
    record.serial = serial;
    assembler.add(record, out);
    CHECK(assembler.open_events() <= RecordAssembler::k_max_open);
  }
  assembler.flush(out);
  CHECK(out.size() == 5'000);
  out.clear();
  for (int i = 0; i < 1'000; ++i) {
    AuditRecord record;
    record.type = "PATH";
    assembler.add(record, out);
  }
  assembler.flush(out);
  REQUIRE(out.size() == 1);
  CHECK(out[0].records.size() == RecordAssembler::k_max_records);
  CHECK(out[0].cut);
}

TEST_CASE("record assembler: an argument list with holes is no reason to allocate") {
  const auto events =
      assemble({"type=EXECVE msg=audit(1.100:1): argc=2 a0=\"x\" a60000=\"y\" a99999999999=\"z\""});
  REQUIRE(events.size() == 1);
  CHECK(events[0].argv() == std::vector<std::string>{"x"});
}

TEST_CASE("record assembler: the expected results of others") {
  const auto folder = test::corpus() / "laurel";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("skipped: no corpus at ", folder.string());
    return;
  }
  int compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".json") {
      continue;
    }
    CAPTURE(entry.path().filename().string());
    auto source = entry.path();
    const auto events = assemble(test::lines_of(source.replace_extension(".txt")));
    for (const auto& line : test::lines_of(entry.path())) {
      const auto expected = json::parse(line);
      const auto id = expected["ID"].get<std::string>();
      const auto found = std::find_if(events.begin(), events.end(), [&](const auto& event) {
        return id.ends_with(":" + std::to_string(event.serial));
      });
      REQUIRE(found != events.end());
      CHECK(found->node == expected.value("NODE", ""));
      for (const auto& [type, value] : expected.items()) {
        if (type == "ID" || type == "NODE") {
          continue;
        }
        if (value.is_array()) {
          std::size_t n = 0;
          for (const auto& record : found->records) {
            if (record.type == type) {
              REQUIRE(n < value.size());
              check_record(*found, record, value[n++]);
            }
          }
          CHECK(n == value.size());
        } else {
          const auto* record = found->record(type);
          REQUIRE(record != nullptr);
          check_record(*found, *record, value);
        }
      }
      ++compared;
    }
  }
  CHECK(compared >= 18);
}

TEST_CASE("record assembler: interleaved logs of the audit project") {
  const auto folder = test::corpus() / "auparse";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("skipped: no corpus at ", folder.string());
    return;
  }
  for (const auto* name : {"test.log", "test2.log", "test3.log", "test4.log"}) {
    CAPTURE(name);
    const auto lines = test::lines_of(folder / name);
    REQUIRE(!lines.empty());
    std::size_t records = 0;
    for (const auto& event : assemble(lines)) {
      records += event.records.size() + (event.ended ? 1 : 0);
      for (const auto& record : event.records) {
        CHECK(record.serial == event.serial);
        CHECK(record.at == event.at);
      }
    }
    CHECK(records == lines.size());
  }
}

TEST_CASE("record assembler: the sample with sudo and su") {
  const auto file = test::corpus() / "audit-sample" / "sample-audit.log";
  if (!std::filesystem::exists(file)) {
    MESSAGE("skipped: no corpus at ", file.string());
    return;
  }
  const auto events = assemble(test::lines_of(file));
  const auto shadow = std::find_if(events.begin(), events.end(), [](const auto& event) {
    return event.argv() == std::vector<std::string>{"cat", "/etc/shadow"};
  });
  REQUIRE(shadow != events.end());
  CHECK(shadow->number("ses") == 2);
  CHECK(shadow->number("auid") == 4242);
  CHECK(shadow->record("SYSCALL")->find_enriched("SYSCALL")->value == "execve");
  const auto sudo = std::find_if(events.begin(), events.end(), [](const auto& event) {
    return event.record("USER_CMD") != nullptr;
  });
  REQUIRE(sudo != events.end());
  CHECK(sudo->field("cmd")->value == "cat /etc/shadow");
}
