// SPDX-License-Identifier: Apache-2.0
// The doors to the disk. Small on purpose: an AppendFile has no seek, no truncate and no rewrite,
// so a recorder that holds one cannot express tampering. Implementations own their descriptor. One
// thread each, except that sync() may run beside append().
#pragma once

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace sworn {

class AppendFile {
 public:
  virtual ~AppendFile() = default;
  // All bytes or an error; after an error the file may end in a part of them.
  virtual Result<void> append(ByteView data) = 0;
  virtual Result<void> sync() = 0;
};

class ReadFile {
 public:
  virtual ~ReadFile() = default;
  // Reads up to out.size() bytes at `offset`; fewer only at the end of the file, 0 beyond it.
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset,
                                                    std::span<std::byte> out) const = 0;
  // The size now: a live file grows between calls.
  [[nodiscard]] virtual Result<std::uint64_t> size() const = 0;
};

class PosixAppendFile final : public AppendFile {
 public:
  // Fails with sys == EEXIST where the name exists: nothing is ever overwritten. Mode 0600 unless
  // told.
  static Result<std::unique_ptr<PosixAppendFile>> create(const std::string& path,
                                                         unsigned mode = 0600);
  explicit PosixAppendFile(Fd fd) : fd_(std::move(fd)) {}
  Result<void> append(ByteView data) override;
  Result<void> sync() override;  // fdatasync
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  Fd fd_;
};

class PosixReadFile final : public ReadFile {
 public:
  // Refuses what is not a regular file (directories, FIFOs, devices) with Errc::bad_usage.
  static Result<std::unique_ptr<PosixReadFile>> open(const std::string& path);
  explicit PosixReadFile(Fd fd) : fd_(std::move(fd)) {}
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset,
                                            std::span<std::byte> out) const override;
  [[nodiscard]] Result<std::uint64_t> size() const override;
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  Fd fd_;
};

// Whole file into memory, refused beyond `limit` bytes.
Result<Bytes> read_whole_file(const std::string& path, std::uint64_t limit);

// fsync of the directory that holds `path`, so that a created or renamed name survives a power cut.
Result<void> sync_parent_directory(const std::string& path);

// rename(2) that refuses to replace (RENAME_NOREPLACE).
Result<void> rename_no_replace(const std::string& from, const std::string& to);

// mkdir -p with mode 0700 for what it creates.
Result<void> make_directories(const std::string& path);

Result<void> write_all(int fd, ByteView data);

}  // namespace sworn
