// SPDX-License-Identifier: Apache-2.0
// Changes of the files that decide who may do what on a host: digests before and after the command
// line that wrote them. Looks at the end of each command line, by name, size, inode and times;
// reads only what changed. A file that we may not read is still reported as changed, without
// digests.
//
// Wraps the capture layers as one AuditSource: the facts of the inner source go through, and behind
// each command_end come the changes. Facts are `alert` events with a member "change"
// (docs/audit-sources.md).
#pragma once

#include "audit/audit_source.hpp"
#include "base/clock.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sworn::audit {

struct FileStamp {
  bool exists = false;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t changed_ns = 0;  // ctime: cannot be set back without the clock
  std::uint32_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string digest;  // hex SHA-256; empty: not readable, too large, or absent
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

class WatchedFiles {
 public:
  static constexpr std::size_t k_max_files = 512;
  static constexpr std::uint64_t k_max_bytes = 4U << 20U;  // of one file; larger: no digest

  // Files, and directories whose regular files are watched.
  explicit WatchedFiles(std::vector<std::string> paths);
  static std::vector<std::string> defaults();

  struct Change {
    std::string path;
    FileStamp before;
    FileStamp after;
  };
  // What changed since the last call; the first call is in the constructor.
  std::vector<Change> check();

 private:
  [[nodiscard]] std::vector<std::string> expand() const;
  std::vector<std::string> paths_;
  std::map<std::string, FileStamp> known_;
};

// "users", "groups", "sudoers", "sshd", "services", "scheduled", "logging", "file".
std::string_view change_topic(std::string_view path);

class ChangeWatch final : public AuditSource {
 public:
  // `clock` must outlive the object; `inner` is not empty.
  ChangeWatch(std::unique_ptr<AuditSource> inner, WatchedFiles files, Clock& clock);

  [[nodiscard]] std::string_view name() const override { return "changes"; }
  Result<void> prepare(ChildSetup& setup) override { return inner_->prepare(setup); }
  void launched(pid_t command) override { inner_->launched(command); }
  [[nodiscard]] int fd() const override { return inner_->fd(); }
  Result<void> drain(std::vector<AuditFact>& out) override;
  void finish(std::vector<AuditFact>& out) override;

 private:
  void look(std::size_t from, std::vector<AuditFact>& out);

  std::unique_ptr<AuditSource> inner_;
  WatchedFiles files_;
  Clock& clock_;
  std::uint64_t command_ = 0;  // that ended last
};

}  // namespace sworn::audit
