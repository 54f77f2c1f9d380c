// SPDX-License-Identifier: Apache-2.0
#include "audit/shell_hook.hpp"

#include "audit/bash_script.hpp"
#include "audit/bash_start.hpp"
#include "audit/fish_script.hpp"
#include "audit/hook_decoder.hpp"
#include "audit/zsh_script.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sworn::audit {
namespace {

// bash hands long lines to the kernel in one piece; what does not fit it sends again in small ones.
constexpr int k_send_buffer = 256 * 1024;  // doubled by the kernel, if its limit allows
constexpr std::size_t k_datagram_bytes = 2 * k_send_buffer;
constexpr int k_datagrams_per_drain = 4096;
constexpr int k_high_fd = 200;  // out of the way of what people write in redirections

std::string_view base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

Result<std::string> random_key() {
  std::array<unsigned char, 16> raw{};
  if (::getrandom(raw.data(), raw.size(), 0) != static_cast<ssize_t>(raw.size())) {
    return fail_sys(errno, "no random bytes for the key of the shell hook");
  }
  std::string key;
  for (const auto byte : raw) {
    key += fmt::format("{:02x}", byte);
  }
  return key;
}

Result<Fd> dup_high(int fd) {
  rlimit limit{};
  int lowest = k_high_fd;
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < k_high_fd + 8) {
    lowest = std::max(20, static_cast<int>(limit.rlim_cur) - 8);
  }
  Fd out(::fcntl(fd, F_DUPFD_CLOEXEC, lowest));
  if (!out.valid()) {
    return fail_sys(errno, "no free descriptor for the shell hook");
  }
  return out;
}

Kin kin_of(pid_t pid, pid_t shell) {
  const Fd stat(::open(fmt::format("/proc/{}/stat", pid).c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 1024> buffer{};
  const auto n = stat.valid() ? ::read(stat.get(), buffer.data(), buffer.size()) : -1;
  if (n <= 0) {
    return Kin::gone;
  }
  const std::string_view text(buffer.data(), static_cast<std::size_t>(n));
  const auto after_name = text.rfind(')');  // the name may hold anything
  if (after_name == std::string_view::npos || after_name + 4 >= text.size()) {
    return Kin::stranger;
  }
  const auto rest = text.substr(after_name + 4);  // ") S "
  pid_t parent = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), parent);
  if (parent == 0) {  // reaped between open and read
    return Kin::gone;
  }
  return parent == shell ? Kin::child : Kin::stranger;
}

void set_variable(std::vector<std::string>& environment, std::string_view name, std::string value) {
  const auto prefix = fmt::format("{}=", name);
  environment.erase(std::remove_if(environment.begin(), environment.end(),
                                   [&](const auto& entry) { return entry.starts_with(prefix); }),
                    environment.end());
  environment.push_back(prefix + std::move(value));
}

}  // namespace

struct ShellHook::Impl {
  explicit Impl(Clock& c) : clock(c) {}

  Clock& clock;
  Fd socket;  // ours
  // The child's, under the numbers that it will see; the last two only keep their numbers free.
  Fd child_socket;
  Fd child_script;
  Fd reserved_a;
  Fd reserved_b;
  Fd script;                    // ours, to wipe it
  std::string start_directory;  // zsh: where its first start-up file is found
  std::unique_ptr<HookDecoder> decoder;
  pid_t shell_pid = 0;
  std::string shell;
  std::string reason = "not_prepared";
  std::unique_ptr<std::byte[]> buffer;  // its pages are touched only as far as datagrams reach
  bool finished = false;

  Result<void> open_channel();
  Result<void> prepare_bash(ChildSetup& setup);
  Result<void> prepare_zsh(ChildSetup& setup);
  Result<void> prepare_fish(ChildSetup& setup);
  Result<void> write_script(std::string_view text);
  void take(ChildSetup& setup, std::string_view name, const std::string& key);
  void clean_up_start();
  Result<void> receive(std::vector<AuditFact>& out, bool& more);
};

ShellHook::ShellHook(Clock& clock) : impl_(std::make_unique<Impl>(clock)) {}
ShellHook::~ShellHook() {
  impl_->clean_up_start();
}

