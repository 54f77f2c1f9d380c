// SPDX-License-Identifier: Apache-2.0
#include "recorder/host/sandbox.hpp"

#include <cerrno>
#include <initializer_list>
#include <memory>

#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace sworn::recorder::host {
namespace {

#ifndef SWORN_SANITIZED
struct Release {
  void operator()(void* filter) const { ::seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, Release>;

Result<void> add(const Filter& filter, std::uint32_t action, std::initializer_list<int> calls) {
  for (const int call : calls) {
    const int rc = ::seccomp_rule_add(filter.get(), action, call, 0);
    if (rc != 0 && rc != -EDOM) {  // EDOM: this architecture has no such call
      return fail_sys(-rc, "cannot build the filter of system calls");
    }
  }
  return {};
}
#endif

}  // namespace

Result<void> harden_process(Privileges privileges) {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
#ifndef SWORN_SANITIZED
  if (::prctl(PR_SET_DUMPABLE, 0) != 0) {
    return fail_sys(errno, "prctl(PR_SET_DUMPABLE)");
  }
#endif
  if (privileges == Privileges::drop && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return fail_sys(errno, "prctl(PR_SET_NO_NEW_PRIVS)");
  }
  return {};
}

Result<void> confine_monitor() {
#ifdef SWORN_SANITIZED
  return {};  // the sanitizers ask for more at any time
#else
  const Filter filter(::seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (!filter) {
    return fail_sys(ENOMEM, "cannot build the filter of system calls");
  }
  ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  TRY(add(filter, SCMP_ACT_ALLOW,
          {SCMP_SYS(read),
           SCMP_SYS(write),
           SCMP_SYS(readv),
           SCMP_SYS(writev),
           SCMP_SYS(pread64),
           SCMP_SYS(pwrite64),
           SCMP_SYS(recvmsg),
           SCMP_SYS(sendmsg),
           SCMP_SYS(recvfrom),
           SCMP_SYS(sendto),
           SCMP_SYS(splice),
           SCMP_SYS(tee),
           SCMP_SYS(ioctl),
           SCMP_SYS(fcntl),
           SCMP_SYS(poll),
           SCMP_SYS(ppoll),
           SCMP_SYS(epoll_wait),
           SCMP_SYS(epoll_pwait),
           SCMP_SYS(epoll_ctl),
           SCMP_SYS(epoll_create1),
           SCMP_SYS(eventfd2),
           SCMP_SYS(timerfd_create),
           SCMP_SYS(timerfd_settime),
           SCMP_SYS(signalfd4),
           SCMP_SYS(close),
           SCMP_SYS(dup),
           SCMP_SYS(dup2),
           SCMP_SYS(dup3),
           SCMP_SYS(pipe2),
           SCMP_SYS(lseek),
           SCMP_SYS(fstat),
           SCMP_SYS(newfstatat),
           SCMP_SYS(statx),
           SCMP_SYS(fdatasync),
           SCMP_SYS(fsync),
           SCMP_SYS(fallocate),
           SCMP_SYS(ftruncate),
           SCMP_SYS(flock),
           SCMP_SYS(mmap),
           SCMP_SYS(munmap),
           SCMP_SYS(mprotect),
           SCMP_SYS(mremap),
           SCMP_SYS(madvise),
           SCMP_SYS(mlock),
           SCMP_SYS(mlock2),
           SCMP_SYS(munlock),
           SCMP_SYS(brk),
           SCMP_SYS(futex),
           SCMP_SYS(rseq),
           SCMP_SYS(set_robust_list),
           SCMP_SYS(sched_yield),
           SCMP_SYS(sched_getaffinity),
           SCMP_SYS(clock_gettime),
           SCMP_SYS(clock_nanosleep),
           SCMP_SYS(nanosleep),
           SCMP_SYS(gettimeofday),
           SCMP_SYS(time),
           SCMP_SYS(adjtimex),
           SCMP_SYS(clock_adjtime),
           SCMP_SYS(getrandom),
           SCMP_SYS(getpid),
           SCMP_SYS(gettid),
           SCMP_SYS(getuid),
           SCMP_SYS(geteuid),
           SCMP_SYS(getgid),
           SCMP_SYS(getegid),
           SCMP_SYS(getpgrp),
           SCMP_SYS(getpgid),
           SCMP_SYS(getsid),
           SCMP_SYS(prctl),
           SCMP_SYS(rt_sigaction),
           SCMP_SYS(rt_sigprocmask),
           SCMP_SYS(rt_sigreturn),
           SCMP_SYS(rt_sigpending),
           SCMP_SYS(rt_sigtimedwait),
           SCMP_SYS(sigaltstack),
           SCMP_SYS(restart_syscall),
           SCMP_SYS(exit),
           SCMP_SYS(exit_group),
           SCMP_SYS(tgkill),
           SCMP_SYS(openat),
           SCMP_SYS(open),
           SCMP_SYS(getdents64),
           SCMP_SYS(readlink),
           SCMP_SYS(readlinkat),
           SCMP_SYS(socket),
           SCMP_SYS(connect),
           SCMP_SYS(getsockopt),
           SCMP_SYS(setsockopt),
           SCMP_SYS(shutdown),
           SCMP_SYS(wait4),
           SCMP_SYS(uname),
           SCMP_SYS(sysinfo),
           SCMP_SYS(prlimit64),
           SCMP_SYS(getrlimit),
           SCMP_SYS(getrusage),
           SCMP_SYS(memfd_create)}));
  // Threads, but no processes. The flags of clone3 stand in memory, where a filter cannot look: the
  // C library does without it.
  TRY(add(filter, SCMP_ACT_ERRNO(ENOSYS), {SCMP_SYS(clone3)}));
  const int rc = ::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                                    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
  if (rc != 0) {
    return fail_sys(-rc, "cannot build the filter of system calls");
  }
  TRY(add(filter, SCMP_ACT_KILL_PROCESS,
          {SCMP_SYS(execve),
           SCMP_SYS(execveat),
           SCMP_SYS(fork),
           SCMP_SYS(vfork),
           SCMP_SYS(ptrace),
           SCMP_SYS(process_vm_readv),
           SCMP_SYS(process_vm_writev),
           SCMP_SYS(pidfd_getfd),
           SCMP_SYS(pidfd_send_signal),
           SCMP_SYS(unshare),
           SCMP_SYS(setns),
           SCMP_SYS(mount),
           SCMP_SYS(bpf),
           SCMP_SYS(init_module),
           SCMP_SYS(finit_module),
           SCMP_SYS(kexec_load),
           SCMP_SYS(userfaultfd),
           SCMP_SYS(io_uring_setup),
           SCMP_SYS(perf_event_open),
           SCMP_SYS(keyctl)}));
  if (const int loaded = ::seccomp_load(filter.get()); loaded != 0) {
    return fail_sys(-loaded, "cannot load the filter of system calls");
  }
  return {};
#endif
}

}  // namespace sworn::recorder::host
