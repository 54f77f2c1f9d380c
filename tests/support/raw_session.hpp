// SPDX-License-Identifier: Apache-2.0
// Builds session files record by record, with keys of its own: what a broken or lying recorder
// could write. Everything that SessionWriter refuses can be said here.
#pragma once

#include "base/byte_writer.hpp"
#include "format/chunk.hpp"
#include "format/compress.hpp"
#include "format/merkle.hpp"
#include "format/record.hpp"
#include "format/recovered.hpp"
#include "format/seal.hpp"
#include "tests/support/mem_file.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace sworn::test {

class RawSession {
 public:
  explicit RawSession(std::uint64_t seed = 1) : entropy(seed) {
    must_fill(id);
    next_ = fresh();
    header.file_id = id;
    header.host_id = "00112233445566778899aabbccddeeff";
    header.boot_id = "6f1c2f0e-0000-4000-8000-000000000001";
    header.started = {1'795'224'237'000'000};
    header.started_mono = {1'000'000};
    header.mode = "standalone";
    header.first_key = next_->public_key();
    time = header.started_mono;
  }

  // Must come first; change `header` before.
  RawSession& begin() {
    const format::Preamble preamble{format::k_major, format::k_minor, 0, 0, id};
    data() = format::encode_preamble(preamble);
    const Bytes body = format::encode(header);
    leaf(format::header_leaf(data(), body));
    return append(format::RecordType::header, body);
  }

  // Appends a record as it is; its leaf is the caller's to add.
  RawSession& append(format::RecordType type, ByteView body) {
    offsets.push_back(data().size());
    format::append_record(data(), id, type, seq++, body);
    return *this;
  }
  RawSession& leaf(const format::Digest& digest) {
    tree.add(digest);
    leaves.push_back(digest);
    return *this;
  }
  // A record whose leaf covers its whole body.
  RawSession& record(format::RecordType type, ByteView body) {
    leaf(format::record_leaf(type, seq, body));
    return append(type, body);
  }

  struct ChunkOptions {
    bool begins_group = true;
    std::optional<std::uint32_t> chunk_no;
    std::optional<std::uint32_t> raw_bytes;  // to announce another size than is there
    std::optional<Bytes> stored;             // instead of the compressed columns
  };
  // Consecutive numbers from the first event's number.
  RawSession& chunk(const std::vector<format::Event>& events) { return chunk(events, {}); }
  RawSession& chunk(const std::vector<format::Event>& events, const ChunkOptions& options) {
    const Bytes body = chunk_body(events, options);
    leaf(format::record_leaf(format::RecordType::chunk, seq,
                             ByteView(body).first(format::k_chunk_core_bytes)));
    return append(format::RecordType::chunk, body);
  }
  Bytes chunk_body(const std::vector<format::Event>& events, const ChunkOptions& options) {
    format::ChunkBuilder builder;
    for (const auto& event : events) {
      builder.add(event.view());
    }
    format::Seed salt{};
    must_fill(salt);
    Bytes body;
    format::append_core(body, builder.core(options.chunk_no.value_or(n_chunks), salt));
    ++n_chunks;
    n_events = events.back().number + 1;
    time = events.back().t;
    Bytes columns;
    builder.append_columns(columns);
    format::append_chunk_frame(body, options.raw_bytes.value_or(columns.size()),
                               options.begins_group, format::k_salt_seed, {&salt, 1});
    if (options.stored) {
      sworn::append(body, *options.stored);
    } else {
      require_ok(compressor.compress(
          columns, options.begins_group ? format::GroupPart::opens : format::GroupPart::continues,
          body));
    }
    return body;
  }
  // One chunk with one output event.
  RawSession& output(std::string_view text) {
    return chunk({event(n_events, format::EventKind::output, text)});
  }
  format::Event event(std::uint64_t number, format::EventKind kind, std::string_view text) {
    const MonoTime t{time.us + 1'000 * static_cast<std::int64_t>(number - n_events + 1)};
    return {number, kind, t, t, to_bytes(text), false};
  }

  RawSession& end() {
    Bytes body;
    ByteWriter(body).u64(n_events).u32(n_chunks).u64(0).u64(static_cast<std::uint64_t>(time.us));
    return record(format::RecordType::end, body);
  }

  struct SealOptions {
    std::uint16_t flags = 0;
    bool announce = true;  // false: next_key stays all zero
    std::int64_t later_us = 1'000;
    std::int64_t wall_step_us = 0;
  };
  RawSession& seal() { return seal(SealOptions{}); }
  RawSession& final_seal() {
    return seal(SealOptions{.flags = format::k_seal_final, .announce = false});
  }
  RawSession& seal(const SealOptions& options) {
    format::Seal made;
    made.seal_no = n_seals++;
    made.flags = options.flags;
    time.us += options.later_us;
    made.t = time;
    wall_step_us += options.wall_step_us;
    made.wall = {header.started.us + time.us - header.started_mono.us + wall_step_us};
    made.leaves = leaves;
    auto key = std::move(next_);
    next_ = fresh();
    if (options.announce) {
      made.next_key = next_->public_key();
    }
    made.signature = key->sign(format::seal_message(id, made, tree.size(), tree.root())).value();
    Bytes body;
    format::append_seal(body, made);
    leaves.clear();
    return append(format::RecordType::seal, body);
  }

  RawSession& recovered(const std::vector<format::Event>& events) {
    const auto key = fresh();
    std::vector<format::EventView> views;
    views.reserve(events.size());
    for (const auto& event : events) {
      views.push_back(event.view());
    }
    format::RecoveredNote note;
    note.reason = "test";
    return append(format::RecordType::recovered,
                  format::encode_recovered(id, note, *key, views, entropy).value());
  }

  // The secret that signs the next seal: what somebody who takes the recorder over now holds.
  [[nodiscard]] const format::SigningKey& live_key() const { return *next_; }

  Bytes& data() { return file.data(); }
  MemFile file;
  FakeEntropy entropy;
  format::FileId id{};
  format::SessionHeader header;
  format::MerkleTree tree;
  std::vector<format::Digest> leaves;
  std::vector<std::uint64_t> offsets;  // of the records
  std::uint32_t seq = 0;
  std::uint32_t n_chunks = 0;
  std::uint32_t n_seals = 0;
  std::uint64_t n_events = 0;
  MonoTime time;
  std::int64_t wall_step_us = 0;

 private:
  static void require_ok(const Result<void>& result) {
    if (!result) {
      throw std::runtime_error(describe(result.error()));
    }
  }
  void must_fill(std::span<std::byte> out) { require_ok(entropy.fill(out)); }
  std::optional<format::SigningKey> fresh() {
    std::array<std::byte, 32> seed{};
    must_fill(seed);
    return format::SigningKey::from_seed(seed).value();
  }
  std::optional<format::SigningKey> next_;
  format::Compressor compressor{1};
};

}  // namespace sworn::test
