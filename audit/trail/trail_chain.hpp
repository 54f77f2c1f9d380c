// SPDX-License-Identifier: Apache-2.0
// The hash chain of a trail file: each line is a JSON object that ends with
//   ,"chain":{"id":"...","seq":N,"prev":"...","hash":"..."}}
// `hash` is SHA-256 over "sworn.trail.v1", a NUL and all bytes of the line in front of `,"hash":`;
// `prev` is the hash of the line before (of the first: 64 zeros). So every line proves itself
// unchanged, and the whole proves that no line was taken out or put in. A chain without a signature
// proves nothing against who can rewrite all of it: what a line tells is proven by the sealed
// recording that its link names. docs/trail.md. Pure.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::audit::trail {

struct ChainState {
  std::string id;          // 32 hexadecimal digits, random
  std::uint64_t next = 0;  // the number of the next line
  std::string prev;        // 64 hexadecimal digits
};

// Random id, nothing written yet.
Result<ChainState> new_chain();

// The whole line with its line feed; `object` is a JSON object without the chain. Moves the state
// on.
std::string chained_line(std::string_view object, ChainState& state);

struct ChainedLine {
  std::string id;
  std::uint64_t seq = 0;
  std::string prev;
  std::string hash;
  bool proven = false;  // the hash is that of the line
};
// nullopt where the line has no chain.
std::optional<ChainedLine> read_chained_line(std::string_view line);

// Goes on behind a line that was written before.
ChainState state_behind(const ChainedLine& line);

struct TrailFinding {
  std::string file;
  std::uint64_t line = 0;
  std::string code;  // "altered", "missing", "added", "not_chained", "torn", "other_chain"
  std::string text;
};

// Lines in the order of the files; feed every line, then ask.
class TrailVerifier {
 public:
  void file(std::string name);
  // `torn`: the last line of a file, without a line feed.
  void line(std::string_view text, std::uint64_t number, bool torn);

  [[nodiscard]] std::uint64_t lines() const { return lines_; }
  [[nodiscard]] std::uint64_t proven() const { return proven_; }
  [[nodiscard]] std::uint64_t first_seq() const { return first_seq_; }
  [[nodiscard]] std::uint64_t last_seq() const { return last_ ? last_->seq : 0; }
  [[nodiscard]] const std::string& chain_id() const { return id_; }
  [[nodiscard]] std::string last_hash() const { return last_ ? last_->hash : std::string(); }
  [[nodiscard]] const std::vector<TrailFinding>& findings() const { return findings_; }
  [[nodiscard]] std::uint64_t left_out() const { return left_out_; }  // findings beyond the limit

 private:
  static constexpr std::size_t k_max_findings = 10'000;
  void find(std::uint64_t line, std::string code, std::string text);

  std::string file_;
  std::string id_;
  std::uint64_t lines_ = 0;
  std::uint64_t proven_ = 0;
  std::uint64_t first_seq_ = 0;
  std::uint64_t left_out_ = 0;
  std::optional<ChainedLine> last_;
  std::vector<TrailFinding> findings_;
};

}  // namespace sworn::audit::trail
