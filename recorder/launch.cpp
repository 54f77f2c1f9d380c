// SPDX-License-Identifier: Apache-2.0
#include "recorder/launch.hpp"

#include "audit/alert_channel.hpp"
#include "audit/capture_layers.hpp"
#include "audit/watched_files.hpp"
#include "base/file.hpp"
#include "base/printable.hpp"
#include "format/key_ring.hpp"
#include "recorder/alert.hpp"
#include "recorder/descriptors.hpp"
#include "recorder/message.hpp"
#include "recorder/options.hpp"
#include "recorder/pty.hpp"
#include "recorder/session_info.hpp"
#include "recorder/session_runner.hpp"

#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace sworn::recorder {
namespace {

using format::EventKind;

constexpr std::size_t k_terminal_read = 4096;  // an output event is one read of at most this
constexpr std::size_t k_stream_read = 32 * 1024;
constexpr std::size_t k_typed_memory = 64 * 1024;
constexpr int k_stream_pipe_bytes = 256 * 1024;

// One of 0, 1 and 2: how the command gets it, and how we hold the other end.
struct Stream {
  bool is_terminal = false;
  Fd theirs;  // the command's end of a pipe; empty: the session's terminal, or our own descriptor
  Fd ours;
};

struct Launch {
  const Options& options;
  const std::vector<int>& inherited;
  SystemClock clock;
  format::SystemEntropy entropy;
  std::optional<Signals> signals;
  bool terminal_mode = false;
  std::array<Stream, 3> streams;
  Pty pty;
  int pts_device = 0;
  audit::ChildSetup setup;
  SessionParts parts;
  audit::CaptureLayers* layers = nullptr;  // parts.audit
  format::RecipientGroups recipients;
  int watcher_fd = -1;  // of parts.audit
  bool ledger_failed = false;
};

Result<Stream> make_pipe(int fd) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail_sys(errno, "pipe");
  }
  Stream out;
  const bool input = fd == STDIN_FILENO;
  out.theirs.reset(ends[input ? 0 : 1]);
  out.ours.reset(ends[input ? 1 : 0]);
  ::fcntl(out.ours.get(), F_SETPIPE_SZ, k_stream_pipe_bytes);  // a wish; the default does as well
  return out;
}

std::string absolute(const std::string& path) {
  std::error_code error;
  const auto out = std::filesystem::absolute(path, error);
  return error ? path : out.lexically_normal().string();
}

Result<std::string> recording_path(Launch& launch) {
  if (!launch.options.output.empty()) {
    return absolute(launch.options.output);
  }
  TRY_ASSIGN(const auto directory, format::default_store());
  TRY(make_directories(directory));
  format::FileId id{};
  TRY(launch.entropy.fill(id));
  const auto start = make_session_start(launch.options);
  return directory + "/" + format::session_file_name(start.hostname, launch.clock.wall(), id);
}

void choose_command(Launch& launch) {
  auto& setup = launch.setup;
  setup.argv = launch.options.command;
  if (setup.argv.empty()) {
    setup.argv = {user_shell()};
  }
  setup.program = setup.argv[0];
  if (launch.options.command.empty() || launch.options.login) {
    setup.argv[0] = std::filesystem::path(setup.program).filename().string();
  }
  if (launch.options.login) {
    setup.argv[0] = "-" + setup.argv[0];
  }
  setup.environment = own_environment();
  set_variable(setup.environment, "SWORN_SESSION", launch.parts.recording_path);
}

// sworn-bpf lies beside the recorder; in a build tree in the folder of its room.
std::string capture_helper() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto beside = self.parent_path() / "sworn-bpf";
  if (!error && ::access(beside.c_str(), X_OK) != 0) {
    const auto built = self.parent_path() / "../audit/bpf/sworn-bpf";
    if (::access(built.c_str(), X_OK) == 0) {
      return built.lexically_normal().string();
    }
  }
  return beside.string();
}

Result<void> prepare_audit(Launch& launch) {
  auto layers = std::make_unique<audit::CaptureLayers>(
      launch.clock, audit::CaptureLayers::Options{.mode = launch.options.capture,
                                                  .interactive = launch.terminal_mode,
                                                  .helper = capture_helper(),
                                                  .connect_path = "",
                                                  .ring_bytes = launch.options.capture_ring});
  TRY(layers->prepare(launch.setup));
  launch.layers = layers.get();
  launch.parts.audit = std::move(layers);
  return {};
}

