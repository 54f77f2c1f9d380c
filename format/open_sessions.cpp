// SPDX-License-Identifier: Apache-2.0
#include "format/open_sessions.hpp"

#include "format/ledger_session.hpp"
#include "format/store.hpp"
#include "format/verify.hpp"

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sworn::format {
namespace {

constexpr std::string_view k_magic_line = "sworn-open 1\n";
constexpr std::uint64_t k_max_note_file_bytes = 8192;

std::string note_directory(const std::string& ledger_directory) {
  return ledger_directory + "/open";
}

struct Note {
  FileId id{};
  std::uint64_t offset = 0;
  std::string recording;
};

std::optional<Note> parse_note_file(const std::string& name, std::string_view text) {
  Note out;
  const auto id = from_hex(name);
  if (!id || id->size() != out.id.size() || !text.starts_with(k_magic_line)) {
    return std::nullopt;
  }
  std::copy(id->begin(), id->end(), out.id.begin());
  text.remove_prefix(k_magic_line.size());
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.offset);
  if (error != std::errc() || end == text.data() + text.size() || *end != '\n') {
    return std::nullopt;
  }
  out.recording.assign(end + 1, text.data() + text.size());
  if (!out.recording.starts_with('/')) {
    return std::nullopt;
  }
  return out;
}

// What the ledger says of one session, from the place where it stood when the session began.
struct Known {
  bool opened = false;
  bool ended = false;
};

struct EndFinder {
  const FileId& id;
  Known& known;
  void operator()(const LedgerSessionOpen& o) const { known.opened |= o.file_id == id; }
  void operator()(const LedgerSessionClose& c) const { known.ended |= c.mark.file_id == id; }
  void operator()(const LedgerSessionLost& l) const { known.ended |= l.file_id == id; }
  template <typename T>
  void operator()(const T& /*other*/) const {}
};

Result<Known> look_up(const std::string& ledger_directory, const LedgerId& ledger,
                      const Note& note) {
  TRY_ASSIGN(const auto entries, PosixReadFile::open(ledger_entries_path(ledger_directory)));
  Known out;
  RecordScanner scanner(*entries, ledger, std::max<std::uint64_t>(note.offset, k_preamble_bytes));
  while (true) {
    TRY_ASSIGN(const auto record, scanner.next());
    if (!record) {
      return out;
    }
    const auto decoded = decode_ledger_record(record->body);
    const auto entry = decoded ? decode_ledger_entry(decoded->entry)
                               : Result<LedgerEntry>(tl::make_unexpected(decoded.error()));
    if (!entry) {
      return fail(Errc::corrupt, "the ledger cannot be read behind a session that it opened");
    }
    std::visit(EndFinder{note.id, out}, entry->fact);
  }
}

class Sweep {
 public:
  Sweep(const std::string& directory, Ledger& ledger, SweepReport& report)
      : directory_(directory), ledger_(ledger), report_(report) {}

  Result<void> settle(const std::string& name);

 private:
  Result<void> enter_end(const Note& note);
  Result<void> lose(const Note& note, std::string reason);
  Result<bool> close_late(const Note& note, const ReadFile& file);
  Result<void> recover(const Note& note, const ReadFile& file);

  const std::string& directory_;
  Ledger& ledger_;
  SweepReport& report_;
};

Result<void> Sweep::settle(const std::string& name) {
  const std::string path = note_directory(directory_) + "/" + name;
  Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd.valid()) {
    return {};  // settled by somebody else since
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    ++report_.live;
    return {};
  }
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0 || st.st_nlink == 0) {
    return {};
  }
  TRY_ASSIGN(const auto text, read_whole_file(path, k_max_note_file_bytes));
  const auto note =
      parse_note_file(name, {reinterpret_cast<const char*>(text.data()), text.size()});
  if (!note) {
    ++report_.unreadable;
    return {};
  }
  TRY_ASSIGN(const auto known, look_up(directory_, ledger_.head().id, *note));
  if (known.opened && !known.ended) {
    TRY(enter_end(*note));
  } else {
    ++report_.settled;
  }
  ::unlink(path.c_str());
  return {};
}

