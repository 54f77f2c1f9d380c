// SPDX-License-Identifier: Apache-2.0
#include "format/chunk.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "format/digest.hpp"
#include "format/record.hpp"

#include <algorithm>
#include <cstring>

namespace sworn::format {
namespace {

std::array<std::byte, 37> commitment_head(const Digest& salt, std::size_t data_bytes) {
  std::array<std::byte, 37> head;
  head[0] = static_cast<std::byte>(k_hash_commitment);
  std::memcpy(head.data() + 1, salt.data(), 32);
  const auto length = static_cast<std::uint32_t>(data_bytes);
  std::memcpy(head.data() + 33, &length, 4);
  return head;
}

// 55 bytes: as much as one block of SHA-256 takes.
constexpr std::size_t k_leaf_message = 55;
void fill_leaf_message(std::byte* message, const EventView& event, std::uint32_t index,
                       const Digest& commitment) {
  message[0] = static_cast<std::byte>(k_hash_leaf);
  message[1] = static_cast<std::byte>(k_leaf_of_event);
  std::memcpy(message + 2, &event.t.us, 8);
  std::memcpy(message + 10, &event.at.us, 8);
  message[18] = static_cast<std::byte>(event.kind);
  std::memcpy(message + 19, &index, 4);
  std::memcpy(message + 23, commitment.data(), 32);
}

// The leaves of a chunk, two at a time. Each salt is overwritten by the leaf of its event: one
// array for both keeps a chunk of 40-byte events in the cache.
class LeafHasher {
 public:
  explicit LeafHasher(std::span<Digest> salts) : salts_(salts) {}

  void add(const EventView& event) {
    if (!waiting_) {
      first_ = event;
      waiting_ = true;
      return;
    }
    waiting_ = false;
    hash_two(first_, event, salts_[next_], salts_[next_ + 1]);
    next_ += 2;
  }

  Digest finish() {
    if (waiting_) {
      Digest unwanted{};
      hash_two(first_, first_, salts_[next_], unwanted);
    }
    return merkle_root_in_place(salts_);
  }

 private:
  void hash_two(const EventView& a, const EventView& b, Digest& of_a, Digest& of_b) {
    const auto head_a = commitment_head(of_a, a.data.size());
    const auto head_b = commitment_head(of_b, b.data.size());
    Digest commitment_a;
    Digest commitment_b;
    sha256_two({head_a, a.redacted ? ByteView{} : a.data},
               {head_b, b.redacted ? ByteView{} : b.data}, commitment_a, commitment_b);
    if (a.redacted) {
      std::copy(a.commitment.begin(), a.commitment.end(), commitment_a.begin());
    }
    if (b.redacted) {
      std::copy(b.commitment.begin(), b.commitment.end(), commitment_b.begin());
    }
    fill_leaf_message(leaves_.a(), a, next_, commitment_a);
    fill_leaf_message(leaves_.b(), b, next_ + 1, commitment_b);
    leaves_.hash(of_a, of_b);
  }

