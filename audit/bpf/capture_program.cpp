// SPDX-License-Identifier: Apache-2.0
#include "audit/bpf/capture_program.hpp"

#include "base/fd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <unistd.h>

// The generated skeleton is C.
#define _Static_assert static_assert
#include "capture.skel.h"
#undef _Static_assert

namespace sworn::bpf {
namespace {

constexpr int k_load_attempts = 4;  // one for each optional part

// What libbpf has to say goes here and not to a terminal: the name of the program that was refused.
std::string& last_complaint() {
  static std::string text;
  return text;
}

// NOLINTNEXTLINE(cert-dcl50-cpp): libbpf's callback has this type.
int note_complaint(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_WARN) {
    std::array<char, 512> line{};
    // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it comes from libbpf
    std::vsnprintf(line.data(), line.size(), format, arguments);
    if (std::string_view(line.data()).find("prog '") != std::string_view::npos) {
      last_complaint() = line.data();
    }
  }
  return 0;
}

// Where the kernel's one cgroup tree of version 2 is mounted.
Result<Fd> open_cgroup_root() {
  std::ifstream mounts("/proc/self/mountinfo");
  std::string line;
  while (std::getline(mounts, line)) {
    const auto separator = line.find(" - cgroup2 ");
    if (separator == std::string::npos) {
      continue;
    }
    std::istringstream fields(line.substr(0, separator));
    std::string id;
    std::string parent;
    std::string device;
    std::string root;
    std::string place;
    fields >> id >> parent >> device >> root >> place;
    if (root != "/") {
      continue;
    }
    Fd out(::open(place.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!out.valid()) {
      return fail_sys(errno, "cannot open the cgroup tree");
    }
    return out;
  }
  return fail(Errc::not_found, "no cgroup tree of version 2 is mounted");
}

}  // namespace

struct CaptureProgram::Impl {
  capture_bpf* skeleton = nullptr;
  ring_buffer* ring = nullptr;
  const std::function<void(ByteView)>* take = nullptr;
  std::vector<bpf_link*> links;
  Level files = Level::none;
  Level connects = Level::none;
  std::uint32_t ring_bytes = 0;
  std::uint32_t cpus = 0;
  std::string remarks;

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    for (auto* link : links) {
      bpf_link__destroy(link);
    }
    ring_buffer__free(ring);
    capture_bpf__destroy(skeleton);
  }

  void remark(std::string_view text) {
    remarks += fmt::format("{}{}", remarks.empty() ? "" : "; ", text);
  }

  Result<void> load_once(const Options& options, bool files_on, bool connects_on,
                         bool syscalls_on) {
    skeleton = capture_bpf__open();
    if (skeleton == nullptr) {
      return fail_sys(errno, "the BPF object of this build cannot be read");
    }
    bpf_program__set_autoload(skeleton->progs.on_file_open, files_on);
    bpf_program__set_autoload(skeleton->progs.on_connect4, connects_on);
    bpf_program__set_autoload(skeleton->progs.on_connect6, connects_on);
    if (auto* program = bpf_object__find_program_by_name(skeleton->obj, "on_sys_exit");
        program != nullptr) {
      bpf_program__set_autoload(program, syscalls_on);
    }
    bpf_map__set_max_entries(skeleton->maps.ring, options.ring_bytes);
    skeleton->rodata->wake_bytes = std::min<std::uint64_t>(65536, options.ring_bytes / 4);
    last_complaint().clear();
    if (const int error = capture_bpf__load(skeleton); error != 0) {
      capture_bpf__destroy(skeleton);
      skeleton = nullptr;
      return fail_sys(-error, "the kernel refuses the BPF programs");
    }
    return {};
  }

  Result<void> load(const Options& options) {
    bool files_on = options.files;
    bool connects_on = options.connects;
    bool syscalls_on = options.syscalls;
    for (int attempt = 0;; ++attempt) {
      auto loaded = load_once(options, files_on, connects_on, syscalls_on);
      if (loaded || attempt == k_load_attempts) {
        return loaded;
      }
      const auto refused = [&](std::string_view name) {
        return last_complaint().find(fmt::format("'{}", name)) != std::string::npos;
      };
      const auto why = std::string(::strerror(loaded.error().sys));
      if (files_on && refused("on_file_open")) {
        files_on = false;
        remark("the kernel does not load the file_open hook: " + why);
      } else if (connects_on && refused("on_connect")) {
        connects_on = false;
        remark("the kernel does not load the connect hooks: " + why);
      } else if (syscalls_on && refused("on_sys_exit")) {
        syscalls_on = false;
        remark("the kernel does not load the hook of system calls: " + why);
      } else {
        return loaded;
      }
    }
  }

  Result<void> attach_one(bpf_program* program) {
    auto* link = bpf_program__attach(program);
    if (link == nullptr) {
      return fail_sys(errno,
                      fmt::format("the kernel does not attach {}", bpf_program__name(program)));
    }
    links.push_back(link);
    return {};
  }

  void attach_connects() {
    const auto root = open_cgroup_root();
    if (!root) {
      remark("no connections: " + describe(root.error()));
      return;
    }
    for (auto* program : {skeleton->progs.on_connect4, skeleton->progs.on_connect6}) {
      auto* link = bpf_program__attach_cgroup(program, root->get());
      if (link == nullptr) {
        remark(fmt::format("the kernel does not attach the connect hooks: {}", ::strerror(errno)));
        return;
      }
      links.push_back(link);
    }
    connects = Level::complete;
  }

