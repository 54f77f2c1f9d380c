// SPDX-License-Identifier: Apache-2.0
#include "audit/trail/trail_chain.hpp"

#include "format/digest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include <sys/random.h>

namespace sworn::audit::trail {
namespace {

constexpr std::string_view k_domain{"sworn.trail.v1\0", 15};
constexpr std::string_view k_chain = ",\"chain\":{\"id\":\"";
constexpr std::string_view k_seq = "\",\"seq\":";
constexpr std::string_view k_prev = ",\"prev\":\"";
constexpr std::string_view k_hash = ",\"hash\":\"";
constexpr std::string_view k_end = "\"}}";
constexpr std::size_t k_digest_hex = 64;

std::string hash_of(std::string_view before) {
  return format::to_hex(
      format::Sha256().update(as_bytes(k_domain)).update(as_bytes(before)).finish());
}

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

Result<ChainState> new_chain() {
  std::array<std::byte, 16> raw{};
  if (::getrandom(raw.data(), raw.size(), 0) != static_cast<ssize_t>(raw.size())) {
    return fail_sys(errno, "no random bytes for the id of a trail");
  }
  return ChainState{format::to_hex(raw), 0, std::string(k_digest_hex, '0')};
}

std::string chained_line(std::string_view object, ChainState& state) {
  object.remove_suffix(1);  // the closing brace
  auto line = fmt::format("{}{}{}{}{}{}{}\"", object, k_chain, state.id, k_seq, state.next, k_prev,
                          state.prev);
  state.prev = hash_of(line);
  ++state.next;
  line += k_hash;
  line += state.prev;
  line += k_end;
  line += '\n';
  return line;
}

std::optional<ChainedLine> read_chained_line(std::string_view line) {
  if (!line.ends_with(k_end)) {
    return std::nullopt;
  }
  // From the end backwards: what stands in front may hold anything.
  const auto at_hash = line.rfind(k_hash);
  const auto at_chain = line.rfind(k_chain);
  if (at_hash == std::string_view::npos || at_chain == std::string_view::npos ||
      at_chain > at_hash) {
    return std::nullopt;
  }
  ChainedLine out;
  auto rest = line.substr(at_chain + k_chain.size(), at_hash - at_chain - k_chain.size());
  out.id = rest.substr(0, 32);
  rest.remove_prefix(std::min<std::size_t>(32, rest.size()));
  if (!is_hex(out.id, 32) || !rest.starts_with(k_seq)) {
    return std::nullopt;
  }
  rest.remove_prefix(k_seq.size());
  const auto [end, ec] = std::from_chars(rest.data(), rest.data() + rest.size(), out.seq);
  if (ec != std::errc{}) {
    return std::nullopt;
  }
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  if (!rest.starts_with(k_prev) || rest.size() != k_prev.size() + k_digest_hex + 1) {
    return std::nullopt;
  }
  out.prev = rest.substr(k_prev.size(), k_digest_hex);
  const auto hash = line.substr(at_hash + k_hash.size());
  out.hash = hash.substr(0, hash.size() - k_end.size());
  if (!is_hex(out.prev, k_digest_hex) || !is_hex(out.hash, k_digest_hex)) {
    return std::nullopt;
  }
  out.proven = hash_of(line.substr(0, at_hash)) == out.hash;
  return out;
}

ChainState state_behind(const ChainedLine& line) {
  return {line.id, line.seq + 1, line.hash};
}

void TrailVerifier::file(std::string name) {
  file_ = std::move(name);
}

void TrailVerifier::find(std::uint64_t line, std::string code, std::string text) {
  if (findings_.size() >= k_max_findings) {
    ++left_out_;
    return;
  }
  findings_.push_back({file_, line, std::move(code), std::move(text)});
}

void TrailVerifier::line(std::string_view text, std::uint64_t number, bool torn) {
  ++lines_;
  auto read = read_chained_line(text);
  if (!read) {
    find(number, torn ? "torn" : "not_chained",
         torn ? "the last line is cut: its writer was stopped in the middle of it"
              : "the line is not part of a chain");
    return;
  }
  if (!read->proven) {
    find(number, "altered", fmt::format("entry {} is not as it was written", read->seq));
  } else {
    ++proven_;
  }
  if (!last_) {
    id_ = read->id;
    first_seq_ = read->seq;
  } else if (read->id != last_->id) {
    find(number, "other_chain", fmt::format("another chain begins: {}", read->id));
    id_ = read->id;
  } else if (read->seq > last_->seq + 1) {
    find(number, "missing",
         fmt::format("entries {} to {} are missing", last_->seq + 1, read->seq - 1));
  } else if (read->seq <= last_->seq) {
    find(number, "added", fmt::format("entry {} stands behind entry {}", read->seq, last_->seq));
  } else if (read->prev != last_->hash) {
    find(number, "altered",
         fmt::format("entry {} was written behind another entry {}", read->seq, last_->seq));
  }
  last_ = std::move(read);
}

}  // namespace sworn::audit::trail
