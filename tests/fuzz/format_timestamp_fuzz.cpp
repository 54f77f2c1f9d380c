// SPDX-License-Identifier: Apache-2.0
// Hostile time stamp answers and tokens.
#include "format/timestamp.hpp"

using namespace sworn;
using namespace sworn::format;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Any certificate does: nothing that a fuzzer makes is signed by its owner.
  static constexpr std::string_view k_authority =
      "-----BEGIN CERTIFICATE-----\n"
      "MIIBhzCCAS2gAwIBAgIUJPV2NLLqNE991qTCSlVkXdpHzwYwCgYIKoZIzj0EAwIw\n"
      "DDEKMAgGA1UEAwwBVDAgFw0yNjExMjEwNDI1NTlaGA8yMTI2MTAyODA0MjU1OVow\n"
      "DDEKMAgGA1UEAwwBVDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDQhkIEmnN3Y\n"
      "mry+JoRbKNqPXpGrCemvHHqpdX19Nxni0c2goNjvc7Teer4AfmSXpuUyiPRCGF3/\n"
      "z5UqGKLQM8+jazBpMB0GA1UdDgQWBBQWK5zgRPplGsrGsV1/Rt2Oh/GrFDAfBgNV\n"
      "HSMEGDAWgBQWK5zgRPplGsrGsV1/Rt2Oh/GrFDAPBgNVHRMBAf8EBTADAQH/MBYG\n"
      "A1UdJQEB/wQMMAoGCCsGAQUFBwMIMAoGCCqGSM49BAMCA0gAMEUCIQDvlCSasIKJ\n"
      "Ubz4QJz7kTvLZ1iDNJXuDvHpQYIWat+04gIgN3Eopb8A4wrgQiAYDnklXd/y3YyI\n"
      "Sl/ar1qG+rcDm+s=\n"
      "-----END CERTIFICATE-----\n";
  const ByteView input(reinterpret_cast<const std::byte*>(data), size);
  static_cast<void>(open_timestamp_response(input, {}, 1, k_authority).has_value());
  static_cast<void>(verify_timestamp(input, {}, k_authority).has_value());
  return 0;
}
