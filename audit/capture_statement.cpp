// SPDX-License-Identifier: Apache-2.0
#include "audit/capture_statement.hpp"

#include "format/msgpack_map.hpp"

#include <array>

namespace sworn::audit {
namespace {

constexpr std::array<std::string_view, 3> k_names{"none", "best_effort", "complete"};
constexpr std::string_view k_layer = "statement";

Result<Coverage> coverage_from(std::string_view name) {
  for (std::size_t i = 0; i < k_names.size(); ++i) {
    if (k_names[i] == name) {
      return static_cast<Coverage>(i);
    }
  }
  return fail(Errc::corrupt, "a coverage without a name");
}

}  // namespace

std::string_view name_of(Coverage coverage) {
  return k_names[static_cast<std::size_t>(coverage)];
}

Bytes encode(const CaptureStatement& p) {
  return format::MapWriter()
      .text("layer", k_layer)
      .text("state", p.state)
      .text("mechanism", p.mechanism)
      .text("shell", name_of(p.shell))
      .text("exec", name_of(p.exec))
      .text("files", name_of(p.files))
      .text("connect", name_of(p.connect))
      .unsigned_number("lost", p.lost)
      .text("detail", p.detail)
      .finish();
}

Result<std::optional<CaptureStatement>> decode_capture_statement(ByteView data) {
  TRY_ASSIGN(auto map, format::MapReader::parse(data));
  std::string layer;
  map.text("layer", layer);
  if (layer != k_layer) {
    return std::optional<CaptureStatement>{};
  }
  CaptureStatement p;
  std::string shell{"none"};
  std::string exec{"none"};
  std::string files{"none"};
  std::string connect{"none"};
  TRY(map.text("state", p.state)
          .text("mechanism", p.mechanism)
          .text("shell", shell)
          .text("exec", exec)
          .text("files", files)
          .text("connect", connect)
          .number("lost", p.lost)
          .text("detail", p.detail)
          .done());
  TRY_ASSIGN(p.shell, coverage_from(shell));
  TRY_ASSIGN(p.exec, coverage_from(exec));
  TRY_ASSIGN(p.files, coverage_from(files));
  TRY_ASSIGN(p.connect, coverage_from(connect));
  return std::optional(std::move(p));
}

}  // namespace sworn::audit
