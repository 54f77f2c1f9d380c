// SPDX-License-Identifier: Apache-2.0
#include "audit/trail/live_session.hpp"
#include "format/store.hpp"
#include "format/tail.hpp"
#include "tests/support/sample_session.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

using namespace sworn;
using audit::trail::LiveSession;
using format::EventKind;

namespace {

// The bytes of a growing session, put on disk in steps.
void grow(const std::string& path, const Bytes& bytes, std::size_t to) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(to));
}

std::vector<std::uint64_t> poll(LiveSession& session) {
  std::vector<std::uint64_t> numbers;
  CHECK(session.poll([&](const format::EventView& event) -> Result<void> {
    numbers.push_back(event.number);
    return {};
  }));
  return numbers;
}

}  // namespace

TEST_CASE("live session: every event once, from the file, the tail and the file again") {
  const test::TempDir dir;
  const auto sample = test::SampleSession::small();
  const auto& bytes = sample->file.data();
  const auto part = dir.path() + "/s.sworn.part";
  grow(part, bytes, sample->seal_ends[0]);
  auto session = LiveSession::open(dir.path() + "/s.sworn");  // finds the .part
  REQUIRE(session);
  auto all = poll(**session);
  CHECK(all == std::vector<std::uint64_t>{0});
  CHECK(poll(**session).empty());
  // Two more events that are in the tail only.
  {
    auto tail = format::TailWriter::create(format::tail_path(part),
                                           (*session)->reader().header().file_id, 64 * 1024);
    REQUIRE(tail);
    for (std::uint64_t n = 0; n < 3; ++n) {
      const auto& event = sample->events[n];
      CHECK((*tail)->put(event.kind, event.t, event.at, event.data));
    }
    all = poll(**session);
    CHECK(all == std::vector<std::uint64_t>{1, 2});
  }
  // Now they are sealed, with more behind them: none comes twice.
  grow(part, bytes, sample->seal_ends[1]);
  all = poll(**session);
  REQUIRE_FALSE(all.empty());
  CHECK(all.front() == 3);
  grow(part, bytes, bytes.size());
  const auto rest = poll(**session);
  CHECK(rest.back() == sample->events.size() - 1);
  CHECK((*session)->over());
  CHECK_FALSE((*session)->crashed());
}

TEST_CASE("live session: an event whose taker fails comes again") {
  const test::TempDir dir;
  const auto sample = test::SampleSession::small();
  const auto path = dir.path() + "/s.sworn";
  grow(path, sample->file.data(), sample->file.data().size());
  auto session = LiveSession::open(path);
  REQUIRE(session);
  int left = 2;
  CHECK_FALSE((*session)->poll([&](const format::EventView&) -> Result<void> {
    return left-- > 0 ? Result<void>{} : fail(Errc::io, "no");
  }));
  CHECK(poll(**session).front() == 2);
}

TEST_CASE("live session: one whose recorder died is over, and told so") {
  const test::TempDir dir;
  const auto sample = test::SampleSession::small();
  const auto part = dir.path() + "/s.sworn.part";
  grow(part, sample->file.data(), sample->seal_ends[1]);  // nobody holds its lock
  auto session = LiveSession::open(part);
  REQUIRE(session);
  CHECK_FALSE(poll(**session).empty());
  CHECK((*session)->over());
  CHECK((*session)->crashed());
  CHECK_FALSE(LiveSession::open(dir.path() + "/none.sworn"));
}
