/* SPDX-License-Identifier: Apache-2.0
 * The few fields of kernel structures that the BPF program reads. Their places are found when it is
 * loaded, from the BTF of the running kernel (CO-RE); so the build needs no kernel headers and the
 * result runs on kernels with other layouts.
 */
#ifndef SWORN_KERNEL_TYPES_H
#define SWORN_KERNEL_TYPES_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;

enum {
  BPF_MAP_TYPE_ARRAY = 2,
  BPF_MAP_TYPE_PERCPU_ARRAY = 6,
  BPF_MAP_TYPE_RINGBUF = 27,
  BPF_MAP_TYPE_TASK_STORAGE = 29
};
enum { BPF_F_NO_PREALLOC = 1 };
enum { BPF_LOCAL_STORAGE_GET_F_CREATE = 1 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2 };
enum { BPF_RB_AVAIL_DATA = 0 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
  __u32 val;
} kuid_t;
typedef struct {
  __u32 val;
} kgid_t;
typedef struct {
  int counter;
} atomic_t;
struct cred {
  kuid_t uid;
  kgid_t gid;
  kuid_t euid;
  kgid_t egid;
};
struct qstr {
  __u32 len;
  const unsigned char* name;
};
struct hlist_bl_node {
  struct hlist_bl_node** pprev;
};
struct inode {
  __u16 i_mode;
  __u32 i_rdev;
};
struct dentry {
  struct hlist_bl_node d_hash;
  struct dentry* d_parent;
  struct qstr d_name;
  struct inode* d_inode;
};
struct vfsmount {
  struct dentry* mnt_root;
};
struct mount {
  struct mount* mnt_parent;
  struct dentry* mnt_mountpoint;
  struct vfsmount mnt;
};
struct path {
  struct vfsmount* mnt;
  struct dentry* dentry;
};
struct file {
  struct path f_path;
  struct inode* f_inode;
  __u32 f_mode;
  __u32 f_flags;
};
struct fdtable {
  unsigned int max_fds;
  struct file** fd;
};
struct files_struct {
  struct fdtable* fdt;
};
struct fs_struct {
  struct path pwd;
};
struct mm_struct {
  unsigned long arg_start;
  unsigned long arg_end;
};
struct tty_driver {
  int major;
  int minor_start;
};
struct tty_struct {
  struct tty_driver* driver;
  int index;
};
struct signal_struct {
  atomic_t live;
  int group_exit_code;
  unsigned int flags;
  struct tty_struct* tty;
};
struct task_struct {
  int pid;
  int tgid;
  int exit_code;
  __u64 start_boottime;
  struct task_struct* real_parent;
  struct task_struct* group_leader;
  const struct cred* real_cred;
  const struct cred* cred;
  char comm[16];
  struct fs_struct* fs;
  struct files_struct* files;
  struct signal_struct* signal;
  struct mm_struct* mm;
  kuid_t loginuid;
  unsigned int sessionid;
};
struct linux_binprm {
  struct file* file;
  int argc;
  const char* filename;
};
struct pt_regs {
  unsigned long di;
  unsigned long si;
  unsigned long orig_ax;
};

#pragma clang attribute pop

/* Part of the kernel's interface for programs: these places never move. */
struct bpf_sock_addr {
  __u32 user_family;
  __u32 user_ip4;
  __u32 user_ip6[4];
  __u32 user_port;
  __u32 family;
  __u32 type;
  __u32 protocol;
};

#endif
