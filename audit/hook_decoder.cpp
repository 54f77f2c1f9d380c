// SPDX-License-Identifier: Apache-2.0
#include "audit/hook_decoder.hpp"

#include "base/printable.hpp"
#include "format/event_payload.hpp"
#include "format/msgpack_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace sworn::audit {
namespace {

using format::EventKind;

// A pasted list of builtins runs at about a thousand lines a second; a loop that forges runs far
// above it.
constexpr double k_messages_per_second = 4'000;
constexpr double k_message_burst = 20'000;
constexpr double k_bytes_per_second = 4.0 * 1024 * 1024;
constexpr double k_byte_burst = 16.0 * 1024 * 1024;

constexpr std::int64_t k_report_interval_us = 1'000'000;
constexpr std::int64_t k_max_age_us =
    60'000'000;                            // an older "at" means that the wall clock stepped
constexpr std::size_t k_max_field = 4096;  // directory, pipestatus

// Cut at a character where the text is UTF-8.
std::size_t part_length(std::string_view text) {
  if (text.size() <= k_text_part) {
    return text.size();
  }
  auto n = k_text_part;
  while (n > k_text_part - 4 && (static_cast<unsigned char>(text[n]) & 0xC0U) == 0x80U) {
    --n;
  }
  return n;
}

AuditFact gap(MonoTime at, std::string reason, std::uint64_t lost, std::string detail) {
  return {EventKind::gap, at,
          format::encode(format::Gap{std::move(reason), lost, 0, std::move(detail)})};
}

}  // namespace

HookDecoder::HookDecoder(std::string key, Clock& clock, Kinship kinship)
    : assembler_(std::move(key)),
      clock_(clock),
      kinship_(std::move(kinship)),
      last_report_{clock.mono().us - k_report_interval_us},
      bucket_time_(clock.mono()),
      message_tokens_(k_message_burst),
      byte_tokens_(k_byte_burst) {}

void HookDecoder::set_shell(pid_t shell, std::string_view name) {
  shell_ = shell;
  shell_name_ = name;
}

void HookDecoder::feed(pid_t sender, ByteView datagram, std::vector<AuditFact>& out) {
  std::vector<HookMessage> messages;
  switch (assembler_.feed(sender, datagram, messages)) {
    case HookAssembler::Outcome::taken:
      break;
    case HookAssembler::Outcome::no_key:
      refuse(sender);
      break;
    case HookAssembler::Outcome::malformed:
      ++counters_.malformed;
      break;
  }
  for (const auto& message : messages) {
    take(message, out);
  }
  report(out, false);
}

void HookDecoder::take(const HookMessage& message, std::vector<AuditFact>& out) {
  const auto kin = message.sender == shell_ ? Kin::self : kinship_(message.sender);
  // Only PS0 and PS1 of bash have children that speak.
  const bool from_child =
      shell_name_ == "bash" && (message.type == HookType::begin || message.type == HookType::end);
  if (kin == Kin::stranger || (kin != Kin::self && !from_child)) {
    refuse(message.sender);
    return;
  }
  if (!admit(message)) {
    ++counters_.lost;
    return;
  }
  switch (message.type) {
    case HookType::begin:
    case HookType::not_run:
    case HookType::late:
      begin(message, kin, out);
      break;
    case HookType::end:
    case HookType::shell_exit:
      end(message, out);
      break;
    case HookType::hello:
      hello(message, out);
      break;
  }
}

void HookDecoder::begin(const HookMessage& message, Kin kin, std::vector<AuditFact>& out) {
  format::CommandBegin fact;
  fact.n = ++n_;
  fact.shell_pid = shell_;
  fact.text_source = message.has_text ? "hook" : "none";
  fact.cwd = message.cwd.substr(0, k_max_field);
  fact.shell = shell_name_;
  fact.anchor_pid = kin == Kin::self ? 0 : message.sender;
  std::vector<std::string> flags;
  if (message.type == HookType::not_run) {
    flags.emplace_back("not_run");
  } else if (message.type == HookType::late) {
    flags.emplace_back("late");
  }
  if (message.truncated) {
    flags.emplace_back("truncated");
    ++counters_.truncated;
  }
  const auto at = happened(message);
  std::string_view rest = message.text;
  bool first = true;
  do {
    const auto length = part_length(rest);
    fact.text = rest.substr(0, length);
    rest.remove_prefix(length);
    fact.flags = flags;
    if (!first) {
      fact.flags.emplace_back("continued");
    }
    if (!rest.empty()) {
      fact.flags.emplace_back("more");
    }
    out.push_back({EventKind::command_begin, at, format::encode(fact)});
    ++counters_.events;
    first = false;
  } while (!rest.empty());
  open_ = true;
}

