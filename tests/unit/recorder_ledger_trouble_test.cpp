// SPDX-License-Identifier: Apache-2.0
// A session that can be recorded but not entered in its ledger: the policy decides, it is on
// record.
#include "recorder/options.hpp"
#include "recorder/session_core.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace sworn;
using namespace sworn::recorder;

namespace {

template <typename T>
bool holds(const Actions& actions) {
  return std::any_of(actions.begin(), actions.end(),
                     [](const Action& a) { return std::holds_alternative<T>(a); });
}

bool has_ledger_gap(const Actions& actions) {
  return std::any_of(actions.begin(), actions.end(), [](const Action& a) {
    const auto* gap = std::get_if<PutGap>(&a);
    return gap != nullptr && gap->reason == "ledger" && gap->detail == "rolled back";
  });
}

}  // namespace

TEST_CASE("recorder: a ledger that does not take the session ends it") {
  SessionCore core({.terminal = true, .on_failure = OnFailure::terminate}, MonoTime{1});
  const auto actions = core.on_trouble(Trouble::ledger, "rolled back", MonoTime{2});
  CHECK(has_ledger_gap(actions));
  CHECK(holds<Alert>(actions));
  CHECK(holds<PassSignal>(actions));
  CHECK_FALSE(holds<HangUp>(actions));  // it gets the usual grace
  CHECK(core.recording());
  CHECK(core.on_trouble(Trouble::ledger, "rolled back", MonoTime{3}).empty());
  CHECK(holds<HangUp>(core.on_tick(MonoTime{2 + SessionCore::k_grace_us}, false)));
  CHECK(core.outcome().exit_status == k_exit_recorder_failed);
}

TEST_CASE("recorder: by policy the session goes on recorded, though in no ledger") {
  SessionCore core({.terminal = true, .on_failure = OnFailure::continue_and_alert}, MonoTime{1});
  const auto actions = core.on_trouble(Trouble::ledger, "rolled back", MonoTime{2});
  CHECK(has_ledger_gap(actions));
  CHECK(holds<Alert>(actions));
  CHECK_FALSE(holds<CloseRecording>(actions));
  CHECK_FALSE(holds<PassSignal>(actions));
  CHECK(core.recording());
}
