/* SPDX-License-Identifier: Apache-2.0
 * What the programs in the kernel write, and what sworn-bpf passes on unchanged. Shared by the BPF
 * program (C), sworn-bpf and the recorder (C++): fixed-width types, no padding, host byte order (it
 * never leaves the host). Adding a kind is fine; a changed layout needs a new SWORN_WIRE_VERSION.
 */
#ifndef SWORN_KERNEL_WIRE_H
#define SWORN_KERNEL_WIRE_H

#ifndef __bpf__
#include <stdint.h>
typedef uint8_t wire_u8;
typedef uint16_t wire_u16;
typedef uint32_t wire_u32;
typedef uint64_t wire_u64;
#else
typedef unsigned char wire_u8;
typedef unsigned short wire_u16;
typedef unsigned int wire_u32;
typedef unsigned long long wire_u64;
#endif

#define SWORN_WIRE_VERSION 1
#define SWORN_MAX_SLOTS 1024 /* sessions at a time */
#define SWORN_MAX_ARGV 16383 /* bytes of argv that are kept */
#define SWORN_SCRATCH 32704  /* longest record */
#define SWORN_PATH_PART 255  /* longest name of a directory entry */
#define SWORN_MAX_PATH 4096

enum sworn_wire_kind {
  SWORN_FORK = 1,
  SWORN_EXEC = 2,
  SWORN_EXIT = 3,
  SWORN_OPEN = 4,
  SWORN_CONNECT = 5,
  SWORN_EXEC_FAILED = 6,
};

/* Programs that may be preempted number their records apart from those that may not. */
enum sworn_wire_stream {
  SWORN_STREAM_SCHED = 0,
  SWORN_STREAM_OPEN = 1,
  SWORN_STREAM_SYSCALL = 2,
  SWORN_STREAM_CONNECT = 3,
  SWORN_STREAMS = 4,
};

/* bits of sworn_wire_exec.flags and sworn_wire_open.flags */
#define SWORN_ARGV_TRUNCATED 1
#define SWORN_ARGV_UNREADABLE 2
#define SWORN_PATH_TRUNCATED 4
#define SWORN_EXE_DELETED 8
#define SWORN_EXE_ANONYMOUS 16 /* a memfd: in no directory */
#define SWORN_BY_SYSCALL 32    /* seen at the end of a system call, not by an LSM hook */

struct sworn_wire_header {
  wire_u32 size; /* of the whole record */
  wire_u16 kind;
  wire_u16 cpu;
  wire_u64 seq; /* from 1, of this session, CPU and stream: a hole is a lost record */
  wire_u64 at;  /* CLOCK_BOOTTIME, ns */
  wire_u32 slot;
  wire_u32 generation;
  wire_u32 pid;
  wire_u32 stream;
  wire_u64 start; /* of the process, CLOCK_BOOTTIME, ns */
};

struct sworn_wire_fork { /* of `pid`, by `parent` */
  struct sworn_wire_header h;
  wire_u32 parent;
  wire_u32 reserved;
  wire_u64 parent_start;
};

struct sworn_wire_exec {
  struct sworn_wire_header h;
  wire_u32 parent; /* who forked it */
  wire_u32 ppid;   /* its parent now */
  wire_u64 parent_start;
  wire_u32 uid;
  wire_u32 euid;
  wire_u32 gid;
  wire_u32 egid;
  wire_u32 loginuid;
  wire_u32 audit_ses;
  wire_u32 tty_major;
  wire_u32 tty_minor;
  wire_u64 cgroup;
  wire_u32 flags;
  wire_u32 argc;
  wire_u32 argv_total;
  wire_u32 argv_length; /* the data: these four, one behind the other */
  wire_u32 file_length; /* with its NUL */
  wire_u32 exe_length;  /* names from the leaf up, each with its NUL */
  wire_u32 cwd_length;  /* likewise */
  wire_u32 error;       /* SWORN_EXEC_FAILED: errno */
  wire_u32 stdin_mode;  /* of the inode behind descriptor 0; 0: closed */
  wire_u32 stdin_major; /* of its device */
  char comm[16];
};

struct sworn_wire_exit {
  struct sworn_wire_header h;
  wire_u32 parent;
  wire_u32 status; /* as wait(2) gives it */
  wire_u64 parent_start;
  wire_u32 execs;
  wire_u32 reserved;
  char comm[16];
};

struct sworn_wire_open {
  struct sworn_wire_header h;
  wire_u32 flags;
  wire_u32 open_flags;
  wire_u32 path_length; /* names from the leaf up */
  wire_u32 reserved;
  char comm[16];
};

struct sworn_wire_connect {
  struct sworn_wire_header h;
  wire_u16 family;
  wire_u16 port; /* host byte order */
  wire_u32 protocol;
  wire_u8 address[16]; /* network byte order; 4 bytes of it with AF_INET */
  char comm[16];
};

/* Messages between sworn-bpf and who asked for a session: packets of a SOCK_SEQPACKET pair, each
 * with this in front. */
#define SWORN_MAX_PACKET 65536
enum sworn_message_type {
  SWORN_MSG_OPEN =
      1, /* client: follow the process of the pidfd that comes along, and its children */
  SWORN_MSG_FLUSH = 2,     /* client: everything up to now, then COUNTERS */
  SWORN_MSG_STATE = 16,    /* answer to OPEN: sworn_message_state and a text */
  SWORN_MSG_REFUSED = 17,  /* answer to OPEN: a text; the connection ends */
  SWORN_MSG_RECORDS = 18,  /* records, one behind the other */
  SWORN_MSG_COUNTERS = 19, /* sworn_message_counters */
};
struct sworn_message {
  wire_u16 version; /* SWORN_WIRE_VERSION */
  wire_u16 type;
  wire_u32 value; /* FLUSH, COUNTERS: a number of the client's */
};
struct sworn_message_state {
  struct sworn_message m;
  wire_u8 exec; /* 0 none, 1 best effort, 2 complete */
  wire_u8 files;
  wire_u8 connect;
  wire_u8 reserved;
  wire_u32 ring_bytes;
};
struct sworn_message_counters {
  struct sworn_message m;
  wire_u64 missed; /* programs that the kernel did not run, over all sessions of the host */
  wire_u32 cpus;
  wire_u32 reserved;
  /* wire_u64 last[SWORN_STREAMS][cpus]: the last numbers that were given in this session */
};

#endif
