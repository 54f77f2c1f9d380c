// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/journal_stream.hpp"

#include "audit/logs/journal_json.hpp"
#include "base/fd.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#ifdef SWORN_HAVE_SYSTEMD
#include <systemd/sd-journal.h>
#endif

namespace sworn::audit::logs {
namespace {

constexpr std::size_t k_max_field = 1U << 20U;  // of the export format; longer ones are cut
constexpr std::size_t k_read = 64 * 1024;

// Hands out a text that another object makes piece by piece.
class PieceStream : public ByteStream {
 public:
  Result<std::size_t> read(std::span<std::byte> out) final {
    while (at_ == piece_.size()) {
      piece_.clear();
      at_ = 0;
      TRY_ASSIGN(const bool more, next(piece_));
      if (!more) {
        return std::size_t{0};
      }
    }
    const auto n = std::min(out.size(), piece_.size() - at_);
    std::memcpy(out.data(), piece_.data() + at_, n);
    at_ += n;
    return n;
  }

 private:
  virtual Result<bool> next(std::string& piece) = 0;  // false: the end
  std::string piece_;
  std::size_t at_ = 0;
};

#ifdef SWORN_HAVE_SYSTEMD
struct CloseJournal {
  void operator()(sd_journal* journal) const { sd_journal_close(journal); }
};
using Journal = std::unique_ptr<sd_journal, CloseJournal>;

class JournalStream final : public PieceStream {
 public:
  JournalStream(Journal journal, WallTime to) : journal_(std::move(journal)), to_(to) {}

 private:
  Result<bool> next(std::string& piece) override {
    const int moved = sd_journal_next(journal_.get());
    if (moved < 0) {
      return fail_sys(-moved, "the journal");
    }
    std::uint64_t wall = 0;
    if (moved == 0) {
      return false;
    }
    if (const int rc = sd_journal_get_realtime_usec(journal_.get(), &wall); rc < 0) {
      return fail_sys(-rc, "the time of a journal entry");
    }
    if (static_cast<std::int64_t>(wall) > to_.us) {
      return false;
    }
    json_.begin();
    json_.field("__REALTIME_TIMESTAMP", std::to_string(wall));
    std::uint64_t mono = 0;
    sd_id128_t boot{};
    if (sd_journal_get_monotonic_usec(journal_.get(), &mono, &boot) >= 0) {
      std::array<char, SD_ID128_STRING_MAX> text{};
      json_.field("__MONOTONIC_TIMESTAMP", std::to_string(mono));
      json_.field("_BOOT_ID", sd_id128_to_string(boot, text.data()));
    }
    const void* data = nullptr;
    std::size_t length = 0;
    SD_JOURNAL_FOREACH_DATA(journal_.get(), data, length) {
      const std::string_view field(static_cast<const char*>(data), length);
      const auto equals = field.find('=');
      if (equals != std::string_view::npos) {
        json_.field(field.substr(0, equals), field.substr(equals + 1));
      }
    }
    piece = json_.finish();
    return true;
  }

  Journal journal_;
  WallTime to_;
  JournalJson json_;
};

Result<Journal> open_handle(const std::string& path) {
  sd_journal* raw = nullptr;
  int rc = 0;
  if (path.empty()) {
    rc = sd_journal_open(&raw, SD_JOURNAL_LOCAL_ONLY);
  } else if (std::error_code ignored; std::filesystem::is_directory(path, ignored)) {
    rc = sd_journal_open_directory(&raw, path.c_str(), 0);
  } else {
    const std::array<const char*, 2> files{path.c_str(), nullptr};
    rc = sd_journal_open_files(&raw, const_cast<const char**>(files.data()), 0);
  }
  if (rc < 0) {
    return fail_sys(-rc, path.empty() ? "the journal of this host" : path);
  }
  return Journal(raw);
}
#endif

// The export format: lines NAME=VALUE; or NAME, a line feed, eight bytes of length (little-endian),
// the value, a line feed; an empty line ends an entry.
class ExportStream final : public PieceStream {
 public:
  explicit ExportStream(std::unique_ptr<ByteStream> in) : in_(std::move(in)) { json_.begin(); }

