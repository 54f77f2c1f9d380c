// SPDX-License-Identifier: Apache-2.0
// The evidence about a session for people and for scripts. Integrity, completeness and identity are
// three answers, never one "OK". Pure.
#pragma once

#include "cli/json.hpp"
#include "cli/message.hpp"
#include "format/evidence.hpp"
#include "format/store.hpp"

#include <string>

namespace sworn::cli {

// What lies beside the file and the report cannot know.
struct VerifyContext {
  std::string path;
  std::optional<format::StoredState> state;  // nullopt: not known
  std::uint64_t tail_events = 0;
  std::string tail_error;
};

std::string render_verify(const format::Evidence& evidence, const VerifyContext& context);
Json verify_to_json(const format::Evidence& evidence,
                    const VerifyContext& context);  // sworn.verify/1

// For every verdict that is not exit status 0: what, why, what to do.
Message explain_verdict(const format::Evidence& evidence, const VerifyContext& context);

// The worst of two exit statuses of verify: tampered before unreadable before all others.
int worse_status(int a, int b);

}  // namespace sworn::cli
