// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
// Runs in the kernel: follows the processes of recorded sessions and tells what they execute, how
// they end, what they open for writing and where they connect. A task of a session carries the
// session in its task storage, which a fork hands on and the kernel frees with the task: it cannot
// be left, and a process outside of any session costs one lookup.
//
// Every record has a number of its session and CPU; a number that never arrives is a lost record,
// which is how loss is counted where it happened.
#include "kernel_types.h"
#include "kernel_wire.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define S_IFMT 0170000
#define S_IFREG 0100000
#define FMODE_WRITE 2
#define SIGNAL_GROUP_EXIT 4
#define MAX_DEPTH 96

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct task_info {
  __u32 slot;
  __u32 generation;
  __u32 parent; /* who forked this process */
  __u32 execs;
  __u64 parent_start;
};

struct slot {
  __u32 generation; /* 0: free */
  __u32 reserved;
};

// `at` and `whole` belong to a walk up a path. They live here and not on the stack because the
// verifier keeps no range for what it reads from a map: with one, no two turns of the loop would
// look alike to it.
struct scratch {
  __u8 bytes[SWORN_SCRATCH];
  __u64 at;
  __u64 whole;
};

struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct task_info);
} tasks SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 8 * 1024 * 1024);
} ring SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, SWORN_MAX_SLOTS);
  __type(key, __u32);
  __type(value, struct slot);
} slots SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, SWORN_MAX_SLOTS* SWORN_STREAMS);
  __type(key, __u32);
  __type(value, __u64);
} numbers SEC(".maps");

// One for each program that may be interrupted by another one on its CPU.
#define SCRATCH(name)                        \
  struct {                                   \
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); \
    __uint(max_entries, 1);                  \
    __type(key, __u32);                      \
    __type(value, struct scratch);           \
  } name SEC(".maps")
SCRATCH(exec_scratch);
SCRATCH(open_scratch);
SCRATCH(syscall_scratch);

// Set by the reader before it goes to sleep on an empty ring; the first record then wakes it.
__u32 reader_sleeps = 0;
// The reader is woken when so much waits for it, although it comes by itself every 20 ms.
const volatile __u64 wake_bytes = 65536;

static __always_inline __u64 wake_flags(void) {
  if (reader_sleeps) {
    reader_sleeps = 0;
    return BPF_RB_FORCE_WAKEUP;
  }
  return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > wake_bytes ? BPF_RB_FORCE_WAKEUP
                                                                  : BPF_RB_NO_WAKEUP;
}

static __always_inline int alive(const struct task_info* info) {
  __u32 key = info->slot;
  struct slot* slot = bpf_map_lookup_elem(&slots, &key);
  return slot && slot->generation == info->generation;
}

// False where the session of `info` is over.
static __always_inline int fill_header(struct sworn_wire_header* h, const struct task_info* info,
                                       struct task_struct* task, __u16 kind, __u32 stream) {
  if (!alive(info)) {
    return 0;
  }
  __u32 key = info->slot * SWORN_STREAMS + stream;
  __u64* number = bpf_map_lookup_elem(&numbers, &key);
  if (!number) {
    return 0;
  }
  struct task_struct* leader = BPF_CORE_READ(task, group_leader);
  h->kind = kind;
  h->cpu = bpf_get_smp_processor_id();
  *number += 1;
  h->seq = *number;
  h->at = bpf_ktime_get_boot_ns();
  h->slot = info->slot;
  h->generation = info->generation;
  h->pid = BPF_CORE_READ(task, tgid);
  h->stream = stream;
  h->start = BPF_CORE_READ(leader, start_boottime);
  return 1;
}

static __always_inline void submit(void* record, __u64 size) {
  bpf_ringbuf_output(&ring, record, size, wake_flags());
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct* parent, struct task_struct* child) {
  struct task_info* from = bpf_task_storage_get(&tasks, parent, 0, 0);
  if (!from) {
    return 0;
  }
  struct task_info* info = bpf_task_storage_get(&tasks, child, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!info) {
    // No memory: the number makes the loss visible, what the child does is not seen.
    __u32 key = from->slot * SWORN_STREAMS + SWORN_STREAM_SCHED;
    __u64* number = bpf_map_lookup_elem(&numbers, &key);
    if (number) {
      *number += 1;
    }
    return 0;
  }
  info->slot = from->slot;
  info->generation = from->generation;
  if (child->pid != child->tgid) { /* a thread */
    info->parent = from->parent;
    info->parent_start = from->parent_start;
    info->execs = from->execs;
    return 0;
  }
  info->parent = parent->tgid;
  info->parent_start = BPF_CORE_READ(parent, group_leader, start_boottime);
  info->execs = 0;
  struct sworn_wire_fork record = {};
  if (!fill_header(&record.h, info, child, SWORN_FORK, SWORN_STREAM_SCHED)) {
    return 0;
  }
  record.h.size = sizeof record;
  record.parent = info->parent;
  record.parent_start = info->parent_start;
  submit(&record, sizeof record);
  return 0;
}

