// SPDX-License-Identifier: Apache-2.0
#include "base/printable.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/ledger_place.hpp"
#include "cli/message.hpp"
#include "cli/open_session.hpp"
#include "format/ledger_session.hpp"
#include "format/rewrap.hpp"

#include <fmt/format.h>

#include <unistd.h>

namespace sworn::cli {
namespace {

// The boxes of the recording that are in the places named.
std::vector<std::string> boxes_of(const Arguments& args, const format::FileId& id, std::size_t n) {
  std::vector<std::string> out;
  for (const auto& directory : args.values("--key-box")) {
    for (std::size_t i = 0; i < n; ++i) {
      auto path = directory + "/" + format::box_name(id, i, n);
      if (::access(path.c_str(), F_OK) == 0) {
        out.push_back(std::move(path));
      }
    }
  }
  return out;
}

int dry_run(const std::string& path, const std::vector<std::string>& boxes) {
  std::string list;
  for (const auto& box : boxes) {
    list += (list.empty() ? "" : ", ") + box;
  }
  return complain("shred", {"nothing was destroyed yet",
                            path +
                                " would never be readable again; "
                                "destroyed would be " +
                                list,
                            "say --yes"});
}

int run(const Arguments& args) {
  const auto& path = args.word(0);
  const auto reason = args.value("--reason");
  if (!reason || reason->empty()) {
    return complain_usage("shred", "it needs a reason: --reason TEXT");
  }
  const auto session = open_session(path);
  if (!session) {
    return complain("shred", explain_session_error(path, session.error()),
                    exit_status_for(session.error()));
  }
  const auto& reader = *session->reader;
  const auto* box = reader.key_box();
  if (!reader.encrypted() || box == nullptr) {
    return complain("shred", {path + ": is not encrypted", "there is no key to destroy",
                              "remove the file itself: sworn retention"});
  }
  if (box->form != format::KeyBoxForm::absent) {
    return complain(
        "shred", {path + ": holds its key box itself",
                  "every copy of the file has it; destroying a box elsewhere would destroy nothing",
                  "move it out first: sworn rewrap FILE --detached-box DIR -o COPY"});
  }
  const auto descriptor = format::decode_encryption_descriptor(reader.header().encryption);
  if (!descriptor) {
    return complain("shred", explain_session_error(path, descriptor.error()),
                    exit_status_for(descriptor.error()));
  }
  const auto boxes = boxes_of(args, reader.header().file_id, descriptor->groups.size());
  if (boxes.empty()) {
    return complain("shred", {path + ": its key box was not found",
                              "it is not in the directories named, or was destroyed before",
                              "name the directory: --key-box DIR"});
  }
  if (!args.has("--yes")) {
    return dry_run(path, boxes);
  }
  // Before anything is gone: what the ledger does not tell must not happen unseen.
  const auto digest = format::digest_of(*session->file);
  const auto entered =
      digest ? note_in_ledger(reader.header(),
                              format::LedgerRetentionDelete{reader.header().file_id, digest->digest,
                                                            actor_name(), "shred: " + *reason})
             : Result<bool>(tl::make_unexpected(digest.error()));
  if (!entered) {
    return complain("shred",
                    {"nothing was destroyed: the ledger of the recording cannot be written",
                     describe(entered.error()), "mend the ledger first: sworn ledger check"});
  }
  for (const auto& each : boxes) {
    if (const auto destroyed = format::destroy_key_box(each); !destroyed) {
      return complain("shred", {each + ": could not be destroyed", describe(destroyed.error()),
                                "the recording may still be readable; try again"});
    }
  }
  if (args.has("--json")) {
    print_json({{"schema", "sworn.shred/1"},
                {"path", path},
                {"file_id", format::to_hex(reader.header().file_id)},
                {"destroyed", boxes},
                {"ledger", *entered ? "entered" : "not here"},
                {"reason", *reason}});
  } else {
    for (const auto& each : boxes) {
      fmt::print("destroyed     {}\n", printable(each));
    }
    fmt::print("ledger        {}\n",
               *entered ? "tells of it" : "not here: nothing else tells that this was done");
    fmt::print("left          {}: its seals still verify, its contents are gone\n",
               printable(path));
    fmt::print("Copies of the key box (backups, recipients who opened it) are not reached.\n");
  }
  return k_exit_ok;
}

constexpr Option k_options[] = {
    {"--reason", ValueKind::text, "TEXT", "why, for the ledger; needed"},
    {"--yes", ValueKind::none, "", "really destroy; without it only what would be done is told"},
    {"--json", ValueKind::none, "", "what was done as one JSON object (schema sworn.shred/1)"},
};
constexpr ExitStatus k_exits[] = {
    {"0", "the key box was destroyed"},
    {"1", "nothing was destroyed: no key box, no --yes, or the command line is wrong"},
    {"6", "the file was made by another version of sworn"},
};
constexpr Example k_examples[] = {
    {"sworn shred web1.sworn --key-box /var/lib/sworn/keys --reason \"retention\" --yes",
     "the contents are gone; sworn verify still proves that the session took place"},
};

}  // namespace

constinit const Command k_cmd_shred = {
    .name = "shred",
    .summary = "destroy the key of an encrypted recording",
    .usage = "FILE --key-box=DIR --reason=TEXT [--yes] [--json]",
    .details =
        "Overwrites and removes the detached key box. The recording stays, its seals still hold "
        "and "
        "its ledger entry tells what was done, but nobody can read it any more who does not have "
        "the key from elsewhere.",
    .operands = {"FILE", ValueKind::session, 1, 1},
    .options = k_options,
    .examples = k_examples,
    .exits = k_exits,
    .run = run,
};

}  // namespace sworn::cli
