// SPDX-License-Identifier: Apache-2.0
#include "audit/watched_files.hpp"

#include "base/fd.hpp"
#include "base/printable.hpp"
#include "format/digest.hpp"
#include "format/event_payload.hpp"
#include "format/msgpack_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sworn::audit {
namespace {

using format::EventKind;

std::string digest_of(const std::string& path, std::uint64_t limit) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  struct stat status {};
  if (!fd.valid() || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      static_cast<std::uint64_t>(status.st_size) > limit) {
    return {};
  }
  format::Sha256 sha;
  std::array<std::byte, 65'536> block{};
  std::uint64_t total = 0;
  while (true) {
    const auto n = ::read(fd.get(), block.data(), block.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0 || total > limit) {
      return {};
    }
    if (n == 0) {
      return format::to_hex(sha.finish());
    }
    total += static_cast<std::uint64_t>(n);
    sha.update(ByteView(block).first(static_cast<std::size_t>(n)));
  }
}

FileStamp stamp_of(const std::string& path) {
  FileStamp stamp;
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    return stamp;
  }
  stamp.exists = true;
  stamp.device = status.st_dev;
  stamp.inode = status.st_ino;
  stamp.size = static_cast<std::uint64_t>(status.st_size);
  stamp.changed_ns = status.st_ctim.tv_sec * 1'000'000'000 + status.st_ctim.tv_nsec;
  stamp.mode = status.st_mode;
  stamp.uid = status.st_uid;
  stamp.gid = status.st_gid;
  return stamp;
}

bool same_look(const FileStamp& a, const FileStamp& b) {
  auto left = a;
  auto right = b;
  left.digest.clear();
  right.digest.clear();
  return left == right;
}

std::string short_text(const WatchedFiles::Change& change) {
  const auto& [path, before, after] = change;
  const auto* what =
      !before.exists                                       ? "was created"
      : !after.exists                                      ? "was removed"
      : before.digest != after.digest                      ? "was changed"
      : before.digest.empty() && before.size != after.size ? "was changed"
      : before.mode != after.mode || before.uid != after.uid || before.gid != after.gid
          ? "has other owners or permissions"
          : "was written, with the same contents";
  return fmt::format("{} {}", path, what);
}

}  // namespace

WatchedFiles::WatchedFiles(std::vector<std::string> paths) : paths_(std::move(paths)) {
  for (const auto& path : expand()) {
    auto stamp = stamp_of(path);
    stamp.digest = digest_of(path, k_max_bytes);
    known_.emplace(path, std::move(stamp));
  }
}

std::vector<std::string> WatchedFiles::defaults() {
  return {"/etc/passwd",
          "/etc/shadow",
          "/etc/group",
          "/etc/gshadow",
          "/etc/sudoers",
          "/etc/sudoers.d",
          "/etc/ssh/sshd_config",
          "/etc/ssh/sshd_config.d",
          "/etc/pam.d",
          "/etc/crontab",
          "/etc/cron.d",
          "/etc/systemd/system",
          "/etc/rsyslog.conf",
          "/etc/rsyslog.d",
          "/etc/audit/auditd.conf",
          "/etc/audit/rules.d",
          "/etc/sworn",
          "/etc/ld.so.preload",
          "/etc/hosts"};
}

std::vector<std::string> WatchedFiles::expand() const {
  std::vector<std::string> out;
  for (const auto& path : paths_) {
    DIR* directory = ::opendir(path.c_str());
    if (directory == nullptr) {
      out.push_back(path);  // a file, or nothing yet
      continue;
    }
    while (const auto* entry = ::readdir(directory)) {
      const std::string name = entry->d_name;
      if (name != "." && name != ".." && entry->d_type != DT_DIR && out.size() < k_max_files) {
        out.push_back(path + "/" + name);
      }
    }
    ::closedir(directory);
  }
  return out;
}

std::vector<WatchedFiles::Change> WatchedFiles::check() {
  std::vector<Change> changes;
  auto paths = expand();
  for (const auto& [path, stamp] : known_) {  // also what is gone
    if (std::find(paths.begin(), paths.end(), path) == paths.end()) {
      paths.push_back(path);
    }
  }
  for (const auto& path : paths) {
    auto& known = known_[path];
    auto now = stamp_of(path);
    if (same_look(known, now)) {
      continue;
    }
    now.digest = now.exists ? digest_of(path, k_max_bytes) : std::string();
    changes.push_back({path, known, now});
    known = std::move(now);
  }
  return changes;
}

std::string_view change_topic(std::string_view path) {
  struct Topic {
    std::string_view prefix;
    std::string_view name;
  };
  constexpr std::array k_topics{
      Topic{"/etc/passwd", "users"},      Topic{"/etc/shadow", "users"},
      Topic{"/etc/group", "groups"},      Topic{"/etc/gshadow", "groups"},
      Topic{"/etc/sudoers", "sudoers"},   Topic{"/etc/ssh/", "sshd"},
      Topic{"/etc/pam.d/", "logins"},     Topic{"/etc/cron", "scheduled"},
      Topic{"/etc/systemd/", "services"}, Topic{"/etc/rsyslog", "logging"},
      Topic{"/etc/audit/", "logging"},    Topic{"/etc/sworn", "logging"},
  };
  for (const auto& topic : k_topics) {
    if (path.starts_with(topic.prefix)) {
      return topic.name;
    }
  }
  return "file";
}

ChangeWatch::ChangeWatch(std::unique_ptr<AuditSource> inner, WatchedFiles files, Clock& clock)
    : inner_(std::move(inner)), files_(std::move(files)), clock_(clock) {}

// Behind the last end of a command line among the facts since `from`.
void ChangeWatch::look(std::size_t from, std::vector<AuditFact>& out) {
  std::uint64_t ended = 0;
  MonoTime at;
  for (auto i = from; i < out.size(); ++i) {
    if (out[i].kind != EventKind::command_end) {
      continue;
    }
    if (const auto end = format::decode_command_end(out[i].data)) {
      ended = end->n;
      at = out[i].at;
    }
  }
  if (ended == 0) {
    return;
  }
  command_ = ended;
  for (const auto& change : files_.check()) {
    format::MapWriter map;
    map.text("change", change_topic(change.path))
        .text("rule", "watched-file")
        .text("severity", "low")
        .text("text", short_text(change))
        .text("path", change.path)
        .unsigned_number("command", command_)
        .text("before", change.before.digest)
        .text("after", change.after.digest)
        .boolean("existed", change.before.exists)
        .boolean("exists", change.after.exists)
        .unsigned_number("before_bytes", change.before.size)
        .unsigned_number("after_bytes", change.after.size)
        .unsigned_number("mode", change.after.mode);
    out.push_back({EventKind::alert, at, map.finish()});
  }
}

Result<void> ChangeWatch::drain(std::vector<AuditFact>& out) {
  const auto from = out.size();
  auto result = inner_->drain(out);
  look(from, out);
  return result;
}

void ChangeWatch::finish(std::vector<AuditFact>& out) {
  const auto from = out.size();
  inner_->finish(out);
  look(from, out);
}

}  // namespace sworn::audit
