// SPDX-License-Identifier: Apache-2.0
#include "cli/log_trail.hpp"

#include "audit/trail/trail_builder.hpp"
#include "audit/trail/trail_sinks.hpp"
#include "base/file.hpp"
#include "cli/message.hpp"
#include "cli/open_session.hpp"
#include "cli/session_link.hpp"

#include <unistd.h>

namespace sworn::cli {
namespace {

using namespace audit::trail;

Result<void> put_all(std::vector<TrailEntry>& entries, TrailSink& sink) {
  for (const auto& entry : entries) {
    TRY(sink.put(entry));
  }
  entries.clear();
  return {};
}

Result<void> write_trail(const std::string& word, TrailFormat format, int fd) {
  TRY_ASSIGN(const auto target, resolve_link(word));
  TRY_ASSIGN(auto session, open_session(target.file));
  auto& reader = *session.reader;
  TRY_ASSIGN(auto clock, reader.clock_map());
  if (clock.empty()) {
    return fail(Errc::not_found, "the recording has no clock: its entries would have no time");
  }
  TrailBuilder builder(reader.header(), std::move(clock), reader.first_time());
  const auto sink = stream_sink(fd, format);
  std::vector<TrailEntry> entries;
  TRY(reader.seek_event(0));
  while (true) {
    TRY_ASSIGN(const auto event, reader.next());
    if (!event) {
      break;
    }
    builder.add(*event, entries);
    TRY(put_all(entries, *sink));
  }
  builder.settle(entries);
  return put_all(entries, *sink);
}

}  // namespace

bool wants_trail(const Arguments& args) {
  return args.has("--trail") || args.has("--ecs") || args.has("--ocsf");
}

int log_trail(const Arguments& args) {
  if (args.has("--trail") + args.has("--ecs") + args.has("--ocsf") > 1) {
    return complain_usage("log", "--trail, --ecs and --ocsf exclude each other");
  }
  const auto format = args.has("--ecs")    ? TrailFormat::ecs
                      : args.has("--ocsf") ? TrailFormat::ocsf
                                           : TrailFormat::own;
  if (const auto done = write_trail(args.word(0), format, STDOUT_FILENO); !done) {
    return complain("log", explain_session_error(args.word(0), done.error()),
                    exit_status_for(done.error()));
  }
  return k_exit_ok;
}

bool is_trail_format(std::string_view name) {
  return name == "ecs" || name == "ocsf";
}

int export_trail(const Arguments& args, std::string_view format) {
  if (args.has("--from") || args.has("--to")) {
    return complain_usage("export", "a trail is exported whole: without --from and --to");
  }
  int fd = STDOUT_FILENO;
  std::unique_ptr<PosixAppendFile> file;
  const auto out = args.value("--output");
  if (out) {
    auto created = PosixAppendFile::create(*out);
    if (!created) {
      return complain("export", explain_output_error(*out, created.error()));
    }
    file = *std::move(created);
    fd = file->fd();
  }
  const auto done = write_trail(args.word(0), *trail_format_from_name(format), fd);
  if (!done) {
    if (out) {
      ::unlink(out->c_str());  // half an export looks like a whole one
    }
    return complain("export", explain_session_error(args.word(0), done.error()),
                    exit_status_for(done.error()));
  }
  return k_exit_ok;
}

}  // namespace sworn::cli