// --- paths: names from the leaf up

struct climb {
  struct dentry* dentry;
  struct vfsmount* mnt;
  __u64 which;
};

static __always_inline struct scratch* scratch_of(__u32 which) {
  __u32 zero = 0;
  if (which == 0) {
    return bpf_map_lookup_elem(&exec_scratch, &zero);
  }
  if (which == 1) {
    return bpf_map_lookup_elem(&open_scratch, &zero);
  }
  return bpf_map_lookup_elem(&syscall_scratch, &zero);
}

static __always_inline long append_name(struct scratch* s, struct dentry* dentry) {
  __u64 at = s->at;
  asm volatile("" : "+r"(at));
  if (at > SWORN_SCRATCH - 256) {
    return 1;
  }
  const unsigned char* name = BPF_CORE_READ(dentry, d_name.name);
  long n = bpf_probe_read_kernel_str(&s->bytes[at], SWORN_PATH_PART + 1, name);
  if (n <= 0) {
    return 1;
  }
  s->at = at + n;
  return 0;
}

static long climb_step(__u32 index, struct climb* c) {
  struct scratch* s = scratch_of(c->which);
  if (!s) {
    return 1;
  }
  struct dentry* dentry = c->dentry;
  struct vfsmount* mnt = c->mnt;
  struct dentry* root = BPF_CORE_READ(mnt, mnt_root);
  struct dentry* up = BPF_CORE_READ(dentry, d_parent);
  if (dentry == root || dentry == up) {
    struct mount* m = (void*)mnt - bpf_core_field_offset(struct mount, mnt);
    struct mount* above = BPF_CORE_READ(m, mnt_parent);
    if (m == above || dentry != root) {
      s->whole = 1;
      if (index == 0) { /* in no directory: a memfd, a pipe; or "/" itself */
        append_name(s, dentry);
      }
      return 1;
    }
    c->dentry = BPF_CORE_READ(m, mnt_mountpoint);
    c->mnt = (void*)above + bpf_core_field_offset(struct mount, mnt);
    return 0;
  }
  if (append_name(s, dentry)) {
    return 1;
  }
  c->dentry = up;
  return 0;
}

// Writes behind `at`, gives the new end; *flags gets what went wrong.
static __always_inline __u64 write_path(struct scratch* s, __u32 which, __u64 at,
                                        struct vfsmount* mnt, struct dentry* dentry, __u32* flags) {
  struct climb c = {.dentry = dentry, .mnt = mnt, .which = which};
  s->at = at;
  s->whole = 0;
  bpf_loop(MAX_DEPTH, climb_step, &c, 0);
  if (!s->whole) {
    *flags |= SWORN_PATH_TRUNCATED;
  }
  return s->at;
}

static __always_inline void read_tty(struct task_struct* task, __u32* major, __u32* minor) {
  struct tty_struct* tty = BPF_CORE_READ(task, signal, tty);
  *major = 0;
  *minor = 0;
  if (tty) {
    struct tty_driver* driver = BPF_CORE_READ(tty, driver);
    *major = BPF_CORE_READ(driver, major);
    *minor = BPF_CORE_READ(driver, minor_start) + BPF_CORE_READ(tty, index);
  }
}

// Where a shell would read from: a terminal, or something that nobody typed.
static __always_inline void read_stdin(struct sworn_wire_exec* r, struct task_struct* task) {
  struct file** files = BPF_CORE_READ(task, files, fdt, fd);
  struct file* file = 0;
  r->stdin_mode = 0;
  r->stdin_major = 0;
  if (bpf_probe_read_kernel(&file, sizeof file, files) == 0 && file) {
    r->stdin_mode = BPF_CORE_READ(file, f_inode, i_mode);
    r->stdin_major = BPF_CORE_READ(file, f_inode, i_rdev) >> 20;
  }
}

