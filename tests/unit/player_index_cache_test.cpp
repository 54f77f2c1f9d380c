// SPDX-License-Identifier: Apache-2.0
#include "player/facts_codec.hpp"
#include "player/index_cache.hpp"
#include "player/index_recording.hpp"
#include "tests/support/incident_session.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace {

using namespace sworn;
using namespace sworn::player;
using namespace sworn::test;

void write(const std::string& path, ByteView data) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(data.data()), static_cast<std::streamsize>(data.size()));
}

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A recording in a directory of its own, and a cache beside it.
struct Place {
  Place() {
    ::setenv("XDG_CACHE_HOME", (directory / "cache").c_str(), 1);
    write(directory / "web1.sworn", incident_session({80, 24}));
  }
  ~Place() { ::unsetenv("XDG_CACHE_HOME"); }
  std::unique_ptr<Recording> open(const std::string& name = "web1.sworn") const {
    auto recording = Recording::open(directory / name);
    REQUIRE(recording);
    return *std::move(recording);
  }
  TempDir directory;
};

IndexRequest wanted(bool verify) {
  IndexRequest request;
  request.verify = verify;
  return request;
}

std::size_t count(const TextIndex& index, std::string_view text) {
  std::size_t found = 0;
  const auto matcher = Matcher::compile(text, PatternKind::text);
  REQUIRE(matcher);
  const auto use = [&found](std::vector<TextHit>&& hits) {
    found += hits.size();
    return true;
  };
  REQUIRE(index.search(**matcher, {}, use, [] { return false; }));
  return found;
}

TEST_CASE("index cache: what was kept is all there is to know") {
  const Place place;
  const auto recording = place.open();
  const auto made = index_recording(*recording, wanted(true));
  REQUIRE(made);
  CHECK_FALSE(made->from_cache);
  CHECK(made->verified);
  REQUIRE_FALSE(made->kept_in.empty());
  const auto again = index_recording(*recording, {});
  REQUIRE(again);
  CHECK(again->from_cache);
  CHECK(again->state->facts()->commands.size() == 4);
  CHECK(encode_facts(*again->state->facts()) == encode_facts(*made->state->facts()));
  CHECK(again->state->keyframes()->all().size() == made->state->keyframes()->all().size());
  CHECK(count(*again->state->text(), "rsyslog.service failed") == 1);
  CHECK(count(*again->state->input(), "systemctl restart") == 1);
  const auto mode = std::filesystem::status(made->kept_in).permissions();
  CHECK((mode & std::filesystem::perms::group_all) == std::filesystem::perms::none);
  CHECK((mode & std::filesystem::perms::others_all) == std::filesystem::perms::none);
}

TEST_CASE("index cache: counts for a copy only where the recording was verified") {
  for (const bool verify : {true, false}) {
    const Place place;
    REQUIRE(index_recording(*place.open(), wanted(verify)));
    std::filesystem::copy_file(place.directory / "web1.sworn", place.directory / "copy.sworn");
    const auto copy = index_recording(*place.open("copy.sworn"), {});
    REQUIRE(copy);
    CHECK(copy->from_cache == verify);
  }
}

TEST_CASE("index cache: another state of the file, another emulator, nothing") {
  const Place place;
  REQUIRE(index_recording(*place.open(), {}));
  auto bytes = to_bytes(read(place.directory / "web1.sworn"));
  bytes[bytes.size() / 2] ^= std::byte{1};
  write(place.directory / "web1.sworn", bytes);
  const auto changed = index_recording(*place.open(), {});
  CHECK((!changed || !changed->from_cache));
}

TEST_CASE("index cache: every flipped byte and every length is refused or harmless") {
  const Place place;
  const auto recording = place.open();
  const auto made = index_recording(*recording, {});
  REQUIRE(made);
  const auto good = read(made->kept_in);
  const auto facts = encode_facts(*made->state->facts());
  std::size_t used = 0;
  const auto try_it = [&](const std::string& bytes) {
    write(made->kept_in, as_bytes(bytes));
    const IndexCache cache(*recording, true);
    IndexState state(std::make_shared<BlobStore>());
    if (cache.load(state)) {
      ++used;
      // What was taken is what was kept; a damaged piece of text is noticed when it is searched.
      CHECK(encode_facts(*state.facts()) == facts);
      const auto matcher = *Matcher::compile("the", PatternKind::text);
      [[maybe_unused]] const auto searched = state.text()->search(
          *matcher, {}, [](std::vector<TextHit>&&) { return true; }, [] { return false; });
    }
  };
  for (std::size_t size = 0; size < good.size(); size += 1 + size / 40) {
    try_it(good.substr(0, size));
  }
  CHECK(used == 0);
  for (std::size_t at = 0; at < good.size(); at += at < 64 ? 1 : 13) {
    auto bytes = good;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x41);
    try_it(bytes);
  }
  used = 0;
  try_it(good);
  CHECK(used == 1);
}

TEST_CASE("facts codec: damaged facts are refused") {
  Facts facts;
  facts.events = 7;
  facts.commands.push_back({3, 9, {10}, {20}, "ls", "/", "bash", "hook", 42, 1, 0});
  facts.marks.push_back({MarkKind::gap, 5, {12}, "gap"});
  facts.idle.push_back({{1}, {900'000}});
  facts.activity.add_output({10}, 100);
  facts.clock.add({10}, {1000});
  facts.exit = format::Exit{1, 0, false, 5, "detail"};
  const auto good = encode_facts(facts);
  const auto decoded = decode_facts(good);
  REQUIRE(decoded);
  CHECK(encode_facts(*decoded) == good);
  CHECK(decoded->commands[0].text == "ls");
  CHECK(decoded->exit->detail == "detail");
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK_FALSE(decode_facts(ByteView(good).first(size)));
  }
}

}  // namespace
