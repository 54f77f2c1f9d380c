// SPDX-License-Identifier: Apache-2.0
// docs/format.md says what the code does: numbers, types, kinds, keys, and the worked example.
#include "format/event.hpp"
#include "format/key_box.hpp"
#include "format/msgpack_map.hpp"
#include "format/record.hpp"
#include "format/recovered.hpp"
#include "format/redact.hpp"
#include "format/tail_layout.hpp"
#include "format/verify.hpp"
#include "tests/support/raw_session.hpp"
#include "tests/support/source_dir.hpp"
#include "tests/support/spec_example.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

using namespace sworn;
using namespace sworn::format;

namespace {

std::string read_text(const std::string& name) {
  std::ifstream in(std::string(SWORN_SOURCE_DIR "/") + name);
  REQUIRE_MESSAGE(in, name);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

const std::string& page() {
  static const std::string text = read_text("docs/format.md");
  return text;
}

// From a heading to the next one of the same or a higher level.
std::string section(const std::string& heading) {
  const auto begin = page().find("\n" + heading + "\n");
  REQUIRE_MESSAGE(begin != std::string::npos, heading);
  const std::string level = heading.substr(0, heading.find(' '));
  std::size_t end = page().size();
  for (std::string up = level; up.size() >= 2; up.pop_back()) {
    end = std::min(end, page().find("\n" + up + " ", begin + heading.size()));
  }
  return page().substr(begin, end - begin);
}

// Cells of the table rows of a text, without the code marks.
std::vector<std::vector<std::string>> rows(const std::string& text) {
  std::vector<std::vector<std::string>> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() != '|' || line.find("---") != std::string::npos) {
      continue;
    }
    std::vector<std::string> cells;
    std::string cell;
    for (std::size_t i = 1; i < line.size(); ++i) {
      if (line[i] == '|' && line[i - 1] != '\\') {
        const auto first = cell.find_first_not_of(' ');
        const auto last = cell.find_last_not_of(' ');
        cells.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
        cell.clear();
      } else if (line[i] != '`') {
        cell += line[i];
      }
    }
    out.push_back(std::move(cells));
  }
  return out;
}

std::string text_of(std::string_view domain) {
  return "\"" + std::string(domain.substr(0, domain.size() - 1)) + "\" 00";
}
std::string hex_of(const std::array<std::uint8_t, 8>& bytes) {
  std::string out;
  for (const auto byte : bytes) {
    out += fmt::format("{}{:02X}", out.empty() ? "" : " ", byte);
  }
  return out;
}

