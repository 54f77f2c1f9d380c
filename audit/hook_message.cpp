// SPDX-License-Identifier: Apache-2.0
#include "audit/hook_message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace sworn::audit {
namespace {

constexpr std::string_view k_magic{"SW1\0", 4};
constexpr std::size_t k_fields_with_text = 8;
constexpr std::size_t k_fields_plain = 7;
constexpr std::size_t k_max_header = 16 * 1024;  // key, time, numbers and a directory
constexpr std::uint64_t k_max_history_entries = 100'000;

std::size_t fields_of(char type) {
  switch (type) {
    case 'B':
    case 'N':
    case 'L':
      return k_fields_with_text;
    case 'E':
    case 'X':
    case 'H':
      return k_fields_plain;
    default:
      return 0;
  }
}

std::uint64_t to_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  return ec == std::errc{} && end == text.data() + text.size() ? value : 0;
}

// "1795231321.328296"; some locales print a comma.
std::int64_t to_wall_us(std::string_view text) {
  constexpr std::uint64_t k_limit = 100'000'000'000;  // seconds; keeps the product in range
  const auto point = text.find_first_of(".,");
  if (point == std::string_view::npos || point == 0 || text.size() != point + 7) {
    return -1;
  }
  std::uint64_t seconds = 0;
  std::uint64_t micros = 0;
  const auto* middle = text.data() + point;
  const auto* last = text.data() + text.size();
  const auto a = std::from_chars(text.data(), middle, seconds);
  const auto b = std::from_chars(middle + 1, last, micros);
  if (a.ec != std::errc{} || a.ptr != middle || b.ec != std::errc{} || b.ptr != last ||
      seconds > k_limit) {
    return -1;
  }
  return static_cast<std::int64_t>(seconds * 1'000'000 + micros);
}

// "  501  text" or "  501* text": where the text starts; npos where the number is another one.
std::size_t entry_start(std::string_view line, std::uint64_t number) {
  const auto prefix = fmt::format("{:5}", number);
  if (line.size() < prefix.size() + 2 || !line.starts_with(prefix) ||
      (line[prefix.size()] != ' ' && line[prefix.size()] != '*') ||
      line[prefix.size() + 1] != ' ') {
    return std::string_view::npos;
  }
  return prefix.size() + 2;
}

std::string_view without_newlines(std::string_view text) {
  while (text.ends_with('\n')) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

bool strip_history(std::string_view printed, std::uint64_t count, std::uint64_t last,
                   std::string& text) {
  text.clear();
  if (count == 0 || count > k_max_history_entries || count > last + 1) {
    return false;
  }
  if (printed.starts_with('\t')) {  // fc, where HISTTIMEFORMAT is read-only; in POSIX mode no mark
    printed.remove_prefix(1);
    if (printed.starts_with(' ') || printed.starts_with('*')) {
      printed.remove_prefix(1);
    }
    text = without_newlines(printed);
    return true;
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto number = last - (count - 1) + i;
    const auto start = entry_start(printed, number);
    if (start == std::string_view::npos) {
      return false;
    }
    printed.remove_prefix(start);
    auto end = printed.size();
    if (i + 1 < count) {  // the next entry starts where its number stands at the start of a line
      std::size_t at = 0;
      do {
        at = printed.find('\n', at);
        if (at == std::string_view::npos) {
          return false;
        }
        ++at;
      } while (entry_start(printed.substr(at), number + 1) == std::string_view::npos);
      end = at;
    }
    if (i > 0) {
      text += '\n';
    }
    text += without_newlines(printed.substr(0, end));
    printed.remove_prefix(end);
  }
  return true;
}

HookAssembler::Outcome HookAssembler::feed(pid_t sender, ByteView datagram,
                                           std::vector<HookMessage>& out) {
  auto data = as_text(datagram);
  auto outcome = Outcome::taken;
  while (!data.empty()) {
    auto found = open_.find(sender);
    // Text holds no NUL, so this cannot be the middle of a message.
    const bool starts = data.size() > k_magic.size() + key_.size() && data.starts_with(k_magic) &&
                        data.substr(k_magic.size(), key_.size()) == key_ &&
                        data[k_magic.size() + key_.size()] == '\0';
    if (starts) {
      if (found != open_.end()) {  // the one before was given up: too long for a datagram
        open_.erase(found);
      }
      make_room();
      found = open_.emplace(sender, Partial{}).first;
      found->second.order = ++order_;
    } else if (found == open_.end()) {
      return Outcome::no_key;
    }
    auto& partial = found->second;
    std::size_t used = 0;
    while (used < data.size()) {
      const char c = data[used++];
      if (partial.data.size() < k_max_command_text + k_max_header) {
        partial.data += c;
      } else {
        partial.overflow = true;
      }
      if (c != '\0') {
        continue;
      }
      ++partial.nuls;
      if (partial.nuls == 3) {
        const bool one = partial.data.size() >= 3 && partial.data[partial.data.size() - 3] == '\0';
        partial.expected = one ? fields_of(partial.data[partial.data.size() - 2]) : 0;
        if (partial.expected == 0) {
          open_.erase(found);
          return Outcome::malformed;
        }
      }
      if (partial.nuls == partial.expected) {
        break;
      }
    }
    data.remove_prefix(used);
    if (partial.expected != 0 && partial.nuls == partial.expected) {
      if (!complete(partial, sender, out)) {
        outcome = Outcome::malformed;
      }
      open_.erase(found);
    }
  }
  return outcome;
}

bool HookAssembler::complete(Partial& partial, pid_t sender, std::vector<HookMessage>& out) const {
  std::array<std::string_view, k_fields_with_text> fields;
  std::string_view rest = partial.data;
  std::size_t n = 0;
  while (n < partial.expected) {
    const auto end = rest.find('\0');
    if (end == std::string_view::npos) {
      // Only a text that was cut has lost its end; a header that long is none.
      if (!partial.overflow || n + 1 != k_fields_with_text) {
        return false;
      }
      fields[n++] = rest;
      break;
    }
    fields[n++] = rest.substr(0, end);
    rest.remove_prefix(end + 1);
  }
  if (n != partial.expected) {
    return false;
  }
  HookMessage message;
  message.type = static_cast<HookType>(fields[2].front());
  message.sender = sender;
  message.wall_us = to_wall_us(fields[3]);
  message.first = fields[4];
  message.second = fields[5];
  message.cwd = fields[6];
  if (partial.expected == k_fields_with_text) {
    if (fields[4] == "raw") {  // zsh and fish hand over the line itself
      message.text = fields[7];
      message.has_text = true;
    } else {
      message.has_text =
          strip_history(fields[7], to_number(fields[4]), to_number(fields[5]), message.text);
    }
    message.truncated = partial.overflow;
    if (message.text.size() > k_max_command_text) {
      message.text.resize(k_max_command_text);
      message.truncated = true;
    }
  }
  out.push_back(std::move(message));
  return true;
}

// A sender that dies in the middle of a message must not keep its place for ever.
void HookAssembler::make_room() {
  if (open_.size() < k_max_open_messages) {
    return;
  }
  const auto oldest = std::min_element(
      open_.begin(), open_.end(),
      [](const auto& a, const auto& b) { return a.second.order < b.second.order; });
  open_.erase(oldest);
}

}  // namespace sworn::audit
