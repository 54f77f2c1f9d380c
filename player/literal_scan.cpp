// SPDX-License-Identifier: Apache-2.0
#include "player/literal_scan.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sworn::player {
namespace {

constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

constexpr char small(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

// How often a byte is seen on terminals, roughly: the higher, the more often.
int commonness(char c) {
  constexpr std::string_view k_often = " etaoinsrhldcumfpgwybvkxjqz0123456789-/.:_=,()\"'";
  const auto at = k_often.find(small(c));
  return at == std::string_view::npos ? 0 : 100 - static_cast<int>(at);
}

}  // namespace

LiteralScan::LiteralScan(std::string_view needle, bool fold_case)
    : needle_(needle), fold_(fold_case) {
  if (fold_) {
    std::transform(needle_.begin(), needle_.end(), needle_.begin(), small);
  }
  const auto rarer = [this](std::size_t a, std::size_t b) {
    return commonness(needle_[a]) < commonness(needle_[b]);
  };
  for (std::size_t i = 1; i < needle_.size(); ++i) {
    if (rarer(i, rare_)) {
      rare_ = i;
    }
  }
  other_ = rare_ == 0 ? needle_.size() - 1 : 0;
  for (std::size_t i = 0; i < needle_.size(); ++i) {
    if (i != rare_ && rarer(i, other_)) {
      other_ = i;
    }
  }
}

bool LiteralScan::matches_at(const char* at) const {
  if (!fold_) {
    return std::memcmp(at, needle_.data(), needle_.size()) == 0;
  }
  for (std::size_t i = 0; i < needle_.size(); ++i) {
    if (small(at[i]) != needle_[i]) {
      return false;
    }
  }
  return true;
}

std::size_t LiteralScan::find(std::string_view text, std::size_t from) const {
  if (text.size() < needle_.size()) {
    return k_not_found;
  }
  const std::size_t last = text.size() - needle_.size();  // where a match can begin at the latest
  std::size_t i = from;
#if defined(__SSE2__)
  // Two bytes of the needle are compared at sixteen places at once. Setting bit 5 makes a small
  // letter of a capital one; what else it changes is sorted out by matches_at().
  const auto mask_of = [this](char c) { return _mm_set1_epi8(fold_ && is_letter(c) ? 0x20 : 0); };
  const __m128i rare = _mm_set1_epi8(needle_[rare_]);
  const __m128i other = _mm_set1_epi8(needle_[other_]);
  const __m128i rare_mask = mask_of(needle_[rare_]);
  const __m128i other_mask = mask_of(needle_[other_]);
  const std::size_t reach = std::max(rare_, other_) + 16;
  while (i <= last && i + reach <= text.size()) {
    const auto load = [&text, i](std::size_t offset) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + i + offset));
    };
    const __m128i a = _mm_cmpeq_epi8(_mm_or_si128(load(rare_), rare_mask), rare);
    const __m128i b = _mm_cmpeq_epi8(_mm_or_si128(load(other_), other_mask), other);
    auto hits = static_cast<unsigned>(_mm_movemask_epi8(_mm_and_si128(a, b)));
    while (hits != 0) {
      const auto at = i + static_cast<std::size_t>(std::countr_zero(hits));
      if (at <= last && matches_at(text.data() + at)) {
        return at;
      }
      hits &= hits - 1;
    }
    i += 16;
  }
#endif
  for (; i <= last; ++i) {
    if (matches_at(text.data() + i)) {
      return i;
    }
  }
  return k_not_found;
}

}  // namespace sworn::player
