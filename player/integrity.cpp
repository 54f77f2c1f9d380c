// SPDX-License-Identifier: Apache-2.0
#include "player/integrity.hpp"

#include "format/trust.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace sworn::player {
namespace {

// Lets go of a verification that nobody waits for any more.
class StoppableFile final : public ReadFile {
 public:
  StoppableFile(const ReadFile& file, const std::atomic<bool>& stop) : file_(file), stop_(stop) {}
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    if (stop_) {
      return fail(Errc::io, "verification was stopped");
    }
    return file_.read_at(offset, out);
  }
  [[nodiscard]] Result<std::uint64_t> size() const override { return file_.size(); }

 private:
  const ReadFile& file_;
  const std::atomic<bool>& stop_;
};

std::string sealed_until(const format::VerifyReport& report) {
  return report.sealed_until ? format_rfc3339(*report.sealed_until, 0).substr(11, 8) : "?";
}

Badge badge_of_report(const format::VerifyReport& report, bool live) {
  using format::Verdict;
  switch (report.verdict) {
    case Verdict::self_consistent:
      if (report.recovered) {
        return {"RECOVERED, part not sealed", BadgeLevel::warning};
      }
      if (report.redacted_events != 0) {
        return {fmt::format("SEALED, {} redacted", report.redacted_events), BadgeLevel::warning};
      }
      return {report.gaps == 0 ? "SEALED" : fmt::format("SEALED, {} gaps", report.gaps),
              report.gaps == 0 ? BadgeLevel::good : BadgeLevel::warning};
    case Verdict::incomplete:
      if (live) {
        return {"OPEN live", BadgeLevel::neutral};
      }
      return {fmt::format("INCOMPLETE, sealed to {}", sealed_until(report)), BadgeLevel::warning};
    case Verdict::locked:
      return {"REDACTED, not opened", BadgeLevel::warning};
    case Verdict::redaction_refused:
      return {"REDACTED by an unnamed key", BadgeLevel::warning};
    case Verdict::unsealed:
      return {live ? "OPEN live, no seal yet" : "UNSEALED", BadgeLevel::warning};
    case Verdict::tampered: {
      const auto worst = std::find_if(
          report.findings.begin(), report.findings.end(),
          [](const auto& finding) { return finding.severity == format::Severity::failure; });
      return {worst == report.findings.end() ? std::string("BAD")
                                             : fmt::format("BAD at byte {}", worst->offset),
              BadgeLevel::bad};
    }
    case Verdict::unsupported:
      return {"UNVERIFIED, unknown version", BadgeLevel::warning};
  }
  return {"UNVERIFIED", BadgeLevel::warning};
}

}  // namespace

Style style_of(BadgeLevel level) {
  switch (level) {
    case BadgeLevel::neutral:
      return styles::k_bold;
    case BadgeLevel::good:
      return styles::k_good;
    case BadgeLevel::warning:
      return styles::k_warn;
    case BadgeLevel::bad:
      return styles::k_bad;
  }
  return styles::k_plain;
}

Badge badge_of(const Integrity& integrity, const std::string& verified_to) {
  switch (integrity.state) {
    case IntegrityState::off:
      return {"UNVERIFIED, not asked for", BadgeLevel::warning};
    case IntegrityState::running: {
      if (integrity.report != nullptr) {
        // An earlier answer stands until the next one is there.
        return badge_of_report(*integrity.report, integrity.live);
      }
      const auto percent =
          integrity.total_bytes == 0 ? 0 : integrity.done_bytes * 100 / integrity.total_bytes;
      return {fmt::format("verified to {} ({} %)", verified_to, percent), BadgeLevel::neutral};
    }
    case IntegrityState::done:
      return badge_of_report(*integrity.report, integrity.live);
    case IntegrityState::failed:
      return {"UNVERIFIED, " + integrity.error, BadgeLevel::warning};
  }
  return {};
}

