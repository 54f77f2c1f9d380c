// SPDX-License-Identifier: Apache-2.0
#include "audit/kernel_decoder.hpp"
#include "format/event_payload.hpp"
#include "tests/support/wire_records.hpp"

#include <doctest/doctest.h>

using namespace sworn;
using namespace sworn::audit;
using namespace sworn::test;
using namespace std::string_literals;

namespace {

std::vector<AuditFact> feed(KernelDecoder& decoder, const Bytes& records) {
  std::vector<AuditFact> out;
  decoder.feed(message(SWORN_MSG_RECORDS, records), out);
  return out;
}

}  // namespace

TEST_CASE("audit: a record of an execution becomes a fact with exact words and paths") {
  KernelDecoder decoder;
  const auto facts = feed(
      decoder, exec_record(7, 5, 1, "a\0\0b c\n\xC3\xA4\0"s, "true\0bin\0usr\0"s, "x y\0tmp\0"s));
  REQUIRE(facts.size() == 1);
  CHECK(facts[0].kind == format::EventKind::exec);
  const auto exec = decode_exec(facts[0].data);
  REQUIRE(exec);
  CHECK(exec->argv == std::vector<std::string>{"a", "", "b c\n\xC3\xA4"});
  CHECK(exec->exe == "/usr/bin/true");
  CHECK(exec->cwd == "/tmp/x y");
  CHECK(exec->process == ProcessId{7, 7000});
  CHECK(exec->parent == ProcessId{5, 5000});
  CHECK(exec->flags.empty());
}

TEST_CASE("audit: a memfd has a name and no path; the root directory is /") {
  KernelDecoder decoder;
  const auto facts =
      feed(decoder, exec_record(7, 5, 1, "a\0"s, "memfd:x\0"s, "/\0"s, SWORN_EXE_ANONYMOUS));
  const auto exec = decode_exec(facts.at(0).data);
  REQUIRE(exec);
  CHECK(exec->exe == "memfd:x");
  CHECK(exec->cwd == "/");
  CHECK(exec->flags == std::vector<std::string>{"memfd"});
}

TEST_CASE("audit: a cut argv keeps the beginning of its last word") {
  KernelDecoder decoder;
  const auto facts =
      feed(decoder, exec_record(7, 5, 1, "aa\0bb"s, "x\0"s, "/\0"s, SWORN_ARGV_TRUNCATED));
  const auto exec = decode_exec(facts.at(0).data);
  REQUIRE(exec);
  CHECK(exec->argv == std::vector<std::string>{"aa", "bb"});
  CHECK(exec->flags == std::vector<std::string>{"argv_truncated"});
}

TEST_CASE("audit: forks between two programs are on record with the lower one") {
  KernelDecoder decoder;
  feed(decoder, exec_record(5, 1, 1, "sh\0"s, "sh\0"s, "/\0"s));
  feed(decoder, fork_record(6, 5, 2));
  feed(decoder, fork_record(7, 6, 3));
  feed(decoder, fork_record(8, 7, 4));
  const auto facts = feed(decoder, exec_record(8, 7, 5, "a\0"s, "a\0"s, "/\0"s));
  const auto exec = decode_exec(facts.at(0).data);
  REQUIRE(exec);
  CHECK(exec->parent == ProcessId{7, 7000});
  CHECK(exec->via == std::vector<ProcessId>{{7, 7000}, {6, 6000}, {5, 5000}});
  CHECK(feed(decoder, exit_record(8, 7, 6, 0x0300)).size() == 1);
  CHECK(decoder.living() == 3);
}

TEST_CASE("audit: how a process ended") {
  KernelDecoder decoder;
  auto exit = decode_exec_exit(feed(decoder, exit_record(8, 7, 1, 0x0300)).at(0).data);
  REQUIRE(exit);
  CHECK(exit->status == 3);
  CHECK(exit->signal == 0);
  exit = decode_exec_exit(feed(decoder, exit_record(9, 7, 2, 0x8B)).at(0).data);
  REQUIRE(exit);
  CHECK(exit->signal == 11);
  CHECK(exit->core_dumped);
}