void HookDecoder::end(const HookMessage& message, std::vector<AuditFact>& out) {
  if (!open_) {
    return;  // a prompt without a command before it
  }
  open_ = false;
  format::CommandEnd fact;
  fact.n = n_;
  fact.shell_pid = shell_;
  int status = 0;
  std::from_chars(message.first.data(), message.first.data() + message.first.size(), status);
  fact.exit_status = status;
  fact.pipestatus = message.second.substr(0, k_max_field);
  fact.cwd_after = message.cwd.substr(0, k_max_field);
  if (message.type == HookType::shell_exit) {
    fact.flags.emplace_back("shell_exit");
  }
  out.push_back({EventKind::command_end, happened(message), format::encode(fact)});
  ++counters_.events;
}

void HookDecoder::hello(const HookMessage& message, std::vector<AuditFact>& out) {
  hello_seen_ = !message.first.ends_with("-old");
  out.push_back({EventKind::capture, happened(message),
                 format::MapWriter()
                     .text("layer", "shell_hook")
                     .text("state", hello_seen_ ? "active" : "unsupported_version")
                     .text("shell", message.first.substr(0, k_max_field))
                     .text("version", message.second.substr(0, k_max_field))
                     .number("shell_pid", shell_)
                     .finish()});
}

// Reading the clocks now and going back by the difference is exact unless the wall clock stepped
// meanwhile.
MonoTime HookDecoder::happened(const HookMessage& message) const {
  const auto now = clock_.mono();
  const auto age = clock_.wall().us - message.wall_us;
  if (message.wall_us < 0 || age < 0 || age > k_max_age_us) {
    return now;
  }
  return {now.us - std::min(age, now.us)};
}

bool HookDecoder::admit(const HookMessage& message) {
  const auto now = clock_.mono();
  const auto seconds = static_cast<double>(now.us - bucket_time_.us) / 1e6;
  bucket_time_ = now;
  message_tokens_ = std::min(k_message_burst, message_tokens_ + seconds * k_messages_per_second);
  byte_tokens_ = std::min(k_byte_burst, byte_tokens_ + seconds * k_bytes_per_second);
  const auto bytes = static_cast<double>(message.text.size());
  if (message_tokens_ < 1 || byte_tokens_ < bytes) {
    return false;
  }
  message_tokens_ -= 1;
  byte_tokens_ -= bytes;
  return true;
}

void HookDecoder::refuse(pid_t sender) {
  ++counters_.forged;
  last_forger_ = sender;
}

void HookDecoder::report(std::vector<AuditFact>& out, bool now) {
  if (counters_.forged == reported_.forged && counters_.lost == reported_.lost &&
      counters_.malformed == reported_.malformed) {
    return;
  }
  const auto mono = clock_.mono();
  if (!now && mono.us - last_report_.us < k_report_interval_us) {
    return;
  }
  last_report_ = mono;
  if (const auto n = counters_.lost - reported_.lost; n > 0) {
    out.push_back(gap(mono, "hook_flood", n, "more messages of the shell hook than can be kept"));
  }
  if (const auto n = counters_.forged - reported_.forged; n > 0) {
    out.push_back(
        gap(mono, "hook_forged", n,
            fmt::format("messages that the shell did not send, last by process {}", last_forger_)));
  }
  if (const auto n = counters_.malformed - reported_.malformed; n > 0) {
    out.push_back(gap(mono, "hook_malformed", n, "messages of the shell hook that make no sense"));
  }
  reported_ = counters_;
}

void HookDecoder::finish(std::vector<AuditFact>& out) {
  report(out, true);
  out.push_back({EventKind::capture, clock_.mono(),
                 format::MapWriter()
                     .text("layer", "shell_hook")
                     .text("state", hello_seen_ ? "ended" : "never_answered")
                     .text("shell", shell_name_)
                     .number("shell_pid", shell_)
                     .unsigned_number("command_lines", n_)
                     .unsigned_number("events", counters_.events)
                     .unsigned_number("forged", counters_.forged)
                     .unsigned_number("malformed", counters_.malformed)
                     .unsigned_number("lost", counters_.lost)
                     .unsigned_number("truncated", counters_.truncated)
                     .finish()});
}

}  // namespace sworn::audit
