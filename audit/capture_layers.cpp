// SPDX-License-Identifier: Apache-2.0
#include "audit/capture_layers.hpp"

#include "audit/kernel_source.hpp"
#include "audit/proc_source.hpp"
#include "audit/shell_hook.hpp"
#include "base/fd.hpp"

#include <array>
#include <cerrno>

#include <sys/epoll.h>
#include <unistd.h>

namespace sworn::audit {
namespace {

using format::EventKind;

constexpr std::array<std::string_view, 5> k_modes{"auto", "shell", "exec", "full", "none"};

}  // namespace

std::string_view name_of(CaptureMode mode) {
  return k_modes[static_cast<std::size_t>(mode)];
}

std::optional<CaptureMode> capture_mode_from(std::string_view name) {
  for (std::size_t i = 0; i < k_modes.size(); ++i) {
    if (k_modes[i] == name) {
      return static_cast<CaptureMode>(i);
    }
  }
  return std::nullopt;
}

std::string_view built_without_bpf() {
  return SWORN_BPF_STATE;
}

struct CaptureLayers::Impl {
  Impl(Clock& c, Options o) : clock(c), options(std::move(o)) {}

  Clock& clock;
  Options options;
  Fd epoll;
  std::unique_ptr<ShellHook> hook;
  std::unique_ptr<KernelSource> kernel;
  std::unique_ptr<ProcSource> proc;  // where there is no kernel source
  std::string why_no_kernel;
  std::string why_no_hook;
  bool stated = false;
  bool finished = false;

  void add(int fd, std::uint32_t which) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = which;
    if (fd >= 0) {
      ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event);
    }
  }

  [[nodiscard]] bool wants_kernel() const {
    switch (options.mode) {
      case CaptureMode::automatic:
        return ::geteuid() == 0 || !options.connect_path.empty();
      case CaptureMode::exec:
      case CaptureMode::full:
        return true;
      case CaptureMode::shell:
      case CaptureMode::none:
        return false;
    }
    return false;
  }

  void prepare_kernel(ChildSetup& setup) {
    if (!wants_kernel()) {
      why_no_kernel = options.mode == CaptureMode::automatic
                          ? "executions need root or a running swornd"
                          : "not asked for";
      return;
    }
    if (const auto without = built_without_bpf(); !without.empty()) {
      why_no_kernel = without;
      return;
    }
    KernelSource::Options plan;
    plan.program = options.helper;
    plan.connect_path = options.connect_path;
    if (options.mode == CaptureMode::full) {
      plan.arguments.emplace_back("--syscalls");
    }
    if (!options.ring_bytes.empty()) {
      plan.arguments.emplace_back("--ring");
      plan.arguments.push_back(options.ring_bytes);
    }
    kernel = std::make_unique<KernelSource>(clock, std::move(plan));
    if (const auto ready = kernel->prepare(setup); !ready) {
      why_no_kernel = describe(ready.error());
      kernel.reset();
    }
  }

  // Listens from the start, so that nothing is missed while sworn-bpf makes up its mind.
  void prepare_proc(ChildSetup& setup) {
    if (options.mode != CaptureMode::automatic || !wants_kernel()) {
      return;
    }
    proc = std::make_unique<ProcSource>(clock);
    if (!proc->prepare(setup)) {
      proc.reset();
    }
  }

  void prepare_hook(ChildSetup& setup) {
    if (options.mode == CaptureMode::none || !options.interactive) {
      why_no_hook = options.interactive ? "not asked for" : "no terminal";
      return;
    }
    auto source = std::make_unique<ShellHook>(clock);
    ChildSetup prepared = setup;
    if (const auto ready = source->prepare(prepared); !ready) {
      why_no_hook = describe(ready.error());
    } else if (source->fd() < 0) {
      why_no_hook = source->reason();
    } else {
      setup = std::move(prepared);
      hook = std::move(source);
    }
  }
};

CaptureLayers::CaptureLayers(Clock& clock, Options options)
    : impl_(std::make_unique<Impl>(clock, std::move(options))) {}
CaptureLayers::~CaptureLayers() = default;

Result<void> CaptureLayers::prepare(ChildSetup& setup) {
  impl_->epoll.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!impl_->epoll.valid()) {
    return fail_sys(errno, "epoll_create1");
  }
  impl_->prepare_kernel(setup);
  if (!impl_->kernel) {
    impl_->prepare_proc(setup);
  }
  impl_->prepare_hook(setup);
  return {};
}

