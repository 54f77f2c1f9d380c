// SPDX-License-Identifier: Apache-2.0
// One line on stderr for work of more than a second, only where stderr is a terminal; erased at the
// end.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace sworn::cli {

class ProgressLine {
 public:
  // `clock` must outlive the object.
  ProgressLine(Clock& clock, std::string_view label);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void update(std::uint64_t done, std::uint64_t total);

 private:
  Clock& clock_;
  std::string label_;
  MonoTime next_;
  bool enabled_ = false;
  bool shown_ = false;
};

}  // namespace sworn::cli
