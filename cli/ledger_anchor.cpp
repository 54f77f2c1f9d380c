// SPDX-License-Identifier: Apache-2.0
#include "cli/ledger_anchor.hpp"

#include "base/printable.hpp"
#include "base/system_log.hpp"
#include "cli/arguments.hpp"
#include "cli/command.hpp"
#include "cli/http_client.hpp"
#include "cli/json.hpp"
#include "cli/ledger_check.hpp"
#include "cli/ledger_place.hpp"
#include "cli/message.hpp"
#include "format/anchors.hpp"
#include "format/digest.hpp"
#include "format/ledger.hpp"
#include "format/timestamp.hpp"
#include "format/witness.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstring>

namespace sworn::cli {
namespace {

constexpr int k_exit_rollback = 3;
constexpr int k_exit_not_anchored = 4;
constexpr int k_default_timeout_s = 20;
constexpr int k_max_timeout_s = 600;

// Everything that the ways of anchoring share.
struct Anchoring {
  const Arguments& args;
  std::string directory;
  SystemClock clock;
  format::SystemEntropy entropy;
  format::TrustStore trust;
  std::unique_ptr<format::Ledger> ledger;
  std::string note;
  format::Checkpoint checkpoint;
  int timeout_s = k_default_timeout_s;
};

class HttpWitness final : public format::WitnessTransport {
 public:
  HttpWitness(std::string url, int timeout_s)
      : url_(std::move(url) + "/add-checkpoint"), timeout_s_(timeout_s) {}
  Result<format::HttpAnswer> add_checkpoint(std::string_view body) override {
    TRY_ASSIGN(const auto reply, http_post(url_, "text/plain", as_bytes(body), timeout_s_));
    return format::HttpAnswer{reply.status, reply.content_type, std::string(as_text(reply.body))};
  }