// Around the capture layers: changes of the files that decide who may do what, and alerts.
Result<void> add_watchers(Launch& launch) {
  auto& audit = launch.parts.audit;
  if (audit) {
    audit = std::make_unique<audit::ChangeWatch>(
        std::move(audit), audit::WatchedFiles(audit::WatchedFiles::defaults()), launch.clock);
  }
  if (launch.options.alert_fd < 0) {
    return {};
  }
  Fd watcher(::fcntl(launch.options.alert_fd, F_DUPFD_CLOEXEC, 3));
  if (!watcher.valid() || ::fcntl(launch.options.alert_fd, F_SETFD, FD_CLOEXEC) != 0) {
    return fail_sys(errno, "the socket of the alert rules");
  }
  launch.watcher_fd = watcher.get();
  auto channel = std::make_unique<audit::AlertChannel>(
      std::move(audit), std::move(watcher), format::part_path(launch.parts.recording_path),
      launch.clock);
  TRY(channel->prepare_channel());
  audit = std::move(channel);
  return {};
}

Result<void> make_streams(Launch& launch) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    const bool is_terminal = ::isatty(fd) != 0;
    // Standard input that is not to be recorded goes to the command as it is.
    const bool direct =
        fd == STDIN_FILENO && launch.options.input == InputMode::none && !launch.terminal_mode;
    if (!(launch.terminal_mode && is_terminal) && !direct) {
      TRY_ASSIGN(launch.streams[static_cast<std::size_t>(fd)], make_pipe(fd));
    }
    launch.streams[static_cast<std::size_t>(fd)].is_terminal = is_terminal;
  }
  return {};
}

Result<void> make_terminal(Launch& launch) {
  TRY_ASSIGN(auto terminal, UserTerminal::open(STDIN_FILENO));
  launch.parts.size = terminal.size();
  launch.parts.take_terminal = terminal.foreground() && ::isatty(STDOUT_FILENO) != 0;
  TRY_ASSIGN(launch.pty, Pty::open(terminal.modes(), launch.parts.size));
  launch.pts_device = terminal_device(launch.pty.pts.get());
  launch.parts.terminal.emplace(std::move(terminal));
  return {};
}

Result<void> start_command(Launch& launch) {
  AnchorPlan plan;
  plan.setup = &launch.setup;
  plan.signals = &*launch.signals;
  plan.pts = launch.terminal_mode ? launch.pty.pts.get() : -1;
  plan.foreground = launch.parts.take_terminal;
  for (std::size_t i = 0; i < launch.streams.size(); ++i) {
    const Stream& stream = launch.streams[i];
    plan.stdio[i] = stream.theirs.valid()  ? stream.theirs.get()
                    : launch.terminal_mode ? plan.pts
                                           : static_cast<int>(i);
    if (stream.ours.valid()) {
      plan.recorder_fds.push_back(stream.ours.get());
    }
  }
  if (launch.terminal_mode) {
    plan.recorder_fds.push_back(launch.pty.ptm.get());
    plan.recorder_fds.push_back(launch.parts.terminal->fd());
  }
  if (launch.watcher_fd >= 0) {
    plan.recorder_fds.push_back(launch.watcher_fd);
  }
  TRY_ASSIGN(launch.parts.command, Command::start(std::move(plan)));
  launch.pty.pts.reset();
  for (auto& stream : launch.streams) {
    stream.theirs.reset();
  }
  close_all(launch.inherited);
  if (launch.parts.audit) {
    launch.parts.audit->launched(launch.parts.command->pid());
  }
  return {};
}

// Before the recording, whose header names it. Empty where the options want none.
Result<std::unique_ptr<SessionLedger>> open_ledger(Launch& launch,
                                                   const format::SessionHeader& header) {
  TRY_ASSIGN(const auto directory, ledger_directory(launch.options));
  if (directory.empty()) {
    return nullptr;
  }
  return SessionLedger::open(directory, header, launch.clock, launch.entropy);
}

// Puts on record that the session is in no ledger, and why, where the policy lets it go on.
Result<void> without_ledger(Launch& launch, Recording& recording, const Error& error) {
  TRY(recording.put(EventKind::gap, encode(format::Gap{"ledger", 0, 0, describe(error)})));
  TRY(recording.seal_now());
  const Message message{"rec: this session is in NO LEDGER", describe(error), ""};
  complain(message);
  raise_alert(message, launch.parts.recording_path);
  return {};
}

// Writes session_open; `error` says why not, where the policy lets the session go on without.
Result<void> enter_in_ledger(Launch& launch, std::unique_ptr<SessionLedger>& ledger,
                             Recording& recording, const format::SessionStart& start,
                             std::optional<Error>& error) {
  if (ledger) {
    if (auto entered = ledger->enter(recording, start); !entered) {
      if (launch.options.on_failure == OnFailure::terminate) {
        launch.ledger_failed = true;
        return entered;
      }
      error = entered.error();
      ledger.reset();
    }
  }
  return error ? without_ledger(launch, recording, *error) : Result<void>();
}

