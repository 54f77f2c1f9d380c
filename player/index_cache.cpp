// SPDX-License-Identifier: Apache-2.0
#include "player/index_cache.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "base/crc32c.hpp"
#include "format/digest.hpp"
#include "player/cache_codec.hpp"
#include "player/facts_codec.hpp"

#include <fmt/format.h>

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
constexpr std::uint32_t k_version = 2;
constexpr std::uint64_t k_header = 4096;
constexpr std::uint64_t k_max_contents = 1U << 30U;
constexpr std::size_t k_max_facts = 512U << 20U;
constexpr std::size_t k_ending = 64 * 1024;

void put_content_key(ByteWriter& out, const CacheKey& key) {
  out.bytes(key.file_id).u64(key.size).bytes(key.ending);
}

void put_file_key(ByteWriter& out, const CacheKey& key) {
  out.u64(key.device).u64(key.inode);
  out.u64(static_cast<std::uint64_t>(key.modified_ns));
  out.u64(static_cast<std::uint64_t>(key.changed_ns));
}

// Takes what `put` writes of `key` and tells whether it is the same.
Result<bool> same_key(ByteReader& in, const CacheKey& key,
                      void (*put)(ByteWriter&, const CacheKey&)) {
  Bytes wanted;
  ByteWriter out(wanted);
  put(out, key);
  TRY_ASSIGN(const auto found, in.take(wanted.size()));
  return std::equal(found.begin(), found.end(), wanted.begin());
}

void put_keyframes(ByteWriter& out, const KeyframeIndex& keyframes) {
  const auto frames = keyframes.all();
  const auto frontier = keyframes.frontier();
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
}

struct StoredKeyframes {
  std::vector<KeyframePtr> frames;
  KeyframeIndex::Frontier frontier;
};

Result<StoredKeyframes> take_keyframes(ByteReader& in) {
  StoredKeyframes stored;
  TRY_ASSIGN(stored.frontier.position, in.u64());
  TRY_ASSIGN(const auto end_t, in.u64());
  TRY_ASSIGN(const auto complete, in.u8());
  TRY_ASSIGN(const auto count, in.varint());
  stored.frontier.t = {static_cast<std::int64_t>(end_t)};
  stored.frontier.complete = complete == 1;
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
    if ((i > 0 && (positions == 0 || time < stored.frames.back()->t)) ||
        positions > stored.frontier.position - position) {
      return fail(Errc::corrupt, "the stored index is out of order");
    }
    position += positions;
    stored.frames.push_back(std::make_shared<Keyframe>(Keyframe{
        position, time, static_cast<std::size_t>(raw_bytes), {packed.begin(), packed.end()}}));
  }
  return stored;
}

void put_blob(ByteWriter& out, const BlobRef& ref) {
  out.varint(ref.offset).varint(ref.size).u32(ref.crc);
}

void put_segments(ByteWriter& out, const std::vector<SegmentRef>& segments) {
  out.varint(segments.size());
  for (const auto& segment : segments) {
    put_blob(out, segment.text);
    put_blob(out, segment.rows);
    put_blob(out, segment.filter);
    out.varint(segment.first).varint(segment.last);
  }
}

Result<BlobRef> take_blob(ByteReader& in, std::uint64_t end) {
  TRY_ASSIGN(const auto offset, in.varint());
  TRY_ASSIGN(const auto size, in.varint());
  BlobRef ref;
  TRY_ASSIGN(ref.crc, in.u32());
  if (size > BlobStore::k_max_blob || offset > end || size > end - offset) {
    return fail(Errc::corrupt, "the stored index points outside of its file");
  }
  ref.offset = offset;
  ref.size = static_cast<std::uint32_t>(size);
  return ref;
}

Result<std::vector<SegmentRef>> take_segments(ByteReader& in, std::uint64_t end) {
  TRY_ASSIGN(const auto count, in.varint());
  std::vector<SegmentRef> segments;
  for (std::uint64_t i = 0; i < count; ++i) {
    SegmentRef segment;
    TRY_ASSIGN(segment.text, take_blob(in, end));
    TRY_ASSIGN(segment.rows, take_blob(in, end));
    TRY_ASSIGN(segment.filter, take_blob(in, end));
    TRY_ASSIGN(segment.first, in.varint());
    TRY_ASSIGN(segment.last, in.varint());
    segments.push_back(segment);
  }
  return segments;
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
    if (total > IndexCache::k_max_directory) {
      fs::remove(item.path, error);
    }
  }
}

