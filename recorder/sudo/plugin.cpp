// SPDX-License-Identifier: Apache-2.0
// The I/O plugin of sudo (sudo_plugin(5)): records what commands of sudo write, where no session of
// this host records it already. In /etc/sudo.conf:
//   Plugin sworn_sudo /usr/libexec/sworn/sworn_sudo.so [on_failure=terminate|continue_and_alert]
#include "recorder/client/handshake.hpp"
#include "recorder/host/packet.hpp"
#include "recorder/host/wire.hpp"
#include "recorder/sudo/sudo_recording.hpp"

#include <charconv>
#include <csignal>
#include <cstring>
#include <ctime>
#include <exception>
#include <string_view>

#include <sudo_plugin.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

// What sudo looks for, by this name; it fills in event_alloc.
extern "C" __attribute__((visibility("default"))) io_plugin sworn_sudo;

namespace {

using namespace sworn;
using recorder::sudo::SudoRecording;

constexpr int k_go_on = 1;
constexpr int k_not_interested = 0;
constexpr int k_error = -1;
constexpr int k_answer_ms = 1'000;

std::unique_ptr<SudoRecording> g_recording;
sudo_plugin_event* g_timer = nullptr;
sudo_printf_t g_print = nullptr;
bool g_terminate = true;
std::string g_error;

std::string_view value_of(char* const list[], std::string_view name) {
  for (; list != nullptr && *list != nullptr; ++list) {
    const std::string_view entry(*list);
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') {
      return entry.substr(name.size() + 1);
    }
  }
  return {};
}

template <typename T>
T number_of(char* const list[], std::string_view name) {
  const auto text = value_of(list, name);
  T value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// swornd sees our terminal by itself; what we say does not matter.
bool is_covered() {
  const Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, recorder::host::k_daemon_socket,
              sizeof recorder::host::k_daemon_socket);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      !recorder::host::send_packet(socket.get(),
                                   recorder::host::encode(recorder::host::Query{"status", {}}))) {
    return false;
  }
  const auto packet = recorder::client::wait_for_packet(socket.get(), k_answer_ms);
  const auto message = packet ? recorder::host::decode(packet->data)
                              : Result<recorder::host::Message>(fail(Errc::io, ""));
  const auto* report = message ? std::get_if<recorder::host::Report>(&*message) : nullptr;
  return report != nullptr && report->text.find("\"recorded\":true") != std::string::npos;
}

int give_up(const Error& error, const char** errstr) {
  g_error = "sworn: this command cannot be recorded: " + describe(error);
  ::openlog("sworn_sudo", LOG_PID, LOG_AUTHPRIV);
  ::syslog(LOG_ALERT, "%s%s", g_error.c_str(), g_terminate ? "" : "; it goes on UNRECORDED");
  ::closelog();
  g_recording.reset();
  if (g_terminate) {
    if (g_print != nullptr) {  // sudo itself does not always show errstr
      g_print(SUDO_CONV_ERROR_MSG, "%s\n", g_error.c_str());
    }
    if (errstr != nullptr) {
      *errstr = g_error.c_str();
    }
    return k_error;
  }
  if (g_print != nullptr) {
    g_print(SUDO_CONV_ERROR_MSG, "%s; it is NOT RECORDED\n", g_error.c_str());
  }
  return k_go_on;
}

// Nothing may be thrown into sudo.
template <typename F>
int guarded(const char** errstr, F f) noexcept {
  try {
    const Result<void> done = f();
    return done ? k_go_on : give_up(done.error(), errstr);
  } catch (const std::exception& e) {
    return give_up({Errc::exhausted, 0, e.what()}, errstr);
  }
}

int put(format::EventKind kind, const char* buf, unsigned int len, const char** errstr) {
  if (!g_recording) {
    return k_go_on;
  }
  return guarded(errstr, [&] {
    return g_recording->put(kind, {reinterpret_cast<const std::byte*>(buf), len});
  });
}

void on_timer(int /*fd*/, int /*what*/, void* /*closure*/) {
  if (g_recording) {
    static_cast<void>(guarded(nullptr, [] { return g_recording->tick(); }));
  }
  if (g_recording && g_timer != nullptr) {
    timespec second{1, 0};
    g_timer->add(g_timer, &second);
  }
}

