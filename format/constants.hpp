// SPDX-License-Identifier: Apache-2.0
// Every number of the session file that is not an event kind (event.hpp).
// tests/unit/format_spec_test.cpp compares them with the tables of docs/format.md. Written to disk:
// never change or reuse one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sworn::format {

// "Preamble". The high first byte, the CR LF and the SUB catch transfers that are not 8-bit clean.
inline constexpr std::array<std::uint8_t, 8> k_magic{0x89, 'S', 'W', 'N', 0x0D, 0x0A, 0x1A, 0x0A};
inline constexpr std::size_t k_preamble_bytes = 32;
inline constexpr std::uint8_t k_major = 0;  // draft
inline constexpr std::uint8_t k_minor = 0;

// "Record frame"
inline constexpr std::uint32_t k_sync = 0xD5A7E11A;
inline constexpr std::size_t k_frame_bytes = 20;
inline constexpr std::uint32_t k_max_body_bytes = 16U << 20U;

enum class RecordType : std::uint8_t {
  header = 0x01,
  open_proof = 0x02,  // ancillary, not written yet: copy of the ledger's session_open entry
  chunk = 0x03,
  seal = 0x04,
  key_box = 0x05,  // behind the header of an encrypted session: its key, encrypted to recipients
  anchor = 0x06,   // ancillary, not written yet: cosignature, time stamp token, acknowledgement
  end = 0x08,
  index = 0x09,      // hint
  redaction = 0x0A,  // only in redacted copies, behind the final seal
  recovered = 0x0B,  // only in salvaged copies
  footer = 0xFF,     // hint
};
// Ancillary records are skipped by who does not know them, and hashed like any other. All others
// that a reader does not know are critical: the file is refused.
inline constexpr bool is_ancillary(std::uint8_t type) {
  return (type >= 0x80 && type <= 0xBF) || type == static_cast<std::uint8_t>(RecordType::anchor) ||
         type == static_cast<std::uint8_t>(RecordType::open_proof);
}

// "Maps": what a reader accepts of a msgpack map
inline constexpr std::size_t k_max_map_bytes = 1U << 20U;
inline constexpr std::size_t k_max_map_items = 65'536;  // of any one array or map in it
inline constexpr std::size_t k_max_map_depth = 8;

// "Chunk"
inline constexpr std::size_t k_chunk_core_bytes = 64;
inline constexpr std::size_t k_chunk_fixed_bytes =
    72;  // core and the unsigned part before the salt
inline constexpr std::size_t k_salt_node_bytes = 32;
inline constexpr std::uint8_t k_salt_seed = 0;       // one node: the root
inline constexpr std::uint8_t k_salt_punctured = 1;  // the nodes that cover what was not removed
inline constexpr std::uint32_t k_max_chunk_raw_bytes = 1U << 20U;
inline constexpr std::uint32_t k_max_chunk_events = 1U << 18U;
inline constexpr std::uint32_t k_max_group_raw_bytes = 1U
                                                       << 20U;  // writers begin a new one earlier
inline constexpr std::uint8_t k_chunk_begins_group = 0x01;
inline constexpr std::uint8_t k_chunk_encrypted = 0x02;
inline constexpr std::uint8_t k_chunk_rewritten = 0x04;  // by a redaction, in an encrypted session
inline constexpr int k_window_log = 18;                  // 256 KiB: readers never need more

// Bits of a kind byte in the columns
inline constexpr std::uint8_t k_kind_mask = 0x3F;
inline constexpr std::uint8_t k_kind_has_at = 0x40;
inline constexpr std::uint8_t k_kind_redacted = 0x80;

// "Encryption"
inline constexpr std::size_t k_key_box_signed_bytes = 64;
inline constexpr std::size_t k_max_key_boxes = 8;
inline constexpr std::size_t k_max_key_box_bytes = 128U << 10U;
inline constexpr std::uint32_t k_segment_chunks = 64;  // that share a key
inline constexpr std::string_view k_info_commitment = "sworn/v0/commitment";
inline constexpr std::string_view k_info_chunk = "sworn/v0/chunk";
inline constexpr std::string_view k_info_ratchet = "sworn/v0/ratchet";
inline constexpr std::string_view k_info_tail = "sworn/v0/tail";
inline constexpr std::string_view k_info_tail_ratchet = "sworn/v0/tail ratchet";

// "Seal"
inline constexpr std::size_t k_seal_fixed_bytes = 120;
inline constexpr std::uint16_t k_seal_final = 0x0001;
inline constexpr std::uint16_t k_seal_heartbeat = 0x0002;
inline constexpr std::uint16_t k_seal_critical = 0x0004;
inline constexpr std::uint16_t k_seal_known_flags = 0x0007;

inline constexpr std::size_t k_end_bytes = 28;
inline constexpr std::size_t k_footer_bytes = 28;
inline constexpr std::uint32_t k_footer_magic = 0x4E575346;  // "FSWN"

// Hash prefixes
inline constexpr std::uint8_t k_hash_leaf = 0x00;
// The byte behind k_hash_leaf is the type of the record; an event has this in its place, so that no
// leaf of one tree is also one of the other.
inline constexpr std::uint8_t k_leaf_of_event = 0x00;
inline constexpr std::uint8_t k_hash_node = 0x01;
inline constexpr std::uint8_t k_hash_commitment = 0x02;
inline constexpr std::uint8_t k_hash_stored = 0x03;
inline constexpr std::uint8_t k_hash_salt_left = 0x10;
inline constexpr std::uint8_t k_hash_salt_right = 0x11;

// Signature domains; the terminating NUL is part of what is signed.
inline constexpr std::string_view k_domain_seal{"sworn/v0/seal\0", 14};
inline constexpr std::string_view k_domain_recovered{"sworn/v0/recovered\0", 19};
inline constexpr std::string_view k_domain_redaction{"sworn/v0/redaction\0", 19};

}  // namespace sworn::format
