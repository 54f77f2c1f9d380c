// SPDX-License-Identifier: Apache-2.0
#include "recorder/host/host_store.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "base/file.hpp"
#include "base/scope_exit.hpp"
#include "format/session_header.hpp"
#include "format/store.hpp"

#include <array>
#include <cerrno>

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace sworn::recorder::host {
namespace {

constexpr std::uint32_t k_note_version = 1;
constexpr std::uint64_t k_max_note_bytes = 64 * 1024;

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::string tail_in_memory(const HostPaths& paths, const std::string& final_path) {
  return paths.tails() + "/" + base_name(final_path) + ".tail";
}

Result<void> make_directory(const std::string& path, mode_t mode, uid_t uid, gid_t gid) {
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
    return fail_sys(errno, "cannot make " + path);
  }
  const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid() || ::fchown(fd.get(), uid, gid) != 0 || ::fchmod(fd.get(), mode) != 0) {
    return fail_sys(errno, "cannot set owner and mode of " + path);
  }
  return {};
}

void put_text(ByteWriter& w, const std::string& text) {
  w.u32(static_cast<std::uint32_t>(text.size())).bytes(as_bytes(text));
}

Result<std::string> take_text(ByteReader& r) {
  TRY_ASSIGN(const auto n, r.u32());
  TRY_ASSIGN(const auto bytes, r.take(n));
  return std::string(as_text(bytes));
}

template <std::size_t N>
Result<void> take_array(ByteReader& r, std::array<std::byte, N>& out) {
  TRY_ASSIGN(const auto bytes, r.take(N));
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return {};
}

std::string note_path(const HostPaths& paths, const SessionId& id) {
  return paths.notes() + "/" + to_hex(id);
}

}  // namespace

std::string to_hex(const SessionId& id) {
  return format::to_hex(ByteView(id));
}

Bytes encode_note(const SessionNote& note) {
  Bytes out;
  ByteWriter w(out);
  w.u32(k_note_version).bytes(note.id).bytes(note.token);
  put_text(w, note.final_path);
  put_text(w, note.user);
  w.u32(note.uid).u32(note.client_pid).u32(note.monitor_pid).u32(note.loginuid);
  w.u32(note.audit_session).u64(note.started_us).u32(note.pts_device);
  put_text(w, note.pts);
  put_text(w, note.outer_tty);
  w.u32(note.outer_device).u8(note.taken).u8(note.entered);
  put_text(w, note.policy);
  return out;
}

Result<SessionNote> decode_note(ByteView bytes) {
  ByteReader r(bytes);
  SessionNote out;
  TRY_ASSIGN(const auto version, r.u32());
  if (version != k_note_version) {
    return fail(Errc::unsupported, "a session note of another version");
  }
  TRY(take_array(r, out.id));
  TRY(take_array(r, out.token));
  TRY_ASSIGN(out.final_path, take_text(r));
  TRY_ASSIGN(out.user, take_text(r));
  TRY_ASSIGN(out.uid, r.u32());
  TRY_ASSIGN(out.client_pid, r.u32());
  TRY_ASSIGN(out.monitor_pid, r.u32());
  TRY_ASSIGN(out.loginuid, r.u32());
  TRY_ASSIGN(out.audit_session, r.u32());
  TRY_ASSIGN(out.started_us, r.u64());
  TRY_ASSIGN(out.pts_device, r.u32());
  TRY_ASSIGN(out.pts, take_text(r));
  TRY_ASSIGN(out.outer_tty, take_text(r));
  TRY_ASSIGN(out.outer_device, r.u32());
  TRY_ASSIGN(out.taken, r.u8());
  TRY_ASSIGN(out.entered, r.u8());
  TRY_ASSIGN(out.policy, take_text(r));
  return out;
}

Result<void> prepare_directories(const HostPaths& paths, gid_t group) {
  // 0711: the client looks for one file by its name.
  TRY(make_directory(paths.state, 0711, 0, 0));
  TRY(make_directory(paths.sessions(), 0750, 0, group));
  TRY(make_directory(paths.ledger(), 0750, 0, group));
  TRY(make_directory(paths.run, 0755, 0, 0));
  TRY(make_directory(paths.tails(), 0700, 0, 0));
  return make_directory(paths.notes(), 0700, 0, 0);
}

