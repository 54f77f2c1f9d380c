// SPDX-License-Identifier: Apache-2.0
// Trail entries as JSON objects, one text each, without a line feed: in our own schema
// (docs/schema/sworn.trail-1.json), as ECS 9 and as OCSF 1.x Process Activity with the
// record_integrity profile. All bytes are ASCII; what is not UTF-8 becomes U+FFFD. Pure.
#pragma once

#include "audit/trail/trail_entry.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sworn::audit::trail {

enum class TrailFormat : std::uint8_t { own, ecs, ocsf };
std::optional<TrailFormat> trail_format_from_name(std::string_view name);

std::string to_json(const TrailEntry& entry, TrailFormat format);

std::string to_own_json(const TrailEntry& entry);
std::string to_ecs(const TrailEntry& entry);

// `prev`: the fingerprint of the record before, which the attestation refers to; moves on. Empty
// before the first.
std::string to_ocsf(const TrailEntry& entry, std::string& prev);

// One line for people and for syslog: "tester@web1 [12] status 0: sudo id".
std::string to_sentence(const TrailEntry& entry);

}  // namespace sworn::audit::trail
