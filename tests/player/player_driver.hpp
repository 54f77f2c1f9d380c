// SPDX-License-Identifier: Apache-2.0
// `sworn play` on a terminal of its own. Keys are typed and taken in one by one: the player says
// when it has drawn with so many keys handled (SWORN_TEST_SYNC), so that nobody sleeps.
#pragma once

#include "tests/support/pty_driver.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace sworn::test {

class PlayerDriver {
 public:
  PlayerDriver(const std::string& file, TermSize size, std::vector<std::string> environment = {},
               std::vector<std::string> options = {}) {
    const char* const program = std::getenv("SWORN_PROGRAM");
    REQUIRE(program != nullptr);
    SpawnOptions spawn;
    spawn.argv = {program, "play", file, "--no-cache"};
    spawn.argv.insert(spawn.argv.end(), options.begin(), options.end());
    spawn.environment = {
        "SWORN_TEST_SYNC=1", "TERM=xterm-256color",  "LC_ALL=C.UTF-8", "TZ=UTC", "COLORTERM",
        "NO_COLOR",          "HOME=" + home_.path(), "XDG_DATA_HOME"};
#ifdef SWORN_SANITIZED
    // On the Linux console curses loads libgpm, which leaks ten bytes of its own.
    spawn.environment.emplace_back("NCURSES_GPM_TERMS=none");
#endif
    spawn.environment.insert(spawn.environment.end(), environment.begin(), environment.end());
    spawn.size = size;
    auto driver = PtyDriver::spawn(spawn);
    REQUIRE(driver);
    pty_ = *std::move(driver);
    REQUIRE(pty_->wait_until([this] { return updates() > 0; }));
  }

  // One key, as the bytes that a terminal sends for it; back when it is on the screen.
  bool press(std::string_view bytes) {
    ++keys_;
    return pty_->type(bytes) && pty_->wait_until([this] { return handled() >= keys_; });
  }
  bool type(std::string_view keys) {
    bool done = true;
    for (const char c : keys) {
      done = done && press(std::string_view(&c, 1));
    }
    return done;
  }
  // The index and the verification are done.
  bool settle() {
    return pty_->wait_until([this] {
      return pty_->output().find("SEALED") != std::string::npos &&
             (pty_->shows("index 100 %") || !pty_->shows("index "));
    });
  }
  std::optional<int> quit() {
    if (!pty_->type("Q")) {
      return std::nullopt;
    }
    return pty_->wait_exit();
  }

  PtyDriver& pty() {
    return *pty_;
  }
  [[nodiscard]] std::string screen() const {
    return pty_->screen();
  }
  [[nodiscard]] const std::string& output() const {
    return pty_->output();
  }

 private:
  // The numbers of the last marker: updates and keys.
  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> marker() const {
    const auto& out = pty_->output();
    for (auto at = out.rfind("\x1b]7777;"); at != std::string::npos && at > 0;
         at = out.rfind("\x1b]7777;", at - 1)) {
      const auto end = out.find('\a', at);
      if (end != std::string::npos) {
        const auto text = out.substr(at + 7, end - at - 7);
        const auto middle = text.find(';');
        return {std::strtoull(text.c_str(), nullptr, 10),
                middle == std::string::npos
                    ? 0
                    : std::strtoull(text.c_str() + middle + 1, nullptr, 10)};
      }
    }
    return {0, 0};
  }
  [[nodiscard]] std::uint64_t updates() const {
    return marker().first;
  }
  [[nodiscard]] std::uint64_t handled() const {
    return marker().second;
  }

  TempDir home_;
  std::unique_ptr<PtyDriver> pty_;
  std::uint64_t keys_ = 0;
};

inline void write_file(const std::string& path, ByteView data) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(data.data()), static_cast<std::streamsize>(data.size()));
}

}  // namespace sworn::test
