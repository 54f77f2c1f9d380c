// SPDX-License-Identifier: Apache-2.0
#include "cli/clip_commands.hpp"

#include "audit/logs/command_list.hpp"
#include "base/printable.hpp"
#include "base/scope_exit.hpp"
#include "cli/arguments.hpp"
#include "cli/command.hpp"
#include "cli/json.hpp"
#include "cli/ledger_place.hpp"
#include "cli/message.hpp"
#include "cli/open_session.hpp"
#include "cli/text.hpp"
#include "format/anchors.hpp"
#include "format/clip.hpp"
#include "format/event_payload.hpp"
#include "format/ledger_session.hpp"
#include "format/verify_with_ledger.hpp"
#include "player/position_spec.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <unistd.h>

namespace sworn::cli {
namespace {

using format::ClipReport;

std::vector<player::CommandItem> commands_in(OpenSession& session) {
  std::vector<player::CommandItem> out;
  const auto list = audit::logs::CommandList::read(*session.reader);
  if (!list) {
    return out;
  }
  for (const auto& entry : list->commands()) {
    player::CommandItem item;
    item.begin_event = entry.begin_event;
    item.end_event = entry.ended ? entry.end_event : 0;
    item.begin = entry.begin;
    item.end = entry.end;
    out.push_back(std::move(item));
  }
  return out;
}

Result<MonoTime> moment(OpenSession& session, const player::PlaceContext& context,
                        const std::string& text) {
  TRY_ASSIGN(const auto spec, player::parse_place(text));
  TRY_ASSIGN(const auto place, player::resolve(spec, context));
  if (!place.by_position) {
    return place.t;
  }
  TRY(session.reader->seek_event(place.position == 0 ? 0 : place.position - 1));
  TRY_ASSIGN(const auto event, session.reader->next());
  return event ? event->t : context.last;
}

// "T1..T2"; an empty side is the beginning or the end.
Result<format::ClipRange> parse_range(const std::string& path, const std::string& text) {
  const auto dots = text.find("..");
  if (dots == std::string::npos) {
    return fail(Errc::bad_usage, "--prove is T1..T2, as 12.5..1:02:03 or \"cmd 3..cmd 5\"");
  }
  TRY_ASSIGN(auto session, open_session(path));
  TRY_ASSIGN(const auto clock, session.reader->clock_map());
  const auto commands = commands_in(session);
  player::PlaceContext context;
  context.first = context.here = session.reader->first_time();
  context.last = session.reader->last_time();
  context.end_position = session.reader->event_count();
  context.clock = &clock;
  context.commands = &commands;
  const std::string from = text.substr(0, dots);
  const std::string to = text.substr(dots + 2);
  format::ClipRange out{context.first, context.last};
  if (!from.empty()) {
    TRY_ASSIGN(out.from, moment(session, context, from));
  }
  if (!to.empty()) {
    TRY_ASSIGN(out.to, moment(session, context, to));
  }
  if (out.to < out.from) {
    return fail(Errc::bad_usage, "the range ends before it begins");
  }
  return out;
}

// A checkpoint that covers what the ledger knows of the session's end: one that witnesses signed,
// where there is one, else a new one, where this ledger is ours to sign for.
Result<std::string> checkpoint_for(const std::string& directory, const ReadFile& entries,
                                   const ReadFile& session, const VerifySources& sources) {
  TRY_ASSIGN(const auto evidence, sources.gather(session, {}));
  for (const auto& anchor : evidence.anchors) {
    const bool covers =
        evidence.ledger && evidence.ledger->closed && anchor.anchor.size > *evidence.ledger->closed;
    if (anchor.anchor.type == "cosignature" && covers &&
        anchor.state != format::AnchorState::wrong) {
      return std::string(as_text(anchor.anchor.proof));
    }
  }
  SystemClock clock;
  format::SystemEntropy entropy;
  if (auto ledger = open_ledger_for_writing(directory, clock, entropy)) {
    return (*ledger)->checkpoint();
  }
  // An auditor's copy: the newest checkpoint that somebody took of it.
  TRY_ASSIGN(const auto anchors, format::anchors_of(entries));
  for (auto it = anchors.rbegin(); it != anchors.rend(); ++it) {
    if (it->type != "rfc3161") {
      return std::string(as_text(it->proof));
    }
  }
  return fail(Errc::not_found, "there is no checkpoint of the ledger, and none can be signed here");
}

void print_clip(const ClipReport& r, const std::string& path) {
  const auto line = [](std::string_view label, const std::string& text) {
    fmt::print("{}", labelled(label, text, 14));
  };
  line("clip", path);
  if (r.header) {
    line("session", format::to_hex(r.header->file_id));
    const auto seconds = [&](MonoTime t) {
      return format_duration(t.us - r.header->started_mono.us, 3);
    };
    line("range",
         fmt::format("{} .. {} of the session", seconds(r.range.from), seconds(r.range.to)));
  }
  if (r.first_time && r.last_time) {
    line("sealed", format_rfc3339(*r.first_time, 0) + " .. " + format_rfc3339(*r.last_time, 0));
  }
  const bool whole = r.standing <= format::Standing::clock_anomaly;
  line("integrity", fmt::format("{}: {} under {}", whole ? "unchanged" : "CHANGED",
                                count(r.totals.events, "event", "events"),
                                count(r.totals.seals, "seal", "seals")));
  line("completeness", fmt::format("{}; {} of the same chunks outside of the range, hidden; {}",
                                   r.covers_range ? "every event of the range is here"
                                                  : "EVENTS OF THE RANGE MAY BE MISSING",
                                   count(r.totals.hidden, "event", "events"),
                                   r.closed ? "the session was closed"
                                            : "the session was not closed when this was made"));
  std::string who = "NOT PINNED: nothing outside the clip says whose it is";
  if (r.opened) {
    who = fmt::format("{}: opened in ledger {}, entry {}", format::name_of(r.trust), r.origin,
                      *r.opened);
  }
  line("identity", who);
  if (r.marked) {
    line("ledger", fmt::format("saw this history: entry {}", *r.marked));
  }
  for (const auto& anchor : r.anchors) {
    std::string by;
    for (const auto& name : anchor.by) {
      by += (by.empty() ? "" : ", ") + name;
    }
    line("anchor", fmt::format("cosigned by {}{}: {}", by,
                               anchor.when ? " at " + format_rfc3339(*anchor.when, 0) : "",
                               format::name_of(anchor.state)));
  }
  for (const auto& f : r.findings) {
    line(f.severity == format::Severity::failure ? "failure" : "warning",
         fmt::format("{} at byte {}: {}", f.code, grouped(f.offset), f.text));
  }
  line("verdict", std::string(format::name_of(r.standing)) + ", CLIP");
}

Json clip_json(const ClipReport& r, const std::string& path) {
  Json findings = Json::array();
  for (const auto& f : r.findings) {
    findings.push_back({{"code", f.code}, {"offset", f.offset}, {"text", f.text}});
  }
  const auto number = [](const std::optional<std::uint64_t>& n) {
    return n ? Json(*n) : Json(nullptr);
  };
  return {{"schema", "sworn.clip/1"},
          {"path", path},
          {"verdict", format::name_of(r.standing)},
          {"exit_status", format::exit_status_of(r.standing)},
          {"file_id", r.header ? Json(format::to_hex(r.header->file_id)) : Json(nullptr)},
          {"events", r.totals.events},
          {"hidden_events", r.totals.hidden},
          {"seals", r.totals.seals},
          {"covers_range", r.covers_range},
          {"closed", r.closed},
          {"trust", format::name_of(r.trust)},
          {"opened", number(r.opened)},
          {"marked", number(r.marked)},
          {"findings", std::move(findings)}};
}

// One event a line: what the clip shows.
void print_events(const ClipReport& r) {
  const std::int64_t zero = r.header ? r.header->started_mono.us : 0;
  for (const auto& event : r.events) {
    const bool bytes = event.kind == format::EventKind::output ||
                       event.kind == format::EventKind::input ||
                       event.kind == format::EventKind::error_output ||
                       event.kind == format::EventKind::side_output;
    const auto structured = bytes ? Result<std::string>(fail(Errc::bad_usage, "bytes"))
                                  : format::ledger_entry_json(event.data);
    print_json(
        {{"schema", "sworn.clip_event/1"},
         {"event", event.number},
         {"t", json_seconds(event.t.us - zero)},
         {"kind", format::name_of(event.kind)},
         {structured ? "payload" : "text", structured ? Json::parse(*structured, nullptr, false)
                                                      : Json(std::string(as_text(event.data)))}});
  }
}

Message explain_clip(const ClipReport& r, const std::string& path) {
  std::string why;
  for (const auto& f : r.findings) {
    if (f.severity == format::Severity::failure) {
      why = fmt::format("{} at byte {}: {}", f.code, grouped(f.offset), f.text);
      break;
    }
  }
  return {path + ": the clip does not hold", why, "ask for another copy, or for the session"};
}

}  // namespace

int prove_range(const Arguments& args, const VerifySources& sources, const std::string& path) {
  const auto out_path = args.value("--output");
  if (!out_path) {
    return complain_usage("verify", "--prove needs the name of the clip: -o CLIP");
  }
  const auto file = PosixReadFile::open(path);
  if (!file) {
    return complain("verify", explain_session_error(path, file.error()));
  }
  const auto range = parse_range(path, args.value_or("--prove", ""));
  if (!range) {
    return range.error().code == Errc::bad_usage
               ? complain_usage("verify", range.error().context)
               : complain("verify", explain_session_error(path, range.error()));
  }
  const auto identity = format::read_session_identity(**file);
  const std::string directory = sources.ledger_directory(identity ? &identity->header : nullptr);
  std::unique_ptr<PosixReadFile> entries;
  format::ClipLedger ledger;
  if (!directory.empty()) {
    auto opened = open_ledger_entries(directory);
    auto checkpoint = opened ? checkpoint_for(directory, **opened, **file, sources)
                             : Result<std::string>(tl::make_unexpected(opened.error()));
    if (!checkpoint) {
      return complain("verify",
                      {directory + ": cannot prove anything", describe(checkpoint.error()),
                       "--ledger none makes a clip without its ledger"});
    }
    entries = std::move(*opened);
    ledger = {entries.get(), std::move(*checkpoint)};
  }
  auto out = PosixAppendFile::create(*out_path);
  if (!out) {
    return complain("verify", explain_output_error(*out_path, out.error()));
  }
  ScopeExit remove([&] { ::unlink(out_path->c_str()); });
  SystemClock clock;
  const auto made =
      format::make_clip(**file, *range, entries ? &ledger : nullptr, clock.wall(), **out);
  if (!made) {
    return complain("verify",
                    {path + ": no clip was made", describe(made.error()),
                     "see what is proven of the whole: sworn verify FILE"},
                    made.error().code == Errc::bad_seal ? 3 : k_exit_failure);
  }
  remove.dismiss();
  fmt::print("{}: {}, {} hidden, {}, {}\n", printable(*out_path),
             count(made->events, "event", "events"), made->hidden,
             count(made->seals, "seal", "seals"),
             count(made->proofs, "ledger entry", "ledger entries"));
  return k_exit_ok;
}

int verify_clip_file(const Arguments& args, const VerifySources& sources, const std::string& path,
                     const ReadFile& file) {
  const auto report = format::verify_clip(file, &sources.trust());
  if (!report) {
    return complain("verify", explain_session_error(path, report.error()),
                    exit_status_for(report.error()));
  }
  if (args.has("--events")) {
    print_events(*report);
  } else if (args.has("--json")) {
    print_json(clip_json(*report, path));
  } else if (!args.has("--quiet")) {
    print_clip(*report, path);
  }
  const int status = format::exit_status_of(report->standing);
  return status == k_exit_ok ? k_exit_ok : complain("verify", explain_clip(*report, path), status);
}

}  // namespace sworn::cli
