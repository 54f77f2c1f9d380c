// SPDX-License-Identifier: Apache-2.0
// How fast the emulator eats recorded output: sworn-bench-vt [options] FILE...
// Each file is fed in 16 KiB pieces as a session delivers them; the best of several rounds counts.
// Corpora come from bench/corpus; --world makes one of CJK, emoji and combining text.
#include "player/vt/terminal.hpp"
#include "player/vt/utf8.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <time.h>

namespace {

constexpr std::size_t k_piece = 16384;
constexpr std::size_t k_enough = std::size_t{48} << 20U;

// Processor time: other work on the machine hardly counts.
double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Corpus {
  std::string name;
  std::string bytes;
};

std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What the terminal receives: programs write LF, the tty makes CR LF of it.
std::string through_tty(const std::string& bytes) {
  std::string sent;
  sent.reserve(bytes.size() + bytes.size() / 32);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r')) {
      sent += '\r';
    }
    sent += bytes[i];
  }
  return sent;
}

// Lines of Chinese, Japanese, Korean, Greek and accented text, emoji and combining marks, never the
// same twice.
std::string world_text(std::size_t size) {
  struct Block {
    char32_t first;
    char32_t count;
    char32_t mark;  // follows every fourth character, unless 0
  };
  constexpr std::array<Block, 7> k_blocks = {{{0x4E00, 5000, 0},
                                              {0x3041, 80, 0},
                                              {0xAC00, 4000, 0},
                                              {0x1F600, 60, 0},
                                              {0x391, 40, 0},
                                              {0x61, 26, 0x301},
                                              {0x905, 40, 0x93E}}};
  std::string text;
  std::uint64_t state = 1;
  const auto next = [&state](std::uint64_t below) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (state >> 33U) % below;
  };
  while (text.size() < size) {
    for (int word = 0; word < 10; ++word) {
      const Block& block = k_blocks[next(k_blocks.size())];
      for (int i = 0; i < 5; ++i) {
        sworn::vt::append_utf8(text, block.first + static_cast<char32_t>(next(block.count)));
        if (block.mark != 0 && i % 4 == 3) {
          sworn::vt::append_utf8(text, block.mark);
        }
      }
      text += ' ';
    }
    text += "\r\n";
  }
  return text;
}

// Seconds for the whole text, fed as often as it takes to be worth timing.
double seconds_to_feed(const std::string& bytes, sworn::TermSize size, std::size_t repeats) {
  sworn::vt::Terminal terminal(size);
  const auto start = cpu_seconds();
  for (std::size_t i = 0; i < repeats; ++i) {
    for (std::size_t at = 0; at < bytes.size(); at += k_piece) {
      terminal.feed(sworn::as_bytes(std::string_view(bytes).substr(at, k_piece)));
    }
  }
  return cpu_seconds() - start;
}

void measure(const Corpus& corpus, sworn::TermSize size, int rounds) {
  const std::size_t repeats =
      std::max<std::size_t>(1, k_enough / std::max<std::size_t>(corpus.bytes.size(), 1));
  double best = 1e9;
  for (int round = 0; round < rounds; ++round) {
    best = std::min(best, seconds_to_feed(corpus.bytes, size, repeats));
  }
  const double megabytes = static_cast<double>(corpus.bytes.size() * repeats) / 1e6;
  fmt::print("{:<24} {:>4}x{:<4} {:>8.0f} MB/s\n", corpus.name, size.cols, size.rows,
             megabytes / best);
}

// What a seek costs: one snapshot saved and loaded, at the end of the corpus.
void measure_snapshot(const Corpus& corpus, sworn::TermSize size, int rounds) {
  sworn::vt::Terminal terminal(size);
  terminal.feed(sworn::as_bytes(corpus.bytes));
  double save = 1e9;
  double load = 1e9;
  sworn::Bytes snapshot;
  for (int round = 0; round < rounds * 20; ++round) {
    const auto start = cpu_seconds();
    snapshot = terminal.save();
    const auto saved = cpu_seconds();
    if (!terminal.load(snapshot)) {
      fmt::print(stderr, "the snapshot does not load\n");
      return;
    }
    save = std::min(save, saved - start);
    load = std::min(load, cpu_seconds() - saved);
  }
  fmt::print("{:<24} {:>4}x{:<4} {:>8} bytes, saved in {:.0f} us, loaded in {:.0f} us\n",
             corpus.name, size.cols, size.rows, snapshot.size(), save * 1e6, load * 1e6);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Speed of the terminal emulator"};
  std::vector<std::string> files;
  std::vector<std::string> sizes = {"80x24", "200x50"};
  int rounds = 3;
  bool world = false;
  app.add_option("files", files, "recorded output")->check(CLI::ExistingFile);
  app.add_option("--size", sizes, "terminal sizes, COLSxROWS");
  app.add_option("--rounds", rounds, "the best of so many counts")->check(CLI::Range(1, 100));
  app.add_flag("--world", world, "add CJK, emoji and combining text");
  CLI11_PARSE(app, argc, argv);
  std::vector<Corpus> corpora;
  for (const auto& file : files) {
    corpora.push_back(
        {std::filesystem::path(file).filename().string(), through_tty(read_all(file))});
  }
  if (world) {
    corpora.push_back({"world", world_text(std::size_t{16} << 20U)});
  }
  for (const auto& text : sizes) {
    unsigned cols = 0;
    unsigned rows = 0;
    if (std::sscanf(text.c_str(), "%ux%u", &cols, &rows) != 2 || cols == 0 ||
        rows == 0) {  // NOLINT(cert-err34-c)
      fmt::print(stderr, "sworn-bench-vt: a size is COLSxROWS, not {}\n", text);
      return 2;
    }
    const sworn::TermSize size = {.cols = static_cast<std::uint16_t>(cols),
                                  .rows = static_cast<std::uint16_t>(rows)};
    for (const auto& corpus : corpora) {
      measure(corpus, size, rounds);
    }
    for (const auto& corpus : corpora) {
      measure_snapshot(corpus, size, rounds);
    }
  }
  return 0;
}
