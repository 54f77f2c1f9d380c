// SPDX-License-Identifier: Apache-2.0
// The files behind one log source: the named one, and what log rotation made of its older lines
// (NAME.1, NAME.2.gz, NAME-20261121.xz), oldest first, read as one stream. Reads directories and
// files; one thread.
#pragma once

#include "audit/logs/decompress.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

#include <memory>
#include <string>
#include <vector>

namespace sworn::audit::logs {

struct LogFile {
  std::string path;
  WallTime modified;
};

// Rotated ones that can hold lines of `from` or later, by their time of modification; then `path`
// itself.
Result<std::vector<LogFile>> find_log_files(const std::string& path, WallTime from);

// One after the other; a missing line end between two files is added. Which file broke off stands
// in the error.
std::unique_ptr<ByteStream> chain_files(std::vector<LogFile> files);

}  // namespace sworn::audit::logs
