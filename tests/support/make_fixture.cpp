// SPDX-License-Identifier: Apache-2.0
// make_fixture KIND OUT: session files for tests, the same bytes every time.
//   shell        a closed recording of a small shell session
//   incident     a failure, an editor, a long silence: what the tests of the player look at
//   hostile      the same as shell with escape sequences in every text that a recording can carry
//   open         cut short: no end, no final seal (OUT should end in .part)
//   tail         open, with a tail beside it that holds three more events
//   major        a preamble of a later major version
//   critical     an unknown critical record inside
//   huge-length  a frame that claims a body of 4 GiB
//   deep-msgpack a header of 10,000 nested arrays
//   zstd-bomb    a chunk of 1 KiB that decompresses to 256 MiB
//   big          about 40 MiB of output
//   evidence     a directory: a session, its ledger, copies of it, a trust store
//   (evidence_fixture.hpp) example      the worked example of docs/format.md example-text the same,
//   explained byte by byte, as it stands there
#include "base/printable.hpp"
#include "format/chunk.hpp"
#include "format/compress.hpp"
#include "format/constants.hpp"
#include "format/record.hpp"
#include "format/store.hpp"
#include "format/tail.hpp"
#include "tests/support/evidence_fixture.hpp"
#include "tests/support/incident_session.hpp"
#include "tests/support/sample_session.hpp"
#include "tests/support/spec_example.hpp"

#include <cstdio>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>

