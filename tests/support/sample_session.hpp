// SPDX-License-Identifier: Apache-2.0
// A small session in memory, the same bytes every time: the golden file of the damage tests.
#pragma once

#include "format/event_payload.hpp"
#include "format/session_writer.hpp"
#include "tests/support/mem_file.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace sworn::test {

// For setting up: what must not fail, or the test ends here.
inline void must(const Result<void>& result) {
  if (!result) {
    throw std::runtime_error(describe(result.error()));
  }
}

inline format::SessionHeader sample_header(Clock& clock) {
  format::SessionHeader header;
  header.host_id = "00112233445566778899aabbccddeeff";
  header.boot_id = "6f1c2f0e-0000-4000-8000-000000000001";
  header.started = clock.wall();
  header.started_mono = clock.mono();
  header.recorder_version = "test";
  header.mode = "standalone";
  return header;
}

// Feeds a SessionWriter with numbered events. Not movable: the writer refers to its members.
class SampleSession {
 public:
  explicit SampleSession(std::uint64_t seed = 1, format::WriterOptions options = {})
      : entropy(seed) {
    create(sample_header(clock), options);
  }
  SampleSession(std::uint64_t seed, format::WriterOptions options,
                const format::SessionHeader& header)
      : entropy(seed) {
    create(header, options);
  }
  SampleSession(const SampleSession&) = delete;
  SampleSession& operator=(const SampleSession&) = delete;

  void put(format::EventKind kind, ByteView data, std::int64_t earlier_us = 0) {
    format::Event event{number++,
                        kind,
                        clock.mono(),
                        {clock.mono().us - earlier_us},
                        Bytes(data.begin(), data.end()),
                        false};
    const auto view = event.view();
    must(writer->append({&view, 1}));
    events.push_back(std::move(event));
    clock.advance(1'500);
  }
  void output(std::string_view text) { put(format::EventKind::output, as_bytes(text)); }
  void seal(format::SealReason reason = format::SealReason::interval) {
    must(writer->seal(reason));
    seal_ends.push_back(file.data().size());
  }

  // Eleven events, four seals, closed.
  static std::unique_ptr<SampleSession> small() {
    auto made = std::make_unique<SampleSession>();
    SampleSession& s = *made;
    format::SessionStart start;
    start.user = "alice";
    start.argv = {"bash"};
    s.put(format::EventKind::session_start, encode(start));
    s.seal();
    s.output("$ ");
    s.put(format::EventKind::input, as_bytes("ls\r"));
    s.put(format::EventKind::command_begin,
          encode(format::CommandBegin{1, 42, "ls", "hook", "/root", "bash", 0, {}}), 700);
    s.seal(format::SealReason::critical);
    s.output("\x1b[31mfile\x1b[0m\r\n");
    s.put(format::EventKind::command_end, encode(format::CommandEnd{1, 42, 0, "0", "/root", {}}));
    s.output("$ ");
    s.put(format::EventKind::input_hidden, {});
    s.seal();
    s.output("bye\r\n");
    s.put(format::EventKind::gap, encode(format::Gap{"test", 1, 2, "x"}));
    s.put(format::EventKind::exit, encode(format::Exit{}));
    must(s.writer->finish({7}));
    return made;
  }

  void create(const format::SessionHeader& header, format::WriterOptions options) {
    writer = format::SessionWriter::create(file, clock, entropy, header, options).value();
  }

  MemFile file;
  FakeClock clock;
  FakeEntropy entropy;
  std::unique_ptr<format::SessionWriter> writer;
  std::vector<format::Event> events;
  std::vector<std::size_t> seal_ends;
  std::uint64_t number = 0;
};

}  // namespace sworn::test