Result<void> ShellHook::Impl::open_channel() {
  std::array<int, 2> pair{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return fail_sys(errno, "no socket for the shell hook");
  }
  socket = Fd(pair[0]);
  const Fd theirs(pair[1]);
  const int on = 1;
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) {
    return fail_sys(errno, "the socket of the shell hook gives no credentials");
  }
  // Best effort: a smaller buffer means more pieces.
  ::setsockopt(theirs.get(), SOL_SOCKET, SO_SNDBUF, &k_send_buffer, sizeof k_send_buffer);
  buffer = std::make_unique_for_overwrite<std::byte[]>(k_datagram_bytes);
  TRY_ASSIGN(child_socket, dup_high(theirs.get()));
  const Fd memory(::memfd_create("sworn-hook", MFD_CLOEXEC));
  if (!memory.valid()) {
    return fail_sys(errno, "no memory file for the shell hook");
  }
  TRY_ASSIGN(child_script, dup_high(memory.get()));
  TRY_ASSIGN(reserved_a, dup_high(memory.get()));
  TRY_ASSIGN(reserved_b, dup_high(memory.get()));
  return {};
}

Result<void> ShellHook::Impl::prepare_bash(ChildSetup& setup) {
  auto start = read_bash_start(setup.argv, setup.environment);
  if (!start.hookable) {
    reason = start.reason;
    return {};
  }
  if (::getuid() != ::geteuid() || ::getgid() != ::getegid()) {
    reason = "privileged";
    return {};
  }
  TRY(open_channel());
  const auto script_path = fmt::format("/proc/self/fd/{}", child_script.get());
  if (::access(script_path.c_str(), R_OK) != 0) {  // without /proc, POSIX mode would stay on
    return fail_sys(errno, "the shell hook needs /proc");
  }
  TRY_ASSIGN(start.options.key, random_key());
  start.options.socket_fd = child_socket.get();
  start.options.memory_fd = child_script.get();
  start.options.socket_copy_fd = reserved_a.get();
  start.options.memory_copy_fd = reserved_b.get();
  TRY(write_all(child_script.get(), as_bytes(bash_script(start.options))));

  decoder = std::make_unique<HookDecoder>(start.options.key, clock,
                                          [this](pid_t pid) { return kin_of(pid, shell_pid); });
  setup.argv.insert(setup.argv.begin() + 1, "--posix");
  if (!start.options.keep_posix) {
    drop_odd_functions(setup.environment);
  }
  set_variable(setup.environment, "ENV", script_path);
  setup.inherit.push_back(child_socket.get());
  setup.inherit.push_back(child_script.get());
  shell = "bash";
  reason.clear();
  return {};
}

Result<void> ShellHook::Impl::write_script(std::string_view text) {
  script.reset(::fcntl(child_script.get(), F_DUPFD_CLOEXEC, 3));
  if (!script.valid()) {
    return fail_sys(errno, "no descriptor for the shell hook");
  }
  return write_all(child_script.get(), as_bytes(text));
}

void ShellHook::Impl::take(ChildSetup& setup, std::string_view name, const std::string& key) {
  decoder = std::make_unique<HookDecoder>(key, clock,
                                          [this](pid_t pid) { return kin_of(pid, shell_pid); });
  setup.inherit.push_back(child_socket.get());
  setup.inherit.push_back(child_script.get());
  shell = name;
  reason.clear();
}

// zsh finds its first file through a directory: one that holds nothing but a link to the memory
// file, and is gone when the shell has said hello.
Result<void> ShellHook::Impl::prepare_zsh(ChildSetup& setup) {
  auto start = read_zsh_start(setup.argv, setup.environment);
  if (!start.hookable) {
    reason = start.reason;
    return {};
  }
  TRY(open_channel());
  TRY_ASSIGN(start.options.key, random_key());
  start.options.socket_fd = child_socket.get();
  start.options.memory_fd = child_script.get();
  TRY(write_script(zsh_script(start.options)));
  const auto* runtime = environment_value(setup.environment, "XDG_RUNTIME_DIR");
  auto pattern = fmt::format("{}/sworn-hook-XXXXXX",
                             runtime != nullptr && ::access(runtime, W_OK) == 0 ? runtime : "/tmp");
  if (::mkdtemp(pattern.data()) == nullptr) {
    return fail_sys(errno, "no directory for the shell hook");
  }
  start_directory = pattern;
  const auto target = fmt::format("/proc/self/fd/{}", child_script.get());
  if (::symlink(target.c_str(), (start_directory + "/.zshenv").c_str()) != 0) {
    return fail_sys(errno, "no start-up file for the shell hook");
  }
  set_variable(setup.environment, "ZDOTDIR", start_directory);
  take(setup, "zsh", start.options.key);
  return {};
}