 private:
  Result<bool> fill() {
    if (ended_) {
      return false;
    }
    buffer_.erase(0, at_);
    at_ = 0;
    std::array<std::byte, k_read> block{};
    TRY_ASSIGN(const auto n, in_->read(block));
    buffer_.append(reinterpret_cast<const char*>(block.data()), n);
    ended_ = n == 0;
    return n > 0;
  }

  // Up to `limit` bytes of the line; the rest of a longer one is skipped.
  Result<bool> line(std::string& out) {
    out.clear();
    while (true) {
      const auto end = buffer_.find('\n', at_);
      const auto part = std::string_view(buffer_).substr(
          at_, end == std::string::npos ? std::string::npos : end - at_);
      out += part.substr(0, k_max_field - std::min(out.size(), k_max_field));
      if (end != std::string::npos) {
        at_ = end + 1;
        return true;
      }
      at_ = buffer_.size();
      TRY_ASSIGN(const bool more, fill());
      if (!more) {
        return !out.empty();
      }
    }
  }

  Result<std::string> take(std::uint64_t n, std::uint64_t keep) {
    std::string out;
    while (n > 0) {
      if (at_ == buffer_.size()) {
        TRY_ASSIGN(const bool more, fill());
        if (!more) {
          return fail(Errc::truncated, "the journal export ends inside a field");
        }
      }
      const auto part = std::min<std::uint64_t>(n, buffer_.size() - at_);
      out.append(buffer_, at_,
                 std::min<std::uint64_t>(part, keep - std::min<std::uint64_t>(out.size(), keep)));
      at_ += part;
      n -= part;
    }
    return out;
  }

  Result<bool> next(std::string& piece) override {
    std::string text;
    while (true) {
      TRY_ASSIGN(const bool more, line(text));
      if (!more || text.empty()) {
        piece = json_.finish();
        json_.begin();
        if (!more || !piece.empty()) {
          return !piece.empty();
        }
        continue;
      }
      const auto equals = text.find('=');
      if (equals != std::string::npos) {
        json_.field(std::string_view(text).substr(0, equals),
                    std::string_view(text).substr(equals + 1));
        continue;
      }
      TRY_ASSIGN(const auto raw, take(8, 8));
      std::uint64_t length = 0;
      for (int i = 7; i >= 0; --i) {
        length = length << 8U | static_cast<unsigned char>(raw[static_cast<std::size_t>(i)]);
      }
      if (length > UINT64_C(1) << 40U) {
        return fail(Errc::corrupt, "a field of the journal export has no believable length");
      }
      TRY_ASSIGN(const auto value, take(length, k_max_field));
      TRY_ASSIGN([[maybe_unused]] const auto newline, take(1, 1));
      json_.field(text, value);
    }
  }

  std::unique_ptr<ByteStream> in_;
  std::string buffer_;
  std::size_t at_ = 0;
  bool ended_ = false;
  JournalJson json_;
};

}  // namespace

Result<std::unique_ptr<ByteStream>> open_journal(const JournalPlace& place) {
#ifdef SWORN_HAVE_SYSTEMD
  TRY_ASSIGN(auto journal, open_handle(place.path));
  const auto from = static_cast<std::uint64_t>(std::max<std::int64_t>(place.from.us, 0));
  if (const int rc = sd_journal_seek_realtime_usec(journal.get(), from); rc < 0) {
    return fail_sys(-rc, "the journal has no place to begin");
  }
  // A host without a journal opens as an empty one.
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  const int rc = sd_journal_get_cutoff_realtime_usec(journal.get(), &first, &last);
  if (rc == 0) {
    return fail(Errc::not_found, place.path.empty() ? "this host keeps no journal, or not for us"
                                                    : place.path + " holds no journal entry");
  }
  return std::unique_ptr<ByteStream>(std::make_unique<JournalStream>(std::move(journal), place.to));
#else
  return fail(Errc::unsupported, "this build has no libsystemd");
#endif
}

JournalKind journal_kind(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::array<char, 16> head{};
  const auto n = fd.valid() ? ::read(fd.get(), head.data(), head.size()) : -1;
  const std::string_view text(head.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  if (text.starts_with("LPKSHHRH")) {
    return JournalKind::file;
  }
  return text.starts_with("__CURSOR=") ? JournalKind::exported : JournalKind::none;
}

std::unique_ptr<ByteStream> convert_export(std::unique_ptr<ByteStream> exported) {
  return std::make_unique<ExportStream>(std::move(exported));
}

}  // namespace sworn::audit::logs
