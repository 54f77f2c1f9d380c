// SPDX-License-Identifier: Apache-2.0
#include "format/ledger_disk.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sworn::format {
namespace {

struct PartName {
  const char* name;
  unsigned mode;
};
constexpr std::array<PartName, k_ledger_parts> k_names{{{"entries", 0640},
                                                        {"key.0", 0600},
                                                        {"key.1", 0600},
                                                        {"checkpoint.key", 0600},
                                                        {"head", 0600}}};

}  // namespace

class PosixLedgerDisk::File final : public LedgerFile {
 public:
  File(std::string path, unsigned mode) : path_(std::move(path)), mode_(mode) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    TRY(attach());
    if (!fd_.valid()) {
      return 0;
    }
    std::size_t done = 0;
    while (done < out.size()) {
      const auto n = ::pread(fd_.get(), out.data() + done, out.size() - done,
                             static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) {
        continue;
      }
      if (n < 0) {
        return fail_sys(errno, "cannot read " + path_);
      }
      if (n == 0) {
        break;
      }
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  [[nodiscard]] Result<std::uint64_t> size() const override {
    TRY(attach());
    struct stat st {};
    if (fd_.valid() && ::fstat(fd_.get(), &st) != 0) {
      return fail_sys(errno, "cannot stat " + path_);
    }
    return static_cast<std::uint64_t>(st.st_size);
  }

  Result<void> write_at(std::uint64_t offset, ByteView data) override {
    TRY(create());
    while (!data.empty()) {
      const auto n = ::pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) {
        continue;
      }
      if (n < 0) {
        return fail_sys(errno, "cannot write " + path_);
      }
      data = data.subspan(static_cast<std::size_t>(n));
      offset += static_cast<std::uint64_t>(n);
    }
    return {};
  }

  Result<void> sync() override {
    TRY(create());
    if (::fdatasync(fd_.get()) != 0) {
      return fail_sys(errno, "cannot sync " + path_);
    }
    return {};
  }

  void detach() { fd_.reset(); }

  Result<void> create() {
    TRY(attach());
    if (!fd_.valid()) {
      fd_.reset(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode_));
      if (!fd_.valid()) {
        return fail_sys(errno, "cannot create " + path_);
      }
    }
    return {};
  }

 private:
  // Opens the file where it exists. Whoever may only read (an auditor) gets that.
  Result<void> attach() const {
    if (fd_.valid()) {
      return {};
    }
    constexpr int k_flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    fd_.reset(::open(path_.c_str(), O_RDWR | k_flags));
    if (!fd_.valid() && (errno == EACCES || errno == EROFS || errno == EPERM)) {
      fd_.reset(::open(path_.c_str(), O_RDONLY | k_flags));
    }
    if (!fd_.valid()) {
      if (errno == ENOENT) {
        return {};
      }
      return fail_sys(errno, "cannot open " + path_);
    }
    struct stat st {};
    if (::fstat(fd_.get(), &st) != 0 || !S_ISREG(st.st_mode)) {
      fd_.reset();
      return fail(Errc::bad_usage, path_ + " is not a regular file");
    }
    return {};
  }

  std::string path_;
  unsigned mode_;
  mutable Fd fd_;
};

PosixLedgerDisk::~PosixLedgerDisk() = default;

Result<std::unique_ptr<PosixLedgerDisk>> PosixLedgerDisk::open(const std::string& directory,
                                                               bool create) {
  if (create) {
    TRY(make_directories(directory));
  }
  struct stat st {};
  if (::stat(directory.c_str(), &st) != 0) {
    return fail_sys(errno, "no ledger directory " + directory);
  }
  if (!S_ISDIR(st.st_mode) || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
      (st.st_uid != ::geteuid() && st.st_uid != 0)) {
    return fail(Errc::bad_usage,
                directory +
                    " must be a directory of root or of this user that nobody else may "
                    "write to");
  }
  auto out = std::unique_ptr<PosixLedgerDisk>(new PosixLedgerDisk);
  out->directory_ = directory;
  for (std::size_t i = 0; i < k_ledger_parts; ++i) {
    out->files_[i] = std::make_unique<File>(directory + "/" + k_names[i].name, k_names[i].mode);
  }
  return out;
}

Result<void> PosixLedgerDisk::lock(int timeout_ms) {
  const std::string path = directory_ + "/lock";
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) {
    return fail_sys(errno, "cannot open " + path);
  }
  // flock(2) has no timeout, and a stopped holder must not hang a login for ever.
  using SteadyClock = std::chrono::steady_clock;
  const auto patience = std::chrono::milliseconds(timeout_ms);
  const auto last_deadline = SteadyClock::now() + 12 * patience;
  auto deadline = SteadyClock::now() + patience;
  const std::string entries = directory_ + "/entries";
  struct stat st {};
  auto size = ::stat(entries.c_str(), &st) == 0 ? st.st_size : 0;
  for (int wait_ms = 1;; wait_ms = std::min(wait_ms * 2, 8)) {
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) {
      lock_ = std::move(fd);
      return {};
    }
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return fail_sys(errno, "cannot lock " + path);
    }
    const auto now = SteadyClock::now();
    if (now >= deadline && now < last_deadline && ::stat(entries.c_str(), &st) == 0 &&
        st.st_size != size) {
      // It is a queue that moves, as when a hundred sessions begin at once.
      size = st.st_size;
      deadline = now + patience;
    } else if (now >= deadline) {
      return fail(Errc::exhausted, "the ledger is locked by another process: " + path);
    }
    ::poll(nullptr, 0, wait_ms);
  }
}

// The files are opened anew under each lock: one that was replaced or removed in between must be
// noticed, not written to where nobody will find it.
void PosixLedgerDisk::unlock() {
  for (const auto& file : files_) {
    file->detach();
  }
  lock_.reset();
}

LedgerFile& PosixLedgerDisk::file(LedgerPart part) {
  return *files_[static_cast<std::size_t>(part)];
}

Result<void> PosixLedgerDisk::prepare() {
  for (const auto& file : files_) {
    TRY(file->create());
  }
  TRY(sync_parent_directory(directory_ + "/entries"));
  return sync_parent_directory(directory_);
}

Result<std::string> default_user_ledger() {
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/') {
    return std::string(state) + "/sworn/ledger";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') {
    return std::string(home) + "/.local/state/sworn/ledger";
  }
  // Without an environment the user has a home all the same.
  std::array<char, 4096> names{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::geteuid(), &entry, names.data(), names.size(), &found) == 0 &&
      found != nullptr && *found->pw_dir == '/') {
    return std::string(found->pw_dir) + "/.local/state/sworn/ledger";
  }
  return fail(Errc::not_found, "this user has no home directory");
}

std::string ledger_entries_path(const std::string& directory) {
  return directory + "/entries";
}

}  // namespace sworn::format
