// SPDX-License-Identifier: Apache-2.0
#include "format/ledger_tiles.hpp"

#include "base/byte_writer.hpp"
#include "format/checkpoint.hpp"
#include "format/ledger_verify.hpp"
#include "format/merkle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sworn::format {
namespace {

constexpr std::uint32_t k_width = 256;
constexpr int k_entries = -1;

// Names appear whole or not at all; a reader never sees half a tile.
Result<void> write_in_one_step(const std::string& path, ByteView data) {
  TRY(make_directories(std::filesystem::path(path).parent_path().string()));
  const std::string fresh = path + ".new";
  {
    const Fd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!fd.valid()) {
      return fail_sys(errno, "cannot create " + fresh);
    }
    TRY(write_all(fd.get(), data));
    if (::fdatasync(fd.get()) != 0) {
      return fail_sys(errno, "cannot sync " + fresh);
    }
  }
  if (std::rename(fresh.c_str(), path.c_str()) != 0) {
    return fail_sys(errno, "cannot rename " + fresh);
  }
  return {};
}

// The tiles of one level (or the entry bundles), filled from the left.
class Tiles {
 public:
  Tiles(const std::string& directory, int level) : directory_(directory), level_(level) {}

  void add(ByteView item) {
    append(data_, item);
    ++width_;
  }
  [[nodiscard]] bool full() const { return width_ == k_width; }
  [[nodiscard]] std::uint32_t width() const { return width_; }

  // Writes what there is and begins the next tile.
  Result<void> finish(std::uint64_t& files_written) {
    if (width_ == 0) {
      return {};
    }
    const std::string path = directory_ + "/" + tile_path(level_, index_, width_);
    struct stat st {};
    // A full tile never changes.
    if (width_ < k_width || ::stat(path.c_str(), &st) != 0 ||
        static_cast<std::uint64_t>(st.st_size) != data_.size()) {
      TRY(write_in_one_step(path, data_));
      ++files_written;
    }
    data_.clear();
    width_ = 0;
    ++index_;
    return {};
  }

 private:
  const std::string& directory_;
  int level_;
  std::uint64_t index_ = 0;
  std::uint32_t width_ = 0;
  Bytes data_;
};

class Exporter {
 public:
  Exporter(const std::string& directory, std::uint64_t size)
      : directory_(directory), size_(size), bundles_(directory_, k_entries) {}

  // Errors of writing are kept: the callback that feeds us cannot return them.
  void add(std::uint64_t index, ByteView stored) {
    if (index >= size_ || !outcome_) {
      return;
    }
    outcome_ = add_entry(stored);
  }
  Result<std::uint64_t> finish() {
    TRY(outcome_);
    TRY(bundles_.finish(files_));
    for (auto& level : levels_) {
      TRY(level.tiles.finish(files_));
    }
    return files_;
  }

 private:
  struct Level {
    Tiles tiles;
    MerkleTree open;  // over the hashes of the tile that is being filled
  };

  Result<void> add_entry(ByteView stored) {
    Bytes item;
    const auto length = static_cast<std::uint16_t>(stored.size());
    item.push_back(static_cast<std::byte>(length >> 8U));
    item.push_back(static_cast<std::byte>(length & 0xFFU));
    append(item, stored);
    bundles_.add(item);
    if (bundles_.full()) {
      TRY(bundles_.finish(files_));
    }
    return add_hash(ledger_leaf(stored));
  }

  // A full tile's root is a hash of the level above.
  Result<void> add_hash(Digest hash) {
    for (std::size_t i = 0;; ++i) {
      if (i == levels_.size()) {
        levels_.push_back({Tiles(directory_, static_cast<int>(i)), {}});
      }
      auto& level = levels_[i];
      level.tiles.add(hash);
      level.open.add(hash);
      if (!level.tiles.full()) {
        return {};
      }
      hash = level.open.root();
      level.open = MerkleTree();
      TRY(level.tiles.finish(files_));
    }
  }

  const std::string& directory_;
  std::uint64_t size_;
  Tiles bundles_;
  std::vector<Level> levels_;
  std::uint64_t files_ = 0;
  Result<void> outcome_;
};

}  // namespace

std::string tile_path(int level, std::uint64_t index, std::uint32_t width) {
  std::string name = fmt::format("{:03}", index % 1000);
  for (index /= 1000; index != 0; index /= 1000) {
    name = fmt::format("x{:03}/", index % 1000) + name;
  }
  const std::string where = level == k_entries ? "entries" : fmt::format("{}", level);
  return fmt::format("tile/{}/{}{}", where, name,
                     width < k_width ? fmt::format(".p/{}", width) : std::string());
}

Result<TileExport> export_tiles(const ReadFile& entries, std::string_view checkpoint,
                                const std::string& directory) {
  TRY_ASSIGN(const auto note, parse_note(checkpoint));
  TRY_ASSIGN(const auto named, parse_checkpoint_text(note.text));
  // Nothing is published before all of it is known to hold.
  LedgerVerifyOptions options;
  options.sizes = {named.size};
  TRY_ASSIGN(const auto report, verify_ledger(entries, options));
  if (report.state != LedgerState::intact && report.state != LedgerState::torn) {
    return fail(Errc::bad_seal, "a ledger that does not hold is not exported");
  }
  TRY_ASSIGN(const auto key, NoteKey::parse(report.head.checkpoint_key));
  TRY(open_checkpoint(checkpoint, key, report.head.origin));
  const auto root = report.roots.find(named.size);
  if (root == report.roots.end() || root->second != named.root) {
    return fail(Errc::bad_seal, "the checkpoint is not one of this ledger");
  }
  Exporter exporter(directory, named.size);
  options.on_entry = [&exporter](std::uint64_t index, ByteView stored, const LedgerEntry&) {
    exporter.add(index, stored);
  };
  TRY(verify_ledger(entries, options));
  TileExport out;
  TRY_ASSIGN(out.files_written, exporter.finish());
  out.size = named.size;
  out.root = named.root;
  TRY(write_in_one_step(directory + "/checkpoint", as_bytes(checkpoint)));
  return out;
}

}  // namespace sworn::format