Result<SessionFiles> create_session_files(const HostPaths& paths, const std::string& final_path,
                                          gid_t group) {
  SessionFiles out;
  const std::string part = format::part_path(final_path);
  const std::string tail = tail_in_memory(paths, final_path);
  constexpr int k_flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  out.part.reset(::open(part.c_str(), k_flags | O_APPEND, 0640));
  if (!out.part.valid()) {
    return fail_sys(errno, "cannot create " + part);
  }
  const auto undo = [&](int error, const std::string& what) {
    ::unlink(part.c_str());
    ::unlink(tail.c_str());
    return fail_sys(error, what);
  };
  if (::fchown(out.part.get(), 0, group) != 0 || ::fchmod(out.part.get(), 0640) != 0 ||
      ::flock(out.part.get(), LOCK_EX | LOCK_NB) != 0) {
    return undo(errno, "cannot set up " + part);
  }
  out.tail.reset(::open(tail.c_str(), k_flags, 0600));
  if (!out.tail.valid()) {
    return undo(errno, "cannot create " + tail);
  }
  if (::symlink(tail.c_str(), format::tail_path(part).c_str()) != 0) {
    return undo(errno, "cannot link the tail of " + part);
  }
  return out;
}

Result<void> write_note(const HostPaths& paths, const SessionNote& note) {
  const std::string path = note_path(paths, note.id);
  const std::string draft = path + ".new";
  {
    const Fd fd(::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd.valid()) {
      return fail_sys(errno, "cannot write " + draft);
    }
    TRY(write_all(fd.get(), encode_note(note)));
  }
  if (::rename(draft.c_str(), path.c_str()) != 0) {
    return fail_sys(errno, "cannot write " + path);
  }
  return {};
}

void remove_note(const HostPaths& paths, const SessionId& id) {
  ::unlink(note_path(paths, id).c_str());
}

std::vector<SessionNote> read_notes(const HostPaths& paths) {
  std::vector<SessionNote> out;
  DIR* directory = ::opendir(paths.notes().c_str());
  if (directory == nullptr) {
    return out;
  }
  const ScopeExit closer([directory] { ::closedir(directory); });
  while (const dirent* entry = ::readdir(directory)) {
    const std::string name = entry->d_name;
    if (name.size() != 2 * SessionId{}.size()) {
      continue;
    }
    const auto bytes = read_whole_file(paths.notes() + "/" + name, k_max_note_bytes);
    const auto note = bytes ? decode_note(*bytes) : Result<SessionNote>(fail(Errc::io, ""));
    if (note && to_hex(note->id) == name) {
      out.push_back(*note);
    }
  }
  return out;
}

Result<void> publish_session(const HostPaths& paths, const std::string& final_path,
                             bool immutable) {
  const std::string part = format::part_path(final_path);
  const Fd fd(::open(part.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid() || ::fchmod(fd.get(), 0440) != 0) {
    return fail_sys(errno, "cannot make " + part + " read-only");
  }
  if (::fsync(fd.get()) != 0) {
    return fail_sys(errno, "cannot sync " + part);
  }
  TRY(rename_no_replace(part, final_path));
  ::unlink(format::tail_path(part).c_str());
  ::unlink(tail_in_memory(paths, final_path).c_str());
  if (immutable) {
    int flags = 0;
    if (::ioctl(fd.get(), FS_IOC_GETFLAGS, &flags) == 0) {
      flags |= FS_IMMUTABLE_FL;
      ::ioctl(fd.get(), FS_IOC_SETFLAGS, &flags);  // where the file system cannot, it stays 0440
    }
  }
  return sync_parent_directory(final_path);
}

Result<void> keep_lost_session(const HostPaths& paths, const std::string& final_path) {
  const std::string part = format::part_path(final_path);
  const std::string link = format::tail_path(part);
  const std::string memory = tail_in_memory(paths, final_path);
  constexpr std::uint64_t k_max_tail_bytes = 64U << 20U;
  const auto bytes = read_whole_file(memory, k_max_tail_bytes);
  if (!bytes) {
    ::unlink(link.c_str());  // it went with the memory that it was in
    return {};
  }
  const std::string draft = link + ".new";
  ::unlink(draft.c_str());
  {
    const Fd fd(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd.valid()) {
      return fail_sys(errno, "cannot write " + draft);
    }
    TRY(write_all(fd.get(), *bytes));
    if (::fdatasync(fd.get()) != 0) {
      return fail_sys(errno, "cannot write " + draft);
    }
  }
  if (::rename(draft.c_str(), link.c_str()) != 0) {
    return fail_sys(errno, "cannot write " + link);
  }
  ::unlink(memory.c_str());
  return sync_parent_directory(link);
}

void discard_session(const HostPaths& paths, const std::string& final_path) {
  const std::string part = format::part_path(final_path);
  ::unlink(part.c_str());
  ::unlink(format::tail_path(part).c_str());
  ::unlink(tail_in_memory(paths, final_path).c_str());
}

std::uint64_t free_bytes(const HostPaths& paths) {
  struct statvfs room {};
  if (::statvfs(paths.sessions().c_str(), &room) != 0) {
    return 0;
  }
  return static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize;
}

}  // namespace sworn::recorder::host
