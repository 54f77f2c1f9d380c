// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/divergence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sworn::audit::logs {
namespace {

constexpr std::array<std::string_view, 3> k_confidences{"low", "medium", "high"};
constexpr std::array<std::string_view, 14> k_kinds{"execution_without_command",
                                                   "name_not_in_text",
                                                   "hook_lost",
                                                   "hook_silent",
                                                   "hook_forged",
                                                   "shell_without_hook",
                                                   "code_from_input",
                                                   "hidden_program",
                                                   "handed_outside",
                                                   "outlives_session",
                                                   "shell_connection",
                                                   "lineage_lost",
                                                   "capture_lost",
                                                   "no_text"};

// Programs whose purpose is to have something run elsewhere, and the words that make them do so
// (none: always).
struct Messenger {
  std::string_view name;
  std::array<std::string_view, 8> words;
};
constexpr std::array<Messenger, 15> k_messengers{{
    {"tmux",
     {"new-window", "neww", "new-session", "new", "send-keys", "send", "split-window",
      "run-shell"}},
    {"screen", {"-X", "-d", "-D", "-dm"}},
    {"systemd-run", {}},
    {"at", {}},
    {"batch", {}},
    {"crontab", {"-e", "-", "-r"}},
    {"busctl", {"call"}},
    {"dbus-send", {}},
    {"gdbus", {"call"}},
    {"machinectl", {"shell"}},
    {"nsenter", {}},
    {"docker", {"exec", "run"}},
    {"podman", {"exec", "run"}},
    {"kubectl", {"exec", "run"}},
    {"incus", {"exec"}},
}};

std::string words_of(const ExecFact& exec) {
  constexpr std::size_t k_max_text = 200;
  std::string out;
  for (const auto& word : exec.argv) {
    out += (out.empty() ? "" : " ") + word;
    if (out.size() > k_max_text) {
      out.resize(k_max_text);
      return out + "...";
    }
  }
  return out.empty() ? exec.file : out;
}

bool contains_word(std::string_view text, std::string_view word) {
  const auto part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const auto end = at + word.size();
    if ((at == 0 || !part(text[at - 1])) && (end == text.size() || !part(text[end]))) {
      return true;
    }
  }
  return false;
}

bool hands_outside(const ExecFact& exec) {
  const auto name = base_name(exec.exe);
  const auto* found = std::find_if(k_messengers.begin(), k_messengers.end(),
                                   [&](const auto& each) { return each.name == name; });
  if (found == k_messengers.end()) {
    return false;
  }
  if (found->words[0].empty()) {
    return true;
  }
  return std::any_of(exec.argv.begin() + (exec.argv.empty() ? 0 : 1), exec.argv.end(),
                     [&](const std::string& word) {
                       return !word.empty() && std::find(found->words.begin(), found->words.end(),
                                                         word) != found->words.end();
                     });
}

class Finder {
 public:
  explicit Finder(const EntryList& list) : list_(list) {}

  std::vector<Divergence> run() {
    for (std::size_t i = 0; i < list_.entries().size(); ++i) {
      look_at_entry(i);
    }
    for (std::size_t i = 0; i < list_.processes().size(); ++i) {
      look_at_process(i);
    }
    for (std::size_t i = 0; i < list_.gaps().size(); ++i) {
      look_at_gap(i);
    }
    look_at_capture();
    std::stable_sort(out_.begin(), out_.end(),
                     [](const auto& a, const auto& b) { return a.at < b.at; });
    if (out_.size() > k_max_divergences) {
      const auto more = out_.size() - k_max_divergences + 1;
      out_.resize(k_max_divergences);
      auto& last = out_.back();
      last = {DivergenceKind::capture_lost,
              Confidence::high,
              last.at,
              last.event,
              k_no_index,
              k_no_index,
              fmt::format("{} more are not listed", more)};
    }
    return std::move(out_);
  }

