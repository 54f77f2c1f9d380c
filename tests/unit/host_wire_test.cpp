// SPDX-License-Identifier: Apache-2.0
#include "recorder/host/packet.hpp"
#include "recorder/host/wire.hpp"

#include <doctest/doctest.h>

#include <array>

#include <sys/socket.h>
#include <unistd.h>

namespace sworn::recorder::host {
namespace {

Plan sample_plan() {
  Plan plan;
  plan.id.fill(std::byte{7});
  plan.final_path = "/var/lib/sworn/sessions/x.sworn";
  plan.user = "alice";
  plan.groups = {4, 27};
  plan.environment_allowed = {"LESS"};
  plan.typed = to_bytes("ls\n");
  return plan;
}

std::vector<Message> samples() {
  return {Hello{Entry::rec, "disk", "OPS-1"},
          Answer{},
          Challenge{},
          Refused{Refused::Action::unrecorded, "why", "/bin/sh"},
          Accepted{{}, "/bin/bash", "", 2, 0},
          Setup{{"-bash"}, {"A=b", "C="}, "/bin/bash"},
          Launch{{"-bash", "--posix"}, {"A=b"}, {70, 71}, "/bin/bash"},
          Signalled{28, 1, 99},
          Stop{20},
          Finished{1, 15},
          sample_plan(),
          Prepared{},
          Opened{},
          Mark{3, 99, {}},
          Closed{{3, 99, {}}, "exited 0"},
          Register{},
          Problem{"what", "why"},
          Look{{34816}},
          Seen{1},
          Query{"who", {"a"}},
          Report{1, "{}"}};
}

}  // namespace

TEST_CASE("host wire: every message survives the trip") {
  REQUIRE(samples().size() == std::variant_size_v<Message>);
  for (const auto& message : samples()) {
    CAPTURE(message.index());
    const Bytes packet = encode(message);
    const auto back = decode(packet);
    REQUIRE(back);
    CHECK(back->index() == message.index());
    CHECK(encode(*back) == packet);
  }
}

TEST_CASE("host wire: cut anywhere or with a byte too many it is refused") {
  for (const auto& message : samples()) {
    Bytes packet = encode(message);
    for (std::size_t cut = 0; cut < packet.size(); ++cut) {
      CAPTURE(message.index());
      CAPTURE(cut);
      CHECK_FALSE(decode(ByteView(packet).first(cut)));
    }
    packet.push_back(std::byte{0});
    CHECK_FALSE(decode(packet));
  }
}

TEST_CASE("host wire: lengths that promise more than there is cost nothing") {
  Bytes packet = encode(Query{"who", {}});
  packet.resize(packet.size() - 4);
  for (int i = 0; i < 4; ++i) {
    packet.push_back(std::byte{0xFF});  // four thousand million words
  }
  CHECK_FALSE(decode(packet));
  Bytes text = encode(Problem{"", ""});
  text[4] = std::byte{0xFF};
  text[7] = std::byte{0x7F};
  CHECK_FALSE(decode(text));
}

TEST_CASE("host wire: another version, another protocol and an unknown type are told apart") {
  Bytes packet = encode(Opened{});
  packet[2] = std::byte{9};
  CHECK(decode(packet).error().code == Errc::unsupported);
  packet = encode(Opened{});
  packet[3] = std::byte{200};
  CHECK(decode(packet).error().code == Errc::unsupported);
  packet[0] = std::byte{'X'};
  CHECK(decode(packet).error().code == Errc::corrupt);
}

TEST_CASE("host wire: a choice out of range is refused") {
  Bytes packet = encode(Hello{});
  packet[4] = std::byte{4};
  CHECK_FALSE(decode(packet));
}

TEST_CASE("host packet: descriptors and the sender's credentials arrive") {
  std::array<int, 2> pair{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) == 0);
  const Fd a(pair[0]);
  const Fd b(pair[1]);
  const int on = 1;
  ::setsockopt(b.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  constexpr std::array k_fds{0, 1};
  REQUIRE(send_packet(a.get(), as_bytes("x"), k_fds, Claim::credentials));
  const auto got = receive_packet(b.get());
  REQUIRE(got.state == Received::State::done);
  CHECK(got.packet.fds.size() == 2);
  REQUIRE(got.packet.sender);
  CHECK(got.packet.sender->pid == ::getpid());
  CHECK(receive_packet(b.get()).state == Received::State::again);
}

TEST_CASE("host packet: longer than allowed is broken, and the end is the end") {
  std::array<int, 2> pair{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) == 0);
  Fd a(pair[0]);
  const Fd b(pair[1]);
  const Bytes big(5'000);
  REQUIRE(send_packet(a.get(), big));
  CHECK(receive_packet(b.get(), 4'096).state == Received::State::broken);
  a.reset();
  CHECK(receive_packet(b.get()).state == Received::State::end);
}

}  // namespace sworn::recorder::host
