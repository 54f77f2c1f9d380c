// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/link.hpp"

#include "base/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace sworn::audit::logs {
namespace {

constexpr std::string_view k_scheme = "sworn://";
constexpr std::size_t k_max_host = 255;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return static_cast<unsigned>(c - '0');
  }
  c = static_cast<char>(c | 0x20);
  return c >= 'a' && c <= 'f' ? std::optional(static_cast<unsigned>(c - 'a' + 10)) : std::nullopt;
}

// RFC 3986, section 2.1.
std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_plain(c)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const auto high = i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
    const auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : std::nullopt;
    if (!high || !low) {
      return std::nullopt;
    }
    out += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  return out;
}

// "12.345678": exactly, without a floating point on the way.
std::optional<std::int64_t> seconds(std::string_view text) {
  std::int64_t whole = 0;
  const auto* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, whole);
  if (first.ec != std::errc{} || whole < 0 || whole > 4'000'000'000) {
    return std::nullopt;
  }
  std::int64_t micros = 0;
  if (first.ptr != end) {
    const std::string_view rest(first.ptr + 1, static_cast<std::size_t>(end - first.ptr - 1));
    if (*first.ptr != '.' || rest.empty() || rest.size() > 6) {
      return std::nullopt;
    }
    const auto part = std::from_chars(rest.data(), end, micros);
    if (part.ec != std::errc{} || part.ptr != end || micros < 0) {
      return std::nullopt;
    }
    for (auto i = rest.size(); i < 6; ++i) {
      micros *= 10;
    }
  }
  return whole * 1'000'000 + micros;
}

tl::unexpected<Error> bad(std::string_view text, std::string_view why) {
  return fail(Errc::bad_usage, fmt::format("\"{}\" is no link: {}", printable(text, 100), why));
}

}  // namespace

bool is_link(std::string_view text) {
  return text.starts_with(k_scheme);
}

std::string to_text(const SessionLink& link) {
  auto out = fmt::format("{}{}/{}", k_scheme, encoded(link.host), link.file_id);
  char join = '?';
  if (link.t_us) {
    out += fmt::format("{}t={}.{:06}", join, *link.t_us / 1'000'000, *link.t_us % 1'000'000);
    join = '&';
  }
  if (link.event) {
    out += fmt::format("{}n={}", join, *link.event);
  }
  return out;
}

Result<SessionLink> parse_link(std::string_view text) {
  if (!is_link(text)) {
    return bad(text, "it does not begin with sworn://");
  }
  auto rest = text.substr(k_scheme.size());
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos || slash > k_max_host * 3) {
    return bad(text, "a session must follow the host, as in sworn://web1/0123...");
  }
  SessionLink link;
  const auto host = decoded(rest.substr(0, slash));
  if (!host || host->size() > k_max_host) {
    return bad(text, "the host makes no sense");
  }
  link.host = *host;
  rest.remove_prefix(slash + 1);
  const auto question = std::min(rest.find('?'), rest.size());
  link.file_id = rest.substr(0, question);
  std::transform(link.file_id.begin(), link.file_id.end(), link.file_id.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c | 0x20) : c; });
  if (link.file_id.size() != 32 || !std::all_of(link.file_id.begin(), link.file_id.end(),
                                                [](char c) { return hex_digit(c).has_value(); })) {
    return bad(text, "the session is the 32 hexadecimal digits that sworn info shows");
  }
  rest.remove_prefix(std::min(question + 1, rest.size()));
  while (!rest.empty()) {
    const auto end = std::min(rest.find('&'), rest.size());
    const auto part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (part.starts_with("t=")) {
      link.t_us = seconds(part.substr(2));
      if (!link.t_us) {
        return bad(text, "t is a number of seconds");
      }
    } else if (part.starts_with("n=")) {
      std::uint64_t n = 0;
      const auto digits = part.substr(2);
      const auto [at, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
      if (ec != std::errc{} || at != digits.data() + digits.size()) {
        return bad(text, "n is the number of an event");
      }
      link.event = n;
    }  // others may come to be
  }
  return link;
}

}  // namespace sworn::audit::logs
