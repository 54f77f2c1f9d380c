// SPDX-License-Identifier: Apache-2.0
// Key boxes: the age test kit, round trips, damage, and the age command in both directions.
#include "format/age_box.hpp"
#include "format/digest.hpp"
#include "tests/support/corpus.hpp"
#include "tests/support/mem_file.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include <zlib.h>

using namespace sworn;
using namespace sworn::format;

namespace {

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void spit(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string inflated(std::string_view packed) {
  std::string out(64U << 20U, '\0');
  uLongf length = out.size();
  REQUIRE(::uncompress(reinterpret_cast<Bytef*>(out.data()), &length,
                       reinterpret_cast<const Bytef*>(packed.data()), packed.size()) == Z_OK);
  out.resize(length);
  return out;
}

// A case of the test kit: "key: value" lines, an empty line, the age file.
struct KitCase {
  std::multimap<std::string, std::string> fields;
  std::string box;
  [[nodiscard]] std::string field(const std::string& name) const {
    const auto it = fields.find(name);
    return it == fields.end() ? "" : it->second;
  }
};
KitCase read_case(const std::string& path) {
  std::string text = slurp(path);
  KitCase out;
  std::size_t at = 0;
  while (true) {
    const auto end = text.find('\n', at);
    REQUIRE(end != std::string::npos);
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    if (line.empty()) {
      break;
    }
    const auto colon = line.find(": ");
    REQUIRE(colon != std::string::npos);
    out.fields.emplace(line.substr(0, colon), line.substr(colon + 2));
  }
  out.box = text.substr(at);
  if (out.field("compressed") == "zlib") {
    out.box = inflated(out.box);
  }
  return out;
}

struct Outcome {
  std::string what;  // in the words of the test kit
  Bytes plaintext;
};
Outcome outcome_of(const KitCase& kit, std::span<const AgeIdentity> identities) {
  Bytes box = to_bytes(kit.box);
  if (kit.field("armored") == "yes") {
    auto stripped = strip_age_armor(kit.box);
    if (!stripped) {
      return {"armor failure", {}};
    }
    box = *stripped;
  }
  const auto header = parse_age_header(box);
  if (!header) {
    return {"header failure", {}};
  }
  const auto file_key = unwrap_age_file_key(*header, identities);
  if (!file_key) {
    return {file_key.error().code == Errc::not_found ? "no match" : "header failure", {}};
  }
  if (!check_age_header(box, *header, *file_key)) {
    return {"HMAC failure", {}};
  }
  auto opened = open_age_payload(ByteView(box).subspan(header->payload_offset), *file_key);
  if (!opened) {
    return {opened.error().code == Errc::corrupt && opened.error().context.starts_with("age header")
                ? "header failure"
                : "payload failure",
            {}};
  }
  return {"success", *opened};
}

// Cases about recipient types that key boxes do not have (passphrases, post-quantum hybrids).
bool other_recipient_type(const KitCase& kit) {
  bool other = kit.fields.count("passphrase") != 0;
  for (auto [it, end] = kit.fields.equal_range("identity"); it != end; ++it) {
    if (it->second.starts_with("AGE-SECRET-KEY-1")) {
      return false;
    }
    other = true;
  }
  return other;
}

bool have_age() {
  return std::system("command -v age >/dev/null 2>&1") == 0;
}

}  // namespace

TEST_CASE("age box: every X25519 case of the age test kit behaves as it states") {
  const std::string directory = test::corpus_dir("age-testkit");
  if (directory.empty()) {
    MESSAGE("SKIPPED: no age test kit (../shared/corpus/age-testkit or SWORN_CORPUS)");
    return;
  }
  std::size_t run = 0;
  std::string not_applicable;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().filename().string().find('.') == std::string::npos) {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    const std::string name = path.filename().string();
    CAPTURE(name);
    const auto kit = read_case(path.string());
    if (other_recipient_type(kit)) {
      not_applicable += " " + name;
      continue;
    }
    std::vector<AgeIdentity> identities;
    for (auto [it, end] = kit.fields.equal_range("identity"); it != end; ++it) {
      if (auto identity = AgeIdentity::parse(it->second)) {
        identities.push_back(std::move(*identity));
      }
    }
    const auto outcome = outcome_of(kit, identities);
    CHECK(outcome.what == kit.field("expect"));
    if (outcome.what == "success") {
      CHECK(to_hex(sha256(outcome.plaintext)) == kit.field("payload"));
    }
    // The one call that the product makes agrees with its steps.
    const auto whole = age_decrypt(as_bytes(kit.box), identities);
    if (kit.field("armored") != "yes" || outcome.what != "armor failure") {
      CHECK(whole.has_value() == (outcome.what == "success"));
    } else {
      CHECK_FALSE(whole);
    }
    ++run;
  }
  CHECK(run >= 100);
  MESSAGE(run << " cases; not applicable (passphrase and post-quantum recipients, which key boxes "
                 "do not have):"
              << not_applicable);
}