std::vector<std::string> integrity_lines(const Integrity& integrity) {
  std::vector<std::string> lines;
  if (integrity.report == nullptr) {
    lines.push_back(integrity.state == IntegrityState::running ? "verification is running"
                    : integrity.state == IntegrityState::failed
                        ? "verification was not possible: " + integrity.error
                        : "not verified (--no-verify)");
    return lines;
  }
  const auto& report = *integrity.report;
  lines.push_back(fmt::format("verdict       {}", format::name_of(report.verdict)));
  lines.push_back(fmt::format("integrity     {} seals over {} chunks and {} events, {} of {} bytes",
                              report.seals, report.chunks, report.events, report.sealed_bytes,
                              report.file_bytes));
  lines.push_back(fmt::format("completeness  {}; {} gaps, {} unsealed records, {} late bytes",
                              report.closed ? "closed" : "not closed", report.gaps,
                              report.unsealed_records, report.late_bytes));
  lines.push_back(fmt::format("identity      first key {} (NOT PINNED)",
                              format::to_hex(report.first_key).substr(0, 16)));
  lines.push_back(fmt::format("root          {}", format::to_hex(report.root)));
  if (report.sealed_until) {
    lines.push_back(fmt::format("sealed until  {}", format_rfc3339(*report.sealed_until, 3)));
  }
  for (const auto& finding : report.findings) {
    const auto level = finding.severity == format::Severity::failure   ? "FAILURE"
                       : finding.severity == format::Severity::warning ? "warning"
                                                                       : "note";
    lines.push_back(
        fmt::format("{:<8} byte {}: {} ({})", level, finding.offset, finding.text, finding.code));
  }
  return lines;
}

IntegrityThread::IntegrityThread(const Recording& recording, std::function<void()> notify)
    : recording_(recording), notify_(std::move(notify)) {
  state_.state = IntegrityState::running;
  state_.verified_to = recording.header().started_mono;
  thread_ = std::thread([this] { run(); });
}

IntegrityThread::~IntegrityThread() {
  stop_ = true;
  thread_.join();
}

Integrity IntegrityThread::snapshot() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void IntegrityThread::verify_once() {
  std::vector<format::ChunkRef> chunks;
  if (const auto reader = format::SessionReader::open(recording_.file())) {
    chunks = (*reader)->chunks();
  }
  auto told = std::chrono::steady_clock::now();
  const auto progress = [&](std::uint64_t done, std::uint64_t total) {
    const auto it = std::upper_bound(
        chunks.begin(), chunks.end(), done,
        [](std::uint64_t wanted, const format::ChunkRef& chunk) { return wanted < chunk.offset; });
    {
      const std::lock_guard lock(mutex_);
      state_.done_bytes = done;
      state_.total_bytes = total;
      if (it != chunks.begin()) {
        state_.verified_to = std::prev(it)->t_last;
      }
    }
    if (const auto now = std::chrono::steady_clock::now();
        now - told > std::chrono::milliseconds(100)) {
      told = now;
      notify_();
    }
  };
  const StoppableFile file(recording_.file(), stop_);
  auto report = format::verify(file, progress, {format::named_redactor_keys()});
  const std::lock_guard lock(mutex_);
  if (!report) {
    state_.state = IntegrityState::failed;
    state_.error = describe(report.error());
    return;
  }
  const bool was_bad =
      state_.report != nullptr && state_.report->verdict == format::Verdict::tampered;
  if (!was_bad) {
    state_.report = std::make_shared<const format::VerifyReport>(*std::move(report));
  }
  state_.state = IntegrityState::done;
}

void IntegrityThread::run() {
  while (!stop_) {
    const bool live = recording_.stored_state() == format::StoredState::live;
    {
      const std::lock_guard lock(mutex_);
      state_.live = live;
      state_.state = IntegrityState::running;
    }
    verify_once();
    notify_();
    if (!live) {
      return;
    }
    // A live recording is verified again now and then, and once it is closed.
    for (int i = 0; i < 100 && !stop_; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      if (recording_.stored_state() != format::StoredState::live) {
        break;
      }
    }
  }
}

}  // namespace sworn::player