  Result<void> attach() {
    for (auto* program :
         {skeleton->progs.on_fork, skeleton->progs.on_exec, skeleton->progs.on_exit}) {
      TRY(attach_one(program));
    }
    if (bpf_program__fd(skeleton->progs.on_file_open) >= 0) {
      if (auto done = attach_one(skeleton->progs.on_file_open); done) {
        files = Level::complete;
      } else {
        remark(describe(done.error()));
      }
    }
    if (bpf_program__fd(skeleton->progs.on_connect4) >= 0) {
      attach_connects();
    }
    auto* syscalls = bpf_object__find_program_by_name(skeleton->obj, "on_sys_exit");
    if (files == Level::none && syscalls != nullptr && bpf_program__fd(syscalls) >= 0) {
      if (auto done = attach_one(syscalls); done) {
        files = Level::best_effort;
      } else {
        remark(describe(done.error()));
      }
    }
    return {};
  }

  static int on_record(void* self, void* data, std::size_t size) {
    (*static_cast<Impl*>(self)->take)(ByteView(static_cast<const std::byte*>(data), size));
    return 0;
  }
};

CaptureProgram::CaptureProgram(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CaptureProgram::~CaptureProgram() = default;

Result<std::unique_ptr<CaptureProgram>> CaptureProgram::load(const Options& options) {
  libbpf_set_print(note_complaint);
  if (::access(options.btf.c_str(), R_OK) != 0) {
    return fail(Errc::unsupported, "this kernel has no type information (BTF): " + options.btf);
  }
  auto impl = std::make_unique<Impl>();
  const int cpus = libbpf_num_possible_cpus();
  if (cpus <= 0) {
    return fail_sys(-cpus, "cannot tell the number of CPUs");
  }
  impl->cpus = static_cast<std::uint32_t>(cpus);
  impl->ring_bytes = options.ring_bytes;
  TRY(impl->load(options));
  TRY(impl->attach());
  impl->ring = ring_buffer__new(bpf_map__fd(impl->skeleton->maps.ring), Impl::on_record, impl.get(),
                                nullptr);
  if (impl->ring == nullptr) {
    return fail_sys(errno, "cannot map the ring of records");
  }
  return std::unique_ptr<CaptureProgram>(new CaptureProgram(std::move(impl)));
}

Level CaptureProgram::files() const {
  return impl_->files;
}
Level CaptureProgram::connects() const {
  return impl_->connects;
}
std::uint32_t CaptureProgram::ring_bytes() const {
  return impl_->ring_bytes;
}
const std::string& CaptureProgram::remarks() const {
  return impl_->remarks;
}
std::uint32_t CaptureProgram::cpus() const {
  return impl_->cpus;
}

Result<void> CaptureProgram::begin(std::uint32_t slot, std::uint32_t generation, int pidfd) {
  const std::vector<std::uint64_t> zeros(impl_->cpus, 0);
  const int numbers = bpf_map__fd(impl_->skeleton->maps.numbers);
  for (std::uint32_t stream = 0; stream < SWORN_STREAMS; ++stream) {
    const std::uint32_t key = slot * SWORN_STREAMS + stream;
    if (bpf_map_update_elem(numbers, &key, zeros.data(), 0) != 0) {
      return fail_sys(errno, "cannot begin to number records");
    }
  }
  const std::array<std::uint32_t, 2> entry{generation, 0};
  if (bpf_map_update_elem(bpf_map__fd(impl_->skeleton->maps.slots), &slot, entry.data(), 0) != 0) {
    return fail_sys(errno, "cannot open a session in the kernel");
  }
  struct TaskInfo {
    std::uint32_t slot;
    std::uint32_t generation;
    std::uint32_t parent;
    std::uint32_t execs;
    std::uint64_t parent_start;
  };
  const TaskInfo info{slot, generation, 0, 0, 0};
  if (bpf_map_update_elem(bpf_map__fd(impl_->skeleton->maps.tasks), &pidfd, &info, 0) != 0) {
    const int error = errno;
    end(slot);
    return fail_sys(error, "the kernel does not follow that process");
  }
  return {};
}

void CaptureProgram::end(std::uint32_t slot) {
  const std::array<std::uint32_t, 2> entry{0, 0};
  bpf_map_update_elem(bpf_map__fd(impl_->skeleton->maps.slots), &slot, entry.data(), 0);
}

int CaptureProgram::fd() const {
  return ring_buffer__epoll_fd(impl_->ring);
}

bool CaptureProgram::consume(const std::function<void(ByteView)>& take) {
  impl_->take = &take;
  const int n = ring_buffer__consume(impl_->ring);
  impl_->take = nullptr;
  return n > 0;
}

void CaptureProgram::set_sleeping(bool sleeping) {
  std::atomic_ref<std::uint32_t>(impl_->skeleton->bss->reader_sleeps)
      .store(sleeping ? 1 : 0, std::memory_order_seq_cst);
}

std::vector<std::uint64_t> CaptureProgram::last_numbers(std::uint32_t slot) const {
  std::vector<std::uint64_t> out(std::size_t{impl_->cpus} * SWORN_STREAMS, 0);
  for (std::uint32_t stream = 0; stream < SWORN_STREAMS; ++stream) {
    const std::uint32_t key = slot * SWORN_STREAMS + stream;
    bpf_map_lookup_elem(bpf_map__fd(impl_->skeleton->maps.numbers), &key,
                        out.data() + std::size_t{stream} * impl_->cpus);
  }
  return out;
}

std::uint64_t CaptureProgram::missed() const {
  std::uint64_t sum = 0;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, impl_->skeleton->obj) {
    const int fd = bpf_program__fd(program);
    bpf_prog_info info{};
    std::uint32_t length = sizeof info;
    if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &length) == 0) {
      sum += info.recursion_misses;
    }
  }
  return sum;
}

}  // namespace sworn::bpf