Result<void> ShellHook::Impl::prepare_fish(ChildSetup& setup) {
  const auto start = read_fish_start(setup.argv);
  if (!start.hookable) {
    reason = start.reason;
    return {};
  }
  TRY(open_channel());
  FishScriptOptions options;
  TRY_ASSIGN(options.key, random_key());
  options.socket_fd = child_socket.get();
  TRY(write_script(fish_script(options)));
  setup.argv.insert(setup.argv.begin() + 1,
                    {"-C", fmt::format("source /proc/self/fd/{}", child_script.get())});
  take(setup, "fish", options.key);
  return {};
}

// The key must not stay where the programs of the user can read it. bash closes the file itself,
// and goes on to use it as scratch space: there `script` is not set.
void ShellHook::Impl::clean_up_start() {
  if (script.valid()) {
    [[maybe_unused]] const int failed = ::ftruncate(script.get(), 0);  // a file of our own
    script.reset();
  }
  if (!start_directory.empty()) {
    ::unlink((start_directory + "/.zshenv").c_str());
    ::rmdir(start_directory.c_str());
    start_directory.clear();
  }
}

Result<void> ShellHook::prepare(ChildSetup& setup) {
  impl_->reason = "not_a_shell";
  if (setup.argv.empty()) {
    return fail(Errc::bad_usage, "a command without argv[0]");
  }
  Result<void> result;
  const auto name = base_name(setup.program);
  if (name == "bash") {
    result = impl_->prepare_bash(setup);
  } else if (name == "zsh") {
    result = impl_->prepare_zsh(setup);
  } else if (name == "fish") {
    result = impl_->prepare_fish(setup);
  }
  if (!result) {
    impl_->reason = "unavailable";
    impl_->socket.reset();
    impl_->decoder.reset();
    impl_->clean_up_start();
    launched(0);
  }
  return result;
}

void ShellHook::launched(pid_t command) {
  impl_->shell_pid = command;
  impl_->child_socket.reset();
  impl_->child_script.reset();
  impl_->reserved_a.reset();
  impl_->reserved_b.reset();
  if (impl_->decoder) {
    impl_->decoder->set_shell(command, impl_->shell);
  }
}

int ShellHook::fd() const {
  return impl_->socket.get();
}

Result<void> ShellHook::Impl::receive(std::vector<AuditFact>& out, bool& more) {
  iovec part{buffer.get(), k_datagram_bytes};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const auto n = ::recvmsg(socket.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (n < 0) {
    more = errno == EINTR;
    if (errno == EAGAIN || errno == EINTR) {
      return {};
    }
    return fail_sys(errno, "the socket of the shell hook");
  }
  ucred sender{};
  const auto* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET &&
      header->cmsg_type == SCM_CREDENTIALS && header->cmsg_len == CMSG_LEN(sizeof sender)) {
    std::memcpy(&sender, CMSG_DATA(header), sizeof sender);
  }
  more = true;
  if ((message.msg_flags & MSG_TRUNC) != 0) {  // nothing that bash writes is that long
    decoder->refuse(sender.pid);
    return {};
  }
  decoder->feed(sender.pid, ByteView(buffer.get(), static_cast<std::size_t>(n)), out);
  if (decoder->hello_seen()) {
    clean_up_start();
  }
  return {};
}

Result<void> ShellHook::drain(std::vector<AuditFact>& out) {
  if (!impl_->socket.valid()) {
    return {};
  }
  bool more = true;
  for (int i = 0; more && i < k_datagrams_per_drain; ++i) {
    if (auto result = impl_->receive(out, more); !result) {
      impl_->socket.reset();
      return result;
    }
  }
  return {};
}

void ShellHook::finish(std::vector<AuditFact>& out) {
  if (!impl_->decoder || impl_->finished) {
    return;
  }
  if (impl_->socket.valid()) {
    // What cannot be read any more is counted by nobody: the session ends anyway.
    [[maybe_unused]] const auto last = drain(out);
  }
  impl_->decoder->finish(out);
  impl_->clean_up_start();
  impl_->socket.reset();
  impl_->finished = true;
}

std::string_view ShellHook::shell() const {
  return impl_->shell;
}
std::string_view ShellHook::reason() const {
  return impl_->reason;
}

const HookCounters& ShellHook::counters() const {
  static const HookCounters k_none;
  return impl_->decoder ? impl_->decoder->counters() : k_none;
}

}  // namespace sworn::audit
