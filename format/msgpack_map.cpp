// SPDX-License-Identifier: Apache-2.0
#include "format/msgpack_map.hpp"

#include "base/printable.hpp"
#include "format/constants.hpp"
#include "format/session_header.hpp"

#include <fmt/format.h>

#include <limits>
#include <set>
#include <sstream>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wcast-align"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include <msgpack.hpp>
#pragma GCC diagnostic pop

namespace sworn::format {
namespace {

struct Sink {
  Bytes& out;
  void write(const char* data, std::size_t size) { append(out, as_bytes({data, size})); }
};

void put_text(msgpack::packer<Sink>& pack, std::string_view value) {
  pack.pack_str(static_cast<std::uint32_t>(value.size()));
  pack.pack_str_body(value.data(), static_cast<std::uint32_t>(value.size()));
}

std::string_view view_of(const msgpack::object& o) {
  return o.type == msgpack::type::STR ? std::string_view(o.via.str.ptr, o.via.str.size)
                                      : std::string_view(o.via.bin.ptr, o.via.bin.size);
}

}  // namespace

// Each value is one packed item behind its key; the count goes in front at the end.
#define SWORN_PACKER(name, key)     \
  Sink sink{body_};                 \
  msgpack::packer<Sink> name(sink); \
  put_text(name, key);              \
  ++count_

MapWriter& MapWriter::text(std::string_view key, std::string_view value) {
  SWORN_PACKER(pack, key);
  put_text(pack, value);
  return *this;
}
MapWriter& MapWriter::number(std::string_view key, std::int64_t value) {
  SWORN_PACKER(pack, key);
  pack.pack_int64(value);
  return *this;
}
MapWriter& MapWriter::unsigned_number(std::string_view key, std::uint64_t value) {
  SWORN_PACKER(pack, key);
  pack.pack_uint64(value);
  return *this;
}
MapWriter& MapWriter::boolean(std::string_view key, bool value) {
  SWORN_PACKER(pack, key);
  if (value) {
    pack.pack_true();
  } else {
    pack.pack_false();
  }
  return *this;
}
MapWriter& MapWriter::binary(std::string_view key, ByteView value) {
  SWORN_PACKER(pack, key);
  pack.pack_bin(static_cast<std::uint32_t>(value.size()));
  pack.pack_bin_body(as_text(value).data(), static_cast<std::uint32_t>(value.size()));
  return *this;
}
MapWriter& MapWriter::texts(std::string_view key, const std::vector<std::string>& values) {
  SWORN_PACKER(pack, key);
  pack.pack_array(static_cast<std::uint32_t>(values.size()));
  for (const auto& value : values) {
    put_text(pack, value);
  }
  return *this;
}
MapWriter& MapWriter::numbers(std::string_view key, const std::vector<std::uint32_t>& values) {
  SWORN_PACKER(pack, key);
  pack.pack_array(static_cast<std::uint32_t>(values.size()));
  for (const auto value : values) {
    pack.pack_uint32(value);
  }
  return *this;
}
MapWriter& MapWriter::pairs(std::string_view key, const TextPairs& values) {
  SWORN_PACKER(pack, key);
  pack.pack_array(static_cast<std::uint32_t>(values.size()));
  for (const auto& [name, value] : values) {
    pack.pack_array(2);
    put_text(pack, name);
    put_text(pack, value);
  }
  return *this;
}
#undef SWORN_PACKER

Bytes MapWriter::finish() const {
  Bytes out;
  Sink sink{out};
  msgpack::packer<Sink> pack(sink);
  pack.pack_map(count_);
  append(out, body_);
  return out;
}

struct MapReader::Impl {
  msgpack::object_handle handle;
  std::string fault;

