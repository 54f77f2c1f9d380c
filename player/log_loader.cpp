// SPDX-License-Identifier: Apache-2.0
#include "player/log_loader.hpp"

#include "audit/logs/log_index.hpp"
#include "audit/logs/session_facts.hpp"
#include "audit/logs/source_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include <sys/stat.h>
#include <unistd.h>

namespace sworn::player {
namespace {

namespace logs = audit::logs;

std::string_view base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

LogSeverity severity_of(logs::LogSeverity severity) {
  switch (severity) {
    case logs::LogSeverity::normal:
      return LogSeverity::normal;
    case logs::LogSeverity::warning:
      return LogSeverity::warning;
    case logs::LogSeverity::error:
      return LogSeverity::error;
  }
  return LogSeverity::normal;
}

LogRelation relation_of(logs::LogRelation relation) {
  switch (relation) {
    case logs::LogRelation::this_session:
      return LogRelation::this_session;
    case logs::LogRelation::same_user:
      return LogRelation::same_user;
    case logs::LogRelation::host:
      return LogRelation::host;
    case logs::LogRelation::unknown:
      return LogRelation::unknown;
  }
  return LogRelation::unknown;
}

std::string describe_source(const logs::LogSourceInfo& source) {
  auto text = fmt::format("{:<13} {} of {} lines lie within the session ({})", source.name,
                          source.kept, source.lines, logs::name_of(source.format));
  const auto add = [&text](std::uint64_t count, std::string_view what) {
    if (count > 0) {
      text += fmt::format(", {} {}", count, what);
    }
  };
  add(source.no_time, "without a time");
  add(source.left_out, "beyond the limit");
  if (source.guessed_year) {
    text += ", year guessed";
  }
  if (source.guessed_zone) {
    text += ", zone taken as this host's";
  }
  return text;
}

std::shared_ptr<LogBook> book_of(logs::LogIndex index) {
  const auto shared = std::make_shared<const logs::LogIndex>(std::move(index));
  auto book = std::make_shared<LogBook>();
  book->texts = shared;
  book->items.reserve(shared->entries().size());
  const auto& sources = shared->sources();
  for (const auto& entry : shared->entries()) {
    LogItem item;
    item.t = entry.t;
    item.until = entry.until;
    item.wall = entry.wall;
    item.source = sources[entry.source].name;
    item.text = shared->text(entry);
    item.why = shared->why(entry);
    item.severity = severity_of(entry.severity);
    item.relation = relation_of(entry.relation);
    book->items.push_back(item);
  }
  for (const auto& source : sources) {
    book->title += (book->title.empty() ? "" : ", ") + source.name;
    book->left_out += source.left_out + source.no_time;
    book->details.push_back(describe_source(source));
  }
  return book;
}

// Before the terminal is touched: is there such a file, and may it be read?
Result<void> check_logs(const std::vector<std::string>& files) {
  for (const auto& file : files) {
    if (file == "-") {
      return fail(Errc::bad_usage, "log lines cannot come from standard input: it is the terminal");
    }
    if (::access(file.c_str(), R_OK) != 0) {
      return fail_sys(errno, "cannot read " + file);
    }
  }
  return {};
}

// Where the lines belong in the session: its clock, its time, its processes.
Result<logs::SessionFacts> facts_of(const Recording& recording, FileSource& source) {
  auto facts = logs::read_session_facts(source.reader());
  if (!facts && facts.error().code == Errc::not_found) {
    logs::SessionFacts bare;
    bare.placement.clock.add(recording.header().started_mono, recording.header().started);
    bare.placement.window = {source.first_time(), source.last_time()};
    facts = std::move(bare);
  }
  if (facts && source.live()) {
    constexpr std::int64_t k_day_us = 86'400'000'000;
    facts->placement.window.to.us += k_day_us;  // it goes on: what its logs say next is wanted
  }
  return facts;
}

Result<std::shared_ptr<LogBook>> read_logs(const Recording& recording,
                                           const std::vector<std::string>& files) {
  TRY_ASSIGN(const auto source, FileSource::open(recording));
  TRY_ASSIGN(auto facts, facts_of(recording, *source));
  logs::LogIndexBuilder builder(facts.placement, facts.lineage);
  std::string trouble;
  for (const auto& file : files) {
    logs::SourceSpec spec;
    spec.path = file;
    spec.options.name = std::string(base_name(file));
    spec.options.zone = logs::Zone::system();
    TRY_ASSIGN(auto opened, logs::open_source(spec, facts.placement));
    if (const auto added = builder.add(std::move(opened.stream), spec.options); !added) {
      trouble += (trouble.empty() ? "" : "; ") + spec.options.name + ": " + describe(added.error());
    }
  }
  auto book = book_of(builder.finish());
  book->trouble = std::move(trouble);
  return book;
}

// Changes when a file may have grown.
std::uint64_t fingerprint(const std::vector<std::string>& files) {
  std::uint64_t sum = 0;
  for (const auto& file : files) {
    struct stat st {};
    if (::stat(file.c_str(), &st) == 0 && S_ISREG(st.st_mode)) {
      sum = sum * 31 + static_cast<std::uint64_t>(st.st_size) +
            static_cast<std::uint64_t>(st.st_mtim.tv_nsec);
    }
  }
  return sum;
}

}  // namespace

std::string_view name_of(LogRelation relation) {
  constexpr std::array<std::string_view, 4> k_names{"this session", "the same user", "this host",
                                                    "unknown"};
  return k_names[static_cast<std::size_t>(relation) % k_names.size()];
}

Result<LogBookPtr> load_logs(const Recording& recording, const std::vector<std::string>& files) {
  if (files.empty()) {
    return LogBookPtr{};
  }
  TRY_ASSIGN(auto book, read_logs(recording, files));
  return LogBookPtr(std::move(book));
}

Result<std::unique_ptr<LogThread>> LogThread::open(const Recording& recording,
                                                   std::vector<std::string> files,
                                                   std::function<void()> notify) {
  TRY(check_logs(files));
  return std::unique_ptr<LogThread>(new LogThread(recording, std::move(files), std::move(notify)));
}

LogThread::LogThread(const Recording& recording, std::vector<std::string> files,
                     std::function<void()> notify)
    : recording_(recording), files_(std::move(files)), notify_(std::move(notify)) {}

void LogThread::start() {
  if (files_.empty() || thread_.joinable()) {
    return;
  }
  auto book = std::make_shared<LogBook>();
  book->title = "reading ...";
  book->reading = true;
  book_ = std::move(book);
  thread_ = std::thread([this] { run(); });
}

LogThread::~LogThread() {
  stop_ = true;
  if (thread_.joinable()) {
    thread_.join();
  }
}

LogBookPtr LogThread::snapshot() const {
  const std::lock_guard lock(mutex_);
  return book_;
}

void LogThread::publish(LogBookPtr book) {
  {
    const std::lock_guard lock(mutex_);
    book_ = std::move(book);
  }
  notify_();
}

void LogThread::run() {
  using namespace std::chrono_literals;
  auto seen = fingerprint(files_);
  bool changed = true;
  while (!stop_) {
    const bool live = recording_.stored_state() == format::StoredState::live;
    if (changed) {
      auto book = read_logs(recording_, files_);
      if (book) {
        publish(*std::move(book));
      } else {
        auto failed = std::make_shared<LogBook>();
        failed->trouble = describe(book.error());
        publish(std::move(failed));
      }
    }
    if (!live) {
      return;
    }
    for (int i = 0; i < 20 && !stop_; ++i) {
      std::this_thread::sleep_for(50ms);
    }
    const auto now = fingerprint(files_);
    changed = now != seen;
    seen = now;
  }
}

}  // namespace sworn::player
