// SPDX-License-Identifier: Apache-2.0
// A whole session file: record scanner, header, chunks, seals, index; by verifier and reader. What
// the verifier calls whole, the reader must read without damage, and to the same number of events.
#include "format/index.hpp"
#include "format/session_reader.hpp"
#include "format/verify.hpp"
#include "tests/fuzz/mend.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace sworn;
  using namespace sworn::format;
  const auto file = fuzz::hostile_file(bytes, size);
  const auto report = verify(file);
  std::uint64_t events = 0;
  bool undamaged = false;
  if (const auto reader = SessionReader::open(file)) {
    while (const auto next = (*reader)->next()) {
      if (!*next) {
        break;
      }
      ++events;
    }
    undamaged = (*reader)->damage().empty();
  }
  if (report && report->header) {
    static_cast<void>(read_index(file, report->header->file_id));
  }
  const bool whole = report && report->verdict == Verdict::self_consistent;
  if (whole && (!undamaged || events != report->events)) {
    std::abort();
  }
  return 0;
}
