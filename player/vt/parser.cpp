// SPDX-License-Identifier: Apache-2.0
#include "player/vt/parser.hpp"

#include <algorithm>
#include <cstring>

namespace sworn::vt {
namespace {

constexpr std::uint8_t k_bel = 0x07;
constexpr std::uint8_t k_can = 0x18;
constexpr std::uint8_t k_sub = 0x1A;
constexpr std::uint8_t k_esc = 0x1B;
constexpr std::uint8_t k_del = 0x7F;

bool printable_ascii(std::uint8_t byte) {
  return byte >= 0x20 && byte < k_del;
}

// The first byte that is not 0x20..0x7e.
const std::uint8_t* end_of_run(const std::uint8_t* at, const std::uint8_t* end) {
  constexpr std::uint64_t k_ones = 0x0101010101010101U;
  while (end - at >= 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, at, sizeof eight);
    // Below 0x20 the subtraction borrows into the top bit, 0x7f plus one reaches it. A false alarm
    // from a neighbour's carry only ends the fast loop early.
    if ((((eight - k_ones * 0x20) | (eight + k_ones) | eight) & (k_ones * 0x80)) != 0) {
      break;
    }
    at += 8;
  }
  while (at != end && printable_ascii(*at)) {
    ++at;
  }
  return at;
}

// The short way for the usual case: a correct printable character, all of it before `end`. 0: not
// so.
int whole_character(const std::uint8_t* at, const std::uint8_t* end, char32_t& c) {
  const auto tail = [at](int i) { return char32_t{at[i]} & 0x3FU; };
  const auto continues = [at](int i) { return (at[i] & 0xC0U) == 0x80; };
  const std::uint8_t head = at[0];
  if (head < 0x80) {
    c = head;
    return printable_ascii(head) ? 1 : 0;
  }
  if (end - at < 4 || !continues(1)) {
    return 0;
  }
  if (head >= 0xC2 && head <= 0xDF) {
    c = (head & 0x1FU) << 6U | tail(1);
    return c >= 0xA0 ? 2 : 0;
  }
  if ((head & 0xF0U) == 0xE0 && continues(2)) {
    c = (head & 0x0FU) << 12U | tail(1) << 6U | tail(2);
    return c >= 0x800 && (c < 0xD800 || c > 0xDFFF) ? 3 : 0;
  }
  if ((head & 0xF8U) == 0xF0 && continues(2) && continues(3)) {
    c = (head & 0x07U) << 18U | tail(1) << 12U | tail(2) << 6U | tail(3);
    return c >= 0x10000 && c < 0x110000 ? 4 : 0;
  }
  return 0;
}

std::string_view as_run(const std::uint8_t* at, const std::uint8_t* end) {
  return {reinterpret_cast<const char*>(at), static_cast<std::size_t>(end - at)};
}

}  // namespace

void Parser::feed(ByteView bytes, ParserSink& sink, std::uint64_t& now) {
  const Byte* at = reinterpret_cast<const Byte*>(bytes.data());
  const Byte* const end = at + bytes.size();
  begin_ = at;
  base_ = now;
  now_ = &now;
  while (at != end) {
    switch (state_) {
      case State::ground:
        at = ground(at, end, sink);
        break;
      case State::csi_parameters:
        at = parameters(at, end, sink);
        break;
      case State::string:
        at = string_bytes(at, end, sink);
        break;
      case State::escape:
        count_at(at + 1);
        escape_byte(*at++, sink);
        break;
      case State::csi_intermediates:
      case State::csi_ignored:
        count_at(at + 1);
        csi_byte(*at++, sink);
        break;
      case State::string_escape:
        count_at(at + 1);
        string_escape_byte(*at++, sink);
        break;
    }
  }
  count_at(end);
}

const Parser::Byte* Parser::ground(const Byte* at, const Byte* end, ParserSink& sink) {
  while (at != end) {
    const Byte byte = *at;
    if (byte >= 0x80 || utf8_.pending()) {
      at = text(at, end, sink);
    } else if (printable_ascii(byte)) {
      const Byte* const stop = end_of_run(at, end);
      count_at(stop);
      sink.print_ascii(as_run(at, stop));
      at = stop;
    } else if (byte == k_esc) {
      begin_escape();
      if (end - at < 2 || at[1] != '[') {
        return at + 1;
      }
      state_ = State::csi_parameters;  // the short way: most sequences are CSI and all here
      at = parameters(at + 2, end, sink);
      if (state_ != State::ground) {
        return at;
      }
    } else {
      ++at;
      count_at(at);
      control(byte, sink);
    }
  }
  return at;
}

// Text beyond ASCII, at least one byte of it, and what follows up to a control or a longer run of
// ASCII.
const Parser::Byte* Parser::text(const Byte* at, const Byte* end, ParserSink& sink) {
  constexpr std::ptrdiff_t k_long_run = 16;
  std::array<char32_t, 128>
      batch;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled before it is read
  std::size_t count = 0;
  const Byte* last_other = at;  // behind the last character beyond ASCII
  while (!utf8_.pending() && at != end && count < batch.size() && at - last_other < k_long_run) {
    const int length = whole_character(at, end, batch[count]);
    if (length == 0) {
      break;
    }
    at += length;
    ++count;
    last_other = length > 1 ? at : last_other;
  }
  if (count == 0) {
    return slow_text(at, sink);
  }
  count_at(at);
  sink.print_text({batch.data(), count});
  return at;
}

