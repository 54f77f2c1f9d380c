// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/decompress.hpp"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <lzma.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

namespace sworn::audit::logs {
namespace {

constexpr std::size_t k_block = 128 * 1024;
constexpr std::uint64_t k_xz_memory = 128ULL << 20U;
constexpr int k_zstd_window_log = 27;  // 128 MiB

// The file itself, with the first bytes given back after they were looked at.
class PlainStream final : public ByteStream {
 public:
  PlainStream(Fd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}

  Result<std::size_t> peek(std::span<std::byte> out) {
    while (ahead_.size() < out.size()) {
      std::array<std::byte, 16> buffer{};
      TRY_ASSIGN(const auto n, read_fd(std::span(buffer).first(out.size() - ahead_.size())));
      if (n == 0) {
        break;
      }
      ahead_.insert(ahead_.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(n));
    }
    std::copy(ahead_.begin(), ahead_.end(), out.begin());
    return ahead_.size();
  }

  Result<std::size_t> read(std::span<std::byte> out) override {
    if (!ahead_.empty()) {
      const auto n = std::min(out.size(), ahead_.size());
      std::copy_n(ahead_.begin(), n, out.begin());
      ahead_.erase(ahead_.begin(), ahead_.begin() + static_cast<std::ptrdiff_t>(n));
      return n;
    }
    return read_fd(out);
  }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  Result<std::size_t> read_fd(std::span<std::byte> out) {
    while (true) {
      const auto n = ::read(fd_.get(), out.data(), out.size());
      if (n >= 0) {
        return static_cast<std::size_t>(n);
      }
      if (errno != EINTR) {
        return fail_sys(errno, name_);
      }
    }
  }
  Fd fd_;
  std::string name_;
  std::vector<std::byte> ahead_;
};

// What the three decoders share: packed bytes in, and an end that must be an end.
class PackedStream : public ByteStream {
 public:
  explicit PackedStream(std::unique_ptr<PlainStream> source)
      : source_(std::move(source)), block_(k_block) {}

 protected:
  Result<bool> refill() {  // false: the file has ended
    TRY_ASSIGN(const auto n, source_->read(block_));
    input_ = std::span(block_).first(n);
    return n > 0;
  }
  [[nodiscard]] tl::unexpected<Error> broken(Errc code, std::string_view what) const {
    return fail(code, source_->name() + ": " + std::string(what));
  }
  std::unique_ptr<PlainStream> source_;
  std::vector<std::byte> block_;
  std::span<std::byte> input_;
};

class GzipStream final : public PackedStream {
 public:
  explicit GzipStream(std::unique_ptr<PlainStream> source) : PackedStream(std::move(source)) {
    ready_ = ::inflateInit2(&state_, 15 + 16) == Z_OK;
  }
  ~GzipStream() override { ::inflateEnd(&state_); }
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

  Result<std::size_t> read(std::span<std::byte> out) override {
    if (!ready_) {
      return broken(Errc::exhausted, "no memory to unpack");
    }
    while (true) {
      if (input_.empty()) {
        TRY_ASSIGN(const bool more, refill());
        if (!more) {
          return inside_ ? Result<std::size_t>(broken(Errc::truncated, "the gzip file breaks off"))
                         : 0;
        }
      }
      if (!inside_) {  // files put one behind the other, as log rotation makes them
        ::inflateReset(&state_);
        inside_ = true;
      }
      state_.next_in = reinterpret_cast<Bytef*>(input_.data());
      state_.avail_in = static_cast<uInt>(input_.size());
      state_.next_out = reinterpret_cast<Bytef*>(out.data());
      state_.avail_out = static_cast<uInt>(std::min<std::size_t>(out.size(), 1U << 30U));
      const auto room = state_.avail_out;
      const int rc = ::inflate(&state_, Z_NO_FLUSH);
      input_ = input_.last(state_.avail_in);
      if (rc == Z_STREAM_END) {
        inside_ = false;
      } else if (rc != Z_OK && rc != Z_BUF_ERROR) {
        return broken(Errc::corrupt, "the gzip file is damaged");
      }
      if (const std::size_t n = room - state_.avail_out; n > 0) {
        return n;
      }
    }
  }

