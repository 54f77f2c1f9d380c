// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/line_reader.hpp"
#include "audit/trail/trail_sinks.hpp"
#include "base/file.hpp"

#include <fmt/format.h>

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sworn::audit::trail {
namespace {

struct Found {
  ChainState chain;
  std::uint64_t first_seq = 0;
  bool torn = false;
};

// Where the chain of an existing file goes on.
Result<std::optional<Found>> read_end(const std::string& path) {
  TRY_ASSIGN(auto stream, logs::open_byte_stream(path));
  logs::LineReader reader(std::move(stream));
  std::optional<ChainedLine> last;
  Found found;
  while (true) {
    TRY_ASSIGN(const auto line, reader.next());
    if (!line) {
      break;
    }
    auto read = read_chained_line(line->text);
    found.torn = !read;
    if (read) {
      found.first_seq = last ? found.first_seq : read->seq;
      last = std::move(read);
    }
  }
  if (!last) {
    return std::optional<Found>();
  }
  found.chain = state_behind(*last);
  return std::optional(std::move(found));
}

class TrailFile final : public TrailSink {
 public:
  TrailFile(std::string path, RotationPolicy policy, Clock& clock)
      : path_(std::move(path)), policy_(policy), clock_(clock) {}

  Result<void> open() {
    fd_.reset(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
    struct stat status {};
    if (!fd_.valid() || ::fstat(fd_.get(), &status) != 0) {
      return fail_sys(errno, path_);
    }
    if (!S_ISREG(status.st_mode)) {
      return fail(Errc::bad_usage, path_ + " is no regular file");
    }
    if (::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {  // two writers would break the chain
      return fail(Errc::bad_usage, path_ + " is being written by another process");
    }
    bytes_ = static_cast<std::uint64_t>(status.st_size);
    opened_ = clock_.wall();
    if (bytes_ == 0) {
      if (chain_.id.empty()) {
        TRY_ASSIGN(chain_, new_chain());
      }
      first_seq_ = chain_.next;
      return {};
    }
    TRY_ASSIGN(const auto found, read_end(path_));
    if (!found) {
      return fail(Errc::corrupt, path_ + " is no trail: no line of it belongs to a chain");
    }
    chain_ = found->chain;
    first_seq_ = found->first_seq;
    return found->torn ? append("\n") : Result<void>{};
  }

  Result<void> put(const TrailEntry& entry) override {
    TRY(rotate_if_due());
    return append(chained_line(to_own_json(entry), chain_));
  }

  Result<void> flush() override {
    return ::fdatasync(fd_.get()) == 0 ? Result<void>{} : fail_sys(errno, path_);
  }

 private:
  Result<void> append(std::string_view text) {
    if (auto done = write_all(fd_.get(), as_bytes(text)); !done) {
      done.error().context = path_ + ": " + done.error().context;
      return done;
    }
    bytes_ += text.size();
    return {};
  }

  Result<void> rotate_if_due() {
    const bool old = clock_.wall().us - opened_.us >= policy_.max_age_us;
    if (bytes_ == 0 || (bytes_ < policy_.max_bytes && !old)) {
      return {};
    }
    TRY(flush());
    TRY(rename_no_replace(path_, fmt::format("{}.{:012}", path_, first_seq_)));
    TRY(open());
    return sync_parent_directory(path_);
  }

  std::string path_;
  RotationPolicy policy_;
  Clock& clock_;
  Fd fd_;
  ChainState chain_;
  std::uint64_t bytes_ = 0;
  std::uint64_t first_seq_ = 0;
  WallTime opened_;
};

class StreamSink final : public TrailSink {
 public:
  StreamSink(int fd, TrailFormat format) : fd_(fd), format_(format) {}
  Result<void> put(const TrailEntry& entry) override {
    const auto text =
        format_ == TrailFormat::ocsf ? to_ocsf(entry, prev_) : to_json(entry, format_);
    return write_all(fd_, as_bytes(text + "\n"));
  }

 private:
  int fd_;
  TrailFormat format_;
  std::string prev_;
};

}  // namespace

Result<std::unique_ptr<TrailSink>> open_trail_file(const std::string& path, RotationPolicy policy,
                                                   Clock& clock) {
  auto file = std::make_unique<TrailFile>(path, policy, clock);
  TRY(file->open());
  return std::unique_ptr<TrailSink>(std::move(file));
}

std::unique_ptr<TrailSink> stream_sink(int fd, TrailFormat format) {
  return std::make_unique<StreamSink>(fd, format);
}

}  // namespace sworn::audit::trail
