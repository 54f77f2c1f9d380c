// SPDX-License-Identifier: Apache-2.0
// Bookmarks and notes of investigators: JSON lines beside the session file (FILE.notes.jsonl),
// append-only, never inside the evidence. Where that directory cannot be written to, they go to the
// user's own $XDG_DATA_HOME/sworn/notes. Reading is bounded and skips lines that are not notes.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sworn::player {

struct Note {
  std::string id;  // "k" of a bookmark (one character), else empty
  MonoTime t;
  std::uint64_t position = 0;
  std::string author;
  WallTime created;
  std::string text;
};

class Notes {
 public:
  // `session` names the recording (hex of its file id) in every line, so that a note cannot be
  // mistaken.
  static Notes open(const std::string& recording_path, const std::string& session);
  // Of no file: for tests and for recordings without a name.
  Notes() = default;

  // In order of time. A later bookmark with the same key replaces an earlier one.
  [[nodiscard]] const std::vector<Note>& all() const { return notes_; }
  [[nodiscard]] const Note* bookmark(const std::string& key) const;
  // Adds and writes; where writing fails the note is kept for this run and the error says so.
  Result<void> add(Note note);
  [[nodiscard]] const std::string& written_to() const { return written_to_; }

 private:
  void insert(Note note);
  void read(const std::string& path);

  std::vector<Note> notes_;
  std::vector<std::string> paths_;  // in order of preference
  std::string session_;
  std::string written_to_;
};

}  // namespace sworn::player
