// SPDX-License-Identifier: Apache-2.0
#include "format/redactor_key.hpp"

#include "base/file.hpp"
#include "format/secret.hpp"

#include <cerrno>
#include <string_view>

#include <sys/stat.h>

namespace sworn::format {
namespace {

constexpr std::string_view k_label = "SWORN-REDACTOR-KEY-1 ";
constexpr std::uint64_t k_max_file = 4096;
constexpr std::size_t k_hex_digits = 64;

Result<SigningKey> from_line(std::string_view line, const std::string& path) {
  auto hex = line.substr(k_label.size());
  while (!hex.empty() && (hex.back() == '\r' || hex.back() == ' ')) {
    hex.remove_suffix(1);
  }
  auto seed = from_hex(hex);
  if (!seed || hex.size() != k_hex_digits) {
    return fail(Errc::bad_usage, path + ": the key is not 64 hexadecimal digits");
  }
  const auto secret = Secret<32>::copy_of(*seed);
  erase(*seed);
  return SigningKey::from_seed(secret.view());
}

}  // namespace

Result<SigningKey> read_redactor_key(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) {
    return fail_sys(errno, path);
  }
  if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(Errc::bad_usage, path + " is a private key that others may read: chmod 600");
  }
  TRY_ASSIGN(auto bytes, read_whole_file(path, k_max_file));
  std::string_view text = as_text(bytes);
  Result<SigningKey> key = fail(Errc::bad_usage, path + " holds no SWORN-REDACTOR-KEY-1 line");
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with(k_label)) {
      key = from_line(line, path);
      break;
    }
  }
  erase(bytes);
  return key;
}

Result<PublicKey> make_redactor_key(const std::string& path, Entropy& entropy) {
  Secret<32> seed;
  TRY(entropy.fill(seed.span()));
  TRY_ASSIGN(const auto key, SigningKey::from_seed(seed.view()));
  TRY_ASSIGN(const auto file, PosixAppendFile::create(path));
  std::string text =
      "# private key of a redactor of sworn recordings; keep it secret\n# public key: " +
      to_hex(key.public_key()) + "\n" + std::string(k_label) + to_hex(seed.view()) + "\n";
  const auto written = file->append(as_bytes(text));
  erase(std::as_writable_bytes(std::span(text)));
  TRY(written);
  TRY(file->sync());
  TRY(sync_parent_directory(path));
  return key.public_key();
}

}  // namespace sworn::format
