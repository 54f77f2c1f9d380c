// SPDX-License-Identifier: Apache-2.0
#include "player/keyframe_cache.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "base/crc32c.hpp"
#include "base/file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sworn::player {
namespace {

constexpr std::string_view k_magic = "SWORNIDX";
constexpr std::uint32_t k_version = 1;
constexpr std::uint64_t k_max_file = 320U << 20U;
constexpr std::uint64_t k_max_directory = 1U << 30U;

void put_key(ByteWriter& out, const CacheKey& key) {
  out.bytes(key.file_id);
  out.u64(key.size).u64(key.device).u64(key.inode);
  out.u64(static_cast<std::uint64_t>(key.modified_ns));
  out.u64(static_cast<std::uint64_t>(key.changed_ns));
}

Bytes key_bytes(const CacheKey& key) {
  Bytes bytes;
  ByteWriter out(bytes);
  put_key(out, key);
  return bytes;
}

// Keeps the newest side files up to the limit; trouble with it is nobody's concern.
void tidy(const std::filesystem::path& directory) {
  namespace fs = std::filesystem;
  struct Item {
    fs::path path;
    fs::file_time_type time;
    std::uint64_t size = 0;
  };
  std::vector<Item> items;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->path().extension() == ".idx" && it->is_regular_file(ignored)) {
      items.push_back({it->path(), it->last_write_time(ignored), it->file_size(ignored)});
    }
  }
  std::sort(items.begin(), items.end(),
            [](const Item& a, const Item& b) { return a.time > b.time; });
  std::uint64_t total = 0;
  for (const auto& item : items) {
    total += item.size;
    if (total > k_max_directory) {
      fs::remove(item.path, error);
    }
  }
}

}  // namespace

Result<CacheKey> cache_key(int fd, const format::FileId& file_id) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) {
    return fail_sys(errno, "cannot look at the session file");
  }
  CacheKey key;
  key.file_id = file_id;
  key.size = static_cast<std::uint64_t>(st.st_size);
  key.device = st.st_dev;
  key.inode = st.st_ino;
  key.modified_ns = st.st_mtim.tv_sec * 1'000'000'000LL + st.st_mtim.tv_nsec;
  key.changed_ns = st.st_ctim.tv_sec * 1'000'000'000LL + st.st_ctim.tv_nsec;
  return key;
}

std::string cache_directory() {
  if (const char* const cache = std::getenv("XDG_CACHE_HOME");
      cache != nullptr && cache[0] == '/') {
    return std::string(cache) + "/sworn";
  }
  if (const char* const home = std::getenv("HOME"); home != nullptr && home[0] == '/') {
    return std::string(home) + "/.cache/sworn";
  }
  return {};
}

std::string cache_path(const std::string& directory, const format::FileId& file_id) {
  return directory + "/" + format::to_hex(file_id) + ".idx";
}

Bytes encode_keyframes(const CacheKey& key, const KeyframeIndex& keyframes) {
  const auto frames = keyframes.all();
  const auto frontier = keyframes.frontier();
  Bytes data;
  ByteWriter out(data);
  out.bytes(as_bytes(k_magic)).u32(k_version).u32(vt::k_emulator_version);
  put_key(out, key);
  out.u64(frontier.position).u64(static_cast<std::uint64_t>(frontier.t.us));
  out.u8(frontier.complete ? 1 : 0);
  out.varint(frames.size());
  std::uint64_t position = 0;
  std::uint64_t t = 0;
  for (const auto& frame : frames) {
    // Differences wrap around on purpose: the first time is before everything.
    const auto us = static_cast<std::uint64_t>(frame->t.us);
    out.varint(frame->position - position).zigzag(static_cast<std::int64_t>(us - t));
    out.varint(frame->raw_bytes).varint(frame->packed.size()).bytes(frame->packed);
    position = frame->position;
    t = us;
  }
  const auto crc = crc32c(data);
  out.u32(crc);
  return data;
}

Result<void> decode_keyframes(ByteView data, const CacheKey& key, KeyframeIndex& keyframes) {
  if (data.size() < 4) {
    return fail(Errc::truncated, "the keyframe cache is cut off");
  }
  const auto body = data.first(data.size() - 4);
  ByteReader trailer(data.subspan(data.size() - 4));
  TRY_ASSIGN(const auto crc, trailer.u32());
  if (crc != crc32c(body)) {
    return fail(Errc::corrupt, "the keyframe cache is damaged");
  }
  ByteReader in(body);
  TRY_ASSIGN(const auto magic, in.take(k_magic.size()));
  TRY_ASSIGN(const auto version, in.u32());
  TRY_ASSIGN(const auto emulator, in.u32());
  if (as_text(magic) != k_magic || version != k_version || emulator != vt::k_emulator_version) {
    return fail(Errc::unsupported, "the keyframe cache is of another version");
  }
  const auto wanted = key_bytes(key);
  TRY_ASSIGN(const auto found, in.take(wanted.size()));
  if (!std::equal(found.begin(), found.end(), wanted.begin())) {
    return fail(Errc::not_found, "the keyframe cache is of another state of the file");
  }
  TRY_ASSIGN(const auto end_position, in.u64());
  TRY_ASSIGN(const auto end_t, in.u64());
  TRY_ASSIGN(const auto complete, in.u8());
  TRY_ASSIGN(const auto count, in.varint());
  std::vector<KeyframePtr> frames;
  std::uint64_t position = 0;
  std::uint64_t t = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    TRY_ASSIGN(const auto positions, in.varint());
    TRY_ASSIGN(const auto us, in.zigzag());
    TRY_ASSIGN(const auto raw_bytes, in.varint());
    TRY_ASSIGN(const auto size, in.varint());
    TRY_ASSIGN(const auto packed, in.take(static_cast<std::size_t>(size)));
    t += static_cast<std::uint64_t>(us);
    const MonoTime time{static_cast<std::int64_t>(t)};
    if ((i > 0 && (positions == 0 || time < frames.back()->t)) ||
        positions > end_position - position) {
      return fail(Errc::corrupt, "the keyframe cache is out of order");
    }
    position += positions;
    frames.push_back(std::make_shared<Keyframe>(Keyframe{
        position, time, static_cast<std::size_t>(raw_bytes), {packed.begin(), packed.end()}}));
  }
  for (auto& frame : frames) {
    keyframes.add(std::move(frame));
  }
  keyframes.set_frontier({end_position, {static_cast<std::int64_t>(end_t)}, complete == 1});
  return {};
}

Result<void> save_keyframes(const std::string& path, const CacheKey& key,
                            const KeyframeIndex& keyframes) {
  const auto directory = path.substr(0, path.rfind('/'));
  TRY(make_directories(directory));
  const auto data = encode_keyframes(key, keyframes);
  const auto temporary = path + "." + std::to_string(::getpid());
  Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) {
    return fail_sys(errno, "cannot create " + temporary);
  }
  auto written = write_all(fd.get(), data);
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0) {
    written = fail_sys(errno, "cannot rename " + temporary);
  }
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  tidy(directory);
  return {};
}

Result<void> load_keyframes(const std::string& path, const CacheKey& key,
                            KeyframeIndex& keyframes) {
  TRY_ASSIGN(const auto data, read_whole_file(path, k_max_file));
  return decode_keyframes(data, key, keyframes);
}

}  // namespace sworn::player
