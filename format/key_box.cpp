// SPDX-License-Identifier: Apache-2.0
#include "format/key_box.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "format/digest.hpp"
#include "format/msgpack_map.hpp"
#include "format/record.hpp"
#include "format/sign.hpp"

#include <algorithm>
#include <numeric>

namespace sworn::format {
namespace {

template <std::size_t N>
Result<void> take_into(ByteReader& r, std::array<std::byte, N>& out) {
  TRY_ASSIGN(const auto bytes, r.take(N));
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return {};
}

void append_boxes(Bytes& out, std::span<const Bytes> boxes) {
  for (const auto& box : boxes) {
    ByteWriter(out).u32(static_cast<std::uint32_t>(box.size())).bytes(box);
  }
}

void xor_into(Key& target, ByteView with) {
  for (std::size_t i = 0; i < with.size(); ++i) {
    target.span()[i] ^= with[i];
  }
}

}  // namespace

Bytes encode(const EncryptionDescriptor& descriptor) {
  std::vector<std::string> recipients;
  std::vector<std::uint32_t> groups;
  for (const auto& group : descriptor.groups) {
    recipients.insert(recipients.end(), group.begin(), group.end());
    groups.push_back(static_cast<std::uint32_t>(group.size()));
  }
  return MapWriter()
      .unsigned_number("scheme", descriptor.scheme)
      .texts("recipients", recipients)
      .numbers("groups", groups)
      .boolean("detached", descriptor.detached)
      .finish();
}

Result<EncryptionDescriptor> decode_encryption_descriptor(ByteView bytes) {
  TRY_ASSIGN(auto map, MapReader::parse(bytes));
  EncryptionDescriptor out;
  std::vector<std::string> recipients;
  std::vector<std::uint32_t> groups;
  out.scheme = 0;
  TRY(map.number("scheme", out.scheme)
          .texts("recipients", recipients)
          .numbers("groups", groups)
          .boolean("detached", out.detached)
          .done());
  if (out.scheme != 1) {
    return fail(Errc::unsupported,
                "encryption scheme " + std::to_string(out.scheme) + "; this build knows scheme 1");
  }
  const auto total = std::accumulate(groups.begin(), groups.end(), std::uint64_t{0});
  if (groups.empty() || groups.size() > k_max_key_boxes || total != recipients.size() ||
      std::find(groups.begin(), groups.end(), 0U) != groups.end()) {
    return fail(Errc::corrupt, "the header names no possible set of recipients");
  }
  auto next = recipients.begin();
  for (const auto n : groups) {
    out.groups.emplace_back(next, next + n);
    next += n;
  }
  return out;
}

EncryptionDescriptor describe_groups(const RecipientGroups& groups, bool detached) {
  EncryptionDescriptor out;
  out.detached = detached;
  for (const auto& group : groups) {
    auto& texts = out.groups.emplace_back();
    for (const auto& recipient : group) {
      texts.push_back(recipient.text());
    }
  }
  return out;
}

Bytes encode(const KeyBox& box) {
  Bytes out;
  ByteWriter w(out);
  w.bytes(box.commitment).bytes(box.boxes_digest);
  w.u8(static_cast<std::uint8_t>(box.form)).u8(static_cast<std::uint8_t>(box.boxes.size())).u16(0);
  if (box.form == KeyBoxForm::other_key) {
    w.bytes(box.other_commitment);
  }
  append_boxes(out, box.boxes);
  return out;
}

Result<KeyBox> decode_key_box(ByteView body) {
  ByteReader r(body);
  KeyBox out;
  TRY(take_into(r, out.commitment));
  TRY(take_into(r, out.boxes_digest));
  TRY_ASSIGN(const auto form, r.u8());
  TRY_ASSIGN(const auto n, r.u8());
  TRY_ASSIGN(const auto zero, r.u16());
  if (form > static_cast<std::uint8_t>(KeyBoxForm::other_key) || zero != 0) {
    return fail(Errc::unsupported, "a key box in a form that this build does not know");
  }
  out.form = static_cast<KeyBoxForm>(form);
  const bool none = out.form == KeyBoxForm::absent;
  if (n > k_max_key_boxes || (none && n != 0) ||
      (n == 0 && !none && out.form != KeyBoxForm::other_key)) {
    return fail(Errc::corrupt, "a key box with an impossible number of boxes");
  }
  if (out.form == KeyBoxForm::other_key) {
    TRY(take_into(r, out.other_commitment));
  }
  for (unsigned i = 0; i < n; ++i) {
    TRY_ASSIGN(const auto bytes, r.u32());
    if (bytes > k_max_key_box_bytes) {
      return fail(Errc::corrupt, "a key box of more than 128 KiB");
    }
    TRY_ASSIGN(const auto view, r.take(bytes));
    out.boxes.emplace_back(view.begin(), view.end());
  }
  if (!r.done()) {
    return fail(Errc::corrupt, "a key box record holds more than its boxes");
  }
  return out;
}

Result<std::optional<KeyBox>> read_key_box(const ReadFile& file, const FileId& id) {
  RecordScanner scanner(file, id, k_preamble_bytes);
  TRY_ASSIGN(const auto header, scanner.next());
  if (!header || header->skipped != 0 || header->frame.record_type() != RecordType::header) {
    return std::nullopt;
  }
  TRY_ASSIGN(const auto record, scanner.next());
  if (!record || record->skipped != 0 || record->frame.record_type() != RecordType::key_box) {
    return std::nullopt;
  }
  TRY_ASSIGN(auto box, decode_key_box(record->body));
  return box;
}

Digest digest_of_boxes(std::span<const Bytes> boxes) {
  Bytes all;
  append_boxes(all, boxes);
  return sha256(all);
}

Result<std::vector<Bytes>> close_boxes(const FileId& id, const Key& session_key,
                                       const RecipientGroups& groups, Entropy& entropy) {
  if (groups.empty() || groups.size() > k_max_key_boxes) {
    return fail(Errc::bad_usage, "a session is encrypted to 1 to 8 groups of recipients");
  }
  Key last = Key::copy_of(session_key.view());
  std::vector<Bytes> out;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    Key share;
    if (i + 1 < groups.size()) {
      TRY(entropy.fill(share.span()));
      xor_into(last, share.view());
    } else {
      share = std::move(last);
    }
    Bytes text;
    ByteWriter(text)
        .bytes(id)
        .u8(static_cast<std::uint8_t>(i))
        .u8(static_cast<std::uint8_t>(groups.size()))
        .bytes(share.view());
    auto box = age_encrypt(text, groups[i], entropy);
    erase(text);
    if (!box) {
      return tl::make_unexpected(std::move(box).error());
    }
    if (box->size() > k_max_key_box_bytes) {
      return fail(Errc::bad_usage, "too many recipients for one key box");
    }
    out.push_back(*std::move(box));
  }
  return out;
}

Result<KeyShare> decode_key_share(ByteView bytes) {
  ByteReader r(bytes);
  KeyShare out;
  TRY(take_into(r, out.file_id));
  TRY_ASSIGN(out.number, r.u8());
  TRY_ASSIGN(out.of, r.u8());
  TRY_ASSIGN(const auto key, r.take(out.key.view().size()));
  out.key = Key::copy_of(key);
  if (!r.done() || out.of == 0 || out.of > k_max_key_boxes || out.number >= out.of) {
    return fail(Errc::corrupt, "a key box does not hold a share of a session key");
  }
  return out;
}

}  // namespace sworn::format
