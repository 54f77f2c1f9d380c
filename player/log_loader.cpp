// SPDX-License-Identifier: Apache-2.0
#include "player/log_loader.hpp"

#include "audit/logs/log_index.hpp"
#include "audit/logs/session_facts.hpp"
#include "audit/logs/source_spec.hpp"

#include <fmt/format.h>

namespace sworn::player {
namespace {

namespace logs = audit::logs;

logs::SourceSpec spec_of(const std::string& path) {
  logs::SourceSpec spec;
  spec.path = path;
  spec.options.name = path == "-" ? "stdin" : path.substr(path.rfind('/') + 1);
  spec.options.zone = logs::Zone::system();
  return spec;
}

LogItem item_of(const logs::LogIndex& index, const logs::LogEntry& entry) {
  LogItem item;
  item.t = entry.t;
  item.until = entry.until;
  item.source = index.sources()[entry.source].name;
  item.text = index.text(entry);
  item.severity = static_cast<LogSeverity>(entry.severity);
  item.relation = static_cast<LogRelation>(entry.relation);
  item.why = index.why(entry);
  return item;
}

static_assert(static_cast<int>(LogRelation::unknown) ==
              static_cast<int>(logs::LogRelation::unknown));
static_assert(static_cast<int>(LogSeverity::error) == static_cast<int>(logs::LogSeverity::error));

}  // namespace

Result<LogBookPtr> load_logs(const Recording& recording, const std::vector<std::string>& files) {
  if (files.empty()) {
    return LogBookPtr{};
  }
  TRY_ASSIGN(const auto source, FileSource::open(recording));
  TRY_ASSIGN(auto facts, logs::read_session_facts(source->reader()));
  logs::LogIndexBuilder builder(facts.placement, facts.lineage);
  auto book = std::make_shared<LogBook>();
  for (const auto& file : files) {
    const auto spec = spec_of(file);
    TRY_ASSIGN(auto opened, logs::open_source(spec, facts.placement));
    // A source that breaks off keeps what came before; the title says so.
    const auto read = builder.add(std::move(opened.stream), spec.options);
    book->title += fmt::format("{}{}{}", book->title.empty() ? "" : " ", spec.options.name,
                               read ? "" : " (broke off)");
  }
  const auto index = builder.finish();
  for (const auto& info : index.sources()) {
    book->left_out += info.no_time + info.left_out;
  }
  book->items.reserve(index.entries().size());
  for (const auto& entry : index.entries()) {
    book->items.push_back(item_of(index, entry));
  }
  return LogBookPtr(std::move(book));
}

}  // namespace sworn::player