Result<void> begin_recording(Launch& launch) {
  Recording::Plan plan;
  plan.final_path = launch.parts.recording_path;
  plan.sync = launch.options.sync;
  plan.header = make_header(launch.options, launch.clock);
  plan.recipients = launch.recipients;
  plan.detached_box = launch.options.detached_box;
  std::unique_ptr<SessionLedger> ledger;
  std::optional<Error> ledger_error;
  if (auto opened = open_ledger(launch, plan.header)) {
    ledger = std::move(*opened);
  } else if (launch.options.on_failure == OnFailure::terminate) {
    launch.ledger_failed = true;
    return tl::make_unexpected(opened.error());
  } else {
    ledger_error = opened.error();
  }
  if (ledger) {
    plan.header.ledger = ledger->reference();
  }
  TRY_ASSIGN(auto recording, Recording::create(std::move(plan), launch.clock, launch.entropy));
  format::SessionStart start = make_session_start(launch.options);
  start.terminal = launch.terminal_mode;
  start.tty = launch.terminal_mode ? launch.parts.terminal->name() : "";
  start.pts = launch.pty.name;
  start.size = launch.parts.size;
  start.argv =
      bounded_argv(launch.options.command.empty() ? std::vector<std::string>{launch.setup.program}
                                                  : launch.options.command);
  start.child_pid = launch.parts.command->pid();
  const ClockQuality quality = launch.clock.quality();
  const format::ClockSample now{launch.clock.wall(), quality.synchronised, quality.max_error_us,
                                "start"};
  const auto begin = [&]() -> Result<void> {
    TRY(recording->put(EventKind::session_start, encode(start)));
    TRY(recording->put(EventKind::clock, encode(now)));
    TRY(recording->seal_now());  // before the command's first instruction, as the ledger's entry
    return enter_in_ledger(launch, ledger, *recording, start, ledger_error);
  };
  if (auto begun = begin(); !begun) {
    recording->discard();
    return begun;
  }
  launch.parts.ledger = std::move(ledger);
  launch.parts.recording = std::move(recording);
  return {};
}

void make_lanes(Launch& launch) {
  auto& lanes = launch.parts.lanes;
  auto& streams = launch.streams;
  if (launch.terminal_mode) {
    Fd reading(::fcntl(launch.pty.ptm.get(), F_DUPFD_CLOEXEC, 3));
    Fd shown(::fcntl(launch.parts.terminal->fd(), F_DUPFD_CLOEXEC, 3));
    lanes.emplace_back(EventKind::output, Channel::own_input(std::move(reading)),
                       Channel::own_output(std::move(shown)), k_terminal_read);
    lanes.back().keep_without_sink();
  }
  if (streams[1].ours.valid()) {
    lanes.emplace_back(launch.terminal_mode ? EventKind::side_output : EventKind::output,
                       Channel::own_input(std::move(streams[1].ours)),
                       Channel::inherited_output(STDOUT_FILENO), k_stream_read);
  }
  if (streams[2].ours.valid()) {
    lanes.emplace_back(EventKind::error_output, Channel::own_input(std::move(streams[2].ours)),
                       Channel::inherited_output(STDERR_FILENO), k_stream_read);
  }
  if (!launch.terminal_mode && streams[0].ours.valid() && !streams[0].is_terminal) {
    launch.parts.input_lane.emplace(EventKind::input, Channel::inherited_input(STDIN_FILENO),
                                    Channel::own_output(std::move(streams[0].ours)), k_stream_read);
  }
}

Result<void> make_keyboard(Launch& launch, SessionRunner& runner) {
  const bool typed_stream =
      !launch.terminal_mode && launch.streams[0].is_terminal && launch.streams[0].ours.valid();
  if (!launch.terminal_mode && !typed_stream) {
    return {};
  }
  TRY_ASSIGN(auto memory, LockedMemory::create(k_typed_memory));
  const pid_t command = runner.command_pid();
  if (typed_stream) {
    // Its echo is the terminal's own and not in our output: nothing to prove there.
    const auto mode =
        launch.options.input == InputMode::commands ? InputMode::all : launch.options.input;
    runner.set_keyboard(Channel::inherited_input(STDIN_FILENO),
                        Channel::own_output(std::move(launch.streams[0].ours)), std::move(memory),
                        EchoProbe(STDIN_FILENO, command, terminal_device(STDIN_FILENO)), mode);
    return {};
  }
  Fd typed(::fcntl(runner.terminal_fd(), F_DUPFD_CLOEXEC, 3));
  Fd forwarded(::fcntl(launch.pty.ptm.get(), F_DUPFD_CLOEXEC, 3));
  const int probed = launch.pty.ptm.get();
  runner.set_keyboard(Channel::own_input(std::move(typed)),
                      Channel::own_output(std::move(forwarded)), std::move(memory),
                      EchoProbe(probed, command, launch.pts_device), launch.options.input);
  return {};
}