 private:
  std::string url_;
  int timeout_s_;
};

Result<void> prepare(Anchoring& a) {
  if (const auto text = a.args.value("--timeout")) {
    const auto [end, error] =
        std::from_chars(text->data(), text->data() + text->size(), a.timeout_s);
    if (error != std::errc() || end != text->data() + text->size() || a.timeout_s < 1 ||
        a.timeout_s > k_max_timeout_s) {
      return fail(Errc::bad_usage, "--timeout is a number of seconds from 1 to 600");
    }
  }
  TRY_ASSIGN(a.ledger, open_ledger_for_writing(a.directory, a.clock, a.entropy));
  TRY_ASSIGN(a.note, a.ledger->checkpoint());
  TRY_ASSIGN(const auto parsed, format::parse_note(a.note));
  TRY_ASSIGN(a.checkpoint, format::parse_checkpoint_text(parsed.text));
  return {};
}

// Entered only after it came back and was checked.
int enter(Anchoring& a, const std::string& type, Bytes proof, const std::string& by,
          std::optional<WallTime> when) {
  const auto receipt = a.ledger->append(
      format::LedgerAnchor{type, a.checkpoint.size, a.checkpoint.root, std::move(proof)});
  if (!receipt) {
    return complain("ledger", explain_ledger_error(a.directory, receipt.error()),
                    ledger_exit_status(receipt.error()));
  }
  if (a.args.has("--json")) {
    print_json({{"schema", "sworn.anchor/1"},
                {"type", type},
                {"entry", receipt->index},
                {"size", a.checkpoint.size},
                {"root", format::to_hex(a.checkpoint.root)},
                {"by", by},
                {"time", json_time(when)}});
  } else {
    const bool sent = type == "syslog" || type == "journal";
    fmt::print(
        "entry {}: {} the first {} entries{}\n", receipt->index,
        sent ? "sent to the " + type + ", the checkpoint of" : printable(by) + " vouches for",
        a.checkpoint.size, when ? " as of " + format_rfc3339(*when, 0) : std::string());
  }
  return k_exit_ok;
}

int rolled_back(const Anchoring& a, const std::string& url, const Error& error) {
  return complain(
      "ledger",
      {"ROLLBACK: " + url + " has seen another ledger than this one", error.context,
       fmt::format("keep {} as it is: an older copy was restored, entries were removed, "
                   "or that witness lies (ask a second one)",
                   a.directory)},
      k_exit_rollback);
}

Result<std::vector<format::Digest>> leaves_of(const Anchoring& a) {
  TRY_ASSIGN(const auto entries, open_ledger_entries(a.directory));
  std::vector<format::Digest> out;
  format::LedgerVerifyOptions options;
  options.on_entry = [&](std::uint64_t index, ByteView stored, const format::LedgerEntry&) {
    if (index < a.checkpoint.size) {
      out.push_back(format::ledger_leaf(stored));
    }
  };
  TRY(format::verify_ledger(*entries, options));
  return out;
}

int ask_witness(Anchoring& a, const std::string& url) {
  const auto* known = a.trust.find(a.ledger->head().id);
  if (known == nullptr || known->witnesses.empty()) {
    return complain("ledger",
                    {"no witness is trusted for this ledger", "its answer could not be checked",
                     "sworn trust add " + a.directory + " --witness VKEY"},
                    k_exit_not_anchored);
  }
  const auto leaves = leaves_of(a);
  if (!leaves) {
    return complain("ledger", explain_ledger_error(a.directory, leaves.error()),
                    ledger_exit_status(leaves.error()));
  }
  HttpWitness witness(url, a.timeout_s);
  const auto cosigned = format::show_to_witness(witness, a.note, *leaves, 0, known->witnesses);
  if (!cosigned) {
    switch (cosigned.error().code) {
      case Errc::bad_seal:
        return rolled_back(a, url, cosigned.error());
      case Errc::corrupt:
        return complain("ledger",
                        {url + ": its answer proves nothing", cosigned.error().context,
                         "compare the key in the trust store with the one that its operator tells"},
                        k_exit_not_anchored);
      case Errc::bad_usage:
        return complain("ledger", {url + ": refuses this ledger", cosigned.error().context,
                                   "have its operator add: " + a.ledger->head().checkpoint_key});
      default:
        return complain("ledger", {url + ": no answer", describe(cosigned.error()),
                                   "nothing was entered; try again, or ask another witness"});
    }
  }
  const auto& first = cosigned->cosignatures.front();
  return enter(a, "cosignature", to_bytes(cosigned->note), first.witness, first.when);
}

int ask_authority(Anchoring& a, const std::string& url) {
  if (a.trust.authorities.empty()) {
    return complain("ledger",
                    {"no time stamp authority is trusted", "its answer could not be checked",
                     "sworn trust add --authority CERTIFICATE.pem"},
                    k_exit_not_anchored);
  }
  const auto imprint = format::sha256(as_bytes(encode(a.checkpoint)));
  std::array<std::byte, sizeof(std::uint64_t)> random{};
  std::uint64_t nonce = 0;
  const auto ask = [&]() -> Result<HttpReply> {
    TRY(a.entropy.fill(random));
    std::memcpy(&nonce, random.data(), sizeof nonce);
    TRY_ASSIGN(const auto request, format::timestamp_request(imprint, nonce));
    return http_post(url, "application/timestamp-query", request, a.timeout_s);
  };
  const auto reply = ask();
  if (!reply || reply->status != 200) {
    return complain("ledger", {url + ": no answer",
                               reply ? fmt::format("it answered with status {}", reply->status)
                                     : describe(reply.error()),
                               "nothing was entered; try again, or ask another authority"});
  }
  const auto stamp =
      format::open_timestamp_response(reply->body, imprint, nonce, a.trust.authorities_pem());
  if (!stamp) {
    return complain("ledger",
                    {url + ": its answer proves nothing", stamp.error().context,
                     "nothing was entered; compare its certificate with the trust store"},
                    k_exit_not_anchored);
  }
  return enter(a, "rfc3161", stamp->token, url, stamp->when);
}

int send_away(Anchoring& a, const std::string& type) {
  const auto line = format::checkpoint_line(a.note);
  Result<void> sent;
  if (!line) {
    sent = tl::make_unexpected(line.error());
  } else if (type == "syslog") {
    sent = send_to_syslog("sworn", LogLevel::notice, *line,
                          a.args.value_or("--syslog-socket", k_syslog_socket));
  } else {
    sent = send_to_journal(
        "sworn", LogLevel::notice, *line,
        {{"SWORN_LEDGER", format::to_hex(a.ledger->head().id)}, {"SWORN_CHECKPOINT", a.note}},
        a.args.value_or("--journal-socket", k_journal_socket));
  }
  if (!sent) {
    return complain("ledger", {"the checkpoint could not be sent to the " + type,
                               describe(sent.error()), "nothing was entered"});
  }
  return enter(a, type, to_bytes(a.note), type, std::nullopt);
}

}  // namespace

int anchor_ledger(const Arguments& args, const std::string& directory) {
  const auto witness = args.value("--witness");
  const auto authority = args.value("--tsa");
  const int ways = (witness ? 1 : 0) + (authority ? 1 : 0) + (args.has("--syslog") ? 1 : 0) +
                   (args.has("--journal") ? 1 : 0);
  if (ways != 1) {
    return complain_usage("ledger", "anchor wants one of --witness, --tsa, --syslog and --journal");
  }
  Anchoring a{args, directory, {}, {}, {}, nullptr, "", {}};
  auto trust = load_trust(args.value("--trust"));
  if (!trust) {
    return complain("ledger", {"the trust store cannot be used", describe(trust.error()),
                               "repair the line, or name another file: --trust FILE"});
  }
  a.trust = std::move(*trust);
  if (const auto prepared = prepare(a); !prepared) {
    if (prepared.error().code == Errc::bad_usage) {
      return complain_usage("ledger", prepared.error().context);
    }
    return complain("ledger", explain_ledger_error(directory, prepared.error()),
                    ledger_exit_status(prepared.error()));
  }
  if (witness) {
    return ask_witness(a, *witness);
  }
  if (authority) {
    return ask_authority(a, *authority);
  }
  return send_away(a, args.has("--syslog") ? "syslog" : "journal");
}

}  // namespace sworn::cli