  const msgpack::object* find(std::string_view key) const {
    const auto& map = handle.get().via.map;
    for (std::uint32_t i = 0; i < map.size; ++i) {
      if (view_of(map.ptr[i].key) == key) {
        return &map.ptr[i].val;
      }
    }
    return nullptr;
  }
  void blame(std::string_view key) {
    if (fault.empty()) {
      fault = std::string(key);
    }
  }
  // The value where it exists and has a wanted type.
  template <typename Wanted>
  const msgpack::object* get(std::string_view key, Wanted wanted) {
    const auto* value = find(key);
    if (value != nullptr && !wanted(*value)) {
      blame(key);
      return nullptr;
    }
    return value;
  }
};

namespace {

bool is_text(const msgpack::object& o) {
  return o.type == msgpack::type::STR;
}
bool is_binary(const msgpack::object& o) {
  return o.type == msgpack::type::BIN;
}
bool is_boolean(const msgpack::object& o) {
  return o.type == msgpack::type::BOOLEAN;
}
bool is_array(const msgpack::object& o) {
  return o.type == msgpack::type::ARRAY;
}
bool is_unsigned(const msgpack::object& o) {
  return o.type == msgpack::type::POSITIVE_INTEGER;
}
bool is_integer(const msgpack::object& o) {
  return o.type == msgpack::type::NEGATIVE_INTEGER ||
         (is_unsigned(o) &&
          o.via.u64 <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
}
bool is_text_array(const msgpack::object& o) {
  if (!is_array(o)) {
    return false;
  }
  for (std::uint32_t i = 0; i < o.via.array.size; ++i) {
    if (!is_text(o.via.array.ptr[i])) {
      return false;
    }
  }
  return true;
}

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const auto step = decode_utf8(text);
    if (!step.valid) {
      out += "\\ufffd";
    } else if (step.code_point == '"' || step.code_point == '\\') {
      out += '\\';
      out += text.front();
    } else if (step.code_point < 0x20 || step.code_point == 0x7F) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(step.code_point));
    } else {
      out.append(text.substr(0, step.length));
    }
    text.remove_prefix(step.length);
  }
  out += '"';
}

// Depth is bounded by the parser's limit.
void append_json(std::string& out, const msgpack::object& o) {  // NOLINT(misc-no-recursion)
  switch (o.type) {
    case msgpack::type::NIL:
      out += "null";
      return;
    case msgpack::type::BOOLEAN:
      out += o.via.boolean ? "true" : "false";
      return;
    case msgpack::type::POSITIVE_INTEGER:
      out += fmt::format("{}", o.via.u64);
      return;
    case msgpack::type::NEGATIVE_INTEGER:
      out += fmt::format("{}", o.via.i64);
      return;
    case msgpack::type::FLOAT32:
    case msgpack::type::FLOAT64:
      out += o.via.f64 == o.via.f64 && o.via.f64 - o.via.f64 == 0 ? fmt::format("{}", o.via.f64)
                                                                  : "null";
      return;
    case msgpack::type::STR:
      append_json_text(out, view_of(o));
      return;
    case msgpack::type::BIN:
      append_json_text(out, to_hex(as_bytes(view_of(o))));
      return;
    case msgpack::type::EXT:
      out += "null";
      return;
    case msgpack::type::ARRAY:
      out += '[';
      for (std::uint32_t i = 0; i < o.via.array.size; ++i) {
        out += i == 0 ? "" : ",";
        append_json(out, o.via.array.ptr[i]);
      }
      out += ']';
      return;
    case msgpack::type::MAP:
      out += '{';
      for (std::uint32_t i = 0; i < o.via.map.size; ++i) {
        out += i == 0 ? "" : ",";
        const auto& key = o.via.map.ptr[i].key;
        append_json_text(out, is_text(key) ? view_of(key) : "?");
        out += ':';
        append_json(out, o.via.map.ptr[i].val);
      }
      out += '}';
      return;
  }
}

}  // namespace

MapReader::MapReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MapReader::~MapReader() = default;
MapReader::MapReader(MapReader&&) noexcept = default;
MapReader& MapReader::operator=(MapReader&&) noexcept = default;

