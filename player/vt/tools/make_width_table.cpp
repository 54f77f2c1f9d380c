// SPDX-License-Identifier: Apache-2.0
// Writes player/vt/width_table.cpp from the wcwidth() of the C library it runs on. Run once on
// Debian 12 (glibc 2.36); the result is kept in the tree, so that a recording looks the same on
// every host and for ever.
//   g++ -std=c++20 -O2 -o /tmp/make_width_table player/vt/tools/make_width_table.cpp
//   LC_ALL=C.UTF-8 /tmp/make_width_table > player/vt/width_table.cpp
#include <array>
#include <clocale>
#include <cstdint>
#include <cstdio>
#include <map>
#include <vector>

#include <wchar.h>

namespace {

constexpr unsigned k_page_size = 256;
constexpr unsigned k_pages = 0x110000 / k_page_size;
using Page = std::array<std::uint8_t, k_page_size / 4>;

// Code points that the C library does not know count as one column, as tmux has it.
unsigned width_of(unsigned code_point) {
  const int width = ::wcwidth(static_cast<wchar_t>(code_point));
  return width < 0 ? 1U : static_cast<unsigned>(width);
}

Page make_page(unsigned number) {
  Page page{};
  for (unsigned i = 0; i < k_page_size; ++i) {
    const unsigned bits = width_of(number * k_page_size + i) << (2 * (i % 4));
    page[i / 4] = static_cast<std::uint8_t>(page[i / 4] | bits);
  }
  return page;
}

void print_numbers(const std::vector<unsigned>& numbers) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    std::printf("%s%u,", i % 20 == 0 ? "\n    " : " ", numbers[i]);
  }
  std::printf("\n");
}

}  // namespace

int main() {
  if (std::setlocale(LC_CTYPE, "C.UTF-8") == nullptr || ::wcwidth(0x6F22) != 2) {
    std::fprintf(stderr, "make_width_table: the locale C.UTF-8 is needed\n");
    return 1;
  }
  std::map<Page, unsigned> known;
  std::vector<unsigned> index;
  std::vector<unsigned> bytes;
  for (unsigned number = 0; number < k_pages; ++number) {
    const Page page = make_page(number);
    const auto [at, fresh] = known.emplace(page, static_cast<unsigned>(known.size()));
    index.push_back(at->second);
    if (fresh) {
      bytes.insert(bytes.end(), page.begin(), page.end());
    }
  }
  std::printf(
      "// SPDX-License-Identifier: Apache-2.0\n"
      "// Made by tools/make_width_table.cpp from the wcwidth() of glibc 2.36. Frozen: a change "
      "here changes\n"
      "// what recordings look like and needs a new k_emulator_version.\n"
      "#include \"player/vt/width.hpp\"\n\n"
      "namespace sworn::vt {\n\n"
      "// clang-format off\n"
      "// Code point / 256 -> page.\n"
      "const std::array<std::uint8_t, %u> k_width_index = {",
      k_pages);
  print_numbers(index);
  std::printf(
      "};\n\n// Two bits for each code point, low bits first.\n"
      "const std::array<std::uint8_t, k_width_pages * 64> k_width_pages_data = {");
  print_numbers(bytes);
  std::printf("};\n// clang-format on\n\n}  // namespace sworn::vt\n");
  std::fprintf(stderr, "%zu pages\n", known.size());
  return 0;
}
