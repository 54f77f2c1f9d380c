// SPDX-License-Identifier: Apache-2.0
#include "format/ledger_entry.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "format/msgpack_map.hpp"

#include <algorithm>
#include <array>

namespace sworn::format {
namespace {

constexpr std::size_t k_mark_bytes = 16 + 4 + 8 + 32;

// In the order of LedgerFact.
constexpr std::array<std::string_view, 13> k_kinds{
    "genesis",      "boot",     "session_open", "heartbeat",        "session_close",
    "session_lost", "recovery", "redaction",    "retention_delete", "key_rotation",
    "anchor",       "view",     "review"};
static_assert(k_kinds.size() + 1 == std::variant_size_v<LedgerFact>);

void append_mark(Bytes& out, const SessionMark& mark) {
  ByteWriter(out).bytes(mark.file_id).u32(mark.seal_no).u64(mark.tree_size).bytes(mark.root);
}
Bytes encode_mark(const SessionMark& mark) {
  Bytes out;
  append_mark(out, mark);
  return out;
}

Result<SessionMark> read_mark(ByteReader& reader) {
  SessionMark out;
  TRY_ASSIGN(const auto id, reader.take(out.file_id.size()));
  std::copy(id.begin(), id.end(), out.file_id.begin());
  TRY_ASSIGN(out.seal_no, reader.u32());
  TRY_ASSIGN(out.tree_size, reader.u64());
  TRY_ASSIGN(const auto root, reader.take(out.root.size()));
  std::copy(root.begin(), root.end(), out.root.begin());
  return out;
}

// What a kind puts into the map.
struct FieldWriter {
  MapWriter& map;

  void operator()(const LedgerGenesis& g) const {
    map.binary("ledger_id", g.id)
        .text("scope", g.scope)
        .text("host_id", g.host_id)
        .unsigned_number("uid", g.uid)
        .text("origin", g.origin)
        .text("checkpoint_key", g.checkpoint_key)
        .binary("first_key", g.first_key);
    if (!g.previous_root.empty()) {
      map.unsigned_number("previous_size", g.previous_size)
          .binary("previous_root", g.previous_root);
    }
  }
  void operator()(const LedgerBoot& b) const { map.text("boot_id", b.boot_id); }
  void operator()(const LedgerSessionOpen& o) const {
    map.binary("file_id", o.file_id)
        .binary("first_key", o.first_key)
        .binary("header", o.header)
        .text("name", o.name)
        .text("user", o.user)
        .number("loginuid", o.loginuid)
        .number("audit_session", o.audit_session);
  }
  void operator()(const LedgerHeartbeat& h) const {
    Bytes marks;
    for (const auto& mark : h.sessions) {
      append_mark(marks, mark);
    }
    map.binary("sessions", marks);
  }
  void operator()(const LedgerSessionClose& c) const {
    map.binary("mark", encode_mark(c.mark))
        .binary("file_digest", c.file_digest)
        .text("exit", c.exit);
  }
  void operator()(const LedgerSessionLost& l) const {
    map.binary("file_id", l.file_id).text("reason", l.reason);
  }
  void operator()(const LedgerRecovery& r) const {
    map.binary("mark", encode_mark(r.mark))
        .binary("file_digest", r.file_digest)
        .text("reason", r.reason);
  }
  void operator()(const LedgerRedaction& r) const {
    map.binary("file_id", r.file_id)
        .binary("new_digest", r.new_digest)
        .text("actor", r.actor)
        .text("reason", r.reason);
  }
  void operator()(const LedgerRetentionDelete& d) const {
    map.binary("file_id", d.file_id)
        .binary("file_digest", d.file_digest)
        .text("actor", d.actor)
        .text("reason", d.reason);
  }
  void operator()(const LedgerKeyRotation& k) const {
    map.text("checkpoint_key", k.checkpoint_key).text("actor", k.actor).text("reason", k.reason);
  }
  void operator()(const LedgerAnchor& a) const {
    map.text("type", a.type)
        .unsigned_number("tree_size", a.tree_size)
        .binary("root", a.root)
        .binary("proof", a.proof);
  }
  void operator()(const LedgerView& v) const {
    map.binary("file_id", v.file_id).text("actor", v.actor).text("what", v.what);
  }
  void operator()(const LedgerReview& r) const {
    map.binary("file_id", r.file_id)
        .text("actor", r.actor)
        .text("outcome", r.outcome)
        .text("note", r.note);
  }
  void operator()(const LedgerUnknown& /*nothing*/) const {}
};

// Reads the fields of one kind; faults of type are the map's, of size and presence ours.
class FieldReader {
 public:
  explicit FieldReader(MapReader& map) : map_(map) {}

  template <std::size_t N>
  FieldReader& fixed(std::string_view key, std::array<std::byte, N>& out) {
    Bytes bytes;
    map_.binary(key, bytes);
    if (bytes.size() == N) {
      std::copy(bytes.begin(), bytes.end(), out.begin());
    } else {
      blame(key);
    }
    return *this;
  }
  FieldReader& mark(SessionMark& out) {
    Bytes bytes;
    map_.binary("mark", bytes);
    ByteReader reader(bytes);
    auto read = read_mark(reader);
    if (read && reader.done()) {
      out = *read;
    } else {
      blame("mark");
    }
    return *this;
  }
  FieldReader& marks(std::vector<SessionMark>& out) {
    Bytes bytes;
    map_.binary("sessions", bytes);
    if (bytes.size() % k_mark_bytes != 0 ||
        bytes.size() / k_mark_bytes > k_max_heartbeat_sessions) {
      blame("sessions");
      return *this;
    }
    ByteReader reader(bytes);
    while (!reader.done()) {
      out.push_back(read_mark(reader).value());  // the size was just checked
    }
    return *this;
  }
  FieldReader& text(std::string_view key, std::string& out) {
    map_.text(key, out);
    return *this;
  }
  template <typename Number>
  FieldReader& number(std::string_view key, Number& out) {
    map_.number(key, out);
    return *this;
  }
  FieldReader& binary(std::string_view key, Bytes& out) {
    map_.binary(key, out);
    return *this;
  }
  [[nodiscard]] Result<void> done() const {
    if (!fault_.empty()) {
      return fail(Errc::corrupt, "a ledger entry with a wrong '" + fault_ + "'");
    }
    return map_.done();
  }

