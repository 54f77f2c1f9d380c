// SPDX-License-Identifier: Apache-2.0
// Names and states of session files on disk. A session is in exactly one state, and any program can
// tell:
//   ID.sworn.part locked, ID.sworn.part.tail    being recorded
//   ID.sworn.part not locked                    the recorder died: salvage
//   ID.sworn                                    closed; never written again
#pragma once

#include "base/file.hpp"
#include "format/session_header.hpp"

#include <memory>
#include <string>
#include <vector>

namespace sworn::format {

enum class StoredState : std::uint8_t { live, crashed, closed };
std::string_view name_of(StoredState state);

struct StoredSession {
  std::string path;
  StoredState state = StoredState::closed;
};

// $XDG_DATA_HOME/sworn/sessions, else ~/.local/share/sworn/sessions. Not created here.
Result<std::string> default_store();

// "HOST-YYYYMMDDTHHMMSSZ-XXXXXXXX.sworn", from cleaned host name, UTC start and random file id.
std::string session_file_name(const std::string& hostname, WallTime started, const FileId& id);

std::string part_path(const std::string& final_path);  // + ".part"
std::string tail_path(const std::string& part_path);   // + ".tail"

// Creates PATH (O_EXCL), locks it exclusively (flock) for the life of the object.
class PartFile {
 public:
  static Result<std::unique_ptr<PartFile>> create(const std::string& final_path);
  // A file that another process has created and locked (the lock goes with the open file), and that
  // it will rename: publish() then only syncs.
  static std::unique_ptr<PartFile> adopt(Fd part, const std::string& final_path);
  [[nodiscard]] PosixAppendFile& file() { return *file_; }
  [[nodiscard]] const std::string& path() const { return part_path_; }
  [[nodiscard]] const std::string& final_path() const { return final_path_; }
  [[nodiscard]] bool adopted() const { return adopted_; }
  // sync, rename to the final name (never replacing), sync of the directory, mode 0400.
  Result<void> publish();

 private:
  PartFile() = default;
  std::unique_ptr<PosixAppendFile> file_;
  std::string part_path_;
  std::string final_path_;
  bool adopted_ = false;
};

Result<StoredState> state_of(const std::string& path);
Result<std::vector<StoredSession>> list_sessions(const std::string& directory);  // by name

}  // namespace sworn::format
