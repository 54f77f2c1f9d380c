// SPDX-License-Identifier: Apache-2.0
// Which logs to read beside a session, and how: as given on the command line, or per host in a TOML
// file (/etc/sworn/logs.toml):
//   [[source]]
//   name = "auth"                  # shown; else the path's last part
//   path = "/var/log/auth.log"     # or: journal = true, or: journal = "/var/log/journal"
//   zone = "local"                 # for lines without one: local, UTC, +02:00
//   offset = 0.25                  # seconds, added to its times
//   time_field = "eventTime"       # of JSON lines
//   time_format = "%d.%m.%Y %H:%M:%S"
//   rotated = false                # only the file itself
#pragma once

#include "audit/logs/decompress.hpp"
#include "audit/logs/log_placer.hpp"
#include "base/result.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::audit::logs {

struct SourceSpec {
  std::string path;      // "-" is standard input
  bool journal = false;  // `path` is a journal's file or directory; empty: this host's
  bool rotated = true;
  LogSourceOptions options;
};

inline constexpr std::string_view k_host_sources = "/etc/sworn/logs.toml";

// Errors name file, line and reason.
Result<std::vector<SourceSpec>> read_source_config(const std::string& path);

struct OpenSource {
  std::unique_ptr<ByteStream> stream;
  std::size_t files = 1;
};
// Opens what the spec means for the time of the session: rotated files as far back as needed,
// journals from its start. Journal files and exports are recognised by their first bytes.
Result<OpenSource> open_source(const SourceSpec& spec, const LogPlacement& placement);

}  // namespace sworn::audit::logs