  void operator()(LedgerGenesis& g) {
    fixed("ledger_id", g.id).text("scope", g.scope).text("host_id", g.host_id);
    number("uid", g.uid).text("origin", g.origin).text("checkpoint_key", g.checkpoint_key);
    fixed("first_key", g.first_key).number("previous_size", g.previous_size);
    binary("previous_root", g.previous_root);
    if (!g.previous_root.empty() && g.previous_root.size() != sizeof(Digest)) {
      blame("previous_root");
    }
  }
  void operator()(LedgerBoot& b) { text("boot_id", b.boot_id); }
  void operator()(LedgerSessionOpen& o) {
    fixed("file_id", o.file_id).fixed("first_key", o.first_key).fixed("header", o.header);
    text("name", o.name).text("user", o.user).number("loginuid", o.loginuid);
    number("audit_session", o.audit_session);
  }
  void operator()(LedgerHeartbeat& h) { marks(h.sessions); }
  void operator()(LedgerSessionClose& c) {
    mark(c.mark).fixed("file_digest", c.file_digest);
    text("exit", c.exit);
  }
  void operator()(LedgerSessionLost& l) { fixed("file_id", l.file_id).text("reason", l.reason); }
  void operator()(LedgerRecovery& r) {
    mark(r.mark).fixed("file_digest", r.file_digest).text("reason", r.reason);
  }
  void operator()(LedgerRedaction& r) {
    fixed("file_id", r.file_id).fixed("new_digest", r.new_digest);
    text("actor", r.actor).text("reason", r.reason);
  }
  void operator()(LedgerRetentionDelete& d) {
    fixed("file_id", d.file_id).fixed("file_digest", d.file_digest);
    text("actor", d.actor).text("reason", d.reason);
  }
  void operator()(LedgerKeyRotation& k) {
    text("checkpoint_key", k.checkpoint_key).text("actor", k.actor).text("reason", k.reason);
  }
  void operator()(LedgerAnchor& a) {
    text("type", a.type).number("tree_size", a.tree_size).fixed("root", a.root);
    binary("proof", a.proof);
  }
  void operator()(LedgerView& v) {
    fixed("file_id", v.file_id).text("actor", v.actor).text("what", v.what);
  }
  void operator()(LedgerReview& r) {
    fixed("file_id", r.file_id).text("actor", r.actor);
    text("outcome", r.outcome).text("note", r.note);
  }
  void operator()(LedgerUnknown& /*nothing*/) {}

 private:
  void blame(std::string_view key) {
    if (fault_.empty()) {
      fault_ = key;
    }
  }
  MapReader& map_;
  std::string fault_;
};

template <std::size_t I = 0>
LedgerFact empty_fact(std::string_view kind) {
  if constexpr (I < k_kinds.size()) {
    return k_kinds[I] == kind ? LedgerFact(std::in_place_index<I>) : empty_fact<I + 1>(kind);
  } else {
    return LedgerUnknown{std::string(kind)};
  }
}

}  // namespace

std::string_view kind_of(const LedgerFact& fact) {
  if (const auto* unknown = std::get_if<LedgerUnknown>(&fact)) {
    return unknown->kind;
  }
  return k_kinds[fact.index()];
}

Result<Bytes> encode(const LedgerEntry& entry) {
  if (std::holds_alternative<LedgerUnknown>(entry.fact)) {
    return fail(Errc::bad_usage, "a ledger entry of an unknown kind cannot be written");
  }
  const auto* heartbeat = std::get_if<LedgerHeartbeat>(&entry.fact);
  if (heartbeat != nullptr && heartbeat->sessions.size() > k_max_heartbeat_sessions) {
    return fail(Errc::bad_usage, "more than 1,000 sessions in one heartbeat");
  }
  MapWriter map;
  map.text("kind", kind_of(entry.fact))
      .number("wall_us", entry.wall.us)
      .number("mono_us", entry.t.us);
  std::visit(FieldWriter{map}, entry.fact);
  Bytes out = map.finish();
  if (out.size() > k_max_entry_bytes) {
    return fail(Errc::bad_usage, "a ledger entry of more than 65,535 bytes");
  }
  return out;
}

Result<LedgerEntry> decode_ledger_entry(ByteView bytes) {
  if (bytes.size() > k_max_entry_bytes) {
    return fail(Errc::corrupt, "a ledger entry of more than 65,535 bytes");
  }
  TRY_ASSIGN(auto map, MapReader::parse(bytes));
  LedgerEntry out;
  std::string kind;
  map.text("kind", kind).number("wall_us", out.wall.us).number("mono_us", out.t.us);
  if (kind.empty()) {
    return fail(Errc::corrupt, "a ledger entry without a kind");
  }
  out.fact = empty_fact(kind);
  FieldReader reader(map);
  std::visit(reader, out.fact);
  TRY(reader.done());
  return out;
}

Result<std::string> ledger_entry_json(ByteView bytes) {
  TRY_ASSIGN(const auto map, MapReader::parse(bytes));
  return map.to_json();
}

}  // namespace sworn::format
