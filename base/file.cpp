// SPDX-License-Identifier: Apache-2.0
#include "base/file.hpp"

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sworn {

Result<void> write_all(int fd, ByteView data) {
  while (!data.empty()) {
    const auto n = ::write(fd, data.data(), data.size());
    if (n < 0) {
      if (errno == EINTR) {
        continue;
      }
      return fail_sys(errno, "write");
    }
    data = data.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Result<std::unique_ptr<PosixAppendFile>> PosixAppendFile::create(const std::string& path,
                                                                 unsigned mode) {
  Fd fd(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!fd.valid()) {
    return fail_sys(errno, "cannot create " + path);
  }
  return std::make_unique<PosixAppendFile>(std::move(fd));
}

Result<void> PosixAppendFile::append(ByteView data) {
  return write_all(fd_.get(), data);
}

Result<void> PosixAppendFile::sync() {
  if (::fdatasync(fd_.get()) != 0) {
    return fail_sys(errno, "fdatasync");
  }
  return {};
}

Result<std::unique_ptr<PosixReadFile>> PosixReadFile::open(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not hang before we can refuse it.
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) {
    return fail_sys(errno, "cannot open " + path);
  }
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) {
    return fail_sys(errno, "cannot stat " + path);
  }
  if (!S_ISREG(st.st_mode)) {
    return fail(Errc::bad_usage, path + " is not a regular file");
  }
  return std::make_unique<PosixReadFile>(std::move(fd));
}

Result<std::size_t> PosixReadFile::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const auto n =
        ::pread(fd_.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (n < 0) {
      if (errno == EINTR) {
        continue;
      }
      return fail_sys(errno, "read");
    }
    if (n == 0) {
      break;
    }
    done += static_cast<std::size_t>(n);
  }
  return done;
}

Result<std::uint64_t> PosixReadFile::size() const {
  struct stat st {};
  if (::fstat(fd_.get(), &st) != 0) {
    return fail_sys(errno, "stat");
  }
  return static_cast<std::uint64_t>(st.st_size);
}

Result<Bytes> read_whole_file(const std::string& path, std::uint64_t limit) {
  TRY_ASSIGN(const auto file, PosixReadFile::open(path));
  TRY_ASSIGN(const auto size, file->size());
  if (size > limit) {
    return fail(Errc::exhausted, path + " is larger than " + std::to_string(limit) + " bytes");
  }
  Bytes data(size);
  TRY_ASSIGN(const auto n, file->read_at(0, data));
  data.resize(n);
  return data;
}

Result<void> sync_parent_directory(const std::string& path) {
  auto parent = std::filesystem::path(path).parent_path();
  if (parent.empty()) {
    parent = ".";
  }
  const Fd fd(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) {
    return fail_sys(errno, "cannot open " + parent.string());
  }
  if (::fsync(fd.get()) != 0 && errno != EINVAL) {  // some file systems cannot sync directories
    return fail_sys(errno, "cannot sync " + parent.string());
  }
  return {};
}

Result<void> rename_no_replace(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
    return {};
  }
  if (errno != EINVAL && errno != ENOSYS) {
    return fail_sys(errno, "cannot rename " + from + " to " + to);
  }
  // A file system without RENAME_NOREPLACE: link(2) refuses an existing name as well.
  if (::link(from.c_str(), to.c_str()) != 0) {
    return fail_sys(errno, "cannot rename " + from + " to " + to);
  }
  if (::unlink(from.c_str()) != 0) {
    return fail_sys(errno, "cannot remove " + from);
  }
  return {};
}

Result<void> make_directories(const std::string& path) {
  std::string part;
  for (const auto& name : std::filesystem::path(path)) {
    part = part.empty() ? name.string() : (std::filesystem::path(part) / name).string();
    if (part.empty() || ::mkdir(part.c_str(), 0700) == 0 || errno == EEXIST) {
      continue;
    }
    if (errno == EROFS || errno == EACCES) {  // an existing parent may be unwritable
      struct stat st {};
      if (::stat(part.c_str(), &st) == 0 && S_ISDIR(st.st_mode)) {
        continue;
      }
    }
    return fail_sys(errno, "cannot create directory " + part);
  }
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) {
    return fail_sys(errno, "cannot stat " + path);
  }
  if (!S_ISDIR(st.st_mode)) {
    return fail(Errc::bad_usage, path + " is not a directory");
  }
  return {};
}

}  // namespace sworn
