// SPDX-License-Identifier: Apache-2.0
#include "format/session_header.hpp"

#include "format/msgpack_map.hpp"

#include <algorithm>

namespace sworn::format {
namespace {

constexpr std::string_view k_digits = "0123456789abcdef";

Result<void> take_key(const Bytes& bytes, PublicKey& key) {
  if (bytes.size() != key.size()) {
    return fail(Errc::corrupt, "the header has no signing key");
  }
  std::copy(bytes.begin(), bytes.end(), key.begin());
  return {};
}

}  // namespace

std::string to_hex(ByteView bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const auto byte : bytes) {
    const auto value = std::to_integer<std::uint8_t>(byte);
    out += k_digits[value >> 4U];
    out += k_digits[value & 0xFU];
  }
  return out;
}

Result<Bytes> from_hex(std::string_view text) {
  Bytes out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const auto high = k_digits.find(text[i]);
    const auto low = k_digits.find(text[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) {
      return fail(Errc::bad_usage, "not a hexadecimal number");
    }
    out.push_back(static_cast<std::byte>(high << 4U | low));
  }
  if (text.size() % 2 != 0) {
    return fail(Errc::bad_usage, "a hexadecimal number of odd length");
  }
  return out;
}

Bytes encode(const SessionHeader& h) {
  MapWriter map;
  map.text("host_id", h.host_id)
      .text("boot_id", h.boot_id)
      .unsigned_number("suite", h.suite)
      .binary("first_key", h.first_key)
      .number("started_us", h.started.us)
      .number("started_mono_us", h.started_mono.us)
      .unsigned_number("seal_max_interval_ms", h.seal_policy.max_interval_ms)
      .unsigned_number("seal_heartbeat_ms", h.seal_policy.heartbeat_ms)
      .text("sync", h.seal_policy.sync)
      .text("recorder_version", h.recorder_version)
      .text("recorder_digest", h.recorder_digest)
      .text("policy_digest", h.policy_digest)
      .text("mode", h.mode);
  if (!h.ledger.empty()) {
    map.binary("ledger", h.ledger);
  }
  if (!h.encryption.empty()) {
    map.binary("encryption", h.encryption);
  }
  if (!h.redactors.empty()) {
    map.binary("redactors", h.redactors);
  }
  return map.finish();
}

Result<SessionHeader> decode_session_header(ByteView body) {
  TRY_ASSIGN(auto map, MapReader::parse(body));
  SessionHeader h;
  h.suite = 0;  // one that is not named is none that we know
  Bytes key;
  TRY(map.text("host_id", h.host_id)
          .text("boot_id", h.boot_id)
          .number("suite", h.suite)
          .binary("first_key", key)
          .number("started_us", h.started.us)
          .number("started_mono_us", h.started_mono.us)
          .number("seal_max_interval_ms", h.seal_policy.max_interval_ms)
          .number("seal_heartbeat_ms", h.seal_policy.heartbeat_ms)
          .text("sync", h.seal_policy.sync)
          .text("recorder_version", h.recorder_version)
          .text("recorder_digest", h.recorder_digest)
          .text("policy_digest", h.policy_digest)
          .text("mode", h.mode)
          .binary("ledger", h.ledger)
          .binary("encryption", h.encryption)
          .binary("redactors", h.redactors)
          .done());
  TRY(take_key(key, h.first_key));
  if (h.suite != 1) {
    return fail(Errc::unsupported,
                "cryptographic suite " + std::to_string(h.suite) + "; this build knows suite 1");
  }
  return h;
}

}  // namespace sworn::format
