// SPDX-License-Identifier: Apache-2.0
#include "format/key_ring.hpp"

#include "base/file.hpp"
#include "format/digest.hpp"
#include "format/sign.hpp"

#include <algorithm>
#include <filesystem>

namespace sworn::format {
namespace {

constexpr std::uint64_t k_max_identity_file = 1U << 20U;

// Lines without comments, blanks and CR.
template <typename F>
Result<void> for_each_line(std::string_view text, const F& take) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) {
      line.remove_suffix(1);
    }
    if (!line.empty() && line.front() != '#') {
      TRY(take(line));
    }
  }
  return {};
}

std::string what_it_is(std::string_view text) {
  if (text.starts_with("age-encryption.org/") || is_age_armored(as_bytes(text))) {
    return "it is encrypted itself: open it with age -d first";
  }
  if (text.find("OPENSSH PRIVATE KEY") != std::string_view::npos) {
    return "it is an SSH key; sessions are encrypted to age X25519 identities";
  }
  if (text.find("age1") != std::string_view::npos) {
    return "it holds recipients (age1...), which encrypt; the identity (AGE-SECRET-KEY-1...) opens";
  }
  return "there is no AGE-SECRET-KEY-1... line in it";
}

std::string list_of(const std::vector<std::string>& texts) {
  std::string out;
  for (const auto& text : texts) {
    out += (out.empty() ? "" : ", ") + text;
    if (out.size() > 400) {
      return out + ", ...";
    }
  }
  return out;
}

}  // namespace

KeyRing& KeyRing::of_process() {
  static KeyRing ring;
  return ring;
}

Result<void> KeyRing::add_file(const std::string& path) {
  TRY_ASSIGN(auto bytes, read_whole_file(path, k_max_identity_file));
  if (bytes.size() == k_key_share_bytes && as_text(bytes).find('\n') == std::string_view::npos) {
    auto share = decode_key_share(bytes);
    erase(bytes);
    TRY_ASSIGN(auto taken, std::move(share));
    shares_.push_back(std::move(taken));
    return {};
  }
  std::size_t found = 0;
  const auto taken = for_each_line(as_text(bytes), [&](std::string_view line) -> Result<void> {
    if (line.starts_with("AGE-SECRET-KEY-1")) {
      TRY_ASSIGN(auto identity, AgeIdentity::parse(line));
      identities_.push_back(std::move(identity));
      ++found;
    }
    return {};
  });
  const auto instead = found == 0 ? what_it_is(as_text(bytes)) : std::string();
  erase(bytes);
  TRY(taken);
  if (found == 0) {
    return fail(Errc::bad_usage, path + " is not an age identity file: " + instead);
  }
  return {};
}

std::string box_name(const FileId& id, std::size_t i, std::size_t n) {
  return to_hex(id) + (n > 1 ? "." + std::to_string(i + 1) : "") + ".age";
}

std::vector<Bytes> KeyRing::detached(const FileId& id, std::size_t n) const {
  for (const auto& place : places_) {
    std::vector<Bytes> boxes;
    std::error_code ignored;
    const bool directory = std::filesystem::is_directory(place, ignored);
    for (std::size_t i = 0; i < n; ++i) {
      auto box = read_whole_file(directory ? place + "/" + box_name(id, i, n) : place,
                                 k_max_key_box_bytes);
      if (box) {
        boxes.push_back(*std::move(box));
      }
    }
    if (boxes.size() == n) {
      return boxes;
    }
  }
  return {};
}

Result<Key> KeyRing::share_of(const FileId& id, const std::vector<Bytes>& boxes,
                              std::size_t i) const {
  for (const auto& share : shares_) {
    if (share.file_id == id && share.number == i && share.of == boxes.size()) {
      return Key::copy_of(share.key.view());
    }
  }
  TRY_ASSIGN(auto text, age_decrypt(boxes[i], identities_));
  auto share = decode_key_share(text);
  erase(text);
  if (!share) {
    return tl::make_unexpected(std::move(share).error());
  }
  if (share->file_id != id || share->number != i || share->of != boxes.size()) {
    return fail(Errc::corrupt, "the key box belongs to another session");
  }
  return std::move(share->key);
}

Result<Key> KeyRing::open_boxes(const FileId& id, const std::vector<Bytes>& boxes,
                                const Digest& commitment) const {
  Key key;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    auto share = share_of(id, boxes, i);
    if (!share) {
      const std::string which = boxes.size() == 1 ? "the key box"
                                                  : "key box " + std::to_string(i + 1) + " of " +
                                                        std::to_string(boxes.size());
      if (share.error().code == Errc::not_found) {
        return fail(Errc::locked, which + " is for none of the identities given");
      }
      return fail(Errc::locked, which + " cannot be opened: " + share.error().context);
    }
    for (std::size_t b = 0; b < key.span().size(); ++b) {
      key.span()[b] ^= share->view()[b];
    }
  }
  TRY_ASSIGN(const auto found, commitment_of(id, key));
  if (!equal_in_constant_time(found, commitment)) {
    return fail(Errc::locked, "what the key box holds is not the key of this session");
  }
  return key;
}

Result<Key> KeyRing::open(const FileId& id, const KeyBox& box,
                          const EncryptionDescriptor& descriptor) const {
  std::vector<Bytes> boxes = box.boxes;
  std::string to;
  for (const auto& group : descriptor.groups) {
    to += (to.empty() ? "" : "; and to ") + list_of(group);
  }
  if (empty()) {
    return fail(Errc::locked, "it is encrypted to " + to + ", and no identity was given");
  }
  // A detached box that was made for others later goes before the one in the file.
  if (auto elsewhere = detached(id, descriptor.groups.size()); !elsewhere.empty()) {
    if (auto key = open_boxes(id, elsewhere, box.key_commitment()); key || boxes.empty()) {
      return key;
    }
  }
  if (boxes.empty()) {
    return fail(Errc::locked, "its key box is not in the file" +
                                  std::string(places_.empty() ? "" : " nor where you said") +
                                  " (kept elsewhere, or destroyed)");
  }
  auto key = open_boxes(id, boxes, box.key_commitment());
  if (!key && key.error().code == Errc::locked) {
    return fail(Errc::locked, key.error().context + "; it is encrypted to " + to);
  }
  return key;
}

Result<std::vector<AgeRecipient>> read_recipients(const std::string& text) {
  std::vector<AgeRecipient> out;
  if (text.starts_with("age1") && text.find('/') == std::string::npos) {
    TRY_ASSIGN(const auto one, AgeRecipient::parse(text));
    out.push_back(one);
    return out;
  }
  TRY_ASSIGN(const auto bytes, read_whole_file(text, k_max_identity_file));
  if (as_text(bytes).find("AGE-SECRET-KEY-1") != std::string_view::npos) {
    return fail(Errc::bad_usage,
                text + " holds a secret identity; recipients (age1...) are wanted");
  }
  TRY(for_each_line(as_text(bytes), [&](std::string_view line) -> Result<void> {
    auto one = AgeRecipient::parse(line);
    if (!one) {
      return fail(Errc::bad_usage, text + ": " + one.error().context);
    }
    out.push_back(*one);
    return {};
  }));
  if (out.empty()) {
    return fail(Errc::bad_usage, text + " names no recipient");
  }
  return out;
}

}  // namespace sworn::format
