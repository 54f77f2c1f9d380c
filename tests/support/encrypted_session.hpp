// SPDX-License-Identifier: Apache-2.0
// SampleSession::small(), encrypted; identities that open it and ones that do not.
#pragma once

#include "format/key_ring.hpp"
#include "tests/support/sample_session.hpp"

namespace sworn::test {

inline format::AgeIdentity identity_of(std::uint64_t seed) {
  FakeEntropy entropy(seed);
  return format::AgeIdentity::generate(entropy).value();
}
inline format::KeyRing ring_of(std::initializer_list<std::uint64_t> seeds) {
  format::KeyRing ring;
  for (const auto seed : seeds) {
    ring.add(identity_of(seed));
  }
  return ring;
}
inline format::RecipientGroups groups_of(std::vector<std::vector<std::uint64_t>> seeds) {
  format::RecipientGroups out;
  for (const auto& group : seeds) {
    auto& recipients = out.emplace_back();
    for (const auto seed : group) {
      recipients.push_back(identity_of(seed).recipient());
    }
  }
  return out;
}

// Readable by identity 100.
inline const format::RecipientGroups& one_reader() {
  static const auto groups = groups_of({{100}});
  return groups;
}
inline format::WriterOptions encrypted(const format::RecipientGroups& groups = one_reader(),
                                       bool detached = false) {
  format::WriterOptions options;
  options.recipients = &groups;
  options.detached_boxes = detached;
  return options;
}

// As small(), with a text that must not be seen.
inline constexpr std::string_view k_plain_text = "the quick brown fox";
inline void fill_small(SampleSession& s) {
  format::SessionStart start;
  start.user = "alice";
  start.argv = {"bash", std::string(k_plain_text)};
  s.put(format::EventKind::session_start, encode(start));
  s.seal();
  s.output("$ ");
  s.output(k_plain_text);
  s.seal(format::SealReason::critical);
  s.put(format::EventKind::gap, encode(format::Gap{"test", 1, 2, "x"}));
  s.output(std::string(300, 'a') + std::string(k_plain_text));
  s.seal();
  s.put(format::EventKind::exit, encode(format::Exit{}));
}

}  // namespace sworn::test
