// SPDX-License-Identifier: Apache-2.0
#include "player/player_app.hpp"

#include "player/audit_book.hpp"
#include "player/curses_ui.hpp"
#include "player/export.hpp"
#include "player/index_cache.hpp"
#include "player/log_loader.hpp"
#include "player/model.hpp"
#include "player/session_info.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <mutex>
#include <thread>

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

namespace sworn::player {
namespace {

std::string own_name() {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) == 0 &&
      found != nullptr) {
    return found->pw_name;
  }
  return std::to_string(::getuid());
}

// Threads that work off searches; they end with the player.
class SearchThreads {
 public:
  explicit SearchThreads(std::function<void()> notify) : notify_(std::move(notify)) {}
  ~SearchThreads() {
    for (auto& [run, thread] : running_) {
      run->cancel();
      thread.join();
    }
  }
  SearchThreads(const SearchThreads&) = delete;
  SearchThreads& operator=(const SearchThreads&) = delete;

  void start(const std::shared_ptr<SearchRun>& run) {
    std::erase_if(running_, [](auto& item) {
      const bool done = item.first->finished();
      if (done) {
        item.second.join();
      }
      return done;
    });
    running_.emplace_back(run, std::thread([run, this] { run->work(notify_); }));
  }

 private:
  std::function<void()> notify_;
  std::vector<std::pair<std::shared_ptr<SearchRun>, std::thread>> running_;
};

// Passes reports of background threads on to the terminal's wait, as long as there is one.
class Notifier {
 public:
  void attach(UserInterface* ui) {
    const std::lock_guard lock(mutex_);
    ui_ = ui;
  }
  void operator()() {
    const std::lock_guard lock(mutex_);
    if (ui_ != nullptr) {
      ui_->notify();
    }
  }

 private:
  std::mutex mutex_;
  UserInterface* ui_ = nullptr;
};

struct Request {
  std::optional<PlaceSpec> place;
  std::shared_ptr<const Matcher> matcher;
};

Result<Request> parse_request(const PlayerOptions& options) {
  Request request;
  if (options.at) {
    TRY_ASSIGN(request.place, parse_place(*options.at));
  }
  if (options.search) {
    TRY_ASSIGN(request.matcher, Matcher::compile(*options.search, PatternKind::regex));
  }
  return request;
}

// Keeps the index once it is complete, for the next time; worth it only where making it again would
// be felt.
void save_index(const IndexCache& cache, const IndexState& index, const Integrity& integrity) {
  constexpr std::size_t k_worth_it = 4;
  const auto progress = index.progress();
  if (!cache.usable() || index.from_cache() || !progress.complete || progress.live ||
      !progress.error.empty() || index.keyframes()->all().size() < k_worth_it) {
    return;
  }
  const bool verified =
      integrity.report != nullptr && integrity.report->verdict == format::Verdict::self_consistent;
  // A cache that cannot be written is no cache: nothing is lost but time.
  [[maybe_unused]] const auto saved = cache.save(index, verified);
}

// A file of its own that nobody else reads; what exists is left alone.
Result<Fd> create_file(const std::string& path) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) {
    return fail_sys(errno, "cannot create " + path);
  }
  return fd;
}

Result<void> write_new_file(const std::string& path, std::string_view text) {
  TRY_ASSIGN(const auto fd, create_file(path));
  return write_all(fd.get(), as_bytes(text));
}

Result<ExportFormat> format_of_name(const std::string& path) {
  constexpr std::array<std::pair<std::string_view, ExportFormat>, 5> k_endings{
      {{".cast", ExportFormat::asciicast3},
       {".txt", ExportFormat::text},
       {".jsonl", ExportFormat::jsonl},
       {".html", ExportFormat::html},
       {".svg", ExportFormat::svg}}};
  for (const auto& [ending, format] : k_endings) {
    if (path.ends_with(ending)) {
      return format;
    }
  }
  return fail(Errc::bad_usage, "the name ends in .cast, .txt, .jsonl, .html or .svg");
}

Result<std::string> write_clip(const Recording& recording, const ClipRequest& request) {
  ExportOptions options;
  TRY_ASSIGN(options.format, format_of_name(request.path));
  const auto place = [](std::uint64_t position) {
    return position == 0 ? std::string("start") : fmt::format("event {}", position - 1);
  };
  if (request.from) {
    options.from = place(*request.from);
  }
  if (request.to) {
    options.to = place(*request.to);
  }
  TRY_ASSIGN(const auto fd, create_file(request.path));
  const auto report = export_recording(recording.path(), options, [&fd](std::string_view text) {
    return write_all(fd.get(), as_bytes(text));
  });
  if (!report) {
    ::unlink(request.path.c_str());  // it was made just now
    return tl::make_unexpected(report.error());
  }
  return fmt::format("{} events exported to {} as {}, a derived copy", report->events, request.path,
                     name_of(options.format));
}