namespace {

using namespace sworn;
using namespace sworn::format;
using test::must;
using test::SampleSession;

constexpr std::string_view k_nasty =
    "\x1b]52;c;cm0gLXJmIC8K\x07\x1b[2J\x9b"
    "31m\xe2\x80\xae\r\nroot";

struct Texts {
  std::string user = "alice";
  std::string host = "db1.prod";
  std::string cwd = "/srv/app";
  std::string command = "systemctl restart rsyslog";
  std::string reason = "ticket says so";
};

Texts nasty_texts() {
  const std::string nasty(k_nasty);
  return {"alice" + nasty, "db1" + nasty, "/srv/" + nasty, "echo " + nasty, nasty};
}

SessionStart start_of(const Texts& texts) {
  SessionStart start;
  start.user = texts.user;
  start.uid = 1001;
  start.loginuid = 1001;
  start.audit_ses = 42;
  start.groups = {1001, 27};
  start.hostname = texts.host;
  start.tty = "/dev/pts/3";
  start.pts = "/dev/pts/4";
  start.term = "xterm-256color";
  start.size = {80, 24};
  start.argv = {"bash", "-l"};
  start.cwd = texts.cwd;
  start.environment = {{"LANG", "C.UTF-8"}};
  start.ssh_connection = "10.2.3.4 50122 10.2.3.9 22";
  start.reason = texts.reason;
  start.ticket = "OPS-1";
  start.input_policy = "commands";
  start.recorder_pid = 4711;
  start.child_pid = 4712;
  return start;
}

void clock_sample(SampleSession& s, const std::string& reason) {
  s.put(EventKind::clock, encode(ClockSample{s.clock.wall(), true, 500, reason}));
}

void command(SampleSession& s, std::uint64_t n, const Texts& texts, const std::string& text,
             const std::string& output, int status) {
  s.output("$ ");
  s.put(EventKind::typed, {});
  s.put(EventKind::input, as_bytes(text + "\r"));
  s.output(text + "\r\n");
  s.seal(SealReason::critical);
  s.put(EventKind::command_begin,
        encode(CommandBegin{n, 4712, text, "hook", texts.cwd, "bash", 0, {}}), 300);
  s.clock.advance(250'000);
  s.output(output);
  s.put(EventKind::command_end,
        encode(CommandEnd{n, 4712, status, std::to_string(status), texts.cwd, {}}));
  s.clock.advance(2'000'000);
}

void fill(SampleSession& s, const Texts& texts) {
  s.put(EventKind::session_start, encode(start_of(texts)));
  clock_sample(s, "start");
  s.seal();
  command(s, 1, texts, "ls", "\x1b[34mbin\x1b[0m  etc  motd\r\n", 0);
  command(s, 2, texts, "sudo -v", "[sudo] password for alice: \r\n", 0);
  s.put(EventKind::input_hidden, {});
  s.put(EventKind::resize, encode(Resize{{100, 30}}));
  command(s, 3, texts, texts.command, "Job failed: \xe2\x82\xac caf\xc3\xa9\r\n", 1);
  s.put(EventKind::marker, encode(Marker{texts.reason}));
  s.put(EventKind::gap, encode(Gap{"hook_flood", 2, 128, texts.reason}));
  s.output(texts.reason + "\r\n");
  s.seal();
}

void close(SampleSession& s) {
  clock_sample(s, "end");
  s.put(EventKind::exit, encode(Exit{3, 0, false, 0, ""}));
  must(s.writer->finish({0}));
}

void save(const Bytes& data, const std::string& path) {
  auto file = PosixAppendFile::create(path);
  if (!file) {
    throw std::runtime_error(describe(file.error()));
  }
  must((*file)->append(data));
}

Bytes closed_session(const Texts& texts) {
  SampleSession s;
  fill(s, texts);
  close(s);
  return s.file.data();
}

void make_shell(const std::string& path) {
  save(closed_session({}), path);
}
void make_incident(const std::string& path) {
  save(test::incident_session({80, 24}), path);
}
void make_hostile(const std::string& path) {
  save(closed_session(nasty_texts()), path);
}

void fill_open(SampleSession& s) {
  fill(s, {});
  s.output("this line is in a chunk without a seal\r\n");
  s.writer->release_compressor();
}

void make_open(const std::string& path) {
  SampleSession s;
  fill_open(s);
  save(s.file.data(), path);
}

void make_tail(const std::string& path) {
  SampleSession s;
  fill(s, {});
  save(s.file.data(), path);
  auto tail = TailWriter::create(tail_path(path), s.writer->header().file_id, 65'536);
  if (!tail) {
    throw std::runtime_error(describe(tail.error()));
  }
  // A tail counts from event 0: what the file holds comes first, as it did when it was recorded.
  for (const auto& event : s.events) {
    static_cast<void>((*tail)->put(event.kind, event.t, event.at, event.data).value());
  }
  for (const auto* text : {"only ", "in the ", "tail\r\n"}) {
    static_cast<void>(
        (*tail)->put(EventKind::output, s.clock.mono(), s.clock.mono(), as_bytes(text)).value());
  }
}

void make_major(const std::string& path) {
  auto data = closed_session({});
  Preamble preamble = decode_preamble(ByteView(data).first(k_preamble_bytes)).value();
  preamble.major = 9;
  const auto head = encode_preamble(preamble);
  std::copy(head.begin(), head.end(), data.begin());
  save(data, path);
}

// The header record and what a builder adds behind it.
void with_records(const std::string& path,
                  const std::function<void(Bytes& data, const FileId& id)>& add) {
  SampleSession s;
  const auto id = s.writer->header().file_id;
  Bytes data = s.file.data();
  add(data, id);
  save(data, path);
}

void make_critical(const std::string& path) {
  with_records(path, [](Bytes& data, const FileId& id) {
    append_record(data, id, static_cast<RecordType>(0x42), 1, as_bytes("from the future"));
  });
}

void make_huge_length(const std::string& path) {
  with_records(path, [](Bytes& data, const FileId& id) {
    const auto at = data.size();
    append_record(data, id, RecordType::chunk, 1, Bytes(4'096));
    // Whatever the order of the fields is, the frame now claims the most that it can.
    std::fill_n(data.begin() + static_cast<std::ptrdiff_t>(at) + 8, 8, std::byte{0xFF});
  });
}

void make_deep_msgpack(const std::string& path) {
  SampleSession s;
  Preamble preamble = decode_preamble(ByteView(s.file.data()).first(k_preamble_bytes)).value();
  Bytes data = encode_preamble(preamble);
  Bytes body(10'000, std::byte{0x91});  // arrays of one array of one array ...
  body.push_back(std::byte{0xC0});
  append_record(data, preamble.file_id, RecordType::header, 0, body);
  save(data, path);
}

void make_zstd_bomb(const std::string& path) {
  with_records(path, [](Bytes& data, const FileId& id) {
    ChunkCore core;
    core.n_events = 1;
    Bytes body;
    append_core(body, core);
    for (const auto byte :
         {0x00, 0x04, 0x00, 0x00, 0x01, 0x00, 0x20, 0x00}) {  // 1,024 raw, a group, 32 salt bytes
      body.push_back(static_cast<std::byte>(byte));
    }
    body.resize(body.size() + 0x20);
    Compressor compressor(19);
    must(compressor.compress(Bytes(std::size_t{256} << 20U), GroupPart::whole, body));
    append_record(data, id, RecordType::chunk, 1, body);
  });
}

void make_big(const std::string& path) {
  SampleSession s;
  s.put(EventKind::session_start, encode(start_of({})));
  std::string text;
  for (int i = 0; i < 10'000; ++i) {
    text.clear();
    while (text.size() < 4'000) {
      text +=
          std::to_string(i * 7919 + static_cast<int>(text.size())) + " /usr/share/doc/package\r\n";
    }
    s.output(text);
    if (i % 256 == 0) {
      s.seal();
    }
  }
  close(s);
  save(s.file.data(), path);
}

void make_evidence(const std::string& path) {
  std::filesystem::create_directories(path);
  for (const auto& [name, data] : test::evidence_fixture()) {
    save(data, path + "/" + name);
  }
}

const std::map<std::string, void (*)(const std::string&)> k_kinds = {
    {"shell", make_shell},
    {"incident", make_incident},
    {"hostile", make_hostile},
    {"open", make_open},
    {"tail", make_tail},
    {"major", make_major},
    {"critical", make_critical},
    {"huge-length", make_huge_length},
    {"deep-msgpack", make_deep_msgpack},
    {"zstd-bomb", make_zstd_bomb},
    {"big", make_big},
    {"evidence", make_evidence},
    {"example", [](const std::string& path) { save(test::spec_example(), path); }},
    {"example-text",
     [](const std::string& path) { save(to_bytes(test::explain_example()), path); }},
};

}  // namespace

int main(int argc, char** argv) {
  const auto kind = argc == 3 ? k_kinds.find(argv[1]) : k_kinds.end();
  if (kind == k_kinds.end()) {
    std::cerr << "usage: make_fixture KIND OUT\n";
    return 2;
  }
  try {
    kind->second(argv[2]);
  } catch (const std::exception& error) {
    std::cerr << "make_fixture: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
