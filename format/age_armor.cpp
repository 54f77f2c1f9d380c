// SPDX-License-Identifier: Apache-2.0
#include "format/age_box.hpp"
#include "format/base64.hpp"

namespace sworn::format {
namespace {

constexpr std::string_view k_begin = "-----BEGIN AGE ENCRYPTED FILE-----";
constexpr std::string_view k_end = "-----END AGE ENCRYPTED FILE-----";
constexpr std::string_view k_white_space = " \t\r\n";
constexpr std::size_t k_line_chars = 64;
constexpr std::size_t k_max_armor_bytes = 64U << 20U;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(k_white_space);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(k_white_space) - first + 1);
}

// The next line without its end, LF or CRLF.
std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (end != std::string_view::npos && line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  return line;
}

}  // namespace

bool is_age_armored(ByteView box) {
  return trimmed(as_text(box)).starts_with(k_begin);
}

std::string age_armor(ByteView box) {
  const std::string text = base64(box);
  std::string out(k_begin);
  out += '\n';
  for (std::size_t i = 0; i < text.size(); i += k_line_chars) {
    out += text.substr(i, k_line_chars);
    out += '\n';
  }
  out += k_end;
  out += '\n';
  return out;
}

Result<Bytes> strip_age_armor(std::string_view text) {
  if (text.size() > k_max_armor_bytes) {
    return fail(Errc::exhausted, "age armor: too large for a key box");
  }
  text = trimmed(text);
  if (take_line(text) != k_begin) {
    return fail(Errc::corrupt, "age armor: it does not begin as it must");
  }
  Bytes out;
  bool last_seen = false;
  while (true) {
    if (text.empty()) {
      return fail(Errc::corrupt, "age armor: it has no end");
    }
    const auto line = take_line(text);
    if (line == k_end) {
      if (!text.empty()) {
        return fail(Errc::corrupt, "age armor: something stands behind its end");
      }
      return out;
    }
    if (last_seen || line.empty() || line.size() > k_line_chars) {
      return fail(Errc::corrupt, "age armor: a line of a wrong length");
    }
    last_seen = line.size() < k_line_chars || line.ends_with('=');
    auto bytes = from_base64(line);
    if (!bytes) {
      return fail(Errc::corrupt, "age armor: " + bytes.error().context);
    }
    append(out, *bytes);
  }
}

}  // namespace sworn::format