// One byte of a character that is not whole or not right.
const Parser::Byte* Parser::slow_text(const Byte* at, ParserSink& sink) {
  count_at(at + 1);
  const Utf8Step step = utf8_.step(*at);
  if (step == Utf8Step::invalid || step == Utf8Step::broken) {
    sink.print_text({&k_replacement, 1});
  } else if (step == Utf8Step::done &&
             utf8_.value() >= 0xA0) {  // 8-bit controls mean nothing in UTF-8
    const char32_t c = utf8_.value();
    sink.print_text({&c, 1});
  }
  return step == Utf8Step::broken ? at : at + 1;
}

void Parser::control(Byte byte, ParserSink& sink) {
  if (byte == k_esc) {
    begin_escape();
  } else if (byte == k_can || byte == k_sub) {
    state_ = State::ground;
  } else if (byte != 0 && byte < 0x20) {
    sink.control(byte);
  }
}

void Parser::begin_escape() {
  state_ = State::escape;
  csi_.begin();
}

void Parser::collect(Byte byte) {
  if (csi_.intermediate_count < static_cast<int>(csi_.intermediates.size())) {
    csi_.intermediates.at(static_cast<std::size_t>(csi_.intermediate_count)) =
        static_cast<char>(byte);
  }
  ++csi_.intermediate_count;
  csi_.intermediate_count = std::min(csi_.intermediate_count, 3);  // 3: too many
}

void Parser::escape_byte(Byte byte, ParserSink& sink) {
  if (byte < 0x20) {
    control(byte, sink);
    return;
  }
  if (byte < 0x30) {
    collect(byte);
    return;
  }
  if (byte >= k_del) {
    return;
  }
  state_ = State::ground;
  if (csi_.intermediate_count == 0) {
    switch (byte) {
      case '[':
        state_ = State::csi_parameters;
        return;
      case ']':
        return begin_string(StringKind::osc);
      case 'P':
        return begin_string(StringKind::dcs);
      case '_':
        return begin_string(StringKind::apc);
      case '^':
        return begin_string(StringKind::pm);
      case 'X':
        return begin_string(StringKind::sos);
      case 'k':
        return begin_string(StringKind::title);
      default:
        break;
    }
  }
  if (csi_.intermediate_count <= 2) {
    const std::string_view all(csi_.intermediates.data(), csi_.intermediates.size());
    sink.escape(all.substr(0, static_cast<std::size_t>(csi_.intermediate_count)),
                static_cast<char>(byte));
  }
}

void Parser::next_parameter(Byte separator) {
  if (csi_.count == k_parameters) {
    csi_.full = true;
    return;
  }
  if (separator == ':') {
    csi_.colons |= 1U << static_cast<unsigned>(csi_.count);
  }
  csi_.values.at(static_cast<std::size_t>(csi_.count)) = -1;
  ++csi_.count;
}

const Parser::Byte* Parser::parameters(const Byte* at, const Byte* end, ParserSink& sink) {
  while (at != end) {
    const Byte byte = *at;
    if (byte >= '0' && byte <= '9') {
      ++at;
      if (!csi_.full) {
        int& value = csi_.values[static_cast<std::size_t>(csi_.count - 1)];
        value = std::min(std::max(value, 0) * 10 + (byte - '0'), k_parameter_max);
      }
    } else if (byte == ';' || byte == ':') {
      ++at;
      next_parameter(byte);
    } else if (byte >= '@' && byte < k_del) {
      ++at;
      count_at(at);
      state_ = State::ground;
      csi_.final = static_cast<char>(byte);
      sink.csi(csi_);
      return at;
    } else if (byte >= '<' && byte <= '?') {
      ++at;
      const bool first = csi_.prefix == 0 && csi_.count == 1 && csi_.values[0] < 0;
      csi_.prefix = static_cast<char>(byte);
      if (!first) {
        state_ = State::csi_ignored;
        return at;
      }
    } else {
      ++at;
      count_at(at);
      csi_byte(byte, sink);
      if (state_ != State::csi_parameters) {
        return at;
      }
    }
  }
  return at;
}

void Parser::csi_byte(Byte byte, ParserSink& sink) {
  if (byte < 0x20) {
    control(byte, sink);
  } else if (byte < 0x30) {
    collect(byte);
    state_ = state_ == State::csi_ignored ? State::csi_ignored : State::csi_intermediates;
  } else if (byte < 0x40) {
    state_ = State::csi_ignored;  // a parameter behind an intermediate
  } else if (byte < k_del) {
    const bool wanted = state_ != State::csi_ignored && csi_.intermediate_count <= 2;
    state_ = State::ground;
    csi_.final = static_cast<char>(byte);
    if (wanted) {
      sink.csi(csi_);
    }
  }
}

