// SPDX-License-Identifier: Apache-2.0
#include "recorder/prompt_detector.hpp"

#include "recorder/text_filter.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace sworn::recorder {
namespace {

using namespace std::string_view_literals;

// Lower case in ASCII; other letters as the translations of sudo and PAM write them.
constexpr std::array k_words{"passwor"sv,     "passphrase"sv,   "passcode"sv, "passwd"sv,
                             "pass phrase"sv, "mot de passe"sv, "contrase"sv, "senha"sv,
                             "wachtwoord"sv,  "lösenord"sv,     "salasana"sv, "adgangskode"sv,
                             "hasło"sv,       "heslo"sv,        "jelszó"sv,   "parola"sv,
                             "пароль"sv,      "パスワード"sv,   "密码"sv,     "密碼"sv,
                             "口令"sv,        "암호"sv,         "비밀번호"sv, "verification code"sv,
                             "one-time"sv,    "otp"sv,          "secret"sv,   "token"sv,
                             "pin"sv,         "passwrd"sv};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (static_cast<unsigned char>(c) & 0x80U) != 0;
}

// The line that the cursor is on, lower case.
std::string last_line(ByteView text) {
  TextFilter filter;
  std::string line;
  bool at_start = false;  // a carriage return: what follows overwrites
  for (const std::byte byte : text) {
    if (!filter.is_text(byte)) {
      continue;
    }
    const char c = static_cast<char>(byte);
    if (c == '\n') {
      line.clear();
      at_start = false;
    } else if (c == '\r') {
      at_start = true;
    } else {
      if (std::exchange(at_start, false)) {
        line.clear();
      }
      line += (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  return line;
}

// Short words count only where they stand alone: "pin", not "shipping".
bool contains_word(std::string_view line, std::string_view word) {
  constexpr std::size_t k_short = 4;
  for (auto at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool alone =
        (at == 0 || !is_letter(line[at - 1])) && (end == line.size() || !is_letter(line[end]));
    if (word.size() >= k_short || alone) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool asks_for_password(ByteView text) {
  std::string line = last_line(text);
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\0')) {
    line.pop_back();
  }
  if (!line.ends_with(':') && !line.ends_with('?') && !line.ends_with("：")) {
    return false;
  }
  return std::any_of(k_words.begin(), k_words.end(),
                     [&](std::string_view word) { return contains_word(line, word); });
}

void PromptDetector::on_output(ByteView data) {
  if (data.size() >= k_keep) {
    const auto last = data.last(k_keep);
    std::copy(last.begin(), last.end(), last_.begin());
    used_ = k_keep;
    return;
  }
  if (used_ + data.size() > k_keep) {
    const std::size_t drop = used_ + data.size() - k_keep;
    std::copy(last_.begin() + static_cast<std::ptrdiff_t>(drop),
              last_.begin() + static_cast<std::ptrdiff_t>(used_), last_.begin());
    used_ -= drop;
  }
  std::copy(data.begin(), data.end(), last_.begin() + static_cast<std::ptrdiff_t>(used_));
  used_ += data.size();
}

bool PromptDetector::at_password_prompt() const {
  return asks_for_password(ByteView(last_).first(used_));
}

}  // namespace sworn::recorder
