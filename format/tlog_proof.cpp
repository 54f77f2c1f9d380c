// SPDX-License-Identifier: Apache-2.0
#include "format/tlog_proof.hpp"

#include "format/base64.hpp"
#include "format/note.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace sworn::format {
namespace {

constexpr std::string_view k_first_line = "c2sp.org/tlog-proof@v1";
constexpr std::size_t k_max_path = 64;

tl::unexpected<Error> malformed(std::string_view what) {
  return fail(Errc::corrupt, "tlog-proof: " + std::string(what));
}

// Cuts off the first line.
std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const auto out = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return out;
}

}  // namespace

std::string encode(const TlogProof& proof) {
  std::string out = fmt::format("{}\n", k_first_line);
  if (!proof.entry.empty()) {
    out += fmt::format("extra {}\n", base64(proof.entry));
  }
  out += fmt::format("index {}\n", proof.index);
  for (const auto& hash : proof.path) {
    out += base64(hash) + "\n";
  }
  return out + "\n" + proof.checkpoint;
}

Result<TlogProof> parse_tlog_proof(std::string_view text) {
  if (text.size() > 2 * k_max_note_bytes || take_line(text) != k_first_line) {
    return malformed("another first line, or too large");
  }
  TlogProof out;
  auto line = take_line(text);
  if (line.starts_with("extra ")) {
    TRY_ASSIGN(out.entry, from_base64(line.substr(6)));
    if (out.entry.empty()) {
      return malformed("an empty extra line");
    }
    line = take_line(text);
  }
  if (!line.starts_with("index ")) {
    return malformed("no index");
  }
  line.remove_prefix(6);
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), out.index);
  if (error != std::errc() || end != line.data() + line.size() ||
      (line.size() > 1 && line.front() == '0')) {
    return malformed("an index that is not a decimal number");
  }
  for (line = take_line(text); !line.empty(); line = take_line(text)) {
    const auto bytes = from_base64(line);
    Digest hash{};
    if (!bytes || bytes->size() != hash.size() || out.path.size() == k_max_path) {
      return malformed("a path that is none");
    }
    std::copy(bytes->begin(), bytes->end(), hash.begin());
    out.path.push_back(hash);
  }
  out.checkpoint = text;
  TRY(parse_note(out.checkpoint));
  return out;
}

}  // namespace sworn::format
