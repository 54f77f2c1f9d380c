// SPDX-License-Identifier: Apache-2.0
// The client side of C2SP tlog-witness: shows a checkpoint to a witness, with the proof that the
// ledger only grew since the witness last saw it, and takes its cosignature. Pure but for the
// transport, which the daemon or the command line brings: no network code here. Answers are
// hostile bytes.
#pragma once

#include "format/checkpoint.hpp"
#include "format/merkle_proof.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::format {

struct HttpAnswer {
  int status = 0;
  std::string content_type;
  std::string body;
};

class WitnessTransport {
 public:
  virtual ~WitnessTransport() = default;
  // POSTs to <submission prefix>/add-checkpoint; at most 256 KiB of answer.
  virtual Result<HttpAnswer> add_checkpoint(std::string_view body) = 0;
};

// The body of the request; `proof` from the tree of `old_size`, empty where that is 0.
std::string witness_request(std::uint64_t old_size, std::span<const Digest> proof,
                            std::string_view checkpoint);

struct Cosigned {
  std::vector<Cosignature> cosignatures;  // of known witnesses; at least one
  std::string note;                       // the checkpoint with their lines added
};

// Shows `checkpoint` to one witness. `leaves`: of the whole tree that it names. `seen`: the size
// that this witness saw last as far as we know; where it knows better it is asked again, once.
// Errc::bad_seal: the witness saw a larger or another tree than this one (a rollback); corrupt: its
// cosignature does not hold, or its answer is none; bad_usage: it does not know this ledger or
// refuses its key; io: it answered with something else.
Result<Cosigned> show_to_witness(WitnessTransport& transport, std::string_view checkpoint,
                                 std::span<const Digest> leaves, std::uint64_t seen,
                                 std::span<const NoteKey> witnesses);

}  // namespace sworn::format