TEST_CASE("age box: what is closed for three can be opened by each and by nobody else") {
  SystemEntropy entropy;
  std::vector<AgeIdentity> identities;
  std::vector<AgeRecipient> recipients;
  for (int i = 0; i < 4; ++i) {
    identities.push_back(AgeIdentity::generate(entropy).value());
    if (i < 3) {
      recipients.push_back(identities.back().recipient());
    }
  }
  const auto box = age_encrypt(as_bytes("key material"), recipients, entropy).value();
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(as_text(age_decrypt(box, {&identities[i], 1}).value()) == "key material");
  }
  const auto refused = age_decrypt(box, {&identities[3], 1});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::not_found);
  CHECK(as_text(age_decrypt(as_bytes(age_armor(box)), identities).value()) == "key material");
  CHECK_FALSE(age_encrypt({}, {}, entropy));
  recipients.push_back(recipients[0]);
  CHECK_FALSE(age_encrypt({}, recipients, entropy));
}

TEST_CASE("age box: sizes around the chunk limit come back as they were") {
  SystemEntropy entropy;
  const auto identity = AgeIdentity::generate(entropy).value();
  for (const std::size_t size : {0UL, 1UL, 48UL, 65'535UL, 65'536UL, 65'537UL, 131'072UL}) {
    CAPTURE(size);
    Bytes plain(size);
    REQUIRE(entropy.fill(plain));
    const auto recipient = identity.recipient();
    const auto box = age_encrypt(plain, {&recipient, 1}, entropy).value();
    CHECK(age_decrypt(box, {&identity, 1}).value() == plain);
  }
}

TEST_CASE("age box: every flipped byte and every cut of a small box is refused") {
  test::FakeEntropy entropy;
  const auto identity = AgeIdentity::generate(entropy).value();
  const auto recipient = identity.recipient();
  const auto box = age_encrypt(as_bytes("0123456789abcdef"), {&recipient, 1}, entropy).value();
  for (std::size_t i = 0; i < box.size(); ++i) {
    CAPTURE(i);
    Bytes changed = box;
    changed[i] ^= std::byte{0x01};
    CHECK_FALSE(age_decrypt(changed, {&identity, 1}));
    CHECK_FALSE(age_decrypt(ByteView(box).first(i), {&identity, 1}));
  }
  Bytes longer = box;
  longer.push_back({});
  CHECK_FALSE(age_decrypt(longer, {&identity, 1}));
}

TEST_CASE("age box: key texts are read strictly") {
  test::FakeEntropy entropy;
  const auto identity = AgeIdentity::generate(entropy).value();
  const std::string secret = identity.text();
  const std::string open = identity.recipient().text();
  CHECK(secret.starts_with("AGE-SECRET-KEY-1"));
  CHECK(open.starts_with("age1"));
  CHECK(AgeIdentity::parse(secret).value().recipient().text() == open);
  CHECK(AgeRecipient::parse(open).value().key == identity.recipient().key);
  CHECK_FALSE(AgeIdentity::parse(open));
  CHECK_FALSE(AgeRecipient::parse(secret));
  CHECK_FALSE(AgeRecipient::parse(open + "q"));
  CHECK_FALSE(AgeRecipient::parse(""));
  // The example of the specification.
  CHECK(AgeIdentity::parse(
            "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX")
            .value()
            .recipient()
            .text() == "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj");
}

TEST_CASE("age box: a header that never ends is refused in bounded time") {
  std::string box = "age-encryption.org/v1\n";
  for (int i = 0; i < 2000; ++i) {
    box += "-> grease\n\n";
  }
  CHECK(parse_age_header(as_bytes(box)).error().code == Errc::corrupt);
  box = "age-encryption.org/v1\n-> X25519 a\n";
  for (int i = 0; i < 40'000; ++i) {
    box += std::string(64, 'A') + "\n";
  }
  CHECK(parse_age_header(as_bytes(box)).error().code == Errc::corrupt);
  CHECK(parse_age_header(as_bytes("age-encryption.org/v2\n")).error().code == Errc::unsupported);
}

TEST_CASE("age box: the age command opens ours and we open its") {
  if (!have_age()) {
    MESSAGE("SKIPPED: no age command (Debian package age)");
    return;
  }
  const test::TempDir dir;
  SystemEntropy entropy;
  const auto identity = AgeIdentity::generate(entropy).value();
  const auto other = AgeIdentity::generate(entropy).value();
  spit(dir / "key", identity.text() + "\n");
  Bytes plain(100'000);
  REQUIRE(entropy.fill(plain));
  const std::array recipients{other.recipient(), identity.recipient()};
  const auto box = age_encrypt(plain, recipients, entropy).value();
  spit(dir / "ours", as_text(box));
  spit(dir / "ours.armored", age_armor(box));
  spit(dir / "plain", as_text(plain));
  for (const auto* name : {"ours", "ours.armored"}) {
    CAPTURE(name);
    REQUIRE(std::system(("timeout 20 age -d -i " + (dir / "key") + " -o " + (dir / "out") + " " +
                         (dir / name))
                            .c_str()) == 0);
    CHECK(slurp(dir / "out") == as_text(plain));
  }
  for (const auto* armor : {"", "-a "}) {
    CAPTURE(armor);
    REQUIRE(std::system(("timeout 20 age " + std::string(armor) + "-r " +
                         identity.recipient().text() + " -r " + other.recipient().text() + " -o " +
                         (dir / "theirs") + " " + (dir / "plain"))
                            .c_str()) == 0);
    CHECK(age_decrypt(as_bytes(slurp(dir / "theirs")), {&identity, 1}).value() == plain);
  }
}