Bytes header_of(std::uint64_t contents_at, ByteView contents) {
  Bytes header;
  ByteWriter out(header);
  out.bytes(as_bytes(k_magic)).u32(k_version).u32(vt::k_emulator_version);
  out.u64(contents_at).u64(contents.size()).u32(crc32c(contents));
  out.u32(crc32c(header));
  return header;
}

Result<void> pwrite_all(int fd, ByteView data, std::uint64_t offset) {
  if (::lseek(fd, static_cast<off_t>(offset), SEEK_SET) < 0) {
    return fail_sys(errno, "cannot place the stored index");
  }
  return write_all(fd, data);
}

// Gives a nameless file a name, in place of whatever had it.
Result<void> give_name(int fd, const std::string& path) {
  const auto temporary = fmt::format("{}.{}", path, ::getpid());
  ::unlink(temporary.c_str());
  const auto source = fmt::format("/proc/self/fd/{}", fd);
  if (::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, temporary.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    return fail_sys(errno, "cannot create " + temporary);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return fail_sys(error, "cannot rename " + temporary);
  }
  return {};
}

struct OpenSideFile {
  Fd fd;
  Bytes contents;
  std::uint64_t contents_at = 0;
};

Result<OpenSideFile> open_side_file(const std::string& path) {
  OpenSideFile side;
  side.fd = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!side.fd.valid()) {
    return fail_sys(errno, "there is no stored index");
  }
  struct stat st {};
  if (::fstat(side.fd.get(), &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != ::geteuid()) {
    return fail(Errc::corrupt, "the stored index is not a file of this user");
  }
  const auto read = [&side](Bytes& out, std::uint64_t offset) {
    return ::pread(side.fd.get(), out.data(), out.size(), static_cast<off_t>(offset)) ==
           static_cast<ssize_t>(out.size());
  };
  constexpr std::size_t k_header_bytes = 8 + 4 + 4 + 8 + 8 + 4 + 4;
  Bytes header(k_header_bytes);
  if (!read(header, 0)) {
    return fail(Errc::truncated, "the stored index is cut off");
  }
  ByteReader in(header);
  TRY_ASSIGN(const auto magic, in.take(k_magic.size()));
  TRY_ASSIGN(const auto version, in.u32());
  TRY_ASSIGN(const auto emulator, in.u32());
  if (as_text(magic) != k_magic || version != k_version || emulator != vt::k_emulator_version) {
    return fail(Errc::unsupported, "the stored index is of another version");
  }
  TRY_ASSIGN(side.contents_at, in.u64());
  TRY_ASSIGN(const auto size, in.u64());
  TRY_ASSIGN(const auto contents_crc, in.u32());
  TRY_ASSIGN(const auto header_crc, in.u32());
  if (header_crc != crc32c(ByteView(header).first(header.size() - 4)) || size > k_max_contents ||
      size > static_cast<std::uint64_t>(st.st_size)) {
    return fail(Errc::corrupt, "the stored index is damaged");
  }
  side.contents.resize(static_cast<std::size_t>(size));
  if (!read(side.contents, side.contents_at) || contents_crc != crc32c(side.contents)) {
    return fail(Errc::corrupt, "the stored index is damaged");
  }
  return side;
}

}  // namespace

