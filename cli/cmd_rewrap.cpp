// SPDX-License-Identifier: Apache-2.0
#include "base/printable.hpp"
#include "base/scope_exit.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/message.hpp"
#include "cli/open_session.hpp"
#include "cli/progress.hpp"
#include "format/rewrap.hpp"

#include <fmt/format.h>

#include <unistd.h>

namespace sworn::cli {
namespace {

struct Job {
  std::string path;
  format::FileId id{};
  format::KeyBox box;              // as it stands in the recording
  std::vector<Bytes> boxes;        // the new ones
  std::optional<std::string> out;  // a copy of the recording
  std::optional<std::string> directory;
};

Result<format::RecipientGroups> recipients_of(const Arguments& args) {
  format::RecipientGroups groups;
  for (const auto* option : {"--encrypt-to", "--second-person"}) {
    std::vector<format::AgeRecipient> group;
    for (const auto& text : args.values(option)) {
      TRY_ASSIGN(const auto more, format::read_recipients(text));
      group.insert(group.end(), more.begin(), more.end());
    }
    if (!group.empty()) {
      groups.push_back(std::move(group));
    }
  }
  return groups;
}

Result<void> write_copy(const ReadFile& source, const Job& job) {
  TRY_ASSIGN(const auto out, PosixAppendFile::create(*job.out));
  ScopeExit remove([&] { ::unlink(job.out->c_str()); });
  format::KeyBox box = job.box;
  box.form = job.directory ? format::KeyBoxForm::absent : format::KeyBoxForm::renewed;
  box.boxes = job.directory ? std::vector<Bytes>{} : job.boxes;
  SystemClock clock;
  ProgressLine progress(clock, "rewrap " + job.path);
  TRY(format::copy_with_key_box(source, box, *out,
                                [&](auto done, auto total) { progress.update(done, total); }));
  TRY(sync_parent_directory(*job.out));
  remove.dismiss();
  return {};
}

int report(const Arguments& args, const Job& job) {
  if (args.has("--json")) {
    Json boxes = Json::array();
    for (std::size_t i = 0; job.directory && i < job.boxes.size(); ++i) {
      boxes.push_back(*job.directory + "/" + format::box_name(job.id, i, job.boxes.size()));
    }
    print_json({{"schema", "sworn.rewrap/1"},
                {"path", job.path},
                {"output", job.out ? Json(*job.out) : Json(nullptr)},
                {"boxes", boxes}});
    return k_exit_ok;
  }
  if (job.out) {
    fmt::print("{}: a copy with {}\n", printable(*job.out),
               job.directory ? "no key box" : "a key box for the new recipients");
  }
  for (std::size_t i = 0; job.directory && i < job.boxes.size(); ++i) {
    fmt::print("{}/{}: key box\n", printable(*job.directory),
               format::box_name(job.id, i, job.boxes.size()));
  }
  fmt::print("The recipients of before open every copy of the recording or box that is left.\n");
  return k_exit_ok;
}

int run(const Arguments& args) {
  Job job;
  job.path = args.word(0);
  job.out = args.value("--output");
  job.directory = args.value("--detached-box");
  if (!job.out && !job.directory) {
    return complain_usage("rewrap", "the new key box needs a place: -o OUT or --detached-box DIR");
  }
  auto groups = recipients_of(args);
  if (!groups) {
    return complain("rewrap", {"cannot tell whom to encrypt to", describe(groups.error()),
                               "name recipients (age1...) or a file with one on each line"});
  }
  if (args.values("--encrypt-to").empty()) {
    return complain_usage("rewrap", "it does not say for whom: --encrypt-to RECIPIENT");
  }
  const auto session = open_session(job.path);
  if (!session) {
    return complain("rewrap", explain_session_error(job.path, session.error()),
                    exit_status_for(session.error()));
  }
  const auto& reader = *session->reader;
  if (!reader.encrypted() || reader.key_box() == nullptr) {
    return complain("rewrap", {job.path + ": is not encrypted", "there is no key in it to box anew",
                               "sworn rec --encrypt-to records encrypted"});
  }
  job.id = reader.header().file_id;
  job.box = *reader.key_box();
  const auto make = [&]() -> Result<void> {
    TRY_ASSIGN(const auto descriptor,
               format::decode_encryption_descriptor(reader.header().encryption));
    TRY_ASSIGN(const auto key, format::KeyRing::of_process().open(job.id, job.box, descriptor));
    format::SystemEntropy entropy;
    TRY_ASSIGN(job.boxes, format::close_boxes(job.id, key, *groups, entropy));
    if (job.directory) {
      TRY(format::store_key_boxes(*job.directory, job.id, job.boxes, args.has("--replace")));
    }
    return job.out ? write_copy(*session->file, job) : Result<void>();
  };
  if (const auto made = make(); !made) {
    return made.error().code == Errc::io
               ? complain("rewrap",
                          explain_output_error(job.out.value_or(*job.directory), made.error()))
               : complain("rewrap", explain_session_error(job.path, made.error()),
                          exit_status_for(made.error()));
  }
  return report(args, job);
}

constexpr Option k_options[] = {
    {"--encrypt-to", ValueKind::file, "RECIPIENT|FILE",
     "for whom: an age recipient (age1...) or a file with some; may be repeated"},
    {"--second-person", ValueKind::file, "RECIPIENT|FILE",
     "reading takes one of these as well; may be repeated"},
    {"-o,--output", ValueKind::file, "OUT",
     "a copy of the recording with the new key box; an existing file is never overwritten"},
    {"--detached-box", ValueKind::directory, "DIR",
     "keep the new key box in this directory; with -o, the copy has none"},
    {"--replace", ValueKind::none, "", "replace a key box of this recording in DIR"},
    {"--json", ValueKind::none, "", "what was done as one JSON object (schema sworn.rewrap/1)"},
};
constexpr ExitStatus k_exits[] = {
    {"0", "the key box was made"},
    {"1",
     "no key at hand opens the recording, a file cannot be read or written, or the command "
     "line is wrong"},
    {"6", "the file was made by another version of sworn"},
};
constexpr Example k_examples[] = {
    {"sworn rewrap web1.sworn --identity me.key --encrypt-to age1... -o web1-for-court.sworn",
     "a copy that the court's key opens"},
    {"sworn rewrap web1.sworn --identity me.key --encrypt-to escrow --detached-box /keys -o "
     "d.sworn",
     "moves the key out of the recording, so that sworn shred can destroy it"},
};

}  // namespace

constinit const Command k_cmd_rewrap = {
    .name = "rewrap",
    .summary = "box the key of an encrypted recording for others",
    .usage = "FILE --encrypt-to=RECIPIENT... (-o OUT|--detached-box=DIR) [OPTIONS]",
    .details =
        "Opens the session key with an identity and closes it anew. The contents stay as they are, "
        "and every seal still holds. Who could read the recording before still can, from every "
        "copy that is left.",
    .operands = {"FILE", ValueKind::session, 1, 1},
    .options = k_options,
    .examples = k_examples,
    .exits = k_exits,
    .run = run,
};

}  // namespace sworn::cli
