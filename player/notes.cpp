// SPDX-License-Identifier: Apache-2.0
#include "player/notes.hpp"

#include "base/file.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>

#include <fcntl.h>

namespace sworn::player {
namespace {

constexpr std::uint64_t k_max_file = 16U << 20U;
constexpr std::size_t k_max_notes = 10'000;
constexpr std::size_t k_max_text = 4'000;

std::string directory_of_user() {
  if (const char* const data = std::getenv("XDG_DATA_HOME"); data != nullptr && data[0] == '/') {
    return std::string(data) + "/sworn/notes";
  }
  if (const char* const home = std::getenv("HOME"); home != nullptr && home[0] == '/') {
    return std::string(home) + "/.local/share/sworn/notes";
  }
  return {};
}

Result<void> append_line(const std::string& path, const std::string& line) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) {
    return fail_sys(errno, "cannot write notes to " + path);
  }
  return write_all(fd.get(), as_bytes(line));
}

std::string text_of(const nlohmann::json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>().substr(0, k_max_text)
                                               : std::string{};
}

std::int64_t number_of(const nlohmann::json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number_integer() ? it->get<std::int64_t>() : 0;
}

}  // namespace

Notes Notes::open(const std::string& recording_path, const std::string& session) {
  Notes notes;
  notes.session_ = session;
  auto base = recording_path;
  if (base.ends_with(".part")) {
    base.resize(base.size() - 5);
  }
  notes.paths_.push_back(base + ".notes.jsonl");
  if (const auto own = directory_of_user(); !own.empty()) {
    notes.paths_.push_back(own + "/" + session + ".notes.jsonl");
  }
  for (const auto& path : notes.paths_) {
    notes.read(path);
  }
  return notes;
}

void Notes::read(const std::string& path) {
  const auto content = read_whole_file(path, k_max_file);
  if (!content) {
    return;
  }
  auto left = as_text(*content);
  while (!left.empty() && notes_.size() < k_max_notes) {
    const auto end = left.find('\n');
    const auto line = left.substr(0, end);
    left = end == std::string_view::npos ? std::string_view{} : left.substr(end + 1);
    const auto object = nlohmann::json::parse(line, nullptr, false);
    if (!object.is_object() || text_of(object, "session") != session_) {
      continue;
    }
    Note note;
    note.id = text_of(object, "id");
    note.t = {number_of(object, "t_us")};
    note.position =
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, number_of(object, "event"))) + 1;
    note.author = text_of(object, "author");
    note.created = parse_rfc3339(text_of(object, "created")).value_or(WallTime{});
    note.text = text_of(object, "text");
    insert(std::move(note));
  }
}

void Notes::insert(Note note) {
  if (!note.id.empty()) {
    std::erase_if(notes_, [&note](const Note& old) { return old.id == note.id; });
  }
  const auto it =
      std::upper_bound(notes_.begin(), notes_.end(), note,
                       [](const Note& a, const Note& b) { return a.position < b.position; });
  notes_.insert(it, std::move(note));
}

const Note* Notes::bookmark(const std::string& key) const {
  const auto it = std::find_if(notes_.begin(), notes_.end(),
                               [&key](const Note& note) { return note.id == key; });
  return it == notes_.end() ? nullptr : &*it;
}

Result<void> Notes::add(Note note) {
  nlohmann::json object{
      {"session", session_},   {"id", note.id},
      {"t_us", note.t.us},     {"event", note.position == 0 ? 0 : note.position - 1},
      {"author", note.author}, {"created", format_rfc3339(note.created)},
      {"text", note.text}};
  const auto line = object.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
  insert(std::move(note));
  Result<void> written = fail(Errc::not_found, "there is no place for notes");
  for (std::size_t i = 0; i < paths_.size() && !written; ++i) {
    if (i > 0) {
      if (auto made = make_directories(paths_[i].substr(0, paths_[i].rfind('/'))); !made) {
        continue;
      }
    }
    written = append_line(paths_[i], line);
    if (written) {
      written_to_ = paths_[i];
    }
  }
  return paths_.empty() ? Result<void>{} : written;
}

}  // namespace sworn::player