  std::span<Digest> salts_;
  TwoMessages<k_leaf_message> leaves_;
  EventView first_{};
  bool waiting_ = false;
  std::uint32_t next_ = 0;
};

}  // namespace

void append_core(Bytes& out, const ChunkCore& core) {
  ByteWriter(out)
      .u32(core.chunk_no)
      .u32(core.n_events)
      .u64(core.first_event)
      .u64(static_cast<std::uint64_t>(core.t_first.us))
      .u64(static_cast<std::uint64_t>(core.t_last.us))
      .bytes(core.leaf_root);
}

void append_chunk_frame(Bytes& out, std::size_t raw_bytes, bool begins_group,
                        std::uint8_t salt_form, std::span<const Digest> salt_nodes) {
  ByteWriter w(out);
  w.u32(static_cast<std::uint32_t>(raw_bytes)).u8(begins_group ? k_chunk_begins_group : 0);
  w.u8(salt_form).u16(static_cast<std::uint16_t>(salt_nodes.size()));
  for (const auto& node : salt_nodes) {
    w.bytes(node);
  }
}

Result<ChunkBody> decode_chunk_head(ByteView head) {
  ByteReader r(head);
  ChunkBody out;
  out.core_bytes = head.first(std::min(head.size(), k_chunk_core_bytes));
  auto& core = out.core;
  TRY_ASSIGN(core.chunk_no, r.u32());
  TRY_ASSIGN(core.n_events, r.u32());
  TRY_ASSIGN(core.first_event, r.u64());
  TRY_ASSIGN(const auto t_first, r.u64());
  TRY_ASSIGN(const auto t_last, r.u64());
  core.t_first.us = static_cast<std::int64_t>(t_first);
  core.t_last.us = static_cast<std::int64_t>(t_last);
  TRY_ASSIGN(const auto root, r.take(core.leaf_root.size()));
  std::copy(root.begin(), root.end(), core.leaf_root.begin());
  TRY_ASSIGN(out.raw_bytes, r.u32());
  TRY_ASSIGN(const auto flags, r.u8());
  TRY_ASSIGN(out.salt_form, r.u8());
  TRY_ASSIGN(const auto salt_nodes, r.u16());
  if (core.n_events == 0 || core.n_events > k_max_chunk_events || t_first > INT64_MAX ||
      t_last > INT64_MAX || t_last < t_first || core.first_event > UINT64_MAX - core.n_events) {
    return fail(Errc::corrupt, "the core of a chunk is out of its limits");
  }
  constexpr std::uint8_t known = k_chunk_begins_group | k_chunk_encrypted | k_chunk_rewritten;
  if (out.raw_bytes > k_max_chunk_raw_bytes || (flags & ~known) != 0) {
    return fail(Errc::corrupt, "the frame of a chunk is out of its limits");
  }
  if (out.salt_form > k_salt_punctured) {
    return fail(Errc::unsupported, "a chunk in a form that this build does not know");
  }
  if (out.salt_form == k_salt_seed && salt_nodes != 1) {
    return fail(Errc::corrupt, "a chunk without its seed");
  }
  out.salt_nodes.resize(salt_nodes);
  out.begins_group = (flags & k_chunk_begins_group) != 0;
  out.encrypted = (flags & k_chunk_encrypted) != 0;
  out.rewritten = (flags & k_chunk_rewritten) != 0;
  out.frame_bytes = head.subspan(k_chunk_core_bytes, k_chunk_fixed_bytes - k_chunk_core_bytes);
  return out;
}

Result<ChunkBody> decode_chunk_body(ByteView body) {
  TRY_ASSIGN(auto out, decode_chunk_head(body));
  ByteReader r(body.subspan(k_chunk_fixed_bytes));
  if (out.encrypted || out.rewritten) {
    TRY_ASSIGN(const auto hash, r.take(sizeof(Digest)));
    std::copy(hash.begin(), hash.end(), out.stored_hash.emplace().begin());
  }
  out.payload = body.subspan(body.size() - r.left());
  if (!out.encrypted) {
    for (auto& node : out.salt_nodes) {
      TRY_ASSIGN(const auto bytes, r.take(k_salt_node_bytes));
      std::copy(bytes.begin(), bytes.end(), node.begin());
    }
  }
  out.stored = r.take(r.left()).value();
  return out;
}

Digest chunk_leaf(std::uint32_t seq, const ChunkBody& chunk) {
  if (!chunk.stored_hash) {
    return record_leaf(RecordType::chunk, seq, chunk.core_bytes);
  }
  std::array<std::byte, k_chunk_core_bytes + sizeof(Digest)> both;
  std::copy(chunk.core_bytes.begin(), chunk.core_bytes.end(), both.begin());
  std::copy(chunk.stored_hash->begin(), chunk.stored_hash->end(),
            both.begin() + k_chunk_core_bytes);
  return record_leaf(RecordType::chunk, seq, both);
}

Digest hash_of_stored(const FileId& id, const ChunkBody& chunk) {
  const std::array<std::byte, 1> prefix{static_cast<std::byte>(k_hash_stored)};
  return Sha256()
      .update(prefix)
      .update(id)
      .update(chunk.frame_bytes)
      .update(chunk.payload)
      .finish();
}

namespace {

Bytes chunk_associated(const FileId& id, ByteView core, ByteView frame) {
  Bytes out;
  ByteWriter(out).bytes(id).bytes(core).bytes(frame);
  return out;
}

}  // namespace

Result<void> open_chunk(const FileId& id, PayloadOpener* opener, ChunkBody& chunk, Bytes& plain) {
  if (!chunk.encrypted) {
    return {};
  }
  if (opener == nullptr) {
    return fail(Errc::locked, "the chunk is encrypted");
  }
  plain.clear();
  TRY(opener->open(chunk.core.chunk_no, chunk_associated(id, chunk.core_bytes, chunk.frame_bytes),
                   chunk.stored, plain));
  ByteReader r(plain);
  for (auto& node : chunk.salt_nodes) {
    TRY_ASSIGN(const auto bytes, r.take(k_salt_node_bytes));
    std::copy(bytes.begin(), bytes.end(), node.begin());
  }
  chunk.stored = r.take(r.left()).value();
  chunk.encrypted = false;
  return {};
}

Result<Digest> append_sealed(const FileId& id, const ChunkCore& core, const ChunkSeal& seal,
                             PayloadSealer* sealer, ByteView plain, Bytes& body) {
  Bytes core_bytes;
  append_core(core_bytes, core);
  const unsigned flags = (sealer != nullptr ? k_chunk_encrypted : 0U) |
                         (seal.begins_group ? k_chunk_begins_group : 0U) |
                         (seal.kept ? k_chunk_rewritten : 0U);
  Bytes frame;
  ByteWriter(frame)
      .u32(seal.raw_bytes)
      .u8(static_cast<std::uint8_t>(flags))
      .u8(seal.salt_form)
      .u16(seal.salt_nodes);
  Bytes sealed;
  if (sealer != nullptr) {
    TRY(sealer->seal(core.chunk_no, chunk_associated(id, core_bytes, frame), plain, sealed));
  } else {
    sealed.assign(plain.begin(), plain.end());
  }
  ChunkBody stored;
  stored.frame_bytes = frame;
  stored.payload = sealed;
  const Digest hash = hash_of_stored(id, stored);
  ByteWriter(body).bytes(frame).bytes(seal.kept.value_or(hash)).bytes(sealed);
  return hash;
}

std::size_t ChunkBuilder::raw_bytes() const {
  return kinds_.size() + times_low_.size() + times_high_.size() + ats_.size() + lengths_.size() +
         data_.size();
}

void ChunkBuilder::add(const EventView& event) {
  std::uint8_t kind = static_cast<std::uint8_t>(event.kind) & k_kind_mask;
  const MonoTime before = n_events_ == 0 ? event.t : items_.back().t;
  if (n_events_ == 0) {
    first_event_ = event.number;
  }
  // The low byte of a delta is jitter: apart from the rest it does not spoil the neighbours'
  // compression.
  const auto delta = static_cast<std::uint64_t>(event.t.us - before.us);
  times_low_.push_back(static_cast<std::byte>(delta & 0xFFU));
  ByteWriter(times_high_).varint(delta >> 8U);
  if (event.at != event.t) {
    kind |= k_kind_has_at;
    ByteWriter(ats_).zigzag(event.t.us - event.at.us);
  }
  const std::size_t stored = event.data.size() + (event.redacted ? event.commitment.size() : 0);
  kind |= event.redacted ? k_kind_redacted : 0;
  kinds_.push_back(static_cast<std::byte>(kind));
  ByteWriter(lengths_).varint(stored);
  items_.push_back({event.t, event.at, static_cast<std::uint8_t>(event.kind),
                    static_cast<std::uint32_t>(data_.size()), static_cast<std::uint32_t>(stored),
                    event.redacted});
  if (event.redacted) {
    append(data_, event.commitment);
  }
  append(data_, event.data);
  ++n_events_;
}

ChunkCore ChunkBuilder::core(std::uint32_t chunk_no, const Seed& seed) {
  derive_salts(seed, n_events_, salts_);
  LeafHasher hasher(salts_);
  for (std::uint32_t j = 0; j < n_events_; ++j) {
    const Item& item = items_[j];
    const auto data = ByteView(data_).subspan(item.data_begin, item.data_bytes);
    hasher.add({first_event_ + j, static_cast<EventKind>(item.kind), item.t, item.at, data, false});
  }
  return {chunk_no, n_events_, first_event_, items_.front().t, items_.back().t, hasher.finish()};
}

void ChunkBuilder::append_columns(Bytes& out) const {
  for (const auto* column : {&kinds_, &times_low_, &times_high_, &ats_, &lengths_, &data_}) {
    append(out, *column);
  }
}

void ChunkBuilder::clear() {
  n_events_ = 0;
  items_.clear();
  for (auto* column : {&kinds_, &times_low_, &times_high_, &ats_, &lengths_, &data_}) {
    column->clear();
  }
}

Result<void> decode_columns(const ChunkCore& core, ByteView columns,
                            std::vector<EventView>& events) {
  events.clear();
  ByteReader r(columns);
  TRY_ASSIGN(const auto kinds, r.take(core.n_events));
  TRY_ASSIGN(const auto low, r.take(core.n_events));
  events.resize(core.n_events);
  std::int64_t t = core.t_first.us;
  for (std::uint32_t j = 0; j < core.n_events; ++j) {
    TRY_ASSIGN(const auto high, r.varint());
    if (high > (UINT64_MAX >> 8U)) {
      return fail(Errc::corrupt, "an event lies outside of the time of its chunk");
    }
    const std::uint64_t delta = high << 8U | std::to_integer<std::uint64_t>(low[j]);
    if (delta > static_cast<std::uint64_t>(core.t_last.us - t)) {
      return fail(Errc::corrupt, "an event lies outside of the time of its chunk");
    }
    t += static_cast<std::int64_t>(delta);
    auto& event = events[j];
    event.number = core.first_event + j;
    event.t.us = t;
    event.at.us = t;
  }
  if (t != core.t_last.us || events.front().t != core.t_first) {
    return fail(Errc::corrupt, "the events do not fill the time of their chunk");
  }
  for (std::uint32_t j = 0; j < core.n_events; ++j) {
    const auto byte = std::to_integer<std::uint8_t>(kinds[j]);
    const std::uint8_t kind = byte & k_kind_mask;
    if (kind == 0) {
      return fail(Errc::corrupt, "an event without a kind");
    }
    events[j].redacted = (byte & k_kind_redacted) != 0;
    events[j].kind = static_cast<EventKind>(kind);
    if ((byte & k_kind_has_at) != 0) {
      TRY_ASSIGN(const auto earlier, r.zigzag());
      if (earlier <= 0 || earlier > events[j].t.us) {
        return fail(Errc::corrupt, "an event happened at an impossible time");
      }
      events[j].at.us = events[j].t.us - earlier;
    }
  }
  std::vector<std::uint32_t> lengths(core.n_events);
  for (auto& length : lengths) {
    TRY_ASSIGN(const auto value, r.varint());
    if (value > k_max_event_bytes + sizeof(Digest)) {
      return fail(Errc::corrupt, "an event is larger than the limit of 64 KiB");
    }
    length = static_cast<std::uint32_t>(value);
  }
  for (std::uint32_t j = 0; j < core.n_events; ++j) {
    std::size_t length = lengths[j];
    if (events[j].redacted) {
      TRY_ASSIGN(events[j].commitment, r.take(sizeof(Digest)));
      length = length < sizeof(Digest) ? SIZE_MAX : length - sizeof(Digest);
    }
    if (length > k_max_event_bytes) {
      return fail(Errc::corrupt, "an event is larger than the limit of 64 KiB");
    }
    TRY_ASSIGN(events[j].data, r.take(length));
  }
  if (!r.done()) {
    return fail(Errc::corrupt, "a chunk holds more than its events");
  }
  return {};
}

Digest event_commitment(const Digest& salt, ByteView data) {
  const auto head = commitment_head(salt, data.size());
  return Sha256().update(head).update(data).finish();
}

Digest event_leaf(const EventView& event, std::uint32_t index, const Digest& commitment) {
  std::array<std::byte, k_leaf_message> message;
  fill_leaf_message(message.data(), event, index, commitment);
  return sha256_short(message);
}

Result<void> event_salts(std::span<const EventView> events, const ChunkBody& chunk,
                         std::vector<Digest>& salts) {
  const auto n = static_cast<std::uint32_t>(events.size());
  if (chunk.salt_form == k_salt_seed) {
    if (std::any_of(events.begin(), events.end(), [](const EventView& e) { return e.redacted; })) {
      return fail(Errc::corrupt, "a redacted event beside the seed that it is hidden from");
    }
    derive_salts(chunk.salt_nodes.front(), n, salts);
  } else {
    std::vector<bool> removed(n);
    std::transform(events.begin(), events.end(), removed.begin(),
                   [](const EventView& e) { return e.redacted; });
    TRY(derive_punctured_salts(chunk.salt_nodes, removed, salts));
  }
  return {};
}

Result<Digest> leaf_root(std::span<const EventView> events, const ChunkBody& chunk,
                         std::vector<Digest>& scratch) {
  TRY(event_salts(events, chunk, scratch));
  LeafHasher hasher(scratch);
  for (const auto& event : events) {
    hasher.add(event);
  }
  return hasher.finish();
}

}  // namespace sworn::format
