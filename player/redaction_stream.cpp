// SPDX-License-Identifier: Apache-2.0
#include "player/redaction_stream.hpp"

#include <algorithm>

namespace sworn::player {
namespace {

// A line that is longer is searched in pieces that overlap by the second number.
constexpr std::size_t k_longest_line = 1U << 20U;
constexpr std::size_t k_overlap = 64U << 10U;
// Text that came in pieces of a few bytes was typed, or echoed, key by key.
constexpr std::size_t k_typed_pieces = 3;
constexpr std::size_t k_typed_bytes = 4;

constexpr char k_esc = '\x1B';
constexpr char k_bel = '\x07';

bool is_csi_end(char c) {
  return c >= 0x40 && c <= 0x7E;
}

// Behind the escape sequence that begins at `at`; a sequence ends at a line feed at the latest.
std::size_t skip_escape(std::string_view text, std::size_t at) {
  std::size_t i = at + 1;
  if (i >= text.size()) {
    return text.size();
  }
  const char kind = text[i];
  if (kind == '[') {
    for (++i; i < text.size() && text[i] != '\n'; ++i) {
      if (is_csi_end(text[i])) {
        return i + 1;
      }
    }
    return i;
  }
  if (kind == ']' || kind == 'P' || kind == '_' || kind == '^' || kind == 'X') {
    for (++i; i < text.size() && text[i] != '\n'; ++i) {
      if (text[i] == k_bel) {
        return i + 1;
      }
      if (text[i] == k_esc) {
        return std::min(i + 2, text.size());
      }
    }
    return i;
  }
  while (i < text.size() && text[i] >= 0x20 && text[i] <= 0x2F) {  // ESC ( B and the like
    ++i;
  }
  return std::min(i + 1, text.size());
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t';
}

// `text` without escape sequences and control characters. `origin`: where each byte stood; may be
// null.
void strip(std::string_view text, std::string& out, std::vector<std::size_t>* origin) {
  out.clear();
  for (std::size_t i = 0; i < text.size();) {
    const auto* const begin = text.data() + i;
    const auto* const end = std::find_if(begin, text.data() + text.size(), is_control);
    out.append(begin, end);
    for (const auto* at = begin; origin != nullptr && at != end; ++at) {
      origin->push_back(static_cast<std::size_t>(at - text.data()));
    }
    i = static_cast<std::size_t>(end - text.data());
    if (i < text.size()) {
      i = text[i] == k_esc ? skip_escape(text, i) : i + 1;
    }
  }
}

}  // namespace

std::size_t RedactionStream::piece_at(std::size_t offset) const {
  const auto it =
      std::upper_bound(pieces_.begin(), pieces_.end(), offset,
                       [](std::size_t at, const Piece& piece) { return at < piece.begin; });
  return static_cast<std::size_t>(it - pieces_.begin()) - 1;
}

void RedactionStream::take(std::size_t begin, std::size_t end, std::string_view all) {
  ++found_.matches;
  std::size_t first = piece_at(begin);
  std::size_t last = piece_at(end - 1);
  const std::size_t n = last - first + 1;
  if (n >= k_typed_pieces && (end - begin) / n <= k_typed_bytes) {
    // The whole line: the number of its keys is not the length of what was found.
    const auto line_begin = begin == 0 ? std::string_view::npos : all.rfind('\n', begin - 1);
    const auto line_end = std::min(all.find('\n', end - 1), all.size() - 1);
    first = piece_at(line_begin == std::string_view::npos ? 0 : line_begin + 1);
    last = piece_at(line_end);
    ++found_.widened_lines;
  }
  for (std::size_t i = first; i <= last; ++i) {
    found_.events.insert(pieces_[i].event);
  }
}

// `from_raw`: what `text` was stripped from; empty where it is the stream itself.
void RedactionStream::search_text(std::string_view text, std::string_view from_raw) {
  const auto all = std::string_view(text_);
  std::vector<std::size_t> origin;
  for (const auto& matcher : query_.matchers) {
    std::size_t from = 0;
    while (const auto match = matcher->find(text, from)) {
      if (match->length == 0) {
        from = match->offset + 1;
        continue;
      }
      const std::size_t end = match->offset + match->length;
      if (from_raw.empty()) {
        take(match->offset, end, all);
      } else {
        if (origin.empty()) {
          std::string again;
          strip(from_raw, again, &origin);
        }
        take(origin[match->offset], origin[end - 1] + 1, all);
      }
      from = end;
    }
  }
}

void RedactionStream::search(std::size_t end) {
  const auto text = std::string_view(text_).substr(0, end);
  search_text(text, {});
  // Colours and cursor movements between the letters do not hide a word; CR in front of LF alone
  // hides nothing.
  const auto hides = [&](const char& c) {
    const auto* const next = &c + 1;
    return is_control(c) && !(c == '\r' && next != text.data() + text.size() && *next == '\n');
  };
  if (std::any_of(text.begin(), text.end(), hides)) {
    strip(text, stripped_, nullptr);
    search_text(stripped_, text);
  }
}

void RedactionStream::drop(std::size_t bytes) {
  text_.erase(0, bytes);
  if (text_.empty()) {
    pieces_.clear();
    return;
  }
  const auto keep = piece_at(bytes);
  pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(keep));
  for (auto& piece : pieces_) {
    piece.begin = piece.begin > bytes ? piece.begin - bytes : 0;
  }
}

void RedactionStream::add(std::uint64_t event, ByteView data) {
  if (data.empty()) {
    return;
  }
  pieces_.push_back({text_.size(), event});
  text_.append(as_text(data));
  if (typed_) {
    std::replace(text_.end() - static_cast<std::ptrdiff_t>(data.size()), text_.end(), '\r', '\n');
  }
  const auto feed = text_.rfind('\n');
  if (feed != std::string::npos) {
    search(feed + 1);
    drop(feed + 1);
  } else if (text_.size() > k_longest_line) {
    search(text_.size());
    drop(text_.size() - k_overlap);
  }
}

void RedactionStream::finish() {
  search(text_.size());
  drop(text_.size());
}

}  // namespace sworn::player