void Parser::begin_string(StringKind kind) {
  state_ = State::string;
  kind_ = kind;
  string_.clear();
  string_size_ = 0;
}

const Parser::Byte* Parser::string_bytes(const Byte* at, const Byte* end, ParserSink& sink) {
  const Byte* const stop = std::find_if(at, end, [](Byte byte) { return byte < 0x20; });
  const auto run = as_run(at, stop);
  string_size_ += run.size();
  string_.append(run.substr(0, k_string_bytes - string_.size()));
  if (stop == end) {
    return end;
  }
  count_at(stop + 1);
  if (*stop == k_esc) {
    state_ = State::string_escape;
  } else if (*stop == k_can || *stop == k_sub) {
    state_ = State::ground;
  } else if (*stop == k_bel && kind_ == StringKind::osc) {
    dispatch_string(sink);
  } else {
    ++string_size_;  // other controls are no part of any string that is kept
  }
  return stop + 1;
}

void Parser::string_escape_byte(Byte byte, ParserSink& sink) {
  if (byte == '\\') {
    dispatch_string(sink);
  } else {
    begin_escape();
    escape_byte(byte, sink);
  }
}

void Parser::dispatch_string(ParserSink& sink) {
  state_ = State::ground;
  sink.string(kind_, string_, string_size_);
}

void Parser::save(ByteWriter& out) const {
  out.u8(static_cast<std::uint8_t>(state_)).varint(utf8_.state());
  if (state_ == State::string || state_ == State::string_escape) {
    out.u8(static_cast<std::uint8_t>(kind_)).varint(string_size_).varint(string_.size());
    out.bytes(as_bytes(string_));
  } else if (state_ != State::ground) {
    out.u8(static_cast<std::uint8_t>(csi_.prefix)).u8(static_cast<std::uint8_t>(csi_.full ? 1 : 0));
    out.u8(static_cast<std::uint8_t>(csi_.intermediate_count));
    for (const char c : csi_.intermediates) {
      out.u8(static_cast<std::uint8_t>(c));
    }
    out.u8(static_cast<std::uint8_t>(csi_.count)).u32(csi_.colons);
    for (int i = 0; i < csi_.count; ++i) {
      out.varint(static_cast<std::uint64_t>(csi_.values.at(static_cast<std::size_t>(i)) + 1));
    }
  }
}

Result<void> Parser::load(ByteReader& in) {
  *this = Parser();
  TRY_ASSIGN(const auto state, in.u8());
  TRY_ASSIGN(const auto utf8, in.varint());
  if (state > static_cast<std::uint8_t>(State::string_escape) || !utf8_.set_state(utf8)) {
    return fail(Errc::corrupt, "snapshot: the parser is in no state it can be in");
  }
  state_ = static_cast<State>(state);
  if (utf8_.pending() && state_ != State::ground) {
    return fail(Errc::corrupt, "snapshot: half a character outside text");
  }
  if (state_ == State::ground) {
    return {};
  }
  return state_ == State::string || state_ == State::string_escape ? load_string(in) : load_csi(in);
}

Result<void> Parser::load_string(ByteReader& in) {
  TRY_ASSIGN(const auto kind, in.u8());
  TRY_ASSIGN(string_size_, in.varint());
  TRY_ASSIGN(const auto kept, in.varint());
  if (kind > static_cast<std::uint8_t>(StringKind::title) || kept > k_string_bytes ||
      kept > string_size_) {
    return fail(Errc::corrupt, "snapshot: an unfinished string is longer than allowed");
  }
  TRY_ASSIGN(const auto text, in.take(kept));
  kind_ = static_cast<StringKind>(kind);
  string_ = as_text(text);
  return {};
}

Result<void> Parser::load_csi(ByteReader& in) {
  TRY_ASSIGN(const auto prefix, in.u8());
  TRY_ASSIGN(const auto full, in.u8());
  TRY_ASSIGN(const auto intermediates, in.u8());
  if ((prefix != 0 && (prefix < '<' || prefix > '?')) || full > 1 || intermediates > 3) {
    return fail(Errc::corrupt, "snapshot: an unfinished sequence contradicts itself");
  }
  csi_.prefix = static_cast<char>(prefix);
  csi_.full = full == 1;
  csi_.intermediate_count = intermediates;
  for (char& c : csi_.intermediates) {
    TRY_ASSIGN(const auto byte, in.u8());
    c = static_cast<char>(byte);
  }
  TRY_ASSIGN(const auto count, in.u8());
  TRY_ASSIGN(csi_.colons, in.u32());
  if (count < 1 || count > k_parameters) {
    return fail(Errc::corrupt, "snapshot: an unfinished sequence has too many parameters");
  }
  csi_.count = count;
  for (int i = 0; i < count; ++i) {
    TRY_ASSIGN(const auto value, in.varint());
    if (value > k_parameter_max + 1) {
      return fail(Errc::corrupt, "snapshot: a parameter is larger than allowed");
    }
    csi_.values.at(static_cast<std::size_t>(i)) = static_cast<int>(value) - 1;
  }
  return {};
}

}  // namespace sworn::vt
