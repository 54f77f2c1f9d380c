// SPDX-License-Identifier: Apache-2.0
#include "recorder/sudo/sudo_recording.hpp"

#include "format/digest.hpp"
#include "format/ledger_session.hpp"
#include "format/store.hpp"
#include "recorder/session_info.hpp"

#include <algorithm>
#include <cerrno>

#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sworn::recorder::sudo {
namespace {

using format::EventKind;

constexpr std::size_t k_max_event = 4096;
constexpr std::int64_t k_heartbeat_us = 60'000'000;
constexpr const char* k_policy =
    "mode=host\nby=sudo\ninput=none\nsync=interval\non_failure=terminate\n";

// 4294967295 is the kernel's word for "not set"; the ledger's is -1.
std::int64_t or_unset(std::uint32_t value) {
  return value == 0xFFFFFFFF ? -1 : static_cast<std::int64_t>(value);
}

gid_t readers() {
  const group* entry = ::getgrnam("sworn-audit");
  return entry != nullptr ? entry->gr_gid : 0;
}

}  // namespace

SudoRecording::~SudoRecording() = default;

Result<std::unique_ptr<SudoRecording>> SudoRecording::open(const SudoFacts& facts) {
  auto out = std::unique_ptr<SudoRecording>(new SudoRecording);
  if (auto begun = out->begin(facts); !begun) {
    if (!out->final_path_.empty()) {
      host::discard_session(out->paths_, out->final_path_);
    }
    return tl::make_unexpected(begun.error());
  }
  return out;
}

Result<void> SudoRecording::begin(const SudoFacts& facts) {
  TRY_ASSIGN(auto disk, format::PosixLedgerDisk::open(paths_.ledger(), false));
  TRY_ASSIGN(ledger_, format::Ledger::open(std::move(disk), clock_, entropy_, {}));
  format::FileId id{};
  TRY(entropy_.fill(id));
  const std::string path =
      paths_.sessions() + "/" + format::session_file_name(facts.hostname, clock_.wall(), id);
  TRY_ASSIGN(auto files, host::create_session_files(paths_, path, readers()));
  final_path_ = path;
  file_ = std::make_unique<PosixAppendFile>(std::move(files.part));

  auto header = make_header(Options{}, clock_);
  header.mode = "host";
  header.policy_digest = format::to_hex(format::sha256(as_bytes(k_policy)));
  header.ledger = encode(format::make_ledger_reference(*ledger_));
  TRY_ASSIGN(writer_, format::SessionWriter::create(*file_, clock_, entropy_, std::move(header)));
  TRY_ASSIGN(tail_, format::TailWriter::adopt(std::move(files.tail), writer_->header().file_id));

  format::SessionStart start = make_session_start(Options{});
  start.user = facts.user;
  start.uid = facts.uid;
  start.hostname = facts.hostname;
  start.tty = facts.tty;
  start.terminal = facts.terminal;
  start.size = facts.size;
  start.argv = bounded_argv(facts.argv);
  start.cwd = facts.cwd;
  start.reason = "sudo as " + facts.runas;
  start.policy = k_policy;
  start.input_policy = "none";
  start.recorder_pid = ::getpid();
  const ClockQuality quality = clock_.quality();
  TRY(put(EventKind::session_start, encode(start)));
  TRY(put(EventKind::clock, encode(format::ClockSample{clock_.wall(), quality.synchronised,
                                                       quality.max_error_us, "start"})));
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0 || ::isatty(STDERR_FILENO) == 0) {
    TRY(put(EventKind::gap,
            encode(format::Gap{"sudo_pipes", 0, 0,
                               "what goes through pipes and files is not recorded"})));
  }
  TRY(seal(format::SealReason::critical));

  TRY_ASSIGN(const auto written, PosixReadFile::open(format::part_path(final_path_)));
  TRY_ASSIGN(const auto identity, format::read_session_identity(*written));
  format::LedgerSessionOpen fact;
  fact.file_id = identity.file_id;
  fact.first_key = identity.first_key;
  fact.header = identity.header_leaf;
  fact.name = final_path_.substr(final_path_.rfind('/') + 1);
  fact.user = facts.user;
  fact.loginuid = or_unset(start.loginuid);
  fact.audit_session = or_unset(start.audit_ses);
  TRY(ledger_->append(std::move(fact)));
  return {};
}

Result<void> SudoRecording::put(EventKind kind, ByteView data) {
  do {
    const auto piece = data.first(std::min(data.size(), k_max_event));
    data = data.subspan(piece.size());
    const MonoTime now = clock_.mono();
    auto done = tail_->put(kind, now, now, piece);
    if (!done && done.error().code == Errc::exhausted) {
      TRY(seal(format::SealReason::saturated));
      done = tail_->put(kind, now, now, piece);
    }
    if (!done) {
      return tl::make_unexpected(done.error());
    }
    fresh_ = true;
  } while (!data.empty());
  return {};
}

Result<void> SudoRecording::seal(format::SealReason reason) {
  const auto pending = tail_->pending(writer_->next_event_number());
  TRY(writer_->append(pending));
  TRY(writer_->seal(reason));
  tail_->release(writer_->sealed_events());
  last_seal_ = clock_.mono();
  fresh_ = false;
  return {};
}

Result<void> SudoRecording::tick() {
  if (fresh_) {
    TRY(seal(format::SealReason::interval));
    return file_->sync();
  }
  if (clock_.mono().us - last_seal_.us >= k_heartbeat_us) {
    TRY(seal(format::SealReason::heartbeat));
    return file_->sync();
  }
  return {};
}

Result<void> SudoRecording::close(int wait_status) {
  format::Exit exit;
  std::string text;
  if (WIFSIGNALED(wait_status)) {
    exit.signal = WTERMSIG(wait_status);
    text = "signalled " + std::to_string(exit.signal);
  } else {
    exit.status = WEXITSTATUS(wait_status);
    text = "exited " + std::to_string(exit.status);
  }
  TRY(put(EventKind::exit, encode(exit)));
  const auto pending = tail_->pending(writer_->next_event_number());
  TRY(writer_->append(pending));
  TRY(writer_->finish({}));
  TRY(file_->sync());
  TRY(host::publish_session(paths_, final_path_, false));
  const auto seal_point = writer_->last_seal();
  if (!seal_point) {
    return fail(Errc::corrupt, "the final seal is missing");
  }
  TRY_ASSIGN(const auto file, PosixReadFile::open(final_path_));
  TRY_ASSIGN(const auto digest, format::digest_of(*file));
  format::LedgerSessionClose fact;
  fact.mark = {writer_->header().file_id, seal_point->seal_no, seal_point->tree_size,
               seal_point->root};
  fact.file_digest = digest.digest;
  fact.exit = text;
  TRY(ledger_->append(std::move(fact)));
  return {};
}

}  // namespace sworn::recorder::sudo
