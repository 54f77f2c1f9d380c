// SPDX-License-Identifier: Apache-2.0
// Hostile notes, checkpoints and verifier keys: what parses must write back as it was.
#include "format/checkpoint.hpp"

#include <cstdlib>

using namespace sworn;
using namespace sworn::format;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto log =
      NoteKey::parse("ledger.example/db-07+2a369925+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c")
          .value();
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto note = parse_note(input); note) {
    if (encode(*note) != input) {
      std::abort();
    }
    if (const auto checkpoint = parse_checkpoint_text(note->text);
        checkpoint && encode(*checkpoint) != note->text) {
      std::abort();
    }
  }
  [[maybe_unused]] const auto opened =
      open_checkpoint(input, log, "ledger.example/db-07", {&log, 1});
  if (const auto key = NoteKey::parse(input); key && key->vkey() != input) {
    std::abort();
  }
  return 0;
}
