// SPDX-License-Identifier: Apache-2.0
// What the session file costs, without a terminal around it: writer and verifier throughput on bulk
// output and on 40-byte events, one seal, one commit to the tail. Also makes long recordings for
// the seek figures.
//   bench_format measure CORPUS [--mb N]
//   bench_format generate CORPUS OUT --mb 1024 --hours 8 [--redactor KEYFILE]
//   bench_format dump FILE            the output bytes, tail of a crashed session included, to
//   stdout
// LF of the corpus becomes CR LF, as a terminal makes it. Prints one JSON object.
#include "base/file.hpp"
#include "bench/harness.hpp"
#include "format/age_box.hpp"
#include "format/event_payload.hpp"
#include "format/key_ring.hpp"
#include "format/redactor_key.hpp"
#include "format/session_reader.hpp"
#include "format/session_writer.hpp"
#include "format/store.hpp"
#include "format/tail.hpp"
#include "format/verify.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include <unistd.h>

namespace {

using namespace sworn;
using namespace sworn::format;
using nlohmann::json;

constexpr double k_mb = 1e6;

double cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

// The time of a recording, moved by the generator.
class SetClock final : public Clock {
 public:
  MonoTime mono() override { return {k_start_us + elapsed_us}; }
  WallTime wall() override { return {1'800'000'000'000'000 + elapsed_us}; }
  ClockQuality quality() override { return {true, 500}; }
  std::int64_t elapsed_us = 0;

 private:
  static constexpr std::int64_t k_start_us = 1'000'000;
};

class MemoryFile final : public AppendFile, public ReadFile {
 public:
  Result<void> append(ByteView data) override {
    bytes.insert(bytes.end(), data.begin(), data.end());
    return {};
  }
  Result<void> sync() override { return {}; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    const std::size_t n = offset >= bytes.size() ? 0 : std::min(out.size(), bytes.size() - offset);
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), n, out.begin());
    return n;
  }
  [[nodiscard]] Result<std::uint64_t> size() const override { return bytes.size(); }
  Bytes bytes;
};

// What a recorder would see: events of one size, with the spacing and jitter of one rate.
struct Stream {
  std::size_t event_bytes = 4096;
  double gap_us = 40;
  double jitter_us = 10;
  std::int64_t seal_every_us = 1'000'000;
  std::size_t seal_every_bytes = 1U << 20U;
};

constexpr Stream k_bulk{};
constexpr Stream k_small{.event_bytes = 40,
                         .gap_us = 1'000,
                         .jitter_us = 60,
                         .seal_every_us = 1'000'000,
                         .seal_every_bytes = SIZE_MAX};

SessionHeader test_header(Clock& clock) {
  SessionHeader header;
  header.host_id = std::string(64, 'a');
  header.boot_id = "00000000-0000-4000-8000-000000000000";
  header.started = clock.wall();
  header.started_mono = clock.mono();
  header.recorder_version = "bench";
  header.mode = "standalone";
  return header;
}

// Writes `data` as one session; the clock follows the stream. `redactor`: named in the header.
Result<WriterTotals> write_session(AppendFile& file, ByteView data, const Stream& stream,
                                   std::size_t total_bytes, const WriterOptions& options = {},
                                   ByteView redactor = {}) {
  SetClock clock;
  SystemEntropy entropy;
  SessionHeader header = test_header(clock);
  header.redactors.assign(redactor.begin(), redactor.end());
  TRY_ASSIGN(auto writer, SessionWriter::create(file, clock, entropy, std::move(header), options));
  SessionStart start;
  start.argv = {"bench"};
  start.user = "bench";
  const Bytes first = encode(start);
  std::uint64_t number = 0;
  std::vector<EventView> batch{
      {number++, EventKind::session_start, clock.mono(), clock.mono(), first, false}};
  std::mt19937_64 random(1);
  std::normal_distribution<double> gap(stream.gap_us, stream.jitter_us);
  double time_us = 0;
  std::int64_t sealed_at = 0;
  std::size_t unsealed = 0;
  std::size_t at = 0;
  for (std::size_t done = 0; done < total_bytes;) {
    const std::size_t length = std::min({stream.event_bytes, data.size() - at, total_bytes - done});
    time_us += std::max(0.0, gap(random));
    clock.elapsed_us = static_cast<std::int64_t>(time_us);
    batch.push_back(
        {number++, EventKind::output, clock.mono(), clock.mono(), data.subspan(at, length), false});
    done += length;
    unsealed += length;
    at = at + length == data.size() ? 0 : at + length;
    const bool due =
        clock.elapsed_us - sealed_at >= stream.seal_every_us || unsealed >= stream.seal_every_bytes;
    if (batch.size() == 64 || due) {
      TRY(writer->append(batch));
      batch.clear();
    }
    if (due) {
      TRY(writer->seal(SealReason::interval));
      sealed_at = clock.elapsed_us;
      unsealed = 0;
    }
  }
  TRY(writer->append(batch));
  TRY(writer->finish({}));
  return writer->totals();
}

Result<json> measure_stream(ByteView data, const Stream& stream, std::size_t bytes, int rounds,
                            bool encrypted = false) {
  SystemEntropy entropy;
  RecipientGroups recipients;
  VerifyOptions keys;
  KeyRing ring;
  if (encrypted) {
    TRY_ASSIGN(auto identity, AgeIdentity::generate(entropy));
    recipients.push_back({identity.recipient()});
    ring.add(std::move(identity));
    keys.keys = &ring;
  }
  WriterOptions options;
  options.recipients = encrypted ? &recipients : nullptr;
  double best_write = 1e9;
  double best_verify = 1e9;
  MemoryFile file;
  WriterTotals totals;
  for (int i = 0; i < rounds; ++i) {
    file.bytes.clear();
    file.bytes.reserve(bytes);
    const double begin = cpu_seconds();
    TRY_ASSIGN(totals, write_session(file, data, stream, bytes, options));
    const double written = cpu_seconds();
    TRY_ASSIGN(const auto report, verify(file, {}, keys));
    best_write = std::min(best_write, written - begin);
    best_verify = std::min(best_verify, cpu_seconds() - written);
    if (report.verdict != Verdict::self_consistent) {
      return fail(Errc::corrupt, "verify says " + std::string(name_of(report.verdict)));
    }
  }
  const auto raw = static_cast<double>(totals.raw_bytes);
  return json{{"event_bytes", stream.event_bytes},
              {"raw_bytes", totals.raw_bytes},
              {"events", totals.events},
              {"chunks", totals.chunks},
              {"seals", totals.seals},
              {"stored_ratio", static_cast<double>(file.bytes.size()) / raw},
              {"write_mb_s", raw / k_mb / best_write},
              {"write_ns_per_event", best_write * 1e9 / static_cast<double>(totals.events)},
              {"verify_mb_s", raw / k_mb / best_verify}};
}

// One Enter at a prompt: a few small events, then a seal, on a real file without sync.
Result<json> measure_seals(const std::string& directory, int seals) {
  SystemClock clock;
  SystemEntropy entropy;
  const std::string path = fmt::format("{}/seals-{}", directory, ::getpid());
  TRY_ASSIGN(auto file, PosixAppendFile::create(path));
  ::unlink(path.c_str());
  TRY_ASSIGN(auto writer, SessionWriter::create(*file, clock, entropy, test_header(clock)));
  const Bytes text = to_bytes("total 24\r\n-rw-r--r-- 1 root root 1234 Nov 21 03:00 file\r\n$ ");
  std::vector<double> with_key;
  std::vector<double> without_key;
  std::uint64_t number = 0;
  std::uint64_t stored = 0;
  for (int i = 0; i < seals; ++i) {
    const bool prepare = i % 2 == 0;
    if (prepare) {
      TRY(writer->prepare_key());
    }
    std::vector<EventView> events;
    for (int k = 0; k < 6; ++k) {
      const auto t = clock.mono();
      events.push_back({number++, EventKind::output, t, t, text, false});
    }
    stored = writer->totals().stored_bytes;
    const std::int64_t begin = bench::now_ns();
    TRY(writer->append(events));
    TRY(writer->seal(SealReason::critical));
    (prepare ? with_key : without_key)
        .push_back(static_cast<double>(bench::now_ns() - begin) / 1e3);
    stored = writer->totals().stored_bytes - stored;
  }
  return json{{"prepared_p50_us", bench::percentile(with_key, 0.5)},
              {"prepared_p99_us", bench::percentile(with_key, 0.99)},
              {"unprepared_p50_us", bench::percentile(without_key, 0.5)},
              {"unprepared_p99_us", bench::percentile(without_key, 0.99)},
              {"stored_bytes", stored},
              {"event_bytes", 6 * text.size()}};
}

// reserve + copy + commit, the worker's release included: ns per event of one size.
Result<double> tail_ns(const std::string& directory, std::size_t bytes, int events,
                       bool encrypted = false) {
  const std::string path = fmt::format("{}/tail-{}", directory, ::getpid());
  std::unique_ptr<TailKey> key;
  if (encrypted) {
    TRY_ASSIGN(auto made, TailKey::create(FileId{}, Key{}));
    key = std::make_unique<TailKey>(std::move(made));
  }
  TRY_ASSIGN(auto tail, TailWriter::create(path, FileId{}, k_tail_half_bytes, std::move(key)));
  const Bytes data(bytes, std::byte{'x'});
  SystemClock clock;
  const std::int64_t begin = bench::now_ns();
  for (int i = 0; i < events; ++i) {
    const auto t = clock.mono();
    if (!tail->put(EventKind::output, t, t, data)) {
      tail->release(tail->next_number());
      TRY(tail->put(EventKind::output, t, t, data));
    }
  }
  const auto spent = static_cast<double>(bench::now_ns() - begin);
  TRY(tail->remove());
  return spent / events;
}

Bytes with_crlf(ByteView data) {
  Bytes out;
  out.reserve(data.size() + data.size() / 20);
  for (const std::byte b : data) {
    if (b == std::byte{'\n'}) {
      out.push_back(std::byte{'\r'});
    }
    out.push_back(b);
  }
  return out;
}

// All output of a session file, closed, crashed or salvaged.
Result<json> dump(const std::string& path) {
  TRY_ASSIGN(const auto file, PosixReadFile::open(path));
  TRY_ASSIGN(const auto reader, SessionReader::open(*file));
  if (::access(tail_path(path).c_str(), R_OK) == 0) {
    TRY_ASSIGN(auto tail,
               read_tail(tail_path(path), reader->header().file_id, reader->event_count()));
    reader->set_tail(std::move(tail.events));
  }
  for (;;) {
    TRY_ASSIGN(const auto event, reader->next());
    if (!event) {
      return json();
    }
    if (event->kind == EventKind::output || event->kind == EventKind::error_output) {
      TRY(write_all(STDOUT_FILENO, event->data));
    }
  }
}

// Raw seeks by time to random moments: with everything opened anew each time, as a program that is
// asked once does it, and on a reader that is already open.
Result<json> measure_seeks(const std::string& path, int count) {
  std::mt19937_64 random(7);
  std::vector<double> anew_ms;
  std::vector<double> open_ms;
  const auto seek = [&](SessionReader& reader) -> Result<void> {
    const std::int64_t span = reader.last_time().us - reader.first_time().us;
    const auto ahead = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(span + 1));
    const MonoTime wanted{reader.first_time().us + ahead};
    TRY(reader.seek_time(wanted));
    TRY_ASSIGN(const auto event, reader.next());
    if (event && event->t < wanted) {
      return fail(Errc::corrupt, "a seek went to an earlier event");
    }
    return {};
  };
  TRY_ASSIGN(const auto kept_file, PosixReadFile::open(path));
  TRY_ASSIGN(const auto kept, SessionReader::open(*kept_file));
  for (int i = 0; i < count; ++i) {
    std::int64_t begin = bench::now_ns();
    TRY_ASSIGN(const auto file, PosixReadFile::open(path));
    TRY_ASSIGN(const auto reader, SessionReader::open(*file));
    TRY(seek(*reader));
    anew_ms.push_back(static_cast<double>(bench::now_ns() - begin) / 1e6);
    begin = bench::now_ns();
    TRY(seek(*kept));
    open_ms.push_back(static_cast<double>(bench::now_ns() - begin) / 1e6);
  }
  const auto tell = [](const std::vector<double>& samples) {
    return json{{"p50", bench::percentile(samples, 0.5)},
                {"p99", bench::percentile(samples, 0.99)},
                {"worst", bench::percentile(samples, 1.0)}};
  };
  return json{{"anew_ms", tell(anew_ms)}, {"open_ms", tell(open_ms)}};
}

