// SPDX-License-Identifier: Apache-2.0
#include "recorder/echo_window.hpp"
#include "recorder/prompt_detector.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using sworn::as_bytes;
using sworn::recorder::asks_for_password;
using sworn::recorder::EchoWindow;
using sworn::recorder::PromptDetector;

}  // namespace

TEST_CASE("recorder: questions for a password are recognised") {
  for (const char* text :
       {"Password: ", "[sudo] password for ann: ", "ann@db1's password:", "New password:",
        "\rPassword: ", "Enter passphrase for key '/home/ann/.ssh/id_ed25519': ",
        "Verification code: ", "Enter PIN: ", "\x1b[1mPassword:\x1b[0m ",
        "\x1b]0;title\x07Password: ", "[sudo] Passwort für ann: ", "[sudo] Mot de passe de ann : ",
        "[sudo] contraseña para ann: ", "пароль: ", "密码：", "output\r\nPassword: \x1b[?2004h",
        "Are you sure? Enter password? "}) {
    CAPTURE(text);
    CHECK(asks_for_password(as_bytes(text)));
  }
}

TEST_CASE("recorder: other text is no question for a password") {
  for (const char* text : {"$ ", "ann@db1:~$ ", "Password: \r\n", "Password: \r\n$ ", "password",
                           "", "Password changed.", "Login: ", "Password: \rann@db1:~$ ",
                           "shipping: ", "Password:\x1b[2K\r> "}) {
    CAPTURE(text);
    CHECK_FALSE(asks_for_password(as_bytes(text)));
  }
}

TEST_CASE("recorder: the prompt is found across pieces and behind long output") {
  PromptDetector detector;
  CHECK_FALSE(detector.at_password_prompt());
  detector.on_output(as_bytes(std::string(10'000, 'x')));
  detector.on_output(as_bytes("\r\nPass"));
  CHECK_FALSE(detector.at_password_prompt());
  detector.on_output(as_bytes("word: "));
  CHECK(detector.at_password_prompt());
  detector.on_output(as_bytes("\r\n"));
  CHECK_FALSE(detector.at_password_prompt());
  for (int i = 0; i < 300; ++i) {
    detector.on_output(as_bytes("."));
  }
  detector.on_output(as_bytes("\nPassword:"));
  CHECK(detector.at_password_prompt());
}

TEST_CASE("recorder: the echo window finds text in order and forgets what is old") {
  EchoWindow window;
  window.on_output(as_bytes("abc\x1b[31mdef\r\nghi"));
  CHECK(window.end() == 9);
  CHECK(window.find(as_bytes("cdefg"), 0, 512) == 7);
  CHECK(window.find(as_bytes("abc"), 1, 512) == std::nullopt);
  CHECK(window.find(as_bytes("i"), 0, 7) == std::nullopt);
  CHECK(window.find(as_bytes("i"), 0, 8) == 9);
  window.on_output(as_bytes(std::string(5'000, '.')));
  CHECK(window.find(as_bytes("abc"), 0, 1'000'000) == std::nullopt);
  CHECK(window.find(as_bytes("x"), 0, 1'000'000) == std::nullopt);
  CHECK(window.find(as_bytes(""), 5'009, 0) == 5'009);
}