Result<MapReader> MapReader::parse(ByteView data) {
  if (data.empty() || data.size() > k_max_map_bytes) {
    return fail(Errc::corrupt, "a structured value of an impossible size");
  }
  auto impl = std::make_unique<Impl>();
  try {
    const msgpack::unpack_limit limit(k_max_map_items, k_max_map_items, k_max_map_bytes,
                                      k_max_map_bytes, 0, k_max_map_depth);
    std::size_t offset = 0;
    const auto text = as_text(data);
    impl->handle = msgpack::unpack(text.data(), text.size(), offset, nullptr, nullptr, limit);
    if (offset != text.size()) {
      return fail(Errc::corrupt, "bytes behind a structured value");
    }
  } catch (const std::exception&) {  // the library's only way to say no; its texts say nothing more
    return fail(Errc::corrupt, "a structured value is damaged or exceeds its limits");
  }
  if (impl->handle.get().type != msgpack::type::MAP) {
    return fail(Errc::corrupt, "a structured value that is not a map");
  }
  std::set<std::string_view> seen;
  const auto& map = impl->handle.get().via.map;
  for (std::uint32_t i = 0; i < map.size; ++i) {
    if (!is_text(map.ptr[i].key) || !seen.insert(view_of(map.ptr[i].key)).second) {
      return fail(Errc::corrupt, "a structured value with a doubled key or one that is no text");
    }
  }
  return MapReader(std::move(impl));
}

MapReader& MapReader::text(std::string_view key, std::string& out) {
  if (const auto* value = impl_->get(key, is_text)) {
    out = view_of(*value);
  }
  return *this;
}
MapReader& MapReader::number(std::string_view key, std::int64_t& out) {
  if (const auto* value = impl_->get(key, is_integer)) {
    out = value->via.i64;
  }
  return *this;
}
MapReader& MapReader::number(std::string_view key, std::uint64_t& out) {
  if (const auto* value = impl_->get(key, is_unsigned)) {
    out = value->via.u64;
  }
  return *this;
}
MapReader& MapReader::number(std::string_view key, std::uint32_t& out) {
  std::uint64_t wide = out;
  number(key, wide);
  if (wide > std::numeric_limits<std::uint32_t>::max()) {
    impl_->blame(key);
  } else {
    out = static_cast<std::uint32_t>(wide);
  }
  return *this;
}
MapReader& MapReader::number(std::string_view key, int& out) {
  std::int64_t wide = out;
  number(key, wide);
  if (wide > std::numeric_limits<int>::max() || wide < std::numeric_limits<int>::min()) {
    impl_->blame(key);
  } else {
    out = static_cast<int>(wide);
  }
  return *this;
}
MapReader& MapReader::boolean(std::string_view key, bool& out) {
  if (const auto* value = impl_->get(key, is_boolean)) {
    out = value->via.boolean;
  }
  return *this;
}
MapReader& MapReader::binary(std::string_view key, Bytes& out) {
  if (const auto* value = impl_->get(key, is_binary)) {
    out = to_bytes(view_of(*value));
  }
  return *this;
}
MapReader& MapReader::texts(std::string_view key, std::vector<std::string>& out) {
  if (const auto* value = impl_->get(key, is_text_array)) {
    out.clear();
    for (std::uint32_t i = 0; i < value->via.array.size; ++i) {
      out.emplace_back(view_of(value->via.array.ptr[i]));
    }
  }
  return *this;
}
MapReader& MapReader::numbers(std::string_view key, std::vector<std::uint32_t>& out) {
  const auto* value = impl_->get(key, is_array);
  if (value == nullptr) {
    return *this;
  }
  out.clear();
  for (std::uint32_t i = 0; i < value->via.array.size; ++i) {
    const auto& item = value->via.array.ptr[i];
    if (!is_unsigned(item) || item.via.u64 > std::numeric_limits<std::uint32_t>::max()) {
      impl_->blame(key);
      return *this;
    }
    out.push_back(static_cast<std::uint32_t>(item.via.u64));
  }
  return *this;
}
MapReader& MapReader::pairs(std::string_view key, TextPairs& out) {
  const auto* value = impl_->get(key, is_array);
  if (value == nullptr) {
    return *this;
  }
  out.clear();
  for (std::uint32_t i = 0; i < value->via.array.size; ++i) {
    const auto& item = value->via.array.ptr[i];
    if (!is_text_array(item) || item.via.array.size != 2) {
      impl_->blame(key);
      return *this;
    }
    out.emplace_back(view_of(item.via.array.ptr[0]), view_of(item.via.array.ptr[1]));
  }
  return *this;
}

Result<void> MapReader::done() const {
  if (!impl_->fault.empty()) {
    return fail(Errc::corrupt, "a structured value has a wrong '" + impl_->fault + "'");
  }
  return {};
}

std::string MapReader::to_json() const {
  std::string out;
  append_json(out, impl_->handle.get());
  return out;
}

}  // namespace sworn::format
