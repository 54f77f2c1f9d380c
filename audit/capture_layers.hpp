// SPDX-License-Identifier: Apache-2.0
// All capture layers of one session as one source: chooses the best that is there, says in the
// session file what that is (capture_statement.hpp), and passes on what the layers tell. Same rules
// as any AuditSource; drain() costs one system call while nothing is there.
#pragma once

#include "audit/audit_source.hpp"
#include "audit/capture_statement.hpp"
#include "base/clock.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sworn::audit {

// What the user asks for.
enum class CaptureMode : std::uint8_t {
  automatic,  // everything that is there
  shell,      // command lines only
  exec,       // executions too, by eBPF; without it the session does not begin
  full,       // opened files too, even where that slows down the host
  none,
};
std::string_view name_of(CaptureMode mode);
std::optional<CaptureMode> capture_mode_from(std::string_view name);

// "built without: ..." where this build has no sworn-bpf; empty: it has.
std::string_view built_without_bpf();

class CaptureLayers final : public AuditSource {
 public:
  struct Options {
    CaptureMode mode = CaptureMode::automatic;
    bool interactive = true;   // the session has a terminal: shells can be hooked
    std::string helper;        // path of sworn-bpf
    std::string connect_path;  // or the socket of one that runs
    std::string ring_bytes;    // "" for the default
  };
  // `clock` must outlive the layers.
  CaptureLayers(Clock& clock, Options options);
  ~CaptureLayers() override;
  CaptureLayers(const CaptureLayers&) = delete;
  CaptureLayers& operator=(const CaptureLayers&) = delete;

  [[nodiscard]] std::string_view name() const override { return "layers"; }
  // Fails only where the mode demands what is not there.
  Result<void> prepare(ChildSetup& setup) override;
  void launched(pid_t command) override;
  [[nodiscard]] int fd() const override;
  Result<void> drain(std::vector<AuditFact>& out) override;
  void finish(std::vector<AuditFact>& out) override;

  // After launched(): an error where the mode demands what is not there.
  [[nodiscard]] Result<void> satisfied() const;
  [[nodiscard]] CaptureStatement statement() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sworn::audit