void apply(const PlayerOptions& options, const Request& request, Model& model) {
  model.set_speed(options.speed);
  if (options.idle_limit_seconds) {
    model.set_idle_limit(static_cast<std::int64_t>(*options.idle_limit_seconds * 1e6));
  }
  if (request.place) {
    // Shown in the status line as well; the player stays open at the start.
    [[maybe_unused]] const auto opened = model.open_at(*request.place);
  }
  if (options.follow) {
    model.handle(*parse_key("F"));
  } else if (options.play) {
    model.play();
  }
}

void run_loop(Model& model, UserInterface& ui, const Request& request) {
  constexpr std::int64_t k_retry_us = 20'000;
  bool mouse = model.mouse();
  ui.set_mouse(mouse);
  bool search_pending = request.matcher != nullptr;
  while (!model.quit()) {
    model.tick();
    if (search_pending && model.index_complete()) {
      model.open_search(request.matcher);
      search_pending = false;
    }
    const bool drawn = ui.draw(model.frame(ui.size()));
    const auto sleep = model.next_wake_us();
    switch (ui.wait(drawn ? sleep : k_retry_us)) {
      case Wake::stop:
        return;
      case Wake::key:
        while (const auto key = ui.key()) {
          model.handle(*key);
        }
        break;
      case Wake::resized:
      case Wake::timeout:
      case Wake::notified:
        break;
    }
    if (mouse != model.mouse()) {
      mouse = model.mouse();
      ui.set_mouse(mouse);
    }
  }
}

}  // namespace

Result<int> run_player(const PlayerOptions& options) {
  TRY_ASSIGN(const auto request, parse_request(options));
  TRY_ASSIGN(const auto recording, Recording::open(options.file));
  TRY_ASSIGN(auto replay_source, recording->open_source());
  TRY_ASSIGN(auto index_source, recording->open_source());
  SystemClock clock;
  Notifier notifier;
  const auto notify = [&notifier] { notifier(); };
  TRY_ASSIGN(const auto logs, LogThread::open(*recording, options.log_files, notify));
  const char* const no_colour = std::getenv("NO_COLOR");
  const char* const sync = std::getenv("SWORN_TEST_SYNC");
  TRY_ASSIGN(auto ui,
             open_curses_ui({.colours = no_colour == nullptr || no_colour[0] == '\0',
                             .test_sync = sync != nullptr && std::string_view(sync) == "1"}));
  notifier.attach(ui.get());
  logs->start();

  const IndexCache cache(*recording, options.cache);
  auto index = std::make_shared<IndexState>(cache.new_store());
  [[maybe_unused]] const auto loaded = cache.load(*index);  // what is no use is as good as nothing
  const auto& setup = recording->setup();
  SearchThreads searches(notify);
  std::optional<IntegrityThread> integrity;
  if (options.verify == VerifyMode::background) {
    integrity.emplace(*recording, notify);
  }
  IndexThread indexing(std::make_unique<Indexer>(std::move(index_source), setup, index), index,
                       notify);
  AuditThread audit(*recording, notify);
  ModelParts parts;
  parts.clock = &clock;
  parts.replay = std::make_unique<Replay>(std::move(replay_source), setup, index->keyframes());
  parts.index = index;
  parts.info = session_info(*recording);
  parts.notes = Notes::open(recording->path(), format::to_hex(recording->header().file_id));
  parts.author = own_name();
  parts.integrity = [&integrity] { return integrity ? integrity->snapshot() : Integrity{}; };
  parts.logs = [&logs] { return logs->snapshot(); };
  parts.audit = [&audit] { return audit.snapshot(); };
  parts.request_audit = [&audit] { audit.request(); };
  parts.open_source = [&recording] { return recording->open_source(); };
  parts.write_file = write_new_file;
  parts.export_clip = [&recording](const ClipRequest& clip) {
    return write_clip(*recording, clip);
  };
  parts.search_threads = std::clamp(std::thread::hardware_concurrency(), 1U, 8U);
  parts.run_search = [&searches](const std::shared_ptr<SearchRun>& run) { searches.start(run); };
  parts.ascii = !locale_is_utf8();
  Model model(std::move(parts));
  apply(options, request, model);
  run_loop(model, *ui, request);
  notifier.attach(nullptr);
  ui.reset();  // the terminal first: ending the threads may take a moment
  save_index(cache, *index, integrity ? integrity->snapshot() : Integrity{});
  return 0;
}

}  // namespace sworn::player
