// SPDX-License-Identifier: Apache-2.0
// The keys of this run, from --identity and --key-box, else $SWORN_IDENTITY and $SWORN_KEY_BOXES,
// into format::KeyRing::of_process(). Called once, before the command runs and before any thread.
#pragma once

namespace sworn::cli {

class Arguments;

// k_exit_ok, or the status to leave with after a message: an identity that was asked for and cannot
// be read is an error, also where the recording turns out to be in clear.
int take_keys(const Arguments& args);

}  // namespace sworn::cli
