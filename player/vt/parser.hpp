// SPDX-License-Identifier: Apache-2.0
// Bytes into actions: the state machine of DEC terminals as Paul Williams drew it, with UTF-8 text
// and with 8-bit controls ignored, because in UTF-8 they are halves of characters. It can stop
// after any byte. Strings keep k_string_bytes and count the rest; parameters are clamped; nothing
// here can loop or grow.
#pragma once

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "player/vt/utf8.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sworn::vt {

inline constexpr std::size_t k_string_bytes = 8192;
inline constexpr int k_parameters = 32;
inline constexpr int k_parameter_max = 65535;

// A CSI sequence, or what was read of it so far.
struct Csi {
  char prefix = 0;  // one of < = > ?, or 0
  char final = 0;
  std::array<char, 2> intermediates{};
  int intermediate_count = 0;
  int count = 1;                                // parameters
  bool full = false;                            // more parameters than fit: the rest is dropped
  std::array<int, k_parameters> values = {-1};  // -1: left out
  std::uint32_t colons = 0;  // bit i: parameter i follows a colon, not a semicolon

  // The first parameter, not yet given. The others keep what they hold until they are counted.
  void begin() {
    prefix = 0;
    intermediates = {};
    intermediate_count = 0;
    count = 1;
    full = false;
    values[0] = -1;
    colons = 0;
  }
  [[nodiscard]] int or_default(int index, int standard) const {
    const int value = index < count ? values.at(static_cast<std::size_t>(index)) : -1;
    return value < 0 ? standard : value;
  }
  // Where 0 means 1.
  [[nodiscard]] int at_least_one(int index) const {
    const int value = or_default(index, 1);
    return value == 0 ? 1 : value;
  }
  [[nodiscard]] bool after_colon(int index) const {
    return ((colons >> static_cast<unsigned>(index)) & 1U) != 0;
  }
};

// Written to snapshots: never renumber.
enum class StringKind : std::uint8_t { osc = 0, dcs = 1, apc = 2, pm = 3, sos = 4, title = 5 };

class ParserSink {
 public:
  virtual ~ParserSink() = default;
  virtual void print_ascii(std::string_view run) = 0;  // 0x20..0x7e
  // Printable text beyond ASCII, with ASCII in between: each character came as its own UTF-8, so
  // that the bytes up to a character can be counted; a U+FFFD that stands for broken bytes comes
  // alone.
  virtual void print_text(std::span<const char32_t> text) = 0;
  virtual void control(std::uint8_t byte) = 0;  // C0 except ESC, CAN, SUB
  virtual void escape(std::string_view intermediates, char final) = 0;
  virtual void csi(const Csi& sequence) = 0;
  // `size` counts what was dropped too.
  virtual void string(StringKind kind, std::string_view kept, std::uint64_t size) = 0;
};

class Parser {
 public:
  // `now` counts the bytes up to and including the one that caused the action.
  void feed(ByteView bytes, ParserSink& sink, std::uint64_t& now);

  void save(ByteWriter& out) const;
  Result<void> load(ByteReader& in);

 private:
  // Written to snapshots: never renumber.
  enum class State : std::uint8_t {
    ground = 0,
    escape = 1,
    csi_parameters = 2,
    csi_intermediates = 3,
    csi_ignored = 4,
    string = 5,
    string_escape = 6,  // an ESC inside a string: the end, if a backslash follows
  };
  using Byte = std::uint8_t;

  const Byte* ground(const Byte* at, const Byte* end, ParserSink& sink);
  const Byte* text(const Byte* at, const Byte* end, ParserSink& sink);
  const Byte* slow_text(const Byte* at, ParserSink& sink);
  const Byte* parameters(const Byte* at, const Byte* end, ParserSink& sink);
  const Byte* string_bytes(const Byte* at, const Byte* end, ParserSink& sink);
  void escape_byte(Byte byte, ParserSink& sink);
  void csi_byte(Byte byte, ParserSink& sink);  // all but parameters
  void string_escape_byte(Byte byte, ParserSink& sink);
  void control(Byte byte, ParserSink& sink);
  void collect(Byte byte);
  void next_parameter(Byte separator);
  void begin_escape();
  void begin_string(StringKind kind);
  void dispatch_string(ParserSink& sink);
  Result<void> load_string(ByteReader& in);
  Result<void> load_csi(ByteReader& in);
  void count_at(const Byte* after) { *now_ = base_ + static_cast<std::uint64_t>(after - begin_); }

  State state_ = State::ground;
  StringKind kind_ = StringKind::osc;
  Utf8Decoder utf8_;
  Csi csi_;  // its intermediates serve ESC sequences too
  std::string string_;
  std::uint64_t string_size_ = 0;

  // Only during feed().
  std::uint64_t* now_ = nullptr;
  std::uint64_t base_ = 0;
  const Byte* begin_ = nullptr;
};

}  // namespace sworn::vt