void CaptureLayers::launched(pid_t command) {
  if (impl_->hook) {
    impl_->hook->launched(command);
    impl_->add(impl_->hook->fd(), 0);
  }
  if (impl_->kernel) {
    impl_->kernel->launched(command);
    if (impl_->kernel->fd() < 0) {
      impl_->why_no_kernel = impl_->kernel->reason();
      ChildSetup unchanged;
      impl_->prepare_proc(unchanged);  // the command has not executed anything yet
    }
    impl_->add(impl_->kernel->fd(), 1);
  }
  if (impl_->proc) {
    impl_->proc->launched(command);
    impl_->add(impl_->proc->fd(), 2);
  }
}

int CaptureLayers::fd() const {
  const auto& i = *impl_;
  const bool alive = (i.hook && i.hook->fd() >= 0) || (i.kernel && i.kernel->fd() >= 0) ||
                     (i.proc && i.proc->fd() >= 0);
  return alive || !i.stated ? i.epoll.get() : -1;
}

Result<void> CaptureLayers::drain(std::vector<AuditFact>& out) {
  auto& i = *impl_;
  if (!i.stated) {
    i.stated = true;
    auto now = statement();
    now.state = "active";
    out.push_back({EventKind::capture, i.clock.mono(), encode(now)});
  }
  std::array<epoll_event, 3> ready{};
  const int n = ::epoll_wait(i.epoll.get(), ready.data(), static_cast<int>(ready.size()), 0);
  std::array<bool, 3> from{};
  for (int k = 0; k < n; ++k) {
    from.at(ready[static_cast<std::size_t>(k)].data.u32) = true;
  }
  // A layer that fails says so itself, with a gap; the others go on.
  if (from[0] && i.hook) {
    [[maybe_unused]] const auto done = i.hook->drain(out);
  }
  if (from[1] && i.kernel) {
    [[maybe_unused]] const auto done = i.kernel->drain(out);
  }
  if (from[2] && i.proc) {
    [[maybe_unused]] const auto done = i.proc->drain(out);
  }
  return {};
}

void CaptureLayers::finish(std::vector<AuditFact>& out) {
  auto& i = *impl_;
  if (i.finished) {
    return;
  }
  i.finished = true;
  if (i.hook) {
    i.hook->finish(out);
  }
  if (i.kernel) {
    i.kernel->finish(out);
  }
  if (i.proc) {
    i.proc->finish(out);
  }
  auto last = statement();
  last.state = "ended";
  out.push_back({EventKind::capture, i.clock.mono(), encode(last)});
}

Result<void> CaptureLayers::satisfied() const {
  const auto& i = *impl_;
  const bool demanded = i.options.mode == CaptureMode::exec || i.options.mode == CaptureMode::full;
  if (demanded && !i.why_no_kernel.empty()) {
    return fail(Errc::unsupported,
                "the kernel's record of executions is not available: " + i.why_no_kernel);
  }
  if (i.options.mode == CaptureMode::full && i.kernel && i.kernel->state().files == 0) {
    return fail(Errc::unsupported, "opened files cannot be seen: " + i.kernel->state().text);
  }
  return {};
}

CaptureStatement CaptureLayers::statement() const {
  const auto& i = *impl_;
  CaptureStatement out;
  out.mechanism = "none";
  const auto add_detail = [&](std::string_view what, const std::string& why) {
    if (!why.empty()) {
      out.detail += (out.detail.empty() ? "" : "; ") + std::string(what) + ": " + why;
    }
  };
  if (i.hook) {
    // Best effort by nature: who wants to can leave the hooked shell.
    out.shell = Coverage::best_effort;
    out.lost += i.hook->counters().lost;
  }
  add_detail("shell", i.why_no_hook);
  if (i.kernel && i.why_no_kernel.empty()) {
    const auto& state = i.kernel->state();
    const auto& counters = i.kernel->counters();
    out.mechanism = "ebpf";
    out.exec = static_cast<Coverage>(state.exec);
    out.files = static_cast<Coverage>(state.files);
    out.connect = static_cast<Coverage>(state.connect);
    out.lost += counters.lost + counters.malformed;
    if (i.kernel->broken() || counters.lost > 0 || counters.missed > 0) {
      const auto lower = [](Coverage& coverage) {
        coverage = std::min(coverage, Coverage::best_effort);
      };
      lower(out.exec);
      lower(out.files);
      lower(out.connect);
    }
    add_detail("kernel", state.text);
  }
  if (i.proc) {
    out.mechanism = "proc";
    out.exec = Coverage::best_effort;
    out.lost += i.proc->overruns();
  }
  add_detail(i.proc ? "no ebpf" : "exec", i.why_no_kernel);
  return out;
}

}  // namespace sworn::audit
