// SPDX-License-Identifier: Apache-2.0
#include "format/store.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace sworn::format {
namespace {

constexpr std::string_view k_suffix = ".sworn";
constexpr std::string_view k_part_suffix = ".sworn.part";

}  // namespace

std::string_view name_of(StoredState state) {
  switch (state) {
    case StoredState::live:
      return "live";
    case StoredState::crashed:
      return "crashed";
    case StoredState::closed:
      return "closed";
  }
  return "unknown";
}

Result<std::string> default_store() {
  if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && *data == '/') {
    return std::string(data) + "/sworn/sessions";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') {
    return std::string(home) + "/.local/share/sworn/sessions";
  }
  return fail(Errc::not_found, "neither XDG_DATA_HOME nor HOME names a directory");
}

std::string session_file_name(const std::string& hostname, WallTime started, const FileId& id) {
  std::string host;
  for (const char c : hostname) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || (c == '.' && !host.empty());
    host += plain ? c : '_';
  }
  host.resize(std::min<std::size_t>(host.size(), 64));
  std::string when = format_rfc3339(started, 0);
  std::erase_if(when, [](char c) { return c == '-' || c == ':'; });
  return (host.empty() ? "host" : host) + "-" + when + "-" + to_hex(ByteView(id).first(4)) +
         std::string(k_suffix);
}

std::string part_path(const std::string& final_path) {
  return final_path + ".part";
}
std::string tail_path(const std::string& part_path) {
  return part_path + ".tail";
}

Result<std::unique_ptr<PartFile>> PartFile::create(const std::string& final_path) {
  struct stat st {};
  if (::lstat(final_path.c_str(), &st) == 0) {
    return fail_sys(EEXIST, "cannot create " + final_path);
  }
  auto part = std::unique_ptr<PartFile>(new PartFile);
  part->final_path_ = final_path;
  part->part_path_ = format::part_path(final_path);
  TRY_ASSIGN(part->file_, PosixAppendFile::create(part->part_path_));
  // Whoever lists the directory right now may hold the lock for the moment of its test.
  for (int attempt = 0; ::flock(part->file_->fd(), LOCK_EX | LOCK_NB) != 0; ++attempt) {
    const int error = errno;
    if ((error != EWOULDBLOCK && error != EINTR) || attempt == 200) {
      return fail_sys(error, "cannot lock " + part->part_path_);
    }
    constexpr timespec k_pause{0, 5'000'000};
    ::nanosleep(&k_pause, nullptr);
  }
  return part;
}

std::unique_ptr<PartFile> PartFile::adopt(Fd part, const std::string& final_path) {
  auto out = std::unique_ptr<PartFile>(new PartFile);
  out->final_path_ = final_path;
  out->part_path_ = format::part_path(final_path);
  out->file_ = std::make_unique<PosixAppendFile>(std::move(part));
  out->adopted_ = true;
  return out;
}

Result<void> PartFile::publish() {
  TRY(file_->sync());
  if (adopted_) {
    return {};
  }
  if (::fchmod(file_->fd(), 0400) != 0) {
    return fail_sys(errno, "cannot make " + part_path_ + " read-only");
  }
  TRY(rename_no_replace(part_path_, final_path_));
  return sync_parent_directory(final_path_);
}

Result<StoredState> state_of(const std::string& path) {
  if (!path.ends_with(".part")) {
    return StoredState::closed;
  }
  TRY_ASSIGN(const auto file, PosixReadFile::open(path));
  if (::flock(file->fd(), LOCK_SH | LOCK_NB) == 0) {
    return StoredState::crashed;
  }
  if (errno != EWOULDBLOCK) {
    return fail_sys(errno, "cannot test the lock of " + path);
  }
  return StoredState::live;
}

Result<std::vector<StoredSession>> list_sessions(const std::string& directory) {
  std::error_code ec;
  std::vector<StoredSession> out;
  std::filesystem::directory_iterator it(directory, ec);
  if (ec) {
    return fail_sys(ec.value(), "cannot list " + directory);
  }
  for (; it != std::filesystem::directory_iterator(); it.increment(ec)) {
    if (ec) {
      return fail_sys(ec.value(), "cannot list " + directory);
    }
    const std::string path = it->path().string();
    if (!path.ends_with(k_suffix) && !path.ends_with(k_part_suffix)) {
      continue;
    }
    std::error_code ignored;  // a name that vanished since is simply not listed
    if (!it->is_regular_file(ignored)) {
      continue;
    }
    auto state = state_of(path);
    if (!state) {
      if (state.error().sys == ENOENT) {
        continue;
      }
      // Unreadable for us: still listed, as what its name says.
      state = path.ends_with(".part") ? StoredState::crashed : StoredState::closed;
    }
    out.push_back({path, *state});
  }
  std::sort(out.begin(), out.end(),
            [](const StoredSession& a, const StoredSession& b) { return a.path < b.path; });
  return out;
}

}  // namespace sworn::format