 private:
  z_stream state_{};
  bool ready_ = false;
  bool inside_ = true;
};

class ZstdStream final : public PackedStream {
 public:
  explicit ZstdStream(std::unique_ptr<PlainStream> source) : PackedStream(std::move(source)) {
    if (state_) {
      ::ZSTD_DCtx_setParameter(state_.get(), ZSTD_d_windowLogMax, k_zstd_window_log);
    }
  }
  Result<std::size_t> read(std::span<std::byte> out) override {
    if (!state_) {
      return broken(Errc::exhausted, "no memory to unpack");
    }
    while (true) {
      if (input_.empty()) {
        TRY_ASSIGN(const bool more, refill());
        if (!more) {
          return inside_ ? Result<std::size_t>(broken(Errc::truncated, "the zstd file breaks off"))
                         : 0;
        }
      }
      ZSTD_inBuffer in{input_.data(), input_.size(), 0};
      ZSTD_outBuffer to{out.data(), out.size(), 0};
      const auto rc = ::ZSTD_decompressStream(state_.get(), &to, &in);
      if (::ZSTD_isError(rc) != 0) {
        return broken(Errc::corrupt, "the zstd file is damaged");
      }
      input_ = input_.subspan(in.pos);
      inside_ = rc != 0;
      if (to.pos > 0) {
        return to.pos;
      }
    }
  }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* state) const noexcept { ::ZSTD_freeDCtx(state); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> state_{::ZSTD_createDCtx()};
  bool inside_ = true;
};

class XzStream final : public PackedStream {
 public:
  explicit XzStream(std::unique_ptr<PlainStream> source) : PackedStream(std::move(source)) {
    ready_ = ::lzma_stream_decoder(&state_, k_xz_memory, LZMA_CONCATENATED) == LZMA_OK;
  }
  ~XzStream() override { ::lzma_end(&state_); }
  XzStream(const XzStream&) = delete;
  XzStream& operator=(const XzStream&) = delete;

  Result<std::size_t> read(std::span<std::byte> out) override {
    if (!ready_) {
      return broken(Errc::exhausted, "no memory to unpack");
    }
    while (!ended_) {
      if (input_.empty() && !source_ended_) {
        TRY_ASSIGN(const bool more, refill());
        source_ended_ = !more;
      }
      state_.next_in = reinterpret_cast<const std::uint8_t*>(input_.data());
      state_.avail_in = input_.size();
      state_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
      state_.avail_out = out.size();
      const auto rc = ::lzma_code(&state_, source_ended_ ? LZMA_FINISH : LZMA_RUN);
      input_ = input_.last(state_.avail_in);
      if (rc == LZMA_STREAM_END) {
        ended_ = true;
      } else if (rc == LZMA_BUF_ERROR) {
        return broken(Errc::truncated, "the xz file breaks off");
      } else if (rc == LZMA_MEMLIMIT_ERROR) {
        return broken(Errc::exhausted, "the xz file needs more memory than allowed");
      } else if (rc != LZMA_OK) {
        return broken(Errc::corrupt, "the xz file is damaged");
      }
      if (const auto n = out.size() - state_.avail_out; n > 0) {
        return n;
      }
    }
    return 0;
  }

 private:
  lzma_stream state_ = LZMA_STREAM_INIT;
  bool ready_ = false;
  bool source_ended_ = false;
  bool ended_ = false;
};

}  // namespace

Result<std::unique_ptr<ByteStream>> byte_stream_of(Fd fd, const std::string& name) {
  struct stat about {};
  if (::fstat(fd.get(), &about) != 0) {
    return fail_sys(errno, name);
  }
  if (S_ISDIR(about.st_mode)) {
    return fail(Errc::bad_usage, name + ": is a directory");
  }
  auto plain = std::make_unique<PlainStream>(std::move(fd), name);
  std::array<std::byte, 6> head{};
  TRY_ASSIGN(const auto n, plain->peek(head));
  const auto starts = [&](std::string_view magic) {
    return n >= magic.size() && std::memcmp(head.data(), magic.data(), magic.size()) == 0;
  };
  std::unique_ptr<ByteStream> out;
  if (starts("\x1f\x8b")) {
    out = std::make_unique<GzipStream>(std::move(plain));
  } else if (starts("\x28\xb5\x2f\xfd")) {
    out = std::make_unique<ZstdStream>(std::move(plain));
  } else if (starts(std::string_view("\xfd"
                                     "7zXZ\0",
                                     6))) {
    out = std::make_unique<XzStream>(std::move(plain));
  } else {
    out = std::move(plain);
  }
  return out;
}

Result<std::unique_ptr<ByteStream>> open_byte_stream(const std::string& path) {
  Fd fd(path == "-" ? ::fcntl(0, F_DUPFD_CLOEXEC, 3) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    return fail_sys(errno, path);
  }
  return byte_stream_of(std::move(fd), path);
}

}  // namespace sworn::audit::logs