// Only the session that the note names counts: another file under its name is no end of it.
Result<void> Sweep::enter_end(const Note& note) {
  if (const auto file = PosixReadFile::open(note.recording)) {
    TRY_ASSIGN(const bool closed, close_late(note, **file));
    return closed ? Result<void>() : lose(note, "another file, or a changed one, has its name");
  }
  const auto part = PosixReadFile::open(part_path(note.recording));
  if (!part) {
    return lose(note, "its recorder ended, and its file is not where it was");
  }
  TRY(lose(note, "its recorder ended without closing it"));
  return recover(note, **part);
}

Result<void> Sweep::lose(const Note& note, std::string reason) {
  TRY(ledger_.append(LedgerSessionLost{note.id, std::move(reason)}));
  ++report_.lost;
  return {};
}

// Sound whoever enters it: nobody but the recorder could make the final seal.
Result<bool> Sweep::close_late(const Note& note, const ReadFile& file) {
  const auto report = verify(file);
  if (!report || !report->closed || report->verdict == Verdict::tampered || !report->header ||
      report->header->file_id != note.id || report->seals == 0) {
    return false;
  }
  TRY_ASSIGN(const auto digest, digest_of(file));
  LedgerSessionClose fact;
  fact.mark = mark_of(*report);
  fact.file_digest = digest.digest;
  fact.exit = "entered late: the recorder ended before it could";
  TRY(ledger_.append(std::move(fact)));
  ++report_.closed_late;
  return true;
}

// What the interruption left, so that a later change of it is evident.
Result<void> Sweep::recover(const Note& note, const ReadFile& file) {
  const auto report = verify(file);
  if (!report || !report->header || report->header->file_id != note.id || report->seals == 0) {
    return {};
  }
  TRY_ASSIGN(const auto digest, digest_of(file));
  TRY(ledger_.append(LedgerRecovery{mark_of(*report), digest.digest, "found at the next start"}));
  return {};
}

}  // namespace

Result<OpenSessionNote> OpenSessionNote::create(const std::string& ledger_directory,
                                                const FileId& id, std::uint64_t ledger_bytes,
                                                const std::string& recording) {
  const std::string directory = note_directory(ledger_directory);
  TRY(make_directories(directory));
  OpenSessionNote out;
  out.path_ = directory + "/" + to_hex(id);
  // Locked before it has its name: nobody finds it without its lock.
  const std::string fresh = directory + "/.new-" + to_hex(id);
  out.lock_.reset(::open(fresh.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!out.lock_.valid() || ::flock(out.lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail_sys(errno, "cannot note the session in " + directory);
  }
  const std::string text =
      std::string(k_magic_line) + std::to_string(ledger_bytes) + "\n" + recording;
  if (auto written = write_all(out.lock_.get(), as_bytes(text)); !written) {
    ::unlink(fresh.c_str());
    return tl::make_unexpected(std::move(written).error());
  }
  if (::rename(fresh.c_str(), out.path_.c_str()) != 0) {
    const int error = errno;
    ::unlink(fresh.c_str());
    return fail_sys(error, "cannot note the session in " + directory);
  }
  return out;
}

void OpenSessionNote::remove() {
  if (lock_.valid()) {
    ::unlink(path_.c_str());
    lock_.reset();
  }
}

Result<SweepReport> sweep_open_sessions(const std::string& ledger_directory, Ledger& ledger,
                                        const std::atomic<bool>& stop) {
  SweepReport report;
  std::vector<std::string> names;
  std::error_code ec;
  for (std::filesystem::directory_iterator it(note_directory(ledger_directory), ec), end;
       !ec && it != end; it.increment(ec)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with('.')) {
      names.push_back(name);
    }
  }
  Sweep sweep(ledger_directory, ledger, report);
  std::optional<Error> first;
  for (const auto& name : names) {
    if (stop.load(std::memory_order_relaxed)) {
      break;
    }
    if (auto settled = sweep.settle(name); !settled && !first) {
      first = settled.error();
    }
  }
  if (first) {
    return tl::make_unexpected(*first);
  }
  return report;
}

}  // namespace sworn::format
