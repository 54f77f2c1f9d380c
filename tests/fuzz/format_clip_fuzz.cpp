// SPDX-License-Identifier: Apache-2.0
// Hostile clips, proofs and checkpoint lines.
#include "format/anchors.hpp"
#include "format/checkpoint.hpp"
#include "format/clip.hpp"
#include "format/tlog_proof.hpp"
#include "tests/support/mem_file.hpp"

#include <cstdlib>

using namespace sworn;
using namespace sworn::format;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  test::MemFile file;
  file.data() = to_bytes(text);
  [[maybe_unused]] const auto clip = verify_clip(file, nullptr);
  if (const auto proof = parse_tlog_proof(text); proof && encode(*proof) != text) {
    std::abort();
  }
  [[maybe_unused]] const auto note = note_of_line(text);
  [[maybe_unused]] const auto anchors = anchors_in(text, "fuzz");
  return 0;
}
