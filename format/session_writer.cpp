// SPDX-License-Identifier: Apache-2.0
#include "format/session_writer.hpp"

#include "base/byte_writer.hpp"
#include "format/chunk.hpp"
#include "format/compress.hpp"
#include "format/index.hpp"
#include "format/key_box.hpp"
#include "format/merkle.hpp"
#include "format/record.hpp"
#include "format/seal.hpp"
#include "format/sign.hpp"

#include <cerrno>
#include <deque>
#include <optional>

#include <sys/random.h>

namespace sworn::format {

Result<void> SystemEntropy::fill(std::span<std::byte> out) {
  while (!out.empty()) {
    const auto n = ::getrandom(out.data(), out.size(), 0);
    if (n < 0) {
      if (errno == EINTR) {
        continue;
      }
      return fail_sys(errno, "getrandom");
    }
    out = out.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

struct SessionWriter::Impl {
  AppendFile& file;
  Clock& clock;
  Entropy& entropy;
  SessionHeader header;
  WriterOptions options;
  WriterTotals totals;
  std::optional<Error> dead;

  std::optional<SigningKey> key;     // signs the next seal
  std::deque<SigningKey> next_keys;  // the first one is announced by it
  std::uint32_t next_seq = 0;
  std::uint32_t next_seal = 0;
  std::uint64_t next_event = 0;
  std::uint64_t sealed_events = 0;
  MonoTime last_event_time{};
  MonoTime last_seal_time{};
  std::uint64_t last_seal_offset = 0;
  std::optional<SealPoint> last_point;

  MerkleTree tree;
  std::vector<Digest> unsealed_leaves;
  ChunkBuilder builder;
  std::optional<Compressor> compressor;
  std::size_t group_raw = 0;    // 0: no group is open
  std::size_t chunk_limit = 0;  // of the chunk in hand
  IndexBuilder index;
  Bytes columns;
  Bytes body;
  Bytes out;

  std::optional<PayloadSealer> sealer;  // of an encrypted session
  std::vector<Bytes> key_boxes;
  std::unique_ptr<TailKey> tail_key;
  Bytes plain;  // salt seed and zstd, before they are encrypted

  Impl(AppendFile& f, Clock& c, Entropy& e, SessionHeader h, WriterOptions o)
      : file(f), clock(c), entropy(e), header(std::move(h)), options(o) {}

  // A chunk that is cut because it is full tells its length: that of one event that is redacted
  // later would be known to within the last one. So each is full at another length.
  Result<void> draw_chunk_limit() {
    std::array<std::byte, 2> chance{};
    TRY(entropy.fill(chance));
    const auto share =
        std::to_integer<std::size_t>(chance[0]) << 8U | std::to_integer<std::size_t>(chance[1]);
    chunk_limit = options.chunk_bytes - options.chunk_bytes / 4 * share / 65'536;
    return {};
  }

  Result<SigningKey> fresh_key() {
    std::array<std::byte, 32> seed{};
    TRY(entropy.fill(seed));
    auto made = SigningKey::from_seed(seed);
    erase(seed);
    return made;
  }

  // Everything that reaches the file goes through here.
  Result<void> write_out() {
    auto written = file.append(out);
    if (!written) {
      dead = written.error();
      return written;
    }
    totals.stored_bytes += out.size();
    out.clear();
    return {};
  }

  void add_leaf(const Digest& leaf) {
    tree.add(leaf);
    unsealed_leaves.push_back(leaf);
  }

  // Session key, boxes, and the record that holds them. The key itself lives on in the sealer only,
  // until its first ratchet.
  Result<void> begin_encryption(const RecipientGroups& groups) {
    Key session_key;
    TRY(entropy.fill(session_key.span()));
    KeyBox box;
    TRY_ASSIGN(box.commitment, commitment_of(header.file_id, session_key));
    TRY_ASSIGN(key_boxes, close_boxes(header.file_id, session_key, groups, entropy));
    box.boxes_digest = digest_of_boxes(key_boxes);
    if (options.detached_boxes) {
      box.form = KeyBoxForm::absent;
    } else {
      box.boxes = key_boxes;
    }
    const Bytes record = encode(box);
    add_leaf(
        record_leaf(RecordType::key_box, next_seq, ByteView(record).first(k_key_box_signed_bytes)));
    append_record(out, header.file_id, RecordType::key_box, next_seq++, record);
    TRY_ASSIGN(auto tail, TailKey::create(header.file_id, session_key));
    tail_key = std::make_unique<TailKey>(std::move(tail));
    TRY_ASSIGN(sealer, PayloadSealer::create(header.file_id, std::move(session_key)));
    return {};
  }

  // Behind the core in `body`; the leaf of the record.
  Result<Digest> append_encrypted(const ChunkCore& core, std::size_t raw, bool begins,
                                  GroupPart part, const Seed& seed) {
    plain.assign(seed.begin(), seed.end());
    TRY(compressor->compress(columns, part, plain));
    ChunkSeal how;
    how.raw_bytes = static_cast<std::uint32_t>(raw);
    how.begins_group = begins;
    TRY_ASSIGN(const auto hash, append_sealed(header.file_id, core, how, &*sealer, plain, body));
    erase(plain);
    ChunkBody whole;
    whole.core_bytes = ByteView(body).first(k_chunk_core_bytes);
    whole.stored_hash = hash;
    return chunk_leaf(next_seq, whole);
  }

  Result<void> cut_chunk() {
    Seed seed{};
    TRY(entropy.fill(seed));
    const std::size_t raw = builder.raw_bytes();
    const auto chunk_no = static_cast<std::uint32_t>(totals.chunks);
    const ChunkCore core = builder.core(chunk_no, seed);
    columns.clear();
    builder.append_columns(columns);
    if (!compressor) {
      compressor.emplace(options.zstd_level);
      group_raw = 0;
    }
    const bool begins = group_raw == 0 || group_raw + raw > chunk_limit;
    const bool whole = begins && raw >= chunk_limit;
    group_raw = whole ? 0 : (begins ? raw : group_raw + raw);

    body.clear();
    append_core(body, core);
    const auto part = whole ? GroupPart::whole : (begins ? GroupPart::opens : GroupPart::continues);
    Digest leaf{};
    if (sealer) {
      TRY_ASSIGN(leaf, append_encrypted(core, raw, begins, part, seed));
    } else {
      leaf = record_leaf(RecordType::chunk, next_seq, body);
      append_chunk_frame(body, raw, begins, k_salt_seed, {&seed, 1});
      TRY(compressor->compress(columns, part, body));
    }
    index.add(totals.stored_bytes + out.size(), core, begins, static_cast<std::uint32_t>(raw));
    append_record(out, header.file_id, RecordType::chunk, next_seq++, body);
    add_leaf(leaf);
    builder.clear();
    ++totals.chunks;
    return draw_chunk_limit();
  }

  Result<void> write_seal(std::uint16_t flags) {
    Seal seal;
    seal.seal_no = next_seal;
    seal.flags = flags;
    // Never older than what it covers, whatever the clock says.
    seal.t = std::max({clock.mono(), last_seal_time, last_event_time});
    seal.wall = clock.wall();
    seal.leaves = unsealed_leaves;
    if (!seal.final()) {
      if (next_keys.empty()) {
        TRY_ASSIGN(auto made, fresh_key());
        next_keys.push_back(std::move(made));
      }
      seal.next_key = next_keys.front().public_key();
    }
    const Digest root = tree.root();
    TRY_ASSIGN(seal.signature, key->sign(seal_message(header.file_id, seal, tree.size(), root)));
    body.clear();
    append_seal(body, seal);
    last_seal_offset = totals.stored_bytes + out.size();
    append_record(out, header.file_id, RecordType::seal, next_seq, body);
    TRY(write_out());
    // The used secret is gone before anything else can happen.
    key.reset();
    if (!next_keys.empty()) {
      key.emplace(std::move(next_keys.front()));
      next_keys.pop_front();
    }
    unsealed_leaves.clear();
    sealed_events = next_event;
    last_seal_time = seal.t;
    last_point = SealPoint{next_seal, tree.size(), root};
    ++next_seq;
    ++next_seal;
    ++totals.seals;
    return {};
  }

  Result<void> alive() const {
    if (dead) {
      return tl::make_unexpected(*dead);
    }
    return {};
  }

  template <typename R>
  R remember(R result) {
    if (!result && !dead) {
      dead = result.error();
    }
    return result;
  }
};

SessionWriter::SessionWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SessionWriter::~SessionWriter() = default;

Result<std::unique_ptr<SessionWriter>> SessionWriter::create(AppendFile& file, Clock& clock,
                                                             Entropy& entropy, SessionHeader header,
                                                             WriterOptions options) {
  if (options.chunk_bytes < 1024 || options.chunk_bytes > k_max_chunk_raw_bytes / 2) {
    return fail(Errc::bad_usage, "chunk size out of range");
  }
  auto impl = std::make_unique<Impl>(file, clock, entropy, std::move(header), options);
  TRY(impl->draw_chunk_limit());
  TRY(entropy.fill(impl->header.file_id));
  TRY_ASSIGN(auto key, impl->fresh_key());
  impl->header.first_key = key.public_key();
  impl->key.emplace(std::move(key));
  if (options.recipients != nullptr) {
    impl->header.encryption = encode(describe_groups(*options.recipients, options.detached_boxes));
  }
  Preamble preamble{k_major, k_minor, 0, 0, impl->header.file_id};
  impl->out = encode_preamble(preamble);
  const auto body = encode(impl->header);
  const Digest leaf = header_leaf(impl->out, body);
  append_record(impl->out, impl->header.file_id, RecordType::header, impl->next_seq++, body);
  impl->add_leaf(leaf);
  if (options.recipients != nullptr) {
    TRY(impl->begin_encryption(*options.recipients));
    impl->options.recipients = nullptr;
  }
  TRY(impl->write_out());
  return std::unique_ptr<SessionWriter>(new SessionWriter(std::move(impl)));
}

const SessionHeader& SessionWriter::header() const {
  return impl_->header;
}

const std::vector<Bytes>& SessionWriter::key_boxes() const {
  return impl_->key_boxes;
}

std::unique_ptr<TailKey> SessionWriter::take_tail_key() {
  return std::move(impl_->tail_key);
}

Result<void> SessionWriter::append(std::span<const EventView> events) {
  TRY(impl_->alive());
  for (const auto& event : events) {
    if (event.number != impl_->next_event || event.t < impl_->last_event_time ||
        event.at > event.t || event.t.us < 0 || event.at.us < 0) {
      return impl_->remember(
          Result<void>(fail(Errc::bad_usage, "events must come in order and without holes")));
    }
    if (event.data.size() > k_max_event_bytes) {
      return impl_->remember(Result<void>(fail(Errc::bad_usage, "an event of more than 64 KiB")));
    }
    const auto kind = static_cast<std::uint8_t>(event.kind);
    if (kind == 0 || kind > k_kind_mask || event.redacted) {
      return impl_->remember(
          Result<void>(fail(Errc::bad_usage, "an event of a kind that cannot be recorded")));
    }
    impl_->builder.add(event);
    impl_->last_event_time = event.t;
    ++impl_->next_event;
    ++impl_->totals.events;
    impl_->totals.raw_bytes += event.data.size();
    if (impl_->builder.raw_bytes() >= impl_->chunk_limit ||
        impl_->builder.n_events() == k_max_chunk_events) {
      TRY(impl_->remember(impl_->cut_chunk()));
      // Never more leaves than one seal can carry.
      if (impl_->unsealed_leaves.size() >= k_max_seal_leaves) {
        TRY(impl_->remember(impl_->write_seal(0)));
      } else {
        TRY(impl_->write_out());
      }
    }
  }
  return {};
}

Result<void> SessionWriter::seal(SealReason reason) {
  TRY(impl_->alive());
  if (impl_->builder.n_events() > 0) {
    TRY(impl_->remember(impl_->cut_chunk()));
  }
  const bool wanted = reason == SealReason::heartbeat || reason == SealReason::final;
  if (impl_->unsealed_leaves.empty() && !wanted) {
    return {};
  }
  std::uint16_t flags = 0;
  switch (reason) {
    case SealReason::critical:
      flags = k_seal_critical;
      break;
    case SealReason::heartbeat:
      flags = k_seal_heartbeat;
      break;
    case SealReason::final:
      flags = k_seal_final;
      break;
    case SealReason::interval:
    case SealReason::saturated:
      break;
  }
  return impl_->remember(impl_->write_seal(flags));
}

Result<bool> SessionWriter::prepare_key() {
  TRY(impl_->alive());
  if (impl_->next_keys.size() < k_keys_ahead) {
    TRY_ASSIGN(auto made, impl_->remember(impl_->fresh_key()));
    impl_->next_keys.push_back(std::move(made));
  }
  return impl_->next_keys.size() < k_keys_ahead;
}

std::size_t SessionWriter::keys_ahead() const {
  return impl_->next_keys.size();
}

Result<void> SessionWriter::finish(const EndTotals& totals) {
  TRY(impl_->alive());
  auto& w = *impl_;
  if (w.builder.n_events() > 0) {
    TRY(w.remember(w.cut_chunk()));
  }
  const std::uint64_t end_offset = w.totals.stored_bytes + w.out.size();
  Bytes end;
  ByteWriter(end)
      .u64(w.next_event)
      .u32(static_cast<std::uint32_t>(w.totals.chunks))
      .u64(totals.late_bytes)
      .u64(static_cast<std::uint64_t>(w.clock.mono().us));
  const Digest leaf = record_leaf(RecordType::end, w.next_seq, end);
  append_record(w.out, w.header.file_id, RecordType::end, w.next_seq++, end);
  w.add_leaf(leaf);
  w.next_keys.clear();
  TRY(w.remember(w.write_seal(k_seal_final)));
  const Bytes hints = w.index.encode(w.header.file_id, w.next_seq, w.totals.stored_bytes,
                                     end_offset, w.last_seal_offset);
  w.out = hints;
  TRY(w.write_out());
  w.dead = Error{Errc::bad_usage, 0, "the session file is finished"};
  return {};
}

std::uint64_t SessionWriter::next_event_number() const {
  return impl_->next_event;
}
std::uint64_t SessionWriter::sealed_events() const {
  return impl_->sealed_events;
}
const WriterTotals& SessionWriter::totals() const {
  return impl_->totals;
}
const std::optional<SealPoint>& SessionWriter::last_seal() const {
  return impl_->last_point;
}
void SessionWriter::release_compressor() {
  impl_->compressor.reset();
}

}  // namespace sworn::format