static __always_inline void read_ids(struct sworn_wire_exec* r, struct task_struct* task,
                                     const struct task_info* info) {
  const struct cred* cred = BPF_CORE_READ(task, cred);
  r->parent = info->parent;
  r->parent_start = info->parent_start;
  r->ppid = BPF_CORE_READ(task, real_parent, tgid);
  r->uid = BPF_CORE_READ(cred, uid.val);
  r->euid = BPF_CORE_READ(cred, euid.val);
  r->gid = BPF_CORE_READ(cred, gid.val);
  r->egid = BPF_CORE_READ(cred, egid.val);
  r->loginuid = ~0U;
  r->audit_ses = ~0U;
  if (bpf_core_field_exists(task->loginuid)) {
    r->loginuid = BPF_CORE_READ(task, loginuid.val);
    r->audit_ses = BPF_CORE_READ(task, sessionid);
  }
  read_tty(task, &r->tty_major, &r->tty_minor);
  read_stdin(r, task);
  r->cgroup = bpf_get_current_cgroup_id();
  bpf_get_current_comm(r->comm, sizeof r->comm);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct* task, int old_pid, struct linux_binprm* bprm) {
  struct task_info* info = bpf_task_storage_get(&tasks, task, 0, 0);
  if (!info) {
    return 0;
  }
  struct scratch* s = scratch_of(0);
  if (!s) {
    return 0;
  }
  struct sworn_wire_exec* r = (struct sworn_wire_exec*)s->bytes;
  if (!fill_header(&r->h, info, task, SWORN_EXEC, SWORN_STREAM_SCHED)) {
    return 0;
  }
  info->execs += 1;
  read_ids(r, task, info);
  r->flags = 0;
  r->error = 0;
  r->argc = BPF_CORE_READ(bprm, argc);

  // The words are on the new stack now: nobody else can reach that memory yet.
  __u64 start = BPF_CORE_READ(task, mm, arg_start);
  __u64 total = BPF_CORE_READ(task, mm, arg_end) - start;
  __u64 at = sizeof *r;
  __u64 length = total;
  r->argv_total = total;
  if (length > SWORN_MAX_ARGV) {
    length = SWORN_MAX_ARGV;
    r->flags |= SWORN_ARGV_TRUNCATED;
  }
  length &= 0x3fff;
  if (bpf_probe_read_user(&s->bytes[sizeof *r], length, (void*)start)) {
    length = 0;
    r->flags |= SWORN_ARGV_UNREADABLE;
  }
  r->argv_length = length;
  at += length;
  asm volatile("" : "+r"(at));
  at &= 0x7fff;
  if (at > SWORN_SCRATCH - SWORN_MAX_PATH) {
    return 0;
  }
  long n = bpf_probe_read_kernel_str(&s->bytes[at], SWORN_MAX_PATH, BPF_CORE_READ(bprm, filename));
  r->file_length = n > 0 ? n : 0;
  at += r->file_length;

  struct file* file = BPF_CORE_READ(bprm, file);
  struct dentry* dentry = BPF_CORE_READ(file, f_path.dentry);
  if (!BPF_CORE_READ(dentry, d_hash.pprev)) {
    r->flags |= dentry == BPF_CORE_READ(dentry, d_parent) ? SWORN_EXE_ANONYMOUS : SWORN_EXE_DELETED;
  }
  __u32 flags = 0;
  __u64 end = write_path(s, 0, at, BPF_CORE_READ(file, f_path.mnt), dentry, &flags);
  r->exe_length = end - at;
  at = write_path(s, 0, end, BPF_CORE_READ(task, fs, pwd.mnt), BPF_CORE_READ(task, fs, pwd.dentry),
                  &flags);
  r->cwd_length = at - end;
  r->flags |= flags;
  r->h.size = at;
  asm volatile("" : "+r"(at));
  if (at > SWORN_SCRATCH) {
    return 0;
  }
  submit(r, at);
  return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct* task) {
  struct task_info* info = bpf_task_storage_get(&tasks, task, 0, 0);
  if (!info || BPF_CORE_READ(task, signal, live.counter) != 0) { /* other threads live on */
    return 0;
  }
  struct sworn_wire_exit record = {};
  if (!fill_header(&record.h, info, task, SWORN_EXIT, SWORN_STREAM_SCHED)) {
    return 0;
  }
  record.h.size = sizeof record;
  record.parent = info->parent;
  record.parent_start = info->parent_start;
  record.execs = info->execs;
  record.status = BPF_CORE_READ(task, signal, flags) & SIGNAL_GROUP_EXIT
                      ? BPF_CORE_READ(task, signal, group_exit_code)
                      : BPF_CORE_READ(task, group_leader, exit_code);
  bpf_probe_read_kernel_str(record.comm, sizeof record.comm, task->comm);
  submit(&record, sizeof record);
  return 0;
}

// --- files opened for writing

