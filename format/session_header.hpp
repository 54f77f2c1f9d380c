// SPDX-License-Identifier: Apache-2.0
// The public, signed header: which file, which host, which keys, which rules. Who and what is in
// the SessionStart event. A msgpack map; the stored bytes are hashed as they are and never
// re-encoded.
#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace sworn::format {

using Digest = std::array<std::byte, 32>;
using FileId = std::array<std::byte, 16>;
using PublicKey = std::array<std::byte, 32>;

std::string to_hex(ByteView bytes);
Result<Bytes> from_hex(std::string_view text);

struct SealPolicy {
  std::uint32_t max_interval_ms = 1'000;  // the first unsealed event waits no longer
  std::uint32_t heartbeat_ms = 60'000;    // a seal also in silence
  std::string sync = "interval";          // "none", "interval", "critical"
};

struct SessionHeader {
  FileId file_id{};         // also in the preamble; random
  std::string host_id;      // hash of /etc/machine-id for this application, hex
  std::string boot_id;      // /proc/sys/kernel/random/boot_id
  std::uint32_t suite = 1;  // SHA-256, Ed25519, RFC 9162 trees, zstd
  PublicKey first_key{};    // signs seal 0
  WallTime started;
  MonoTime started_mono;
  SealPolicy seal_policy;
  std::string recorder_version;
  std::string recorder_digest;  // SHA-256 of the recorder's own executable, hex
  std::string policy_digest;    // SHA-256 of the effective policy text, hex
  std::string mode;             // "standalone" (self-recorded), "host"
  Bytes ledger;                 // reserved: reference to the ledger's session_open entry
  Bytes encryption;             // reserved: key box descriptor
  Bytes redactors;              // reserved: keys that may redact
};

Bytes encode(const SessionHeader& header);  // without file_id: that one is in the preamble
Result<SessionHeader> decode_session_header(ByteView body);

}  // namespace sworn::format
