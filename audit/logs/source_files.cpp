// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/source_files.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <sys/stat.h>

namespace sworn::audit::logs {
namespace {

namespace fs = std::filesystem;

Result<WallTime> modified_at(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return fail_sys(errno, path);
  }
  return WallTime{status.st_mtim.tv_sec * 1'000'000 + status.st_mtim.tv_nsec / 1'000};
}

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// ".1", ".12.gz", "-20261121", "-20261121-1795225995.zst": what rotation appends to a name.
bool is_rotation_suffix(std::string_view rest) {
  for (const std::string_view packed : {".gz", ".xz", ".zst"}) {
    if (rest.ends_with(packed)) {
      rest.remove_suffix(packed.size());
      break;
    }
  }
  if (rest.size() < 2 || (rest.front() != '.' && rest.front() != '-')) {
    return false;
  }
  rest.remove_prefix(1);
  std::string digits(rest);
  std::erase(digits, '-');
  return all_digits(digits);
}

class ChainedStream final : public ByteStream {
 public:
  explicit ChainedStream(std::vector<LogFile> files) : files_(std::move(files)) {}

  Result<std::size_t> read(std::span<std::byte> out) override {
    while (true) {
      if (!current_) {
        if (next_ >= files_.size()) {
          return std::size_t{0};
        }
        auto opened = open_byte_stream(files_[next_].path);
        if (!opened) {
          return in_file(std::move(opened).error());
        }
        current_ = std::move(*opened);
        ++next_;
      }
      auto n = current_->read(out);
      if (!n) {
        --next_;
        return in_file(std::move(n).error());
      }
      if (*n > 0) {
        ends_open_ = out[*n - 1] != std::byte{'\n'};
        return n;
      }
      current_.reset();
      if (ends_open_ && next_ < files_.size() && !out.empty()) {
        ends_open_ = false;
        out[0] = std::byte{'\n'};
        return std::size_t{1};
      }
    }
  }

 private:
  tl::unexpected<Error> in_file(Error error) const {
    if (error.context.find(files_[next_].path) == std::string::npos) {
      error.context = files_[next_].path + ": " + error.context;
    }
    return tl::make_unexpected(std::move(error));
  }

  std::vector<LogFile> files_;
  std::unique_ptr<ByteStream> current_;
  std::size_t next_ = 0;
  bool ends_open_ = false;
};

}  // namespace

Result<std::vector<LogFile>> find_log_files(const std::string& path, WallTime from) {
  if (path == "-") {
    return std::vector<LogFile>{{path, {}}};
  }
  TRY_ASSIGN(const auto modified, modified_at(path));
  std::vector<LogFile> files;
  const fs::path named(path);
  const auto name = named.filename().string();
  std::error_code ignored;  // a directory that cannot be listed: only the named file
  for (fs::directory_iterator at(named.has_parent_path() ? named.parent_path() : fs::path("."),
                                 ignored);
       !ignored && at != fs::directory_iterator(); at.increment(ignored)) {
    const auto other = at->path().filename().string();
    if (!other.starts_with(name) ||
        !is_rotation_suffix(std::string_view(other).substr(name.size()))) {
      continue;
    }
    const auto when = modified_at(at->path().string());
    if (when && *when >= from) {
      files.push_back({at->path().string(), *when});
    }
  }
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.modified < b.modified; });
  files.push_back({path, modified});
  return files;
}

std::unique_ptr<ByteStream> chain_files(std::vector<LogFile> files) {
  return std::make_unique<ChainedStream>(std::move(files));
}

}  // namespace sworn::audit::logs
