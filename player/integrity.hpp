// SPDX-License-Identifier: Apache-2.0
// Verification in the background, and what the badge says about it. The badge never says more than
// what is proven at the moment, and BAD stays BAD. IntegrityThread owns its thread; snapshots may
// be taken from any.
#pragma once

#include "format/verify.hpp"
#include "player/frame.hpp"
#include "player/recording.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace sworn::player {

enum class IntegrityState : std::uint8_t { off, running, done, failed };

struct Integrity {
  IntegrityState state = IntegrityState::off;
  std::uint64_t done_bytes = 0;
  std::uint64_t total_bytes = 0;
  MonoTime verified_to;  // up to this moment the bytes were looked at
  bool live = false;
  std::shared_ptr<const format::VerifyReport> report;
  std::string error;
};

enum class BadgeLevel : std::uint8_t { neutral, good, warning, bad };

struct Badge {
  std::string text;
  BadgeLevel level = BadgeLevel::neutral;
};
// `verified_to`: as the viewer's clock shows it.
Badge badge_of(const Integrity& integrity, const std::string& verified_to);
Style style_of(BadgeLevel level);

// The whole report as lines for people: three answers, then the findings.
std::vector<std::string> integrity_lines(const Integrity& integrity);

class IntegrityThread {
 public:
  // `recording` must outlive the thread.
  IntegrityThread(const Recording& recording, std::function<void()> notify);
  ~IntegrityThread();
  IntegrityThread(const IntegrityThread&) = delete;
  IntegrityThread& operator=(const IntegrityThread&) = delete;

  [[nodiscard]] Integrity snapshot() const;

 private:
  void run();
  void verify_once();

  const Recording& recording_;
  std::function<void()> notify_;
  mutable std::mutex mutex_;
  Integrity state_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace sworn::player
