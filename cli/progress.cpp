// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.hpp"

#include "base/printable.hpp"

#include <fmt/format.h>

#include <cstdio>

#include <unistd.h>

namespace sworn::cli {
namespace {
constexpr std::int64_t k_first_us = 1'000'000;
constexpr std::int64_t k_every_us = 200'000;
}  // namespace

ProgressLine::ProgressLine(Clock& clock, std::string_view label)
    : clock_(clock),
      label_(printable(label, 48)),
      next_{clock.mono().us + k_first_us},
      enabled_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (shown_) {
    fmt::print(stderr, "\r\x1b[K");
  }
}

void ProgressLine::update(std::uint64_t done, std::uint64_t total) {
  if (!enabled_ || clock_.mono() < next_) {
    return;
  }
  next_ = {clock_.mono().us + k_every_us};
  shown_ = true;
  const double percent =
      total == 0 ? 0 : 100.0 * static_cast<double>(done) / static_cast<double>(total);
  fmt::print(stderr, "\r{}  {:3.0f} %\x1b[K", label_, percent);
  std::fflush(stderr);
}

}  // namespace sworn::cli
