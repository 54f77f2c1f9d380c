// SPDX-License-Identifier: Apache-2.0
#include "player/facts_codec.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"

namespace sworn::player {
namespace {

constexpr std::size_t k_max_text = 8192;

void put_time(ByteWriter& out, MonoTime t) {
  out.zigzag(t.us);
}

void put_text(ByteWriter& out, std::string_view text) {
  out.varint(text.size()).bytes(as_bytes(text));
}

class Taker {
 public:
  explicit Taker(ByteView data) : in_(data) {}

  Result<void> number(std::uint64_t& out) {
    TRY_ASSIGN(out, in_.varint());
    return {};
  }
  Result<void> number(std::int64_t& out) {
    TRY_ASSIGN(out, in_.zigzag());
    return {};
  }
  Result<void> number(int& out) {
    TRY_ASSIGN(const auto value, in_.zigzag());
    out = static_cast<int>(value);
    return {};
  }
  Result<void> time(MonoTime& out) { return number(out.us); }
  Result<void> flag(bool& out) {
    TRY_ASSIGN(const auto value, in_.u8());
    out = value == 1;
    return {};
  }
  Result<void> text(std::string& out) {
    TRY_ASSIGN(const auto size, in_.varint());
    if (size > k_max_text) {
      return fail(Errc::corrupt, "a text of the stored index is too long");
    }
    TRY_ASSIGN(const auto bytes, in_.take(static_cast<std::size_t>(size)));
    out = std::string(as_text(bytes));
    return {};
  }
  Result<std::size_t> count(std::size_t most) {
    TRY_ASSIGN(const auto n, in_.varint());
    // Each item takes at least one byte.
    if (n > most || n > in_.left()) {
      return fail(Errc::corrupt, "the stored index has too many items");
    }
    return static_cast<std::size_t>(n);
  }
  [[nodiscard]] bool done() const { return in_.done(); }