 private:
  void put(DivergenceKind kind, Confidence confidence, MonoTime at, std::uint64_t event,
           std::size_t command, std::size_t process, std::string text) {
    out_.push_back({kind, confidence, at, event, command, process, std::move(text)});
  }
  void put(DivergenceKind kind, Confidence confidence, const Program& program, std::size_t process,
           std::string text) {
    put(kind, confidence, program.at, program.event, list_.processes()[process].command, process,
        std::move(text));
  }

  void look_at_entry(std::size_t i) {
    const auto& entry = list_.entries()[i];
    const auto& command = entry.command;
    const auto has = [&](std::string_view flag) {
      return std::find(entry.flags.begin(), entry.flags.end(), flag) != entry.flags.end();
    };
    if (has("hook_lost")) {
      put(DivergenceKind::hook_lost, Confidence::high, command.begin, command.begin_event, i,
          k_no_index, "the shell's hook fell silent with: " + command.text);
    }
    if (command.text_source == "none" && !has("redacted") && !has("not_run")) {
      put(DivergenceKind::no_text, Confidence::medium, command.begin, command.begin_event, i,
          k_no_index, "a command ran whose text the shell did not keep (history off?)");
    }
    for (const auto& where : entry.connections) {
      put(DivergenceKind::shell_connection, Confidence::high, where.at, where.event, i, k_no_index,
          "a shell itself connected: " + where.text);
    }
    if (has("late")) {
      put(DivergenceKind::hook_lost, Confidence::medium, command.begin, command.begin_event, i,
          k_no_index, "the hook was removed and came back after: " + command.text);
    }
  }

  void look_at_process(std::size_t i) {
    const auto& process = list_.processes()[i];
    for (const auto& program : process.programs) {
      look_at_program(i, program);
    }
    const auto* last = process.program();
    const auto* above = process.parent == k_no_index ? nullptr : &list_.processes()[process.parent];
    if (!process.connections.empty() && !process.hooked &&
        (last == nullptr ? above != nullptr && is_shell_like(*above)
                         : last->use != ShellUse::none) &&
        !is_interpreter_program(last)) {
      const auto& where = process.connections.front();
      put(DivergenceKind::shell_connection, Confidence::high, where.at, where.event,
          process.command, i, "a shell itself connected: " + where.text);
    }
    if (last != nullptr && !process.ended && list_.statement() &&
        list_.statement()->state == "ended" && process.parent != k_no_index) {
      put(DivergenceKind::outlives_session, Confidence::medium, *last, i,
          "still running when the recording ended: " + words_of(last->fact));
    }
  }

  static bool is_interpreter_program(const Program* program) {
    return program != nullptr && (base_name(program->fact.exe).starts_with("python") ||
                                  base_name(program->fact.exe).starts_with("perl"));
  }
  // A fork of a shell is a shell too.
  [[nodiscard]] bool is_shell_like(const Process& process) const {
    const auto* at = &process;
    while (at->programs.empty() && at->parent != k_no_index) {
      at = &list_.processes()[at->parent];
    }
    const auto* program = at->program();
    return program != nullptr && program->use != ShellUse::none && !is_interpreter_program(program);
  }

  void look_at_program(std::size_t i, const Program& program) {
    const auto& process = list_.processes()[i];
    const auto& fact = program.fact;
    const auto words = words_of(fact);
    const bool by_flag = std::any_of(fact.flags.begin(), fact.flags.end(), [](const auto& flag) {
      return flag == "memfd" || flag == "deleted";
    });
    if (by_flag) {
      put(DivergenceKind::hidden_program, Confidence::high, program, i,
          fmt::format("a program that is in no directory ({}): {}", fact.exe, words));
    }
    if (program.use == ShellUse::interactive && !process.hooked &&
        process.attribution != Attribution::session) {
      put(DivergenceKind::shell_without_hook, Confidence::high, program, i,
          "an interactive shell or interpreter that does not report its command lines: " + words);
    }
    if (program.use == ShellUse::from_input && process.attribution != Attribution::session &&
        process.attribution != Attribution::prompt) {
      put(DivergenceKind::code_from_input,
          fact.input == "socket" ? Confidence::high : Confidence::medium, program, i,
          fmt::format("commands come from a {}: {}", fact.input.empty() ? "pipe" : fact.input,
                      words));
    }
    if (hands_outside(fact)) {
      put(DivergenceKind::handed_outside, Confidence::medium, program, i,
          "may have work done outside of the session: " + words);
    }
    look_at_attribution(i, program, words);
  }