struct Options {
  std::string corpus;
  std::string out;
  std::size_t mb = 64;
  double hours = 8;
  std::size_t event_bytes = 4096;
  std::string directory = "/tmp";
  std::string redactor;  // file with the key that the header names
  bool quick = false;
  int count = 200;
};

Result<json> measure(const Options& options, ByteView data) {
  const std::size_t bytes = std::min(data.size(), options.mb << 20U);
  const int rounds = options.quick ? 1 : 3;
  TRY_ASSIGN(auto bulk, measure_stream(data, k_bulk, bytes, rounds));
  TRY_ASSIGN(auto small, measure_stream(data, k_small, bytes / 4, rounds));
  TRY_ASSIGN(auto seal, measure_seals(options.directory, options.quick ? 100 : 4'000));
  const int events = options.quick ? 10'000 : 400'000;
  TRY_ASSIGN(const double tail_40, tail_ns(options.directory, 40, events));
  TRY_ASSIGN(const double tail_4096, tail_ns(options.directory, 4096, events / 4));
  TRY_ASSIGN(auto sealed_bulk, measure_stream(data, k_bulk, bytes, rounds, true));
  TRY_ASSIGN(auto sealed_small, measure_stream(data, k_small, bytes / 4, rounds, true));
  TRY_ASSIGN(const double sealed_40, tail_ns(options.directory, 40, events, true));
  TRY_ASSIGN(const double sealed_4096, tail_ns(options.directory, 4096, events / 4, true));
  return json{{"encrypted_bulk", sealed_bulk},
              {"encrypted_small", sealed_small},
              {"encrypted_tail_40_ns", sealed_40},
              {"encrypted_tail_4096_ns", sealed_4096},
              {"bulk", bulk},
              {"small", small},
              {"seal", seal},
              {"tail_commit_40_ns", tail_40},
              {"tail_commit_4096_ns", tail_4096}};
}

Result<json> generate(const Options& options, ByteView data) {
  Stream stream;
  stream.event_bytes = options.event_bytes;
  const std::size_t bytes = options.mb << 20U;
  const auto events = static_cast<double>(bytes) / static_cast<double>(stream.event_bytes);
  stream.gap_us = options.hours * 3.6e9 / events;
  stream.jitter_us = stream.gap_us / 4;
  PublicKey redactor{};
  if (!options.redactor.empty()) {
    TRY_ASSIGN(const auto key, read_redactor_key(options.redactor));
    redactor = key.public_key();
  }
  TRY_ASSIGN(auto file, PosixAppendFile::create(options.out));
  TRY_ASSIGN(const auto totals,
             write_session(*file, data, stream, bytes, {},
                           options.redactor.empty() ? ByteView() : ByteView(redactor)));
  return json{{"raw_bytes", totals.raw_bytes},
              {"stored_bytes", totals.stored_bytes},
              {"events", totals.events},
              {"seals", totals.seals},
              {"seconds", options.hours * 3600}};
}

Result<json> run(const Options& options, bool generating) {
  TRY_ASSIGN(const auto corpus, read_whole_file(options.corpus, 1ULL << 30U));
  if (corpus.empty()) {
    return fail(Errc::bad_usage, "the corpus is empty");
  }
  const Bytes data = with_crlf(corpus);
  return generating ? generate(options, data) : measure(options, data);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("what the session file costs, as JSON");
  app.require_subcommand(1);
  Options options;
  auto* const measuring = app.add_subcommand("measure", "throughput, seals, tail");
  measuring->add_option("corpus", options.corpus)->required();
  measuring->add_option("--mb", options.mb)->check(CLI::Range(1, 1024));
  measuring->add_option("--directory", options.directory, "for the files of seals and tail");
  measuring->add_flag("--quick", options.quick, "few rounds: does it run?");
  auto* const generating = app.add_subcommand("generate", "a long recording");
  generating->add_option("corpus", options.corpus)->required();
  generating->add_option("out", options.out)->required();
  generating->add_option("--mb", options.mb)->check(CLI::Range(1, 16'384));
  generating->add_option("--hours", options.hours)->check(CLI::PositiveNumber);
  generating->add_option("--redactor", options.redactor, "key file; the header names it");
  generating->add_option("--event-bytes", options.event_bytes)->check(CLI::Range(1, 65'536));
  auto* const dumping = app.add_subcommand("dump", "output bytes to stdout");
  dumping->add_option("file", options.corpus)->required();
  auto* const seeking = app.add_subcommand("seek", "to random times of a recording");
  seeking->add_option("file", options.corpus)->required();
  seeking->add_option("--count", options.count)->check(CLI::Range(1, 1'000'000));
  CLI11_PARSE(app, argc, argv);
  const auto done = dumping->parsed()   ? dump(options.corpus)
                    : seeking->parsed() ? measure_seeks(options.corpus, options.count)
                                        : run(options, generating->parsed());
  if (!done) {
    fmt::print(stderr, "bench_format: {}\n", describe(done.error()));
    return 125;
  }
  if (!done->is_null()) {
    fmt::print("{}\n", done->dump());
  }
  return 0;
}