int io_open(unsigned int /*version*/, sudo_conv_t /*conversation*/, sudo_printf_t print,
            char* const /*settings*/[], char* const user_info[], char* const command_info[],
            int argc, char* const argv[], char* const /*user_env*/[], char* const options[],
            const char** errstr) {
  g_print = print;
  g_terminate = value_of(options, "on_failure") != "continue_and_alert";
  for (char* const* each = options; each != nullptr && *each != nullptr; ++each) {
    g_terminate = std::strcmp(*each, "on_failure=continue_and_alert") != 0 && g_terminate;
  }
  if (argc == 0 || is_covered()) {
    return k_not_interested;
  }
  const int opened = guarded(errstr, [&]() -> Result<void> {
    recorder::sudo::SudoFacts facts;
    facts.user = value_of(user_info, "user");
    facts.uid = number_of<std::uint32_t>(user_info, "uid");
    facts.hostname = value_of(user_info, "host");
    facts.tty = value_of(user_info, "tty");
    facts.cwd = value_of(user_info, "cwd");
    facts.runas = value_of(command_info, "runas_user");
    if (facts.runas.empty()) {
      facts.runas = "uid " + std::string(value_of(command_info, "runas_uid"));
    }
    facts.size = {.cols = number_of<std::uint16_t>(user_info, "cols"),
                  .rows = number_of<std::uint16_t>(user_info, "lines")};
    facts.terminal = !facts.tty.empty();
    facts.argv.assign(argv, argv + argc);
    TRY_ASSIGN(g_recording, SudoRecording::open(facts));
    return {};
  });
  if (opened == k_go_on && g_recording && sworn_sudo.event_alloc != nullptr) {
    g_timer = sworn_sudo.event_alloc();
    if (g_timer != nullptr) {
      timespec second{1, 0};
      g_timer->set(g_timer, -1, SUDO_PLUGIN_EV_TIMEOUT, on_timer, nullptr);
      g_timer->add(g_timer, &second);
    }
  }
  return opened;
}

void io_close(int exit_status, int error) {
  if (g_timer != nullptr) {
    g_timer->free(g_timer);
    g_timer = nullptr;
  }
  if (g_recording) {
    constexpr int k_exec_failed = 127 << 8;
    static_cast<void>(guarded(
        nullptr, [&] { return g_recording->close(error != 0 ? k_exec_failed : exit_status); }));
    g_recording.reset();
  }
}

int io_show_version(int /*verbose*/) {
  if (g_print != nullptr) {
    g_print(SUDO_CONV_INFO_MSG, "sworn I/O plugin, sudo plugin API %d.%d\n", SUDO_API_VERSION_MAJOR,
            SUDO_API_VERSION_MINOR);
  }
  return k_go_on;
}

int log_typed(const char* /*buf*/, unsigned int /*len*/, const char** errstr) {
  return put(format::EventKind::typed, nullptr, 0, errstr);
}
int log_output(const char* buf, unsigned int len, const char** errstr) {
  return put(format::EventKind::output, buf, len, errstr);
}
int change_winsize(unsigned int lines, unsigned int cols, const char** errstr) {
  if (!g_recording) {
    return k_go_on;
  }
  return guarded(errstr, [&] {
    const TermSize size{.cols = static_cast<std::uint16_t>(cols),
                        .rows = static_cast<std::uint16_t>(lines)};
    return g_recording->put(format::EventKind::resize, encode(format::Resize{size}));
  });
}

int log_suspend(int signo, const char** errstr) {
  if (!g_recording) {
    return k_go_on;
  }
  return guarded(errstr, [&]() -> Result<void> {
    TRY(g_recording->put(
        format::EventKind::signal,
        encode(format::Signal{signo, signo == SIGCONT ? "command_continued" : "command_stopped"})));
    return g_recording->tick();
  });
}

}  // namespace

// No log_stdin, log_stdout, log_stderr: with them sudo puts itself between the command and its
// pipes, and Debian's 1.9.13 then drops the end of what it relays now and then (seen with sudo's
// own plugin, too). What goes through pipes is not recorded; that is said in the recording.
io_plugin sworn_sudo = {SUDO_IO_PLUGIN,  SUDO_API_VERSION, io_open,    io_close,
                        io_show_version, log_typed,        log_output, nullptr,
                        nullptr,         nullptr,          nullptr,    nullptr,
                        change_winsize,  log_suspend,      nullptr};
