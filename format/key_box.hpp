// SPDX-License-Identifier: Apache-2.0
// The KEY_BOX record: the session key, closed for its recipients in age v1 files that the `age`
// command opens as well. One box: any of its recipients opens the session. Several boxes: each
// holds a share, the session key is the XOR of all of them, so one recipient of every box is
// needed. What is signed is the commitment to the key and the digest of the boxes as they were
// recorded; the boxes themselves may be elsewhere, be made anew for others, or be destroyed, and
// the seals still hold. docs/format.md, "Encryption".
#pragma once

#include "format/age_box.hpp"
#include "format/constants.hpp"
#include "format/session_key.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sworn::format {

// Recipients of each box. One group, or one group for each person that must take part.
using RecipientGroups = std::vector<std::vector<AgeRecipient>>;

// SessionHeader::encryption: a msgpack map, signed with the header.
struct EncryptionDescriptor {
  std::uint32_t scheme = 1;
  std::vector<std::vector<std::string>> groups;  // "age1..."
  bool detached = false;                         // the boxes were never in the file
};
Bytes encode(const EncryptionDescriptor& descriptor);
Result<EncryptionDescriptor> decode_encryption_descriptor(ByteView bytes);
EncryptionDescriptor describe_groups(const RecipientGroups& groups, bool detached);

enum class KeyBoxForm : std::uint8_t {
  recorded = 0,  // the boxes that the recorder made
  absent = 1,    // kept elsewhere, or destroyed
  renewed = 2,   // other boxes for the same key
  other_key = 3  // a redacted copy has a key of its own
};

struct KeyBox {
  Digest commitment{};    // to the key of the recorder
  Digest boxes_digest{};  // of the boxes of the recorder
  KeyBoxForm form = KeyBoxForm::recorded;
  Digest other_commitment{};  // form other_key
  std::vector<Bytes> boxes;   // age files

  // A redacted copy of an encrypted session that is encrypted no more.
  [[nodiscard]] bool in_clear() const {
    return form == KeyBoxForm::other_key && boxes.empty() && other_commitment == Digest{};
  }
  [[nodiscard]] const Digest& key_commitment() const {
    return form == KeyBoxForm::other_key ? other_commitment : commitment;
  }
};
// Body of the record: the signed part, then the rest.
Bytes encode(const KeyBox& box);
Result<KeyBox> decode_key_box(ByteView body);
// Of the record in a file; nullopt where none follows the header.
Result<std::optional<KeyBox>> read_key_box(const ReadFile& file, const FileId& id);
Digest digest_of_boxes(std::span<const Bytes> boxes);

// Splits the key and closes a box for each group.
Result<std::vector<Bytes>> close_boxes(const FileId& id, const Key& session_key,
                                       const RecipientGroups& groups, Entropy& entropy);

// What a box holds; also what `age -d` gives out.
struct KeyShare {
  FileId file_id{};
  std::uint8_t number = 0;
  std::uint8_t of = 1;
  Key key;
};
inline constexpr std::size_t k_key_share_bytes = 50;
Result<KeyShare> decode_key_share(ByteView fifty_bytes);

}  // namespace sworn::format
