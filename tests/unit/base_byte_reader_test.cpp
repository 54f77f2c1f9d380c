// SPDX-License-Identifier: Apache-2.0
#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace sworn;

TEST_CASE("byte reader: numbers come back as written") {
  Bytes out;
  ByteWriter w(out);
  w.u8(7).u16(0xBEEF).u32(0xDEADBEEF).u64(0x0123456789ABCDEF);
  w.varint(0).varint(127).varint(128).varint(std::numeric_limits<std::uint64_t>::max());
  w.zigzag(0).zigzag(-1).zigzag(std::numeric_limits<std::int64_t>::min());
  ByteReader r(out);
  CHECK(r.u8().value() == 7);
  CHECK(r.u16().value() == 0xBEEF);
  CHECK(r.u32().value() == 0xDEADBEEF);
  CHECK(r.u64().value() == 0x0123456789ABCDEF);
  CHECK(r.varint().value() == 0);
  CHECK(r.varint().value() == 127);
  CHECK(r.varint().value() == 128);
  CHECK(r.varint().value() == std::numeric_limits<std::uint64_t>::max());
  CHECK(r.zigzag().value() == 0);
  CHECK(r.zigzag().value() == -1);
  CHECK(r.zigzag().value() == std::numeric_limits<std::int64_t>::min());
  CHECK(r.done());
}

TEST_CASE("byte reader: a length beyond the end is truncated and moves nothing") {
  const auto data = to_bytes("abc");
  ByteReader r(data);
  REQUIRE_FALSE(r.take(4));
  CHECK(r.take(4).error().code == Errc::truncated);
  CHECK(r.left() == 3);
  CHECK(r.take(std::numeric_limits<std::size_t>::max()).error().code == Errc::truncated);
  CHECK(as_text(r.take(3).value()) == "abc");
  CHECK(r.u8().error().code == Errc::truncated);
}

TEST_CASE("byte reader: a number of more than 64 bits is refused") {
  Bytes eleven(10, std::byte{0xFF});
  eleven.push_back(std::byte{0x01});
  CHECK(ByteReader(eleven).varint().error().code == Errc::corrupt);
  Bytes endless(9, std::byte{0x80});
  CHECK(ByteReader(endless).varint().error().code == Errc::truncated);
}