#define QUOTED(name) \
  { #name, "\"" + std::string(name) + "\"" }
#define NUMBER(name) \
  { #name, fmt::format("{}", name) }
#define HEX(name, digits) \
  { #name, fmt::format("0x{:0" #digits "X}", name) }
#define DOMAIN_OF(name) \
  { #name, text_of(name) }

const std::map<std::string, std::string>& numbers() {
  static const std::map<std::string, std::string> all = {
      {"k_magic", hex_of(k_magic)},
      NUMBER(k_preamble_bytes),
      NUMBER(k_major),
      NUMBER(k_minor),
      HEX(k_sync, 8),
      NUMBER(k_frame_bytes),
      NUMBER(k_max_body_bytes),
      NUMBER(k_max_map_bytes),
      NUMBER(k_max_map_items),
      NUMBER(k_max_map_depth),
      NUMBER(k_chunk_core_bytes),
      NUMBER(k_chunk_fixed_bytes),
      NUMBER(k_salt_node_bytes),
      NUMBER(k_salt_seed),
      NUMBER(k_salt_punctured),
      NUMBER(k_max_chunk_raw_bytes),
      NUMBER(k_max_chunk_events),
      NUMBER(k_max_group_raw_bytes),
      HEX(k_chunk_begins_group, 2),
      HEX(k_chunk_encrypted, 2),
      HEX(k_chunk_rewritten, 2),
      NUMBER(k_window_log),
      HEX(k_kind_mask, 2),
      HEX(k_kind_has_at, 2),
      HEX(k_kind_redacted, 2),
      NUMBER(k_max_event_bytes),
      NUMBER(k_key_box_signed_bytes),
      NUMBER(k_max_key_boxes),
      NUMBER(k_max_key_box_bytes),
      NUMBER(k_segment_chunks),
      QUOTED(k_info_commitment),
      QUOTED(k_info_chunk),
      QUOTED(k_info_ratchet),
      QUOTED(k_info_tail),
      QUOTED(k_info_tail_ratchet),
      NUMBER(k_seal_fixed_bytes),
      HEX(k_seal_final, 4),
      HEX(k_seal_heartbeat, 4),
      HEX(k_seal_critical, 4),
      HEX(k_seal_known_flags, 4),
      NUMBER(k_end_bytes),
      NUMBER(k_footer_bytes),
      HEX(k_footer_magic, 8),
      HEX(k_hash_leaf, 2),
      HEX(k_leaf_of_event, 2),
      HEX(k_hash_node, 2),
      HEX(k_hash_commitment, 2),
      HEX(k_hash_stored, 2),
      HEX(k_hash_salt_left, 2),
      HEX(k_hash_salt_right, 2),
      DOMAIN_OF(k_domain_seal),
      DOMAIN_OF(k_domain_recovered),
      DOMAIN_OF(k_domain_redaction),
      QUOTED(k_tail_magic),
      NUMBER(k_tail_head_bytes),
      HEX(k_tail_encrypted, 2),
      NUMBER(k_tail_page_bytes),
      NUMBER(k_tail_half_header_bytes),
      NUMBER(k_tail_entry_bytes),
      NUMBER(k_tail_max_half_bytes),
  };
  return all;
}

// Every constant that a header defines, so that none is forgotten here.
std::set<std::string> constants_in(const std::string& header) {
  std::set<std::string> out;
  const std::string text = read_text(header);
  const std::regex wanted(R"(inline constexpr [^;=({]*?\b(k_\w+)\s*[={])");
  for (std::sregex_iterator it(text.begin(), text.end(), wanted), end; it != end; ++it) {
    out.insert((*it)[1]);
  }
  return out;
}

// name -> number of an enum in a header.
std::map<std::string, unsigned long> enum_in(const std::string& header, const std::string& name) {
  const std::string text = read_text(header);
  const auto begin = text.find("enum class " + name);
  REQUIRE(begin != std::string::npos);
  const std::string body = text.substr(begin, text.find("};", begin) - begin);
  std::map<std::string, unsigned long> out;
  const std::regex wanted(R"((\w+)\s*=\s*(0x[0-9A-Fa-f]+|\d+))");
  for (std::sregex_iterator it(body.begin(), body.end(), wanted), end; it != end; ++it) {
    out[(*it)[1]] = std::stoul((*it)[2], nullptr, 0);
  }
  return out;
}

std::set<std::string> keys_of(const Bytes& map) {
  std::set<std::string> out;
  const auto json = nlohmann::json::parse(MapReader::parse(map).value().to_json());
  for (auto it = json.begin(); it != json.end(); ++it) {
    out.insert(it.key());
  }
  return out;
}
// Of the first table with keys in a section.
std::set<std::string> first_cells(const std::string& heading) {
  const std::string text = section(heading);
  const auto table = text.find("| key | type |");
  REQUIRE(table != std::string::npos);
  std::set<std::string> out;
  for (const auto& row : rows(text.substr(table, text.find("\n\n", table) - table))) {
    if (row[1] != "type") {
      out.insert(row[0]);
    }
  }
  return out;
}
// Names in code marks in the second cell, minus what stands in brackets (values).
std::set<std::string> payload_keys(const std::string& kind) {
  const std::string text = section("### Event payloads");
  const auto at = text.find("\n| " + kind + " | `");
  REQUIRE_MESSAGE(at != std::string::npos, kind);
  std::string line = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
  line = std::regex_replace(line, std::regex(R"(\([^)]*\))"), "");
  std::set<std::string> out;
  const std::regex wanted("`(\\w+)`");
  for (std::sregex_iterator it(line.begin(), line.end(), wanted), end; it != end; ++it) {
    out.insert((*it)[1]);
  }
  return out;
}

}  // namespace

TEST_CASE("format.md: every number is the one of the code, and none is left out") {
  std::map<std::string, std::string> documented;
  for (const auto& row : rows(section("## Numbers"))) {
    if (row[0] != "name") {
      documented[row[0]] = row[1];
    }
  }
  CHECK(documented == numbers());
  auto defined = constants_in("format/constants.hpp");
  for (const auto& name : constants_in("format/tail_layout.hpp")) {
    defined.insert(name);
  }
  CHECK(defined.size() > 40);
  for (const auto& name : defined) {
    CHECK_MESSAGE(documented.count(name) == 1, name);
  }
}

TEST_CASE("format.md: the record types are those of the code") {
  std::map<std::string, unsigned long> documented;
  for (const auto& row : rows(section("### Record frame"))) {
    if (row[0].rfind("0x", 0) == 0) {
      documented[row[1]] = std::stoul(row[0], nullptr, 16);
    }
  }
  CHECK(documented == enum_in("format/constants.hpp", "RecordType"));
}

TEST_CASE("format.md: the event kinds are those of the code") {
  std::map<std::string, unsigned long> documented;
  for (const auto& row : rows(section("### Event payloads"))) {
    if (!row[0].empty() && std::isdigit(static_cast<unsigned char>(row[0].front())) != 0) {
      documented[row[1]] = std::stoul(row[0]);
      CHECK(name_of(static_cast<EventKind>(std::stoul(row[0]))) == row[1]);
    }
  }
  CHECK(documented == enum_in("format/event.hpp", "EventKind"));
}

TEST_CASE("format.md: the keys of all maps are those of the code") {
  SessionHeader header;
  header.ledger = header.encryption = header.redactors = to_bytes("x");
  CHECK(first_cells("## HEADER") == keys_of(encode(header)));
  CHECK(first_cells("## Encryption") == keys_of(encode(EncryptionDescriptor{})));
  CHECK(payload_keys("resize") == keys_of(encode(Resize{})));
  CHECK(payload_keys("signal") == keys_of(encode(Signal{})));
  CHECK(payload_keys("marker") == keys_of(encode(Marker{})));
  CHECK(payload_keys("clock") == keys_of(encode(ClockSample{})));
  CHECK(payload_keys("session_start") == keys_of(encode(SessionStart{})));
  CHECK(payload_keys("command_begin") == keys_of(encode(CommandBegin{})));
  CHECK(payload_keys("command_end") == keys_of(encode(CommandEnd{})));
  CHECK(payload_keys("gap") == keys_of(encode(Gap{})));
  CHECK(payload_keys("exit") == keys_of(encode(Exit{})));

  const std::array<std::byte, 32> seed{};
  const auto key = SigningKey::from_seed(seed).value();
  RedactionNote note;
  note.key_box_digest = note.stored_digest = Digest{};
  const Bytes redaction = encode_redaction({}, note, key).value();
  CHECK(first_cells("## REDACTION") ==
        keys_of(Bytes(redaction.begin(), redaction.end() - sizeof(Signature))));
  const Bytes recovered = encode_carried({}, {}, key, RecoveredContent::tail, {}).value();
  CHECK(first_cells("## RECOVERED") ==
        keys_of(Bytes(recovered.begin() + 4, recovered.end() - sizeof(Signature))));
}

TEST_CASE("format.md: verdicts and exit statuses are those of the code") {
  std::map<std::string, std::string> documented;
  for (const auto& row : rows(section("## Verification"))) {
    if (row[0] != "verdict") {
      documented[row[0]] = row[1];
    }
  }
  std::map<std::string, std::string> coded;
  for (std::uint8_t v = 0; v <= static_cast<std::uint8_t>(Verdict::unsupported); ++v) {
    const auto verdict = static_cast<Verdict>(v);
    coded[std::string(name_of(verdict))] = std::to_string(exit_status_of(verdict));
  }
  CHECK(documented == coded);
}

TEST_CASE("format.md: ancillary records are sealed and skipped, all other unknown ones refused") {
  for (unsigned type = 0; type < 256; ++type) {
    CAPTURE(type);
    switch (static_cast<RecordType>(type)) {
      case RecordType::header:
      case RecordType::chunk:
      case RecordType::seal:
      case RecordType::key_box:
      case RecordType::end:
      case RecordType::index:
      case RecordType::redaction:
      case RecordType::recovered:
      case RecordType::footer:
        continue;
      default:
        break;
    }
    const bool ancillary = type == 0x02 || type == 0x06 || (type >= 0x80 && type <= 0xBF);
    test::RawSession s;
    s.begin().output("one ").record(static_cast<RecordType>(type), to_bytes("later")).end();
    s.final_seal();
    const auto want = ancillary ? Verdict::self_consistent : Verdict::unsupported;
    CHECK(verify(s.file).value().verdict == want);
  }
}

TEST_CASE("format.md: the worked example is a recording, to the byte") {
  const std::string begin = "<!-- example:begin -->\n```\n";
  const std::string end = "```\n<!-- example:end -->";
  const auto from = page().find(begin);
  const auto to = page().find(end);
  REQUIRE(from != std::string::npos);
  REQUIRE(to != std::string::npos);
  const std::string shown = page().substr(from + begin.size(), to - from - begin.size());
  CHECK(shown == test::explain_example());

  // What the page shows, read back, verifies.
  test::MemFile file;
  std::istringstream lines(shown);
  for (std::string line; std::getline(lines, line);) {
    const auto hex = line.substr(7, 47);
    std::istringstream bytes(hex);
    for (std::string byte; bytes >> byte;) {
      append(file.data(), from_hex(byte).value());
    }
  }
  const auto report = verify(file).value();
  CHECK(report.verdict == Verdict::self_consistent);
  CHECK(report.events == 4);
  CHECK(report.seals == 2);
  CHECK(report.findings.empty());
}