Result<CacheKey> cache_key(const PosixReadFile& file, const format::FileId& file_id) {
  struct stat st {};
  if (::fstat(file.fd(), &st) != 0) {
    return fail_sys(errno, "cannot look at the session file");
  }
  CacheKey key;
  key.file_id = file_id;
  key.size = static_cast<std::uint64_t>(st.st_size);
  key.device = st.st_dev;
  key.inode = st.st_ino;
  key.modified_ns = st.st_mtim.tv_sec * 1'000'000'000LL + st.st_mtim.tv_nsec;
  key.changed_ns = st.st_ctim.tv_sec * 1'000'000'000LL + st.st_ctim.tv_nsec;
  Bytes ending(static_cast<std::size_t>(std::min<std::uint64_t>(k_ending, key.size)));
  TRY_ASSIGN(const auto got, file.read_at(key.size - ending.size(), ending));
  ending.resize(got);
  key.ending = format::sha256(ending);
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

Bytes encode_contents(const CacheKey& key, bool verified, const IndexState& state) {
  Bytes data;
  ByteWriter out(data);
  put_content_key(out, key);
  put_file_key(out, key);
  out.u8(verified ? 1 : 0);
  put_keyframes(out, *state.keyframes());
  const bool whole = state.has_text() && state.progress().complete &&
                     state.progress().error.empty() && !state.progress().live;
  const auto facts = whole ? pack_bytes(encode_facts(*state.facts())) : Result<Bytes>(Bytes{});
  out.u8(whole && facts ? 1 : 0);
  if (whole && facts) {
    out.varint(facts->size()).bytes(*facts);
    put_segments(out, state.text()->segments());
    put_segments(out, state.input()->segments());
  }
  return data;
}

Result<void> decode_contents(ByteView data, const CacheKey& key,
                             const std::shared_ptr<BlobStore>& blobs, IndexState& state) {
  ByteReader in(data);
  TRY_ASSIGN(const bool same_content, same_key(in, key, put_content_key));
  TRY_ASSIGN(const bool same_file, same_key(in, key, put_file_key));
  TRY_ASSIGN(const auto verified, in.u8());
  if (!same_content || !(same_file || verified == 1)) {
    return fail(Errc::not_found, "the stored index is of another state of the recording");
  }
  TRY_ASSIGN(auto stored, take_keyframes(in));
  TRY_ASSIGN(const auto whole, in.u8());
  std::shared_ptr<const Facts> facts;
  std::vector<SegmentRef> text;
  std::vector<SegmentRef> input;
  if (whole == 1) {
    TRY_ASSIGN(const auto size, in.varint());
    TRY_ASSIGN(const auto packed, in.take(static_cast<std::size_t>(size)));
    TRY_ASSIGN(const auto raw, unpack_bytes(packed, k_max_facts));
    TRY_ASSIGN(auto decoded, decode_facts(raw));
    facts = std::make_shared<const Facts>(std::move(decoded));
    TRY_ASSIGN(text, take_segments(in, blobs->end()));
    TRY_ASSIGN(input, take_segments(in, blobs->end()));
  }
  for (auto& frame : stored.frames) {
    state.keyframes()->add(std::move(frame));
  }
  state.keyframes()->set_frontier(stored.frontier);
  if (whole == 1) {
    state.text()->adopt(blobs, std::move(text));
    state.input()->adopt(blobs, std::move(input));
    const auto events = facts->events;
    state.publish(std::move(facts));
    state.set_progress({stored.frontier.position, stored.frontier.position, true, false, {}});
    state.set_from_cache(events > 0);
  }
  return {};
}

IndexCache::IndexCache(const Recording& recording, bool wanted) : recording_(recording) {
  directory_ = cache_directory();
  if (!wanted || directory_.empty() || recording.encrypted() ||
      recording.stored_state() == format::StoredState::live) {
    directory_.clear();
    return;
  }
  if (auto key = cache_key(recording.file(), recording.header().file_id)) {
    key_ = *key;
    path_ = directory_ + "/" + format::to_hex(key_.file_id) + ".idx";
  }
}

std::shared_ptr<BlobStore> IndexCache::new_store() const {
  if (recording_.encrypted()) {
    return std::make_shared<BlobStore>();  // what was encrypted is not written down in the clear
  }
  auto directory = directory_;
  if (directory.empty() || !make_directories(directory)) {
    // Without a name it leaves nothing behind, so that any place will do.
    const char* const tmp = std::getenv("TMPDIR");
    directory = tmp != nullptr && tmp[0] == '/' ? tmp : "/var/tmp";
  }
  return BlobStore::temporary(directory, k_header);
}

Result<void> IndexCache::load(IndexState& state) const {
  if (path_.empty()) {
    return fail(Errc::not_found, "no index is stored");
  }
  TRY_ASSIGN(auto side, open_side_file(path_));
  const auto blobs = BlobStore::of_file(std::move(side.fd), side.contents_at);
  return decode_contents(side.contents, key_, blobs, state);
}

Result<void> IndexCache::save(const IndexState& state, bool verified) const {
  TRY_ASSIGN(const auto now, cache_key(recording_.file(), key_.file_id));
  if (path_.empty() || now != key_) {
    return fail(Errc::not_found, "the recording changed while it was indexed");
  }
  TRY(make_directories(directory_));
  state.text()->flush();
  state.input()->flush();
  const auto contents = encode_contents(key_, verified, state);
  if (contents.size() > k_max_contents) {
    return fail(Errc::exhausted, "the index is too large to be stored");
  }
  Fd fresh;
  int fd = state.text()->store()->fd();
  std::uint64_t at = state.text()->store()->end();
  if (!state.has_text() || fd < 0) {
    fresh = Fd(::open(directory_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    fd = fresh.get();
    at = k_header;
    if (!fresh.valid()) {
      return fail_sys(errno, "cannot create a file in " + directory_);
    }
  }
  TRY(pwrite_all(fd, contents, at));
  TRY(pwrite_all(fd, header_of(at, contents), 0));
  TRY(give_name(fd, path_));
  tidy(directory_);
  return {};
}

}  // namespace sworn::player