TEST_CASE("audit: lost records are counted where they are missing, each CPU for itself") {
  KernelDecoder decoder;
  Bytes records = fork_record(6, 5, 1, 0);
  append(records, fork_record(7, 5, 1, 1));
  append(records, fork_record(8, 5, 5, 0));  // 2, 3 and 4 of CPU 0
  append(records, fork_record(9, 5, 2, 1));
  const auto facts = feed(decoder, records);
  REQUIRE(facts.size() == 1);
  const auto gap = format::decode_gap(facts[0].data);
  REQUIRE(gap);
  CHECK(gap->reason == "kernel_lost");
  CHECK(gap->lost_events == 3);
  CHECK(decoder.counters().lost == 3);

  SUBCASE("the end of a stream is covered by the last numbers") {
    sworn_message_counters counters{};
    counters.m = {SWORN_WIRE_VERSION, SWORN_MSG_COUNTERS, 42};
    counters.cpus = 2;
    auto packet = struct_bytes(counters);
    for (const std::uint64_t last : {9U, 2U, 0U, 0U, 0U, 0U, 0U, 0U}) {
      append(packet, struct_bytes(last));
    }
    std::vector<AuditFact> out;
    decoder.feed(packet, out);
    CHECK(decoder.flushed() == 42U);
    CHECK(decoder.counters().lost == 3 + 4);
    CHECK(out.size() == 1);
  }
}

TEST_CASE("audit: packets that make no sense are counted and give nothing") {
  const auto refused = [](const Bytes& packet) {
    KernelDecoder decoder;
    std::vector<AuditFact> out;
    decoder.feed(packet, out);
    return decoder.counters().malformed == 1 && out.empty();
  };
  CHECK(refused({}));
  CHECK(refused(message(99)));
  CHECK(refused(struct_bytes(sworn_message{7, SWORN_MSG_RECORDS, 0})));
  CHECK(refused(message(SWORN_MSG_STATE)));
  CHECK(refused(message(SWORN_MSG_COUNTERS)));
  const auto whole = exec_record(7, 5, 1, "a\0"s, "x\0"s, "/\0"s);
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    CAPTURE(cut);
    CHECK(refused(
        message(SWORN_MSG_RECORDS, Bytes(whole.begin(), whole.begin() + std::ptrdiff_t(cut)))));
  }
  auto longer = whole;
  longer[offsetof(sworn_wire_exec, cwd_length)] = std::byte{200};
  CHECK(refused(message(SWORN_MSG_RECORDS, longer)));
  auto unknown = whole;
  unknown[4] = std::byte{77};
  CHECK(refused(message(SWORN_MSG_RECORDS, unknown)));
}

TEST_CASE("audit: the family tree in memory is bounded") {
  KernelDecoder decoder;
  std::vector<AuditFact> out;
  for (std::uint32_t pid = 1; pid < 70'000; ++pid) {
    decoder.feed(message(SWORN_MSG_RECORDS, fork_record(pid, 1, pid)), out);
  }
  CHECK(decoder.living() <= 65'536);
}

TEST_CASE("audit: facts about processes survive being written and read") {
  ExecFact exec;
  exec.process = {4711, 99};
  exec.parent = {4710, 98};
  exec.ppid = 1;
  exec.via = {{4710, 98}, {4000, 7}};
  exec.uid = 1000;
  exec.euid = 0;
  exec.gid = 5;
  exec.egid = 6;
  exec.loginuid = 1000;
  exec.audit_ses = 3;
  exec.tty = "136:4";
  exec.cgroup = 77;
  exec.comm = "sudo";
  exec.file = "/usr/bin/sudo";
  exec.exe = "/usr/bin/sudo2";
  exec.argv = {"sudo", "", "\xFF\x1b"};
  exec.argv_bytes = 12;
  exec.cwd = "/root";
  exec.source = "ebpf";
  exec.flags = {"deleted"};
  exec.error = 13;
  const auto read = decode_exec(encode(exec));
  REQUIRE(read);
  CHECK(encode(*read) == encode(exec));
  CHECK(read->via == exec.via);
  CHECK(read->argv == exec.argv);
  CHECK(read->euid == 0);
  CHECK(read->egid == 6);
  CHECK(read->ppid == 1);
  const auto connect =
      decode_connect(encode(ConnectFact{{1, 2}, "inet", "10.0.0.1", 22, "tcp", "ssh", "ebpf"}));
  REQUIRE(connect);
  CHECK(connect->port == 22);
  CHECK(connect->process == ProcessId{1, 2});
  const auto file = decode_file(encode(FileFact{{1, 2}, "/etc/shadow", 577, "vi", "lsm", {}}));
  REQUIRE(file);
  CHECK(file->path == "/etc/shadow");
  CHECK(file->flags == 577);
}