  void look_at_attribution(std::size_t i, const Program& program, const std::string& words) {
    const auto& process = list_.processes()[i];
    switch (process.attribution) {
      case Attribution::hook_lost:
        put(DivergenceKind::execution_without_command, Confidence::high, program, i,
            "ran without a command line: " + words);
        break;
      case Attribution::detached:
        if (process.command == k_no_index) {
          put(DivergenceKind::lineage_lost, Confidence::medium, program, i,
              "no way up to a command line is on record: " + words);
        }
        break;
      case Attribution::command:
        look_at_name(i, program, words);
        break;
      case Attribution::session:
      case Attribution::prompt:
      case Attribution::unhooked_shell:
        break;
    }
  }

  // Only what the shell itself ran: a program's helpers are not named in its command line.
  void look_at_name(std::size_t i, const Program& program, const std::string& words) {
    const auto& process = list_.processes()[i];
    if (process.parent == k_no_index || &program != &process.programs.front()) {
      return;
    }
    auto above = process.parent;  // forks of the shell between it and the program
    while (above != k_no_index && !list_.processes()[above].hooked &&
           list_.processes()[above].programs.empty()) {
      above = list_.processes()[above].parent;
    }
    if (above == k_no_index || !list_.processes()[above].hooked) {
      return;
    }
    const auto& text = list_.entries()[process.command].command.text;
    const auto name = base_name(program.fact.file);
    if (text.empty() || name.empty() || contains_word(text, name)) {
      return;
    }
    const bool tricks =
        text.find("eval") != std::string::npos || text.find("base64") != std::string::npos ||
        text.find("printf") != std::string::npos || text.find("\\x") != std::string::npos ||
        text.find("$'") != std::string::npos || text.find('$') != std::string::npos;
    put(DivergenceKind::name_not_in_text, tricks ? Confidence::medium : Confidence::low, program, i,
        fmt::format("the command line does not name it (an alias, a function, or hidden): {}",
                    words));
  }

  void look_at_gap(std::size_t i) {
    const auto& [event, gap] = list_.gaps()[i];
    const auto at = list_.gap_time(i);
    if (gap.reason == "hook_forged") {
      put(DivergenceKind::hook_forged, Confidence::high, at, event, k_no_index, k_no_index,
          fmt::format("{} messages in the shell's name were refused: {}", gap.lost_events,
                      gap.detail));
    } else {
      put(DivergenceKind::capture_lost, Confidence::high, at, event, k_no_index, k_no_index,
          fmt::format("{}: {} events are missing; {}", gap.reason, gap.lost_events, gap.detail));
    }
  }

  // The recorded program is an interactive shell, and there is not one line of it.
  void look_at_capture() {
    if (!list_.entries().empty()) {
      return;
    }
    for (std::size_t i = 0; i < list_.processes().size(); ++i) {
      const auto& process = list_.processes()[i];
      const auto* program = process.program();
      if (process.parent == k_no_index && program != nullptr &&
          program->use == ShellUse::interactive && !process.children.empty()) {
        put(DivergenceKind::hook_silent, Confidence::medium, *program, i,
            "the recorded shell reported no command line: " + words_of(program->fact));
      }
    }
  }

  const EntryList& list_;
  std::vector<Divergence> out_;
};

}  // namespace

std::string_view name_of(Confidence confidence) {
  return k_confidences[static_cast<std::size_t>(confidence)];
}
std::string_view name_of(DivergenceKind kind) {
  return k_kinds[static_cast<std::size_t>(kind)];
}

std::vector<Divergence> find_divergences(const EntryList& list) {
  return Finder(list).run();
}

}  // namespace sworn::audit::logs
