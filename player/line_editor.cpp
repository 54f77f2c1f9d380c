// SPDX-License-Identifier: Apache-2.0
#include "player/line_editor.hpp"

#include "base/printable.hpp"

#include <algorithm>

namespace sworn::player {
namespace {

std::string to_utf8(std::u32string_view text) {
  std::string out;
  for (const auto c : text) {
    append_utf8(out, c);
  }
  return out;
}

}  // namespace

void LineEditor::start(std::string_view text) {
  text_.clear();
  while (!text.empty()) {
    const auto step = decode_utf8(text);
    if (step.valid && is_showable(step.code_point)) {
      text_.push_back(step.code_point);
    }
    text.remove_prefix(step.length);
  }
  cursor_ = text_.size();
  recalled_ = history_.size();
}

void LineEditor::recall(std::size_t index) {
  if (recalled_ == history_.size()) {
    typed_ = text_;
  }
  recalled_ = index;
  text_ = index == history_.size() ? typed_ : history_[index];
  cursor_ = text_.size();
}

bool LineEditor::handle(const Key& key) {
  switch (key.code) {
    case KeyCode::character:
      if (key.ctrl && key.c == U'U') {
        text_.erase(0, cursor_);
        cursor_ = 0;
        return true;
      }
      if (key.ctrl && key.c == U'W') {
        auto begin = cursor_;
        while (begin > 0 && text_[begin - 1] == U' ') {
          --begin;
        }
        while (begin > 0 && text_[begin - 1] != U' ') {
          --begin;
        }
        text_.erase(begin, cursor_ - begin);
        cursor_ = begin;
        return true;
      }
      if (key.ctrl || key.alt || !is_showable(key.c) || text_.size() >= k_longest) {
        return false;
      }
      text_.insert(cursor_, 1, key.c);
      ++cursor_;
      return true;
    case KeyCode::backspace:
      if (cursor_ > 0) {
        text_.erase(--cursor_, 1);
      }
      return true;
    case KeyCode::delete_forward:
      if (cursor_ < text_.size()) {
        text_.erase(cursor_, 1);
      }
      return true;
    case KeyCode::left:
      cursor_ -= cursor_ > 0 ? 1U : 0U;
      return true;
    case KeyCode::right:
      cursor_ += cursor_ < text_.size() ? 1U : 0U;
      return true;
    case KeyCode::home:
      cursor_ = 0;
      return true;
    case KeyCode::end:
      cursor_ = text_.size();
      return true;
    case KeyCode::up:
      if (recalled_ > 0) {
        recall(recalled_ - 1);
      }
      return true;
    case KeyCode::down:
      if (recalled_ < history_.size()) {
        recall(recalled_ + 1);
      }
      return true;
    case KeyCode::page_up:
    case KeyCode::page_down:
    case KeyCode::enter:
    case KeyCode::escape:
    case KeyCode::tab:
    case KeyCode::back_tab:
    case KeyCode::f1:
    case KeyCode::f2:
    case KeyCode::f5:
    case KeyCode::click:
    case KeyCode::wheel_up:
    case KeyCode::wheel_down:
      return false;
  }
  return false;
}

void LineEditor::remember() {
  if (!text_.empty() && (history_.empty() || history_.back() != text_)) {
    history_.push_back(text_);
  }
}

std::string LineEditor::text() const {
  return to_utf8(text_);
}

std::string LineEditor::before_cursor() const {
  return to_utf8(std::u32string_view(text_).substr(0, cursor_));
}

}  // namespace sworn::player
