// SPDX-License-Identifier: Apache-2.0
#include "cli/host_rec.hpp"

#include <sys/stat.h>
#include <unistd.h>

namespace sworn::cli {

std::optional<std::vector<std::string>> host_client_words(const std::vector<std::string>& words) {
  std::vector<std::string> out{"sworn-login", "--rec"};
  std::size_t i = 0;
  for (; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--" || !word.starts_with('-')) {
      break;
    }
    if (word == "--login") {
      out.push_back(word);
    } else if ((word == "--reason" || word == "--ticket") && i + 1 < words.size()) {
      out.push_back(word);
      out.push_back(words[++i]);
    } else if (word != "-q" && word != "--quiet") {
      return std::nullopt;
    }
  }
  out.emplace_back("--");
  if (i < words.size() && words[i] == "--") {
    ++i;
  }
  out.insert(out.end(), words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
  return out;
}

bool host_records() {
  struct stat st {};
  return ::stat("/run/sworn/swornd.sock", &st) == 0 && S_ISSOCK(st.st_mode) && st.st_uid == 0 &&
         ::access(k_host_client, X_OK) == 0;
}

}  // namespace sworn::cli
