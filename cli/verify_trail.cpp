// SPDX-License-Identifier: Apache-2.0
#include "cli/verify_trail.hpp"

#include "audit/logs/line_reader.hpp"
#include "audit/trail/trail_chain.hpp"
#include "base/printable.hpp"
#include "cli/command.hpp"
#include "cli/json.hpp"
#include "cli/message.hpp"
#include "cli/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace sworn::cli {
namespace {

using audit::trail::TrailVerifier;

constexpr int k_exit_torn = 2;
constexpr int k_exit_tampered = 3;
constexpr std::string_view k_begin = "{\"schema\":\"sworn.trail/1\"";

// The number of a file's first entry, to put the files in order.
Result<std::uint64_t> first_number(const std::string& path) {
  TRY_ASSIGN(auto stream, audit::logs::open_byte_stream(path));
  audit::logs::LineReader reader(std::move(stream));
  TRY_ASSIGN(const auto line, reader.next());
  const auto read = line ? audit::trail::read_chained_line(line->text) : std::nullopt;
  return read ? read->seq : UINT64_MAX;
}

Result<void> feed(const std::string& path, TrailVerifier& verifier) {
  TRY_ASSIGN(auto stream, audit::logs::open_byte_stream(path));
  audit::logs::LineReader reader(std::move(stream));
  verifier.file(path);
  std::string previous;
  std::uint64_t number = 0;
  while (true) {
    TRY_ASSIGN(const auto line, reader.next());
    if (number > 0) {
      // Only the last line can be torn; an empty one closes what an earlier writer left.
      const bool torn = !line && !previous.ends_with("\"}}");
      if (!previous.empty()) {
        verifier.line(previous, number, torn);
      }
    }
    if (!line) {
      return {};
    }
    previous = line->text;
    number = line->number;
  }
}

int status_of(const TrailVerifier& verifier) {
  int status = k_exit_ok;
  for (const auto& finding : verifier.findings()) {
    if (finding.code != "torn") {
      return k_exit_tampered;
    }
    status = k_exit_torn;
  }
  return verifier.lines() == 0 ? k_exit_torn : status;
}

Json findings_json(const TrailVerifier& verifier) {
  Json out = Json::array();
  for (const auto& one : verifier.findings()) {
    out.push_back({{"file", one.file}, {"line", one.line}, {"code", one.code}, {"text", one.text}});
  }
  return out;
}

void print_report(const TrailVerifier& verifier, int status) {
  fmt::print("trail {}\n", printable(verifier.chain_id()));
  fmt::print("  {:<14} {} of {} are as they were written\n", "lines", grouped(verifier.proven()),
             grouped(verifier.lines()));
  fmt::print("  {:<14} entries {} to {}{}\n", "chain", verifier.first_seq(), verifier.last_seq(),
             status == k_exit_ok ? ", none missing" : "");
  if (verifier.first_seq() > 0) {
    fmt::print("  {:<14} entries 0 to {} are not in these files\n", "earlier",
               verifier.first_seq() - 1);
  }
  fmt::print("  {:<14} {}\n", "last", verifier.last_hash());
  for (const auto& one : verifier.findings()) {
    fmt::print("  {:<14} {}:{}: {}\n", one.code, printable(one.file), one.line,
               printable(one.text));
  }
  if (verifier.left_out() > 0) {
    fmt::print("  {:<14} {} more findings\n", "", grouped(verifier.left_out()));
  }
  fmt::print(
      "  {:<14} a hash chain shows changes to a part of it; who can rewrite all of it is\n"
      "  {:<14} found out by comparing its last hash with a copy, and each entry with its\n"
      "  {:<14} recording (sworn verify), which is sealed\n",
      "not proven", "", "");
}

}  // namespace

bool is_trail_file(const std::string& path) {
  auto stream = audit::logs::open_byte_stream(path);
  if (path == "-" || !stream) {
    return false;
  }
  std::string head;
  std::array<std::byte, 64> block{};
  while (head.size() < k_begin.size()) {
    const auto n = (*stream)->read(block);
    if (!n || *n == 0) {
      break;
    }
    head += as_text(ByteView(block).first(*n));
  }
  return head.starts_with(k_begin);
}

int verify_trail(std::vector<std::string> paths, bool json, bool quiet) {
  std::multimap<std::uint64_t, std::string> ordered;
  for (const auto& path : paths) {
    const auto number = first_number(path);
    if (!number) {
      return complain("verify", {path + ": cannot be read", describe(number.error()),
                                 "check the name and the permissions"});
    }
    ordered.emplace(*number, path);
  }
  TrailVerifier verifier;
  for (const auto& [number, path] : ordered) {
    if (const auto fed = feed(path, verifier); !fed) {
      return complain("verify", {path + ": cannot be read to its end", describe(fed.error()),
                                 "what was read so far proves nothing about the rest"});
    }
  }
  const int status = status_of(verifier);
  if (json) {
    print_json({{"schema", "sworn.verify_trail/1"},
                {"paths", paths},
                {"exit_status", status},
                {"chain", verifier.chain_id()},
                {"lines", verifier.lines()},
                {"proven", verifier.proven()},
                {"first", verifier.first_seq()},
                {"last", verifier.last_seq()},
                {"last_hash", verifier.last_hash()},
                {"findings", findings_json(verifier)},
                {"findings_left_out", verifier.left_out()}});
  } else if (!quiet || status != k_exit_ok) {
    print_report(verifier, status);
  }
  return status;
}

}  // namespace sworn::cli
