// SPDX-License-Identifier: Apache-2.0
// Writes a tar archive compressed with zstd, file by file, with a list of digests at its end. The
// only place that knows libarchive. Nothing of this machine goes in: no owners, one time for all.
#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/result.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace sworn::cli {

class CaseArchive {
 public:
  // Errc::io with sys == EEXIST where `path` exists. `root` is the directory in the archive that
  // holds everything. Removed again unless finish() succeeds.
  static Result<std::unique_ptr<CaseArchive>> create(const std::string& path, std::string root,
                                                     WallTime when);
  ~CaseArchive();
  CaseArchive(const CaseArchive&) = delete;
  CaseArchive& operator=(const CaseArchive&) = delete;

  Result<void> add(const std::string& name, ByteView content);
  Result<void> add_text(const std::string& name, std::string_view text);
  // Of the size that the file has now.
  Result<void> add_file(const std::string& name, const ReadFile& file);

  // Adds SHA256SUMS (as sha256sum -c reads it), closes and syncs.
  Result<void> finish();

 private:
  struct Impl;
  explicit CaseArchive(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sworn::cli
