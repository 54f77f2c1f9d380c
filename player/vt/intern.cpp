// SPDX-License-Identifier: Apache-2.0
#include "player/vt/intern.hpp"

#include <algorithm>
#include <random>

namespace sworn::vt {
namespace {

constexpr std::uint32_t k_first_limit = 1024;

std::uint64_t process_seed() {
  static const std::uint64_t seed = [] {
    std::random_device device;
    return (std::uint64_t{device()} << 32U) ^ device();
  }();
  return seed;
}

}  // namespace

std::size_t SeededHash::operator()(std::string_view text) const noexcept {
  std::uint64_t hash = process_seed();
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x9E3779B97F4A7C15U;
    hash ^= hash >> 29U;
  }
  return hash;
}

InternTable::InternTable(const Limits& limits)
    : limits_(limits), slot_limit_(std::min(limits.values, k_first_limit)) {}

std::uint32_t InternTable::find_or_add(std::string_view value) {
  if (const auto at = index_.find(value); at != index_.end()) {
    return at->second;
  }
  if (value.empty() || value.size() > limits_.value_bytes) {
    return k_none;
  }
  if (refusals_left_ > 0) {
    --refusals_left_;
    return k_none;
  }
  const std::uint32_t slot = take_slot(value.size());
  if (slot != k_none) {
    values_[slot] = value;
    bytes_ += value.size();
    index_.emplace(values_[slot], slot);
  }
  return slot;
}

std::uint32_t InternTable::take_slot(std::size_t bytes) {
  if (bytes_ + bytes > limits_.all_bytes) {
    return k_none;
  }
  while (next_free_ < values_.size() && !values_[next_free_].empty()) {
    ++next_free_;
  }
  if (next_free_ < values_.size()) {
    return next_free_;
  }
  if (values_.size() >= slot_limit_) {
    return k_none;
  }
  values_.emplace_back();
  return next_free_;
}

void InternTable::collect(const std::vector<bool>& live, std::uint32_t spread) {
  std::uint32_t count = 0;
  for (std::uint32_t slot = 0; slot < slots(); ++slot) {
    auto& value = values_[slot];
    if (slot < live.size() && live[slot]) {
      count += value.empty() ? 0U : 1U;
    } else if (!value.empty()) {
      index_.erase(value);
      bytes_ -= value.size();
      value.clear();
      value.shrink_to_fit();
    }
  }
  while (!values_.empty() && values_.back().empty()) {
    values_.pop_back();
  }
  next_free_ = 0;
  const std::uint64_t wanted = std::max<std::uint64_t>({k_first_limit, spread, 2ULL * count});
  slot_limit_ = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(limits_.values, std::max<std::uint64_t>(wanted, slots())));
  const bool crowded = slot_limit_ - count < std::min(spread, limits_.values / 4) ||
                       limits_.all_bytes - bytes_ < limits_.all_bytes / 4;
  refusals_left_ = crowded ? spread : 0;
}

void InternTable::clear() {
  *this = InternTable(limits_);
}

void InternTable::save(ByteWriter& out) const {
  out.varint(values_.size()).varint(next_free_).varint(slot_limit_).varint(refusals_left_);
  for (const auto& value : values_) {
    out.varint(value.size()).bytes(as_bytes(value));
  }
}

Result<void> InternTable::load(ByteReader& in) {
  clear();
  TRY_ASSIGN(const auto count, in.varint());
  TRY_ASSIGN(const auto next_free, in.varint());
  TRY_ASSIGN(const auto slot_limit, in.varint());
  TRY_ASSIGN(const auto refusals, in.varint());
  if (count > limits_.values || slot_limit > limits_.values || slot_limit < count ||
      next_free > count || refusals > UINT32_MAX) {
    return fail(Errc::corrupt, "snapshot: a table of texts is larger than allowed");
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    TRY_ASSIGN(const auto size, in.varint());
    if (size > limits_.value_bytes || bytes_ + size > limits_.all_bytes) {
      return fail(Errc::corrupt, "snapshot: a text is longer than allowed");
    }
    TRY_ASSIGN(const auto text, in.take(size));
    values_.emplace_back(as_text(text));
    bytes_ += size;
    const bool fresh = size == 0 || index_.emplace(values_.back(), i).second;
    if (!fresh || (size == 0 && i < next_free)) {
      return fail(Errc::corrupt, "snapshot: a table of texts contradicts itself");
    }
  }
  next_free_ = static_cast<std::uint32_t>(next_free);
  slot_limit_ = static_cast<std::uint32_t>(slot_limit);
  refusals_left_ = static_cast<std::uint32_t>(refusals);
  return {};
}

}  // namespace sworn::vt
