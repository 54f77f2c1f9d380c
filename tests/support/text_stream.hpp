// SPDX-License-Identifier: Apache-2.0
// A log in memory for tests, handed out in small pieces.
#pragma once

#include "audit/logs/decompress.hpp"
#include "base/bytes.hpp"

#include <algorithm>
#include <memory>
#include <string>

namespace sworn::test {

class TextStream final : public audit::logs::ByteStream {
 public:
  explicit TextStream(std::string text, std::size_t piece = 7)
      : text_(std::move(text)), piece_(piece) {}
  Result<std::size_t> read(std::span<std::byte> out) override {
    const auto n = std::min({out.size(), piece_, text_.size() - at_});
    std::copy_n(as_bytes(text_).begin() + static_cast<std::ptrdiff_t>(at_), n, out.begin());
    at_ += n;
    return n;
  }

 private:
  std::string text_;
  std::size_t piece_;
  std::size_t at_ = 0;
};

inline std::unique_ptr<audit::logs::ByteStream> text_stream(std::string text,
                                                            std::size_t piece = 7) {
  return std::make_unique<TextStream>(std::move(text), piece);
}

}  // namespace sworn::test
