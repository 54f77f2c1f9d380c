// SPDX-License-Identifier: Apache-2.0
// Time stamps of an authority that the openssl command plays.
#include "format/digest.hpp"
#include "format/timestamp.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>

using namespace sworn;
using namespace sworn::format;

namespace {

class Authority {
 public:
  Authority() {
    spit("ext", "extendedKeyUsage=critical,timeStamping\n");
    spit("serial", "2A\n");
    spit("conf",
         "[tsa]\ndefault_tsa=one\n[one]\nserial=serial\nsigner_cert=tsa.pem\ncerts=ca.pem\n"
         "signer_key=tsa.key\nsigner_digest=sha256\ndefault_policy=1.2.3.4.1\ndigests=sha256\n"
         "ess_cert_id_alg=sha256\n");
    const std::string curve = " -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes ";
    made = run("openssl req -x509" + curve + "-keyout ca.key -out ca.pem -subj /CN=CA -days 2") &&
           run("openssl req" + curve + "-keyout tsa.key -out tsa.csr -subj /CN=TSA") &&
           run("openssl x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile "
               "ext -days 2 -out tsa.pem");
  }
  bool run(const std::string& command) {
    return std::system(
               ("cd " + dir_.path() + " && timeout 30 " + command + " >log 2>&1").c_str()) == 0;
  }
  Bytes answer(const Bytes& request) {
    spit("request", as_text(request));
    REQUIRE(run("openssl ts -reply -config conf -queryfile request -out response"));
    return to_bytes(slurp("response"));
  }
  std::string slurp(const std::string& name) {
    std::ifstream in(dir_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void spit(const std::string& name, std::string_view text) {
    std::ofstream(dir_ / name, std::ios::binary) << text;
  }
  bool made = false;

 private:
  test::TempDir dir_;
};

}  // namespace

TEST_CASE("timestamp: what openssl issued is proven and nothing else is") {
  if (std::system("command -v openssl >/dev/null 2>&1") != 0) {
    MESSAGE("SKIPPED: no openssl command");
    return;
  }
  Authority authority;
  REQUIRE(authority.made);
  const std::string ca = authority.slurp("ca.pem");
  const Digest imprint = sha256(as_bytes("checkpoint"));
  const auto request = timestamp_request(imprint, 0xFEDCBA9876543210).value();
  const auto response = authority.answer(request);
  const auto stamp = open_timestamp_response(response, imprint, 0xFEDCBA9876543210, ca);
  REQUIRE(stamp);
  CHECK(stamp->serial == "2B");
  SystemClock clock;
  CHECK(std::abs(clock.wall().us - stamp->when.us) < 60'000'000);
  CHECK(verify_timestamp(stamp->token, imprint, ca)->when.us == stamp->when.us);
  // Another imprint, nonce, authority; not a response; certificates that are none.
  CHECK(open_timestamp_response(response, sha256({}), 0xFEDCBA9876543210, ca).error().code ==
        Errc::bad_seal);
  CHECK(open_timestamp_response(response, imprint, 1, ca).error().code == Errc::bad_seal);
  CHECK(verify_timestamp(stamp->token, sha256({}), ca).error().code == Errc::bad_seal);
  Authority stranger;
  REQUIRE(stranger.made);
  CHECK(verify_timestamp(stamp->token, imprint, stranger.slurp("ca.pem")).error().code ==
        Errc::bad_seal);
  CHECK(verify_timestamp(stamp->token, imprint, "").error().code == Errc::bad_usage);
  CHECK_FALSE(verify_timestamp(response, imprint, ca));
  CHECK_FALSE(verify_timestamp({}, imprint, ca));
  // Damage: a changed byte is refused, or it changed nothing that is said (the encoding of what is
  // not signed, such as a certificate that was sent along).
  for (std::size_t i = 0; i < stamp->token.size(); i += 3) {
    CAPTURE(i);
    Bytes changed = stamp->token;
    changed[i] ^= std::byte{0x01};
    const auto checked = verify_timestamp(changed, imprint, ca);
    if (checked) {
      CHECK(checked->when.us == stamp->when.us);
      CHECK(checked->serial == stamp->serial);
    }
    CHECK_FALSE(verify_timestamp(ByteView(stamp->token).first(i), imprint, ca));
  }
}

TEST_CASE("timestamp: a refusal of the authority is one") {
  const auto rejected = from_hex("30053003020102").value();  // status 2
  CHECK(open_timestamp_response(rejected, {}, 1, "").error().code == Errc::bad_seal);
  CHECK(open_timestamp_response(Bytes(70'000), {}, 1, "").error().code == Errc::bad_seal);
}
