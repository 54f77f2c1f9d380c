// SPDX-License-Identifier: Apache-2.0
// The keys at hand for reading encrypted sessions: age identities, shares that were opened with
// `age -d`, and places where detached key boxes are kept. A program that reads sessions fills
// KeyRing::of_process() once, before it starts threads; from then on it is only read.
#pragma once

#include "format/key_box.hpp"

#include <string>
#include <vector>

namespace sworn::format {

class KeyRing {
 public:
  // An age identity file (AGE-SECRET-KEY-1... lines, # comments), or a share of 50 bytes.
  // Errc::bad_usage: neither; the text says what it is instead, as far as can be told.
  Result<void> add_file(const std::string& path);
  void add(AgeIdentity identity) { identities_.push_back(std::move(identity)); }
  // Directory of detached boxes (box_names()); or one box file.
  void add_box_place(std::string path) { places_.push_back(std::move(path)); }

  [[nodiscard]] bool empty() const { return identities_.empty() && shares_.empty(); }
  [[nodiscard]] const std::vector<AgeIdentity>& identities() const { return identities_; }

  // Errc::locked where these keys do not open it; the text says what is missing.
  [[nodiscard]] Result<Key> open(const FileId& id, const KeyBox& box,
                                 const EncryptionDescriptor& descriptor) const;

  static KeyRing& of_process();

 private:
  [[nodiscard]] Result<Key> open_boxes(const FileId& id, const std::vector<Bytes>& boxes,
                                       const Digest& commitment) const;
  [[nodiscard]] Result<Key> share_of(const FileId& id, const std::vector<Bytes>& boxes,
                                     std::size_t i) const;
  [[nodiscard]] std::vector<Bytes> detached(const FileId& id, std::size_t n) const;

  std::vector<AgeIdentity> identities_;
  std::vector<KeyShare> shares_;
  std::vector<std::string> places_;
};

// "FILEID.age"; of several boxes "FILEID.1.age", "FILEID.2.age", ...
std::string box_name(const FileId& id, std::size_t i, std::size_t n);

// A recipient ("age1..."), or a file with one on each line (# comments), as `age -R` takes it.
Result<std::vector<AgeRecipient>> read_recipients(const std::string& text_or_path);

}  // namespace sworn::format
