// SPDX-License-Identifier: Apache-2.0
#include "base/file.hpp"
#include "format/tail.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>

using namespace sworn;
using namespace sworn::format;

namespace {

const FileId k_id{std::byte{1}, std::byte{2}, std::byte{3}};

std::string text_of(const Event& e) {
  return std::string(as_text(e.data));
}

}  // namespace

TEST_CASE("tail: what is committed can be read back by another reader") {
  const test::TempDir dir;
  auto tail = TailWriter::create(dir / "t", k_id, 16'384).value();
  auto place = tail->reserve(100);
  REQUIRE(place.size() == 100);
  std::memcpy(place.data(), "hello", 5);
  const auto view = tail->commit(EventKind::output, {5}, {5}, 5);
  CHECK(view.number == 0);
  CHECK(as_text(view.data) == "hello");
  tail->put(EventKind::input, {6}, {4}, as_bytes("x")).value();
  const auto found = read_tail(dir / "t", k_id, 0).value();
  REQUIRE(found.events.size() == 2);
  CHECK(text_of(found.events[0]) == "hello");
  CHECK(found.events[1].at.us == 4);
  CHECK_FALSE(found.hole);
  CHECK(read_tail(dir / "t", k_id, 1).value().events.size() == 1);
  CHECK(tail->pending(1).size() == 1);
  CHECK(read_tail(dir / "t", FileId{}, 0).error().code == Errc::corrupt);
}

TEST_CASE("tail: a reservation that is not committed leaves no trace") {
  const test::TempDir dir;
  auto tail = TailWriter::create(dir / "t", k_id, 16'384).value();
  auto place = tail->reserve(64);
  std::memset(place.data(), 's', place.size());
  CHECK(read_tail(dir / "t", k_id, 0).value().events.empty());
  CHECK(tail->put(EventKind::output, {1}, {1}, as_bytes("real")));
  CHECK(read_tail(dir / "t", k_id, 0).value().events.size() == 1);
}

TEST_CASE("tail: full means back pressure until the other half is released") {
  const test::TempDir dir;
  auto tail = TailWriter::create(dir / "t", k_id, 8192).value();
  std::uint64_t n = 0;
  while (tail->put(EventKind::output, {static_cast<std::int64_t>(n)}, {0}, Bytes(1000))) {
    ++n;
  }
  CHECK(n == 14);  // seven in each half
  CHECK(tail->reserve(1000, 1000).empty());
  CHECK(read_tail(dir / "t", k_id, 0).value().events.size() == n);
  tail->release(7);
  CHECK_FALSE(tail->reserve(1000, 1000).empty());
  for (int i = 0; i < 7; ++i) {
    tail->put(EventKind::output, {99}, {0}, Bytes(1000)).value();
  }
  const auto found = read_tail(dir / "t", k_id, 7).value();
  CHECK(found.events.size() == 14);
  CHECK(found.events.front().number == 7);
  const auto behind = read_tail(dir / "t", k_id, 3).value();
  CHECK(behind.hole);  // 3 to 6 are gone, as released ones may be
  CHECK(behind.events.empty());
}

TEST_CASE("tail: many turns never lose or repeat a number") {
  const test::TempDir dir;
  auto tail = TailWriter::create(dir / "t", k_id, 8192).value();
  std::uint64_t released = 0;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    const auto size = static_cast<std::size_t>(i * 31 % 900);
    while (!tail->put(EventKind::output, {static_cast<std::int64_t>(i)}, {0}, Bytes(size))) {
      released = tail->next_number();
      tail->release(released);
    }
    if (i % 61 == 0) {
      const auto found = read_tail(dir / "t", k_id, released).value();
      CHECK_FALSE(found.hole);
      REQUIRE(found.events.size() == tail->next_number() - released);
    }
  }
}

TEST_CASE("tail: every truncation and every flipped byte is refused or gives a true prefix") {
  const test::TempDir dir;
  auto tail = TailWriter::create(dir / "t", k_id, 8192).value();
  for (int i = 0; i < 5; ++i) {
    tail->put(EventKind::output, {i}, {i}, as_bytes("event " + std::to_string(i))).value();
  }
  const auto whole = read_whole_file(dir / "t", 1U << 20U).value();
  const auto check = [&](Bytes bytes) {
    std::filesystem::remove(dir / "u");
    REQUIRE(PosixAppendFile::create(dir / "u").value()->append(bytes));
    const auto found = read_tail(dir / "u", k_id, 0);
    if (!found) {
      return;
    }
    for (std::size_t i = 0; i < found->events.size(); ++i) {
      REQUIRE(text_of(found->events[i]) == "event " + std::to_string(i));
    }
  };
  for (std::size_t i = 0; i < 4096 + 500; i = i < 40 || i >= 4096 ? i + 1 : 4096) {
    CAPTURE(i);
    Bytes flipped = whole;
    flipped[i] ^= std::byte{0x41};
    check(std::move(flipped));
    check(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(i)));
  }
}

TEST_CASE("tail: an existing file is never overwritten") {
  const test::TempDir dir;
  CHECK(TailWriter::create(dir / "t", k_id));
  const auto again = TailWriter::create(dir / "t", k_id);
  REQUIRE_FALSE(again);
  CHECK(again.error().sys == EEXIST);
}
