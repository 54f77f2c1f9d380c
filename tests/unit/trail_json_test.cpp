// SPDX-License-Identifier: Apache-2.0
#include "audit/trail/trail_json.hpp"

#include "audit/trail/trail_builder.hpp"
#include "format/digest.hpp"
#include "format/event_payload.hpp"
#include "format/msgpack_map.hpp"
#include "format/session_reader.hpp"
#include "tests/support/corpus.hpp"
#include "tests/support/sample_session.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace sworn;
using namespace sworn::audit::trail;
using format::EventKind;
using nlohmann::json;

namespace {

// A session with everything that an entry can come from.
std::vector<TrailEntry> entries() {
  test::SampleSession s;
  format::SessionStart start;
  start.user = "alice";
  start.uid = 1001;
  start.loginuid = 1001;
  start.audit_ses = 42;
  start.hostname = "web1";
  start.pts = "/dev/pts/4";
  start.ticket = "OPS-1";
  start.argv = {"bash", "-l"};
  s.put(EventKind::session_start, encode(start));
  s.put(EventKind::command_begin,
        encode(format::CommandBegin{
            1, 42, "sudo id \xff\xe2\x82\xac", "hook", "/srv", "bash", 0, {}}));
  s.put(EventKind::exec, format::MapWriter()
                             .number("pid", 77)
                             .number("parent_pid", 42)
                             .unsigned_number("uid", 1001)
                             .unsigned_number("euid", 0)
                             .text("file", "/usr/bin/sudo")
                             .texts("argv", {"sudo", "id"})
                             .finish());
  s.put(EventKind::file, format::MapWriter().number("pid", 77).text("path", "/etc/motd").finish());
  s.put(EventKind::connect, format::MapWriter()
                                .number("pid", 77)
                                .text("protocol", "tcp")
                                .text("address", "192.0.2.1")
                                .unsigned_number("port", 443)
                                .finish());
  s.put(EventKind::command_end, encode(format::CommandEnd{1, 42, 1, "1", "/srv", {}}));
  // Told late, as the kernel's facts may be: it happened before the end.
  s.put(EventKind::exec,
        format::MapWriter()
            .number("pid", 78)
            .number("parent_pid", 77)
            .unsigned_number("uid", 0)
            .text("file", "/usr/bin/id")
            .texts("argv", {"id"})
            .finish(),
        3'000);
  s.put(EventKind::alert, format::MapWriter()
                              .text("rule", "audit-off")
                              .text("severity", "critical")
                              .text("text", "auditctl -e 0")
                              .unsigned_number("command", 1)
                              .finish());
  s.put(EventKind::gap, encode(format::Gap{"hook_flood", 3, 0, "too many"}));
  s.put(EventKind::command_begin,
        encode(format::CommandBegin{2, 42, "exit", "hook", "/srv", "bash", 0, {}}));
  s.put(EventKind::exit, encode(format::Exit{3, 0, false, 0, ""}));
  test::must(s.writer->finish({7}));
  auto reader = format::SessionReader::open(s.file).value();
  TrailBuilder builder(reader->header(), reader->clock_map().value(), reader->first_time());
  std::vector<TrailEntry> out;
  while (const auto event = reader->next().value()) {
    builder.add(*event, out);
  }
  builder.settle(out);
  return out;
}

// "a.b.c" -> value for everything that is no object.
void flatten(const json& value, const std::string& name, std::map<std::string, json>& out) {
  if (!value.is_object()) {
    out[name] = value;
    return;
  }
  for (const auto& [key, inner] : value.items()) {
    flatten(inner, name.empty() ? key : name + "." + key, out);
  }
}

struct Field {
  std::string type;
  bool required = false;
};

std::map<std::string, Field> field_list(const std::string& file) {
  std::map<std::string, Field> out;
  for (const auto& line :
       test::lines_of(std::filesystem::path(SWORN_SOURCE_DIR) / "tests/data" / file)) {
    if (line.empty() || line[0] == '#') {
      continue;
    }
    std::istringstream words(line);
    std::string name;
    Field field;
    std::string required;
    words >> name >> field.type >> required;
    field.required = required == "required";
    out[name] = field;
  }
  return out;
}

bool has_type(const json& value, const std::string& type) {
  if (type.ends_with("[]")) {
    return value.is_array() && std::all_of(value.begin(), value.end(), [&](const auto& one) {
             return has_type(one, type.substr(0, type.size() - 2));
           });
  }
  if (type == "date") {
    return value.is_string() && parse_rfc3339(value.get<std::string>()).has_value();
  }
  if (type == "long" || type == "integer" || type == "timestamp") {
    return value.is_number_integer();
  }
  return type == "boolean" ? value.is_boolean() : value.is_string();
}

void check_fields(const json& object, const std::map<std::string, Field>& fields) {
  std::map<std::string, json> flat;
  flatten(object, "", flat);
  for (const auto& [name, value] : flat) {
    CAPTURE(name);
    CAPTURE(value.dump());
    auto found = fields.find(name);
    if (found == fields.end()) {
      found = fields.find(name.substr(0, name.find('.')) + ".*");
    }
    REQUIRE(found != fields.end());
    CHECK(has_type(value, found->second.type));
  }
  for (const auto& [name, field] : fields) {
    CAPTURE(name);
    if (field.required) {
      CHECK(flat.contains(name));
    }
  }
}

}  // namespace

TEST_CASE("trail entries: few and meaningful, each with its link") {
  const auto all = entries();
  REQUIRE(all.size() == 6);
  CHECK(all[0].kind == TrailKind::session_start);
  CHECK(all[1].kind == TrailKind::command);
  CHECK(all[1].text == "sudo id \xff\xe2\x82\xac");
  CHECK(all[1].status == 1);
  REQUIRE(all[1].processes.size() == 2);
  CHECK(all[1].processes[1].exe == "/usr/bin/id");
  CHECK(all[1].processes[0].euid == 0);
  CHECK(all[1].processes[0].exe == "/usr/bin/sudo");
  CHECK(all[1].files == std::vector<std::string>{"/etc/motd"});
  CHECK(all[1].connections == std::vector<std::string>{"tcp 192.0.2.1 port 443"});
  CHECK(all[2].kind == TrailKind::alert);
  CHECK(all[2].code == "audit-off");
  CHECK(all[2].command == 1);
  CHECK(all[3].kind == TrailKind::gap);
  CHECK(all[4].flags == std::vector<std::string>{"no_end"});
  CHECK(all[5].kind == TrailKind::session_end);
  CHECK(all[5].status == 3);
  for (const auto& one : all) {
    CHECK(one.link().starts_with("sworn://web1/"));
  }
}

TEST_CASE("trail JSON: our own schema says what the documented one demands") {
  const auto schema = json::parse(
      std::ifstream(std::filesystem::path(SWORN_SOURCE_DIR) / "docs/schema/sworn.trail-1.json"));
  const auto& properties = schema["properties"];
  for (const auto& one : entries()) {
    const auto text = to_own_json(one);
    for (const char c : text) {
      CHECK((c >= ' ' && c <= '~'));
    }
    const auto object = json::parse(text);
    for (const auto& name : schema["required"]) {
      CAPTURE(name.get<std::string>());
      CHECK(object.contains(name.get<std::string>()));
    }
    for (const auto& [name, value] : object.items()) {
      CAPTURE(name);
      REQUIRE(properties.contains(name));
      const auto& types = properties[name]["type"];
      std::set<std::string> allowed;
      if (types.is_array()) {
        for (const auto& type : types) {
          allowed.insert(type.get<std::string>());
        }
      } else {
        allowed.insert(types.get<std::string>());
      }
      const std::string type = value.is_null()             ? "null"
                               : value.is_string()         ? "string"
                               : value.is_number_integer() ? "integer"
                               : value.is_number()         ? "number"
                               : value.is_array()          ? "array"
                                                           : "object";
      CHECK((allowed.contains(type) || (type == "integer" && allowed.contains("number"))));
    }
    const auto kinds = properties["kind"]["enum"];
    CHECK(std::find(kinds.begin(), kinds.end(), object["kind"]) != kinds.end());
  }
}

TEST_CASE("trail JSON: ECS, names and types against the field list") {
  const auto fields = field_list("ecs-9-fields.txt");
  REQUIRE(fields.size() > 30);
  const std::set<std::string> kinds{"alert", "event", "pipeline_error"};
  const std::map<std::string, std::set<std::string>> types{
      {"process", {"access", "change", "end", "info", "start"}},
      {"session", {"start", "end", "info"}},
      {"configuration", {"access", "change", "creation", "deletion", "info"}},
      {"intrusion_detection", {"allowed", "denied", "info"}}};
  for (const auto& one : entries()) {
    const auto object = json::parse(to_ecs(one));
    check_fields(object, fields);
    CHECK(kinds.contains(object["event"]["kind"].get<std::string>()));
    const auto category = object["event"]["category"][0].get<std::string>();
    REQUIRE(types.contains(category));
    CHECK(types.at(category).contains(object["event"]["type"][0].get<std::string>()));
  }
  const auto command = json::parse(to_ecs(entries()[1]));
  CHECK(command["process"]["exit_code"] == 1);
  CHECK(command["process"]["user"]["id"] == "0");
  CHECK(command["event"]["outcome"] == "failure");
  CHECK(command["event"]["duration"].get<std::int64_t>() > 0);
}

TEST_CASE("trail JSON: OCSF, attributes and the chain of fingerprints") {
  const auto fields = field_list("ocsf-process-activity.txt");
  REQUIRE(fields.size() > 30);
  std::string prev;
  std::string before;
  for (const auto& one : entries()) {
    auto object = json::parse(to_ocsf(one, prev));
    check_fields(object, fields);
    CHECK(object["type_uid"].get<int>() ==
          object["class_uid"].get<int>() * 100 + object["activity_id"].get<int>());
    // As somebody else would check it: the record with sorted members, without its fingerprint.
    const auto value = object["attestation"]["fingerprint"]["value"].get<std::string>();
    auto bare = object;
    bare["attestation"].erase("fingerprint");
    CHECK(format::to_hex(format::sha256(as_bytes(bare.dump()))) == value);
    if (before.empty()) {
      CHECK_FALSE(object["attestation"].contains("prev_event"));
    } else {
      CHECK(object["attestation"]["prev_event"]["fingerprint"]["value"] == before);
    }
    before = value;
    object["message"] = "changed";
    object["attestation"].erase("fingerprint");
    CHECK(format::to_hex(format::sha256(as_bytes(object.dump()))) != value);
  }
}