static __always_inline int report_open(__u32 which, struct task_info* info,
                                       struct task_struct* task, struct file* file,
                                       __u32 by_syscall) {
  if (!(BPF_CORE_READ(file, f_mode) & FMODE_WRITE) ||
      (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFREG) {
    return 0;
  }
  struct scratch* s = scratch_of(which);
  if (!s) {
    return 0;
  }
  struct sworn_wire_open* r = (struct sworn_wire_open*)s->bytes;
  if (!fill_header(&r->h, info, task, SWORN_OPEN,
                   which == 1 ? SWORN_STREAM_OPEN : SWORN_STREAM_SYSCALL)) {
    return 0;
  }
  __u32 flags = by_syscall;
  r->open_flags = BPF_CORE_READ(file, f_flags);
  r->reserved = 0;
  bpf_get_current_comm(r->comm, sizeof r->comm);
  __u64 at = write_path(s, which, sizeof *r, BPF_CORE_READ(file, f_path.mnt),
                        BPF_CORE_READ(file, f_path.dentry), &flags);
  r->path_length = at - sizeof *r;
  r->flags = flags;
  r->h.size = at;
  asm volatile("" : "+r"(at));
  if (at > SWORN_SCRATCH) {
    return 0;
  }
  submit(r, at);
  return 0;
}

SEC("lsm/file_open")
int BPF_PROG(on_file_open, struct file* file) {
  struct task_struct* task = bpf_get_current_task_btf();
  struct task_info* info = bpf_task_storage_get(&tasks, task, 0, 0);
  if (info) {
    report_open(1, info, task, file, 0);
  }
  return 0;
}

#if defined(__TARGET_ARCH_x86)
// Announced and off by default: any program at the end of system calls makes all of them slower.
SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs* regs, long result) {
  struct task_struct* task = bpf_get_current_task_btf();
  struct task_info* info = bpf_task_storage_get(&tasks, task, 0, 0);
  if (!info) {
    return 0;
  }
  long call = BPF_CORE_READ(regs, orig_ax);
  if (call == 2 || call == 85 || call == 257 || call == 437) { /* open creat openat openat2 */
    if (result < 0) {
      return 0;
    }
    struct fdtable* table = BPF_CORE_READ(task, files, fdt);
    struct file** files = BPF_CORE_READ(table, fd);
    struct file* file = 0;
    if (bpf_probe_read_kernel(&file, sizeof file, &files[result & 0xfffff]) == 0 && file) {
      report_open(2, info, task, file, SWORN_BY_SYSCALL);
    }
    return 0;
  }
  // ENOENT is how shells and libraries search a PATH.
  if ((call != 59 && call != 322) || result >= 0 || result == -2) {
    return 0;
  }
  struct scratch* s = scratch_of(2);
  if (!s) {
    return 0;
  }
  struct sworn_wire_exec* r = (struct sworn_wire_exec*)s->bytes;
  if (!fill_header(&r->h, info, task, SWORN_EXEC_FAILED, SWORN_STREAM_SYSCALL)) {
    return 0;
  }
  read_ids(r, task, info);
  r->flags = SWORN_BY_SYSCALL;
  r->error = -result;
  r->argc = 0;
  r->argv_total = 0;
  r->argv_length = 0;
  r->exe_length = 0;
  unsigned long name = call == 59 ? BPF_CORE_READ(regs, di) : BPF_CORE_READ(regs, si);
  long n = bpf_probe_read_user_str(&s->bytes[sizeof *r], SWORN_MAX_PATH, (void*)name);
  r->file_length = n > 0 ? n : 0;
  __u64 begin = sizeof *r + r->file_length;
  __u32 flags = 0;
  __u64 at = write_path(s, 2, begin, BPF_CORE_READ(task, fs, pwd.mnt),
                        BPF_CORE_READ(task, fs, pwd.dentry), &flags);
  r->cwd_length = at - begin;
  r->flags |= flags;
  r->h.size = at;
  asm volatile("" : "+r"(at));
  if (at > SWORN_SCRATCH) {
    return 0;
  }
  submit(r, at);
  return 0;
}
#endif

// --- connections; attached to the root of the cgroup tree

static __always_inline int report_connect(struct bpf_sock_addr* c, __u16 family) {
  struct task_struct* task = bpf_get_current_task_btf();
  struct task_info* info = bpf_task_storage_get(&tasks, task, 0, 0);
  if (!info) {
    return 1;
  }
  struct sworn_wire_connect record = {};
  if (!fill_header(&record.h, info, task, SWORN_CONNECT, SWORN_STREAM_CONNECT)) {
    return 1;
  }
  record.h.size = sizeof record;
  record.family = family;
  record.port = __builtin_bswap16(c->user_port);
  record.protocol = c->protocol;
  if (family == 2) {
    __u32 address = c->user_ip4;
    __builtin_memcpy(record.address, &address, 4);
  } else {
    __u32 address[4] = {c->user_ip6[0], c->user_ip6[1], c->user_ip6[2], c->user_ip6[3]};
    __builtin_memcpy(record.address, address, 16);
  }
  bpf_get_current_comm(record.comm, sizeof record.comm);
  submit(&record, sizeof record);
  return 1;
}

SEC("cgroup/connect4")
int on_connect4(struct bpf_sock_addr* c) {
  return report_connect(c, 2);
}

SEC("cgroup/connect6")
int on_connect6(struct bpf_sock_addr* c) {
  return report_connect(c, 10);
}
