// SPDX-License-Identifier: Apache-2.0
// The private key of a redactor in a file of its own: "SWORN-REDACTOR-KEY-1 <64 hex digits>", #
// comments around it. Readable by its owner only; a file that others may read is refused.
#pragma once

#include "format/session_writer.hpp"
#include "format/sign.hpp"

#include <string>

namespace sworn::format {

// Errc::bad_usage where it holds no such line, or where group or others may read it.
Result<SigningKey> read_redactor_key(const std::string& path);

// Creates PATH (O_EXCL, 0600, synced) with a new key.
Result<PublicKey> make_redactor_key(const std::string& path, Entropy& entropy);

}  // namespace sworn::format
