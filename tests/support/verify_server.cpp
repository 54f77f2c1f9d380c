// SPDX-License-Identifier: Apache-2.0
// verify_server CASES [TRUST]: many session files and ledgers in one file, each case as
//   u32 length of the session | session | u32 length of the ledger, or 0xFFFFFFFF for none | ledger
// One line a case: verdict, seals, sealed bytes, events, and with a ledger its state and the
// verdict against it. For sweeps over every change of a file, where a process each would take
// hours.
#include "base/byte_reader.hpp"
#include "format/verify_with_ledger.hpp"
#include "tests/support/mem_file.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iterator>

namespace {

using namespace sworn;
using namespace sworn::format;

Bytes read_whole(const char* path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    throw std::runtime_error(std::string("cannot read ") + path);
  }
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return to_bytes(text);
}

test::MemFile file_of(ByteView data) {
  test::MemFile file;
  append(file.data(), data);
  return file;
}

std::string answer(const ReadFile& session, const ReadFile* ledger, const TrustStore* trust) {
  const auto report = verify(session);
  if (!report) {
    return report.error().code == Errc::bad_usage ? "NOT-A-SESSION 0 0 0" : "ERROR 0 0 0";
  }
  std::string out = fmt::format("{} {} {} {}", name_of(report->verdict), report->seals,
                                report->sealed_bytes, report->events);
  if (ledger != nullptr) {
    const auto held = verify_with_ledger(session, *report, *ledger, trust);
    out += held ? fmt::format(" {} {}", name_of(held->ledger.state), name_of(held->verdict))
                : std::string(" NOT-A-LEDGER -");
  }
  return out;
}

void run(const char* cases, const char* trust_path) {
  std::optional<TrustStore> trust;
  if (trust_path != nullptr) {
    trust = TrustStore::load(trust_path).value();
  }
  const Bytes all = read_whole(cases);
  ByteReader reader(all);
  while (!reader.done()) {
    const auto session = file_of(reader.take(reader.u32().value()).value());
    const auto ledger_bytes = reader.u32().value();
    std::optional<test::MemFile> ledger;
    if (ledger_bytes != 0xFFFFFFFF) {
      ledger = file_of(reader.take(ledger_bytes).value());
    }
    fmt::print("{}\n", answer(session, ledger ? &*ledger : nullptr, trust ? &*trust : nullptr));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fputs("usage: verify_server CASES [TRUST]\n", stderr);
    return 2;
  }
  try {
    run(argv[1], argc > 2 ? argv[2] : nullptr);
  } catch (const std::exception& error) {
    fmt::print(stderr, "verify_server: {}\n", error.what());
    return 1;
  }
  return 0;
}
