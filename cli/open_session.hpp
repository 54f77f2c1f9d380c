// SPDX-License-Identifier: Apache-2.0
// A session file opened for reading, with the tail of a live or crashed session attached.
// Read-only; bounded memory. The parts keep each other alive in the order of declaration.
#pragma once

#include "base/file.hpp"
#include "format/session_reader.hpp"
#include "format/store.hpp"

#include <memory>
#include <string>

namespace sworn::cli {

struct OpenSession {
  std::string path;
  std::unique_ptr<PosixReadFile> file;
  std::unique_ptr<format::SessionReader> reader;
  format::StoredState state = format::StoredState::closed;
  std::uint64_t tail_events = 0;  // behind the last chunk, from the tail beside the file
  bool tail_hole = false;
  std::string tail_error;  // the tail is there but could not be used; empty: fine
};

Result<OpenSession> open_session(const std::string& path);

}  // namespace sworn::cli
