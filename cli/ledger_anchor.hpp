// SPDX-License-Identifier: Apache-2.0
// `sworn ledger anchor`: shows the checkpoint to somebody outside of the host and enters in the
// ledger what came back.
#pragma once

#include <string>

namespace sworn::cli {

class Arguments;

int anchor_ledger(const Arguments& args, const std::string& directory);

}  // namespace sworn::cli