// A recording that somebody wanted encrypted is never made in clear.
Result<void> read_recipients(Launch& launch) {
  for (const auto* list : {&launch.options.encrypt_to, &launch.options.second_person}) {
    std::vector<format::AgeRecipient> group;
    for (const auto& item : *list) {
      TRY_ASSIGN(const auto more, format::read_recipients(item));
      group.insert(group.end(), more.begin(), more.end());
    }
    if (!group.empty()) {
      launch.recipients.push_back(std::move(group));
    }
  }
  return {};
}

int give_up(const std::string& what, const Error& error, const std::string& remedy) {
  complain({"rec: " + what, describe(error), remedy});
  return k_exit_recorder_failed;
}

Result<void> prepare(Launch& launch) {
  TRY_ASSIGN(auto signals, Signals::take());
  launch.signals.emplace(std::move(signals));
  launch.terminal_mode = !launch.options.streams && ::isatty(STDIN_FILENO) != 0;
  if (launch.terminal_mode) {
    TRY(make_terminal(launch));
  }
  TRY(make_streams(launch));
  choose_command(launch);
  TRY(prepare_audit(launch));
  TRY(add_watchers(launch));
  TRY(start_command(launch));
  return launch.layers->satisfied();
}

std::string remedy_for(int error) {
  switch (error) {
    case EEXIST:
      return "nothing is ever overwritten: name another file with -o";
    case EACCES:
    case EPERM:
    case EROFS:
      return "nothing was started; with -o, name a file in a directory where this user may write";
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
      return "nothing was started; with -o, name a file in a directory that exists";
    default:
      return "nothing was started; make room there or name another file with -o";
  }
}

void say_recorded(const Launch& launch) {
  if (!launch.options.quiet && launch.terminal_mode && launch.parts.take_terminal &&
      ::isatty(STDERR_FILENO) != 0) {
    const std::string line =
        "sworn: this session is recorded: " + printable(launch.parts.recording_path) + "\n";
    static_cast<void>(write_all(STDERR_FILENO, as_bytes(line)));
  }
}

}  // namespace

int record_session(const Options& options, const std::vector<int>& inherited) {
  Launch launch{options, inherited, {}, {}, {}, false, {}, {}, 0, {}, {}, nullptr, {}, -1, false};
  launch.parts.options = options;
  auto path = recording_path(launch);
  if (!path) {
    return give_up("cannot tell where to put the recording", path.error(),
                   "name a file with -o FILE");
  }
  launch.parts.recording_path = *path;
  if (auto read = read_recipients(launch); !read) {
    return give_up("cannot tell whom to encrypt the recording to", read.error(),
                   "name recipients (age1...) or a file with one on each line");
  }
  if (auto prepared = prepare(launch); !prepared) {
    return give_up("cannot start the session", prepared.error(), "");
  }
  if (auto begun = begin_recording(launch); !begun) {
    if (launch.ledger_failed) {
      return give_up("cannot enter the session in its ledger", begun.error(),
                     "nothing was started. See what is wrong with it: sworn ledger check; "
                     "--ledger=DIR takes another one, --ledger=none records without");
    }
    const int why = begun.error().sys;
    const bool usage = why == EEXIST || why == ENOENT || why == ENOTDIR || why == ENAMETOOLONG;
    if (usage || options.on_failure == OnFailure::terminate) {
      return give_up("cannot record to " + printable(*path), begun.error(), remedy_for(why));
    }
    const Message message{"rec: this session is NOT RECORDED", describe(begun.error()), ""};
    complain(message);
    raise_alert(message, *path);
  } else {
    say_recorded(launch);
  }
#ifndef SWORN_SANITIZED
  ::prctl(PR_SET_DUMPABLE, 0);  // keys and keystrokes; not before /proc/self was of use
#endif
  make_lanes(launch);
  SessionRunner runner(std::move(launch.parts), *launch.signals, launch.clock);
  auto keyboard = make_keyboard(launch, runner);
  runner.set_terminal(std::move(launch.pty.ptm));
  const auto status = keyboard ? runner.run() : Result<int>(tl::make_unexpected(keyboard.error()));
  if (!status) {
    return give_up("cannot run the session", status.error(), "");
  }
  return *status;
}

}  // namespace sworn::recorder
