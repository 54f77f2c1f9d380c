// SPDX-License-Identifier: Apache-2.0
// The worked example of docs/format.md: a small recording, and every byte of it with what it means.
#pragma once

#include "format/chunk.hpp"
#include "format/compress.hpp"
#include "format/record.hpp"
#include "format/seal.hpp"
#include "tests/support/sample_session.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

namespace sworn::test {

inline Bytes spec_example() {
  SampleSession s;
  s.put(format::EventKind::resize, encode(format::Resize{{80, 24}}));
  s.output("$ ");
  s.put(format::EventKind::input, as_bytes("ls\r"), 250);
  s.seal(format::SealReason::critical);
  s.put(format::EventKind::exit, encode(format::Exit{}));
  must(s.writer->finish({0}));
  return s.file.data();
}

// "offset  bytes  meaning", at most 16 bytes a line, the meaning beside the first.
class SpecDump {
 public:
  explicit SpecDump(ByteView data) : data_(data) {}
  SpecDump& field(std::size_t size, const std::string& meaning) {
    std::string label = meaning;
    for (const std::size_t end = at_ + size; at_ < end;) {
      const std::size_t n = std::min<std::size_t>(16, end - at_);
      std::string hex;
      for (std::size_t i = 0; i < n; ++i) {
        hex +=
            fmt::format("{}{:02x}", i == 0 ? "" : " ", std::to_integer<unsigned>(data_[at_ + i]));
      }
      out_ += label.empty() ? fmt::format("{:5}  {}\n", at_, hex)
                            : fmt::format("{:5}  {:47}  {}\n", at_, hex, label);
      label.clear();
      at_ += n;
    }
    return *this;
  }
  // Bytes that are not in the file.
  SpecDump& note(ByteView bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += 16) {
      std::string hex;
      for (const auto byte : bytes.subspan(at, std::min<std::size_t>(16, bytes.size() - at))) {
        hex += fmt::format("{}{:02x}", hex.empty() ? "" : " ", std::to_integer<unsigned>(byte));
      }
      out_ += fmt::format("{:54}  | {}\n", "", hex);
    }
    return *this;
  }
  [[nodiscard]] const std::string& text() const { return out_; }

 private:
  ByteView data_;
  std::string out_;
  std::size_t at_ = 0;
};

inline void explain_chunk(SpecDump& dump, ByteView body, format::Decompressor& group) {
  const auto chunk = format::decode_chunk_body(body).value();
  dump.field(4, "  chunk").field(4, "  events").field(8, "  first event");
  dump.field(8, "  first t").field(8, "  last t").field(32, "  leaf root");
  dump.field(4, "  length of columns").field(1, "  begins a group").field(1, "  salt form");
  dump.field(2, "  salt nodes").field(32 * chunk.salt_nodes.size(), "  seed");
  if (chunk.begins_group) {
    group.begin_group();
  }
  Bytes columns(chunk.raw_bytes);
  must(group.decompress(chunk.stored, columns));
  dump.field(chunk.stored.size(), "  zstd, of these columns:");
  dump.note(columns);
}

inline void explain_record(SpecDump& dump, const format::RecordScanner::Record& record,
                           format::Decompressor& group) {
  using format::RecordType;
  const char* name = "";
  switch (record.frame.record_type()) {
    case RecordType::header:
      name = "HEADER";
      break;
    case RecordType::chunk:
      name = "CHUNK";
      break;
    case RecordType::seal:
      name = "SEAL";
      break;
    case RecordType::end:
      name = "END";
      break;
    case RecordType::index:
      name = "INDEX";
      break;
    case RecordType::footer:
      name = "FOOTER";
      break;
    default:
      throw std::runtime_error("a record that the example does not have");
  }
  dump.field(4, fmt::format("record {}: sync", record.frame.seq))
      .field(1, std::string("  ") + name);
  dump.field(3, "  zeros").field(4, "  number").field(4, "  length").field(4, "  crc32c");
  const std::size_t size = record.body.size();
  switch (record.frame.record_type()) {
    case RecordType::chunk:
      explain_chunk(dump, record.body, group);
      break;
    case RecordType::seal: {
      const auto seal = format::decode_seal(record.body).value();
      dump.field(4, "  seal").field(2, "  flags").field(2, "  leaves").field(8, "  t");
      dump.field(8, "  wall").field(32, "  next key").field(64, "  signature");
      for (std::size_t i = 0; i < seal.leaves.size(); ++i) {
        dump.field(32, "  leaf");
      }
      break;
    }
    case RecordType::end:
      dump.field(8, "  events").field(4, "  chunks").field(8, "  late bytes").field(8, "  t");
      break;
    case RecordType::footer:
      dump.field(8, "  INDEX at").field(8, "  END at").field(8, "  final seal at");
      dump.field(4, "  magic");
      break;
    default:
      dump.field(size, record.frame.record_type() == RecordType::header ? "  map" : "  body");
  }
}

inline std::string explain_example() {
  MemFile file;
  file.data() = spec_example();
  SpecDump dump(file.data());
  dump.field(8, "magic").field(1, "major").field(1, "minor").field(1, "incompat");
  dump.field(1, "compat").field(4, "crc32c").field(16, "file id");
  const auto id = format::decode_preamble(file.data()).value().file_id;
  format::RecordScanner scanner(file, id, format::k_preamble_bytes);
  format::Decompressor group;
  while (const auto record = scanner.next().value()) {
    explain_record(dump, *record, group);
  }
  return dump.text();
}

}  // namespace sworn::test
