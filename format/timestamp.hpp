// SPDX-License-Identifier: Apache-2.0
// RFC 3161 time stamps over SHA-256 through OpenSSL: a request, and the check of what an authority
// answered. A token proves that the imprint existed before its time; it says nothing about what is
// missing. No network code here. Answers are hostile bytes, at most 64 KiB.
#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "format/session_header.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace sworn::format {

inline constexpr std::size_t k_max_timestamp_bytes = 64U << 10U;

// DER of a TimeStampReq that asks for the authority's certificate. `nonce` ties the answer to it.
Result<Bytes> timestamp_request(const Digest& imprint, std::uint64_t nonce);

struct Timestamp {
  WallTime when;       // the authority's clock
  std::string serial;  // decimal or hexadecimal, as OpenSSL prints it
  Bytes token;         // DER, what is kept as proof
};

// A TimeStampResp to the request with this nonce. `authorities`: PEM certificates that are trusted.
// Errc::bad_seal: not granted, for another imprint or nonce, or not signed by a trusted authority.
Result<Timestamp> open_timestamp_response(ByteView response, const Digest& imprint,
                                          std::uint64_t nonce, std::string_view authorities);

// A kept token. The authority's certificate is checked as of the time in the token: proofs outlive
// certificates.
Result<Timestamp> verify_timestamp(ByteView token, const Digest& imprint,
                                   std::string_view authorities);

}  // namespace sworn::format
