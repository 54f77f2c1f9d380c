// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/source_spec.hpp"

#include "audit/logs/journal_stream.hpp"
#include "audit/logs/source_files.hpp"
#include "audit/logs/time_format.hpp"
#include "audit/logs/toml_file.hpp"

namespace sworn::audit::logs {
namespace {

Result<SourceSpec> read_source(TomlTable& table) {
  SourceSpec spec;
  spec.options.zone = Zone::system();
  const auto path = table.text("path");
  const auto journal_path = table.text_or_flag("journal");
  TRY(table.types());
  if (path.has_value() == journal_path.has_value()) {
    return table.wrong("path", "a source has either a path or a journal");
  }
  spec.journal = journal_path.has_value();
  spec.path = spec.journal ? *journal_path : *path;
  const auto slash = spec.path.rfind('/');
  spec.options.name = table.text("name").value_or(
      spec.path.empty() ? "journal" : spec.path.substr(slash == std::string::npos ? 0 : slash + 1));
  if (const auto zone = table.text("zone")) {
    const auto parsed = Zone::parse(*zone);
    if (!parsed) {
      return table.wrong("zone", "a zone is local, UTC or an offset such as +02:00");
    }
    spec.options.zone = *parsed;
  }
  if (const auto format = table.text("time_format")) {
    if (const auto fine = TimeFormat::check(*format); !fine) {
      return table.wrong("time_format", fine.error().context);
    }
    spec.options.time_format = *format;
  }
  spec.options.time_field = table.text("time_field").value_or("");
  spec.options.offset_us = static_cast<std::int64_t>(table.number("offset").value_or(0) * 1e6);
  spec.rotated = table.flag("rotated").value_or(true);
  TRY(table.done());
  return spec;
}

}  // namespace

Result<std::vector<SourceSpec>> read_source_config(const std::string& path) {
  TRY_ASSIGN(auto file, TomlFile::read(path));
  TRY_ASSIGN(auto tables, file.tables("source"));
  std::vector<SourceSpec> specs;
  for (auto& table : tables) {
    TRY_ASSIGN(auto spec, read_source(table));
    specs.push_back(std::move(spec));
  }
  if (specs.empty()) {
    return fail(Errc::not_found, path + ": no [[source]] in it");
  }
  return specs;
}

Result<OpenSource> open_source(const SourceSpec& spec, const LogPlacement& placement) {
  const auto bounds = WallTrack(placement.clock)
                          .bounds({placement.window.from.us - placement.window.margin_us},
                                  {placement.window.to.us + placement.window.margin_us});
  OpenSource out;
  const WallTime from{bounds.earliest.us - spec.options.offset_us};
  const WallTime to{bounds.latest.us - spec.options.offset_us};
  const auto kind =
      spec.path.empty() || spec.path == "-" ? JournalKind::none : journal_kind(spec.path);
  if (spec.journal || kind == JournalKind::file) {
    TRY_ASSIGN(out.stream, open_journal({spec.path, from, to}));
    return out;
  }
  if (!spec.rotated || spec.path == "-" || kind == JournalKind::exported) {
    TRY_ASSIGN(out.stream, open_byte_stream(spec.path));
    if (kind == JournalKind::exported) {
      out.stream = convert_export(std::move(out.stream));
    }
    return out;
  }
  TRY_ASSIGN(auto files, find_log_files(spec.path, from));
  TRY_ASSIGN([[maybe_unused]] const auto probe, open_byte_stream(spec.path));  // fail early
  out.files = files.size();
  out.stream = chain_files(std::move(files));
  return out;
}

}  // namespace sworn::audit::logs
