// SPDX-License-Identifier: Apache-2.0
#include "cli/open_session.hpp"

#include "format/tail.hpp"

#include <unistd.h>

namespace sworn::cli {
namespace {

void attach_tail(OpenSession& session) {
  const auto path = format::tail_path(session.path);
  if (::access(path.c_str(), F_OK) != 0) {
    return;
  }
  auto tail = format::read_tail(path, session.reader->header().file_id,
                                session.reader->event_count(), session.reader->tail_key());
  if (!tail) {
    session.tail_error = describe(tail.error());
    return;
  }
  session.tail_events = tail->events.size();
  session.tail_hole = tail->hole;
  session.reader->set_tail(std::move(tail->events));
}

}  // namespace

Result<OpenSession> open_session(const std::string& path) {
  OpenSession session;
  session.path = path;
  TRY_ASSIGN(session.file, PosixReadFile::open(path));
  TRY_ASSIGN(session.reader, format::SessionReader::open(*session.file));
  TRY_ASSIGN(session.state, format::state_of(path));
  // After the final seal a tail is no evidence.
  if (session.reader->state() == format::FileState::open) {
    attach_tail(session);
  }
  return session;
}

}  // namespace sworn::cli
