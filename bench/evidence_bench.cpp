// SPDX-License-Identifier: Apache-2.0
// What the evidence costs: bytes and microseconds of one seal, one Enter (input, echo and a
// critical seal), one heartbeat of a session, one ledger entry; each on a real file, the ledger's
// with its syncs.
//   bench_evidence [--rounds N] [--directory DIR]     prints one JSON object
#include "base/file.hpp"
#include "bench/harness.hpp"
#include "format/ledger.hpp"
#include "format/session_writer.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <functional>

#include <unistd.h>

namespace {

using namespace sworn;
using namespace sworn::format;
using nlohmann::json;

struct Cost {
  std::vector<double> us;
  std::vector<double> bytes;
  [[nodiscard]] json report() {
    return json{{"p50_us", bench::percentile(us, 0.5)},
                {"p99_us", bench::percentile(us, 0.99)},
                {"bytes", bench::percentile(bytes, 0.5)}};
  }
};

class Session {
 public:
  Result<void> open(const std::string& directory) {
    const std::string path = fmt::format("{}/evidence-{}", directory, ::getpid());
    TRY_ASSIGN(file_, PosixAppendFile::create(path));
    ::unlink(path.c_str());
    SessionHeader header;
    header.started = clock_.wall();
    header.started_mono = clock_.mono();
    header.mode = "standalone";
    TRY_ASSIGN(writer_, SessionWriter::create(*file_, clock_, entropy_, header));
    return {};
  }
  // The events of one round, then a seal; the key is made before, as the recorder does.
  Result<Cost> measure(int rounds, SealReason reason,
                       const std::vector<std::pair<EventKind, std::string>>& texts) {
    Cost cost;
    for (int i = 0; i < rounds; ++i) {
      TRY(writer_->prepare_key());
      const auto before = writer_->totals().stored_bytes;
      const std::int64_t begin = bench::now_ns();
      for (const auto& [kind, text] : texts) {
        const auto t = clock_.mono();
        const EventView event{number_++, kind, t, t, as_bytes(text), false};
        TRY(writer_->append({&event, 1}));
      }
      TRY(writer_->seal(reason));
      cost.us.push_back(static_cast<double>(bench::now_ns() - begin) / 1e3);
      cost.bytes.push_back(static_cast<double>(writer_->totals().stored_bytes - before));
    }
    return cost;
  }
  [[nodiscard]] SealPoint last_seal() const { return *writer_->last_seal(); }
  [[nodiscard]] const FileId& id() const { return writer_->header().file_id; }

 private:
  SystemClock clock_;
  SystemEntropy entropy_;
  std::unique_ptr<PosixAppendFile> file_;
  std::unique_ptr<SessionWriter> writer_;
  std::uint64_t number_ = 0;
};

Result<Cost> measure_ledger(const std::string& directory, int rounds, const Session& session) {
  const std::string path = fmt::format("{}/ledger-{}", directory, ::getpid());
  SystemClock clock;
  SystemEntropy entropy;
  LedgerOptions options;
  options.create = true;
  options.identity = {"user", "", static_cast<std::uint32_t>(::getuid()), "bench.example/sworn"};
  options.boot_id = "bench";
  Cost cost;
  {
    TRY_ASSIGN(auto disk, PosixLedgerDisk::open(path, true));
    TRY_ASSIGN(const auto ledger, Ledger::open(std::move(disk), clock, entropy, options));
    const auto point = session.last_seal();
    for (int i = 0; i < rounds; ++i) {
      const auto before = ledger->head().bytes;
      const std::int64_t begin = bench::now_ns();
      TRY(ledger->append(
          LedgerHeartbeat{{{session.id(), point.seal_no, point.tree_size, point.root}}}));
      cost.us.push_back(static_cast<double>(bench::now_ns() - begin) / 1e3);
      cost.bytes.push_back(static_cast<double>(ledger->head().bytes - before));
    }
  }
  std::filesystem::remove_all(path);
  return cost;
}

Result<json> run(int rounds, const std::string& directory) {
  Session session;
  TRY(session.open(directory));
  TRY_ASSIGN(auto seal,
             session.measure(rounds, SealReason::interval,
                             {{EventKind::output, "-rw-r--r-- 1 root root 1234 file\r\n"}}));
  TRY_ASSIGN(auto enter, session.measure(rounds, SealReason::critical,
                                         {{EventKind::typed, ""},
                                          {EventKind::output, "ls -la /var/log"},
                                          {EventKind::input, "ls -la /var/log\r"}}));
  TRY_ASSIGN(auto heartbeat, session.measure(rounds, SealReason::heartbeat, {}));
  TRY_ASSIGN(auto entry, measure_ledger(directory, std::max(10, rounds / 20), session));
  return json{{"seal", seal.report()},
              {"enter", enter.report()},
              {"heartbeat", heartbeat.report()},
              {"ledger_entry", entry.report()}};
}

}  // namespace

int main(int argc, char** argv) {
  int rounds = 4'000;
  std::string directory = "/var/tmp";
  CLI::App app("what the evidence costs, as JSON");
  app.add_option("--rounds", rounds)->check(CLI::Range(10, 1'000'000));
  app.add_option("--directory", directory, "on the disk that counts");
  CLI11_PARSE(app, argc, argv);
  const auto done = run(rounds, directory);
  if (!done) {
    fmt::print(stderr, "bench_evidence: {}\n", describe(done.error()));
    return 1;
  }
  fmt::print("{}\n", done->dump());
  return 0;
}
