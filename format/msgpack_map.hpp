// SPDX-License-Identifier: Apache-2.0
// The only user of msgpack: maps with text keys, written and read. Reading takes hostile bytes:
// bounded depth, counts and sizes; duplicate keys and trailing bytes are refused; unknown keys are
// the caller's to ignore. Values are copied out.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sworn::format {

using TextPairs = std::vector<std::pair<std::string, std::string>>;

class MapWriter {
 public:
  MapWriter& text(std::string_view key, std::string_view value);  // bytes that are not UTF-8 stay
  MapWriter& number(std::string_view key, std::int64_t value);
  MapWriter& unsigned_number(std::string_view key, std::uint64_t value);
  MapWriter& boolean(std::string_view key, bool value);
  MapWriter& binary(std::string_view key, ByteView value);
  MapWriter& texts(std::string_view key, const std::vector<std::string>& values);
  MapWriter& numbers(std::string_view key, const std::vector<std::uint32_t>& values);
  MapWriter& pairs(std::string_view key, const TextPairs& values);
  [[nodiscard]] Bytes finish() const;

 private:
  std::uint32_t count_ = 0;
  Bytes body_;
};

class MapReader {
 public:
  static Result<MapReader> parse(ByteView data);
  ~MapReader();
  MapReader(MapReader&&) noexcept;
  MapReader& operator=(MapReader&&) noexcept;
  MapReader(const MapReader&) = delete;
  MapReader& operator=(const MapReader&) = delete;

  // An absent key leaves `out` as it is; a value of another type or range is remembered as a fault,
  // which done() reports: read all fields, then ask once.
  MapReader& text(std::string_view key, std::string& out);
  MapReader& number(std::string_view key, std::int64_t& out);
  MapReader& number(std::string_view key, std::uint64_t& out);
  MapReader& number(std::string_view key, std::uint32_t& out);
  MapReader& number(std::string_view key, int& out);
  MapReader& boolean(std::string_view key, bool& out);
  MapReader& binary(std::string_view key, Bytes& out);
  MapReader& texts(std::string_view key, std::vector<std::string>& out);
  MapReader& numbers(std::string_view key, std::vector<std::uint32_t>& out);
  MapReader& pairs(std::string_view key, TextPairs& out);
  [[nodiscard]] Result<void> done() const;

  // The whole map as JSON text, for listings of payloads that we have no struct for. Binary as hex.
  [[nodiscard]] std::string to_json() const;

 private:
  struct Impl;
  explicit MapReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sworn::format