 private:
  ByteReader in_;
};

void put_command(ByteWriter& out, const CommandItem& item) {
  out.varint(item.begin_event).varint(item.end_event);
  put_time(out, item.begin);
  put_time(out, item.end);
  for (const auto* const text : {&item.text, &item.cwd, &item.shell, &item.text_source}) {
    put_text(out, *text);
  }
  out.zigzag(item.shell_pid).varint(item.n);
  out.u8(item.exit_status ? 1 : 0).zigzag(item.exit_status.value_or(0));
}

Result<void> take_command(Taker& in, CommandItem& item) {
  TRY(in.number(item.begin_event));
  TRY(in.number(item.end_event));
  TRY(in.time(item.begin));
  TRY(in.time(item.end));
  for (auto* const text : {&item.text, &item.cwd, &item.shell, &item.text_source}) {
    TRY(in.text(*text));
  }
  TRY(in.number(item.shell_pid));
  TRY(in.number(item.n));
  bool ended = false;
  int status = 0;
  TRY(in.flag(ended));
  TRY(in.number(status));
  if (ended) {
    item.exit_status = status;
  }
  return {};
}

Result<void> take_marks(Taker& in, std::vector<Mark>& marks) {
  TRY_ASSIGN(const auto count, in.count(Facts::k_max_items));
  for (std::size_t i = 0; i < count; ++i) {
    Mark mark;
    std::uint64_t kind = 0;
    TRY(in.number(kind));
    TRY(in.number(mark.event));
    TRY(in.time(mark.t));
    TRY(in.text(mark.text));
    if (kind > static_cast<std::uint64_t>(MarkKind::exit)) {
      return fail(Errc::corrupt, "the stored index has a mark of an unknown kind");
    }
    mark.kind = static_cast<MarkKind>(kind);
    marks.push_back(std::move(mark));
  }
  return {};
}

Result<void> take_activity(Taker& in, Activity& activity) {
  MonoTime start;
  std::int64_t width = 0;
  TRY(in.time(start));
  TRY(in.number(width));
  TRY_ASSIGN(const auto count, in.count(Activity::k_buckets));
  std::vector<Activity::Bucket> buckets(count);
  for (auto& bucket : buckets) {
    std::uint64_t inputs = 0;
    TRY(in.number(bucket.output_bytes));
    TRY(in.number(inputs));
    bucket.inputs = static_cast<std::uint32_t>(inputs);
  }
  if (width <= 0) {
    return fail(Errc::corrupt, "the stored index has an activity without a width");
  }
  activity = Activity(start, width, std::move(buckets));
  return {};
}

}  // namespace

Bytes encode_facts(const Facts& facts) {
  Bytes data;
  ByteWriter out(data);
  out.varint(facts.events).varint(facts.output_bytes);
  put_time(out, facts.first);
  put_time(out, facts.last);
  out.varint(facts.gaps).varint(facts.left_out);
  out.varint(facts.commands.size());
  for (const auto& item : facts.commands) {
    put_command(out, item);
  }
  out.varint(facts.marks.size());
  for (const auto& mark : facts.marks) {
    out.varint(static_cast<std::uint64_t>(mark.kind)).varint(mark.event);
    put_time(out, mark.t);
    put_text(out, mark.text);
  }
  out.varint(facts.idle.size());
  for (const auto& gap : facts.idle) {
    put_time(out, gap.from);
    put_time(out, gap.to);
  }
  put_time(out, facts.activity.start());
  out.zigzag(facts.activity.width_us()).varint(facts.activity.buckets().size());
  for (const auto& bucket : facts.activity.buckets()) {
    out.varint(bucket.output_bytes).varint(bucket.inputs);
  }
  out.varint(facts.clock.points().size());
  for (const auto& point : facts.clock.points()) {
    put_time(out, point.mono);
    out.zigzag(point.wall.us);
  }
  out.u8(facts.exit ? 1 : 0);
  if (facts.exit) {
    out.zigzag(facts.exit->status).zigzag(facts.exit->signal);
    out.u8(facts.exit->core_dumped ? 1 : 0).varint(facts.exit->undrained_bytes);
    put_text(out, std::string_view(facts.exit->detail).substr(0, k_max_text));
  }
  return data;
}

Result<Facts> decode_facts(ByteView data) {
  Taker in(data);
  Facts facts;
  TRY(in.number(facts.events));
  TRY(in.number(facts.output_bytes));
  TRY(in.time(facts.first));
  TRY(in.time(facts.last));
  TRY(in.number(facts.gaps));
  TRY(in.number(facts.left_out));
  TRY_ASSIGN(const auto commands, in.count(Facts::k_max_items));
  for (std::size_t i = 0; i < commands; ++i) {
    TRY(take_command(in, facts.commands.emplace_back()));
  }
  TRY(take_marks(in, facts.marks));
  TRY_ASSIGN(const auto gaps, in.count(Facts::k_max_items));
  for (std::size_t i = 0; i < gaps; ++i) {
    auto& gap = facts.idle.emplace_back();
    TRY(in.time(gap.from));
    TRY(in.time(gap.to));
  }
  TRY(take_activity(in, facts.activity));
  TRY_ASSIGN(const auto points, in.count(data.size()));
  for (std::size_t i = 0; i < points; ++i) {
    MonoTime mono;
    WallTime wall;
    TRY(in.time(mono));
    TRY(in.number(wall.us));
    facts.clock.add(mono, wall);
  }
  bool exited = false;
  TRY(in.flag(exited));
  if (exited) {
    auto& exit = facts.exit.emplace();
    TRY(in.number(exit.status));
    TRY(in.number(exit.signal));
    TRY(in.flag(exit.core_dumped));
    TRY(in.number(exit.undrained_bytes));
    TRY(in.text(exit.detail));
  }
  if (!in.done()) {
    return fail(Errc::corrupt, "the stored index has more facts than it says");
  }
  return facts;
}

}  // namespace sworn::player
