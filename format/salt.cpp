// SPDX-License-Identifier: Apache-2.0
#include "format/salt.hpp"

#include "format/constants.hpp"
#include "format/digest.hpp"

#include <algorithm>
#include <cstring>

namespace sworn::format {
namespace {

Digest child(std::uint8_t prefix, const Digest& node) {
  std::array<std::byte, 33> message;
  message[0] = static_cast<std::byte>(prefix);
  std::memcpy(message.data() + 1, node.data(), node.size());
  return sha256_short(message);
}

}  // namespace

void derive_salts(const Seed& seed, std::uint32_t n, std::vector<Digest>& salts) {
  salts.assign(1, seed);
  std::uint32_t width = 1;
  while (width < n) {
    width *= 2;
  }
  TwoMessages<33> children_of_one;
  children_of_one.a()[0] = static_cast<std::byte>(k_hash_salt_left);
  children_of_one.b()[0] = static_cast<std::byte>(k_hash_salt_right);
  Digest unwanted;
  // Level by level in place, from the right, and only the nodes that have a wanted leaf below them.
  for (std::uint32_t span = width / 2; span >= 1; span /= 2) {
    const std::size_t parents = salts.size();
    const std::size_t children = (static_cast<std::size_t>(n) + span - 1) / span;
    salts.resize(children);
    for (std::size_t i = parents; i-- > 0;) {
      std::memcpy(children_of_one.a() + 1, salts[i].data(), sizeof(Digest));
      std::memcpy(children_of_one.b() + 1, salts[i].data(), sizeof(Digest));
      children_of_one.hash(salts[2 * i], 2 * i + 1 < children ? salts[2 * i + 1] : unwanted);
    }
  }
}

namespace {

// Walks the tree from the root; each subtree is [start, start + width) of the leaves.
class CoverWalk {
 public:
  CoverWalk(std::span<const Digest> nodes, const std::vector<bool>& before,
            const std::vector<bool>& after)
      : nodes_(nodes), before_(count(before)), after_(count(after)) {}

  Result<void> run() {
    std::size_t width = 1;
    while (width < size()) {
      width *= 2;
    }
    visit(0, width, nullptr);
    if (missing_ || next_ != nodes_.size()) {
      return fail(Errc::corrupt, "the salts of a redacted chunk do not fit what it keeps");
    }
    return {};
  }
  std::vector<Digest> cover;  // for `after`
  std::vector<Digest> salts;  // of leaves outside of `after`, where wanted
  bool want_salts = false;

 private:
  static std::vector<std::uint32_t> count(const std::vector<bool>& removed) {
    std::vector<std::uint32_t> sums(removed.size() + 1, 0);
    for (std::size_t j = 0; j < removed.size(); ++j) {
      sums[j + 1] = sums[j] + (removed[j] ? 1U : 0U);
    }
    return sums;
  }
  [[nodiscard]] std::size_t size() const { return before_.size() - 1; }
  [[nodiscard]] bool any(const std::vector<std::uint32_t>& sums, std::size_t start,
                         std::size_t width) const {
    const std::size_t end = std::min(start + width, size());
    return sums[end] != sums[start];
  }

  // Depth is bounded by the width: at most 18 levels.
  void visit(std::size_t start, std::size_t width,
             const Digest* node) {  // NOLINT(misc-no-recursion)
    if (start >= size() || missing_) {
      return;
    }
    if (node == nullptr && !any(before_, start, width)) {
      if (next_ == nodes_.size()) {
        missing_ = true;
        return;
      }
      node = &nodes_[next_++];
    }
    if (!any(after_, start, width)) {
      cover.push_back(*node);  // known: nothing below is removed now, so nothing was before
      if (!want_salts) {
        return;
      }
    }
    if (width == 1) {
      if (want_salts && node != nullptr && !any(after_, start, 1)) {
        salts[start] = *node;
      }
      return;
    }
    if (node == nullptr) {
      visit(start, width / 2, nullptr);
      visit(start + width / 2, width / 2, nullptr);
      return;
    }
    const Digest left = child(k_hash_salt_left, *node);
    visit(start, width / 2, &left);
    const Digest right = child(k_hash_salt_right, *node);
    visit(start + width / 2, width / 2, &right);
  }

  std::span<const Digest> nodes_;
  std::vector<std::uint32_t> before_;
  std::vector<std::uint32_t> after_;
  std::size_t next_ = 0;
  bool missing_ = false;
};

}  // namespace

Result<void> derive_punctured_salts(std::span<const Digest> nodes, const std::vector<bool>& removed,
                                    std::vector<Digest>& salts) {
  CoverWalk walk(nodes, removed, removed);
  walk.want_salts = true;
  walk.salts.assign(removed.size(), Digest{});
  TRY(walk.run());
  salts = std::move(walk.salts);
  return {};
}

Result<std::vector<Digest>> puncture(std::span<const Digest> nodes,
                                     const std::vector<bool>& removed_before,
                                     const std::vector<bool>& removed) {
  for (std::size_t j = 0; j < removed.size(); ++j) {
    if (removed_before[j] && !removed[j]) {
      return fail(Errc::bad_usage, "what was redacted cannot come back");
    }
  }
  CoverWalk walk(nodes, removed_before, removed);
  TRY(walk.run());
  return std::move(walk.cover);
}

}  // namespace sworn::format
