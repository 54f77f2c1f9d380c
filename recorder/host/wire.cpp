// SPDX-License-Identifier: Apache-2.0
#include "recorder/host/wire.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

namespace sworn::recorder::host {
namespace {

// One description of each message serves both directions: fields(self, visitor) names its members
// in their order on the wire.
template <typename V>
void fields(Hello& m, V& v) {
  v(m.entry), v(m.reason), v(m.ticket);
}
template <typename V>
void fields(Answer& m, V& v) {
  v(m.nonce);
}
template <typename V>
void fields(Challenge& m, V& v) {
  v(m.nonce);
}
template <typename V>
void fields(Refused& m, V& v) {
  v(m.action), v(m.text), v(m.shell);
}
template <typename V>
void fields(Accepted& m, V& v) {
  v(m.id), v(m.shell), v(m.notice), v(m.terminal), v(m.streams);
}
template <typename V>
void fields(Setup& m, V& v) {
  v(m.argv), v(m.environment), v(m.program);
}
template <typename V>
void fields(Launch& m, V& v) {
  v(m.argv), v(m.environment), v(m.numbers), v(m.program);
}
template <typename V>
void fields(Signalled& m, V& v) {
  v(m.number), v(m.from_kernel), v(m.sender);
}
template <typename V>
void fields(Stop& m, V& v) {
  v(m.number);
}
template <typename V>
void fields(Finished& m, V& v) {
  v(m.status), v(m.signal);
}
template <typename V>
void fields(Plan& m, V& v) {
  v(m.id), v(m.token), v(m.final_path), v(m.user), v(m.uid), v(m.gid), v(m.loginuid);
  v(m.audit_session), v(m.groups), v(m.client_pid), v(m.hostname), v(m.cwd), v(m.outer_tty),
      v(m.pts);
  v(m.terminal), v(m.taken_over), v(m.streams), v(m.merged), v(m.hook), v(m.input), v(m.sync);
  v(m.on_failure), v(m.environment_allowed), v(m.reason), v(m.ticket), v(m.policy), v(m.notice);
  v(m.typed), v(m.ledger), v(m.encrypt_to), v(m.second_person);
}
template <typename V>
void fields(Prepared& m, V& v) {
  v(m.command_pid);
}
template <typename V>
void fields(Opened& /*m*/, V& /*v*/) {}
template <typename V>
void fields(Mark& m, V& v) {
  v(m.seal_no), v(m.tree_size), v(m.root);
}
template <typename V>
void fields(Closed& m, V& v) {
  fields(m.mark, v);
  v(m.exit);
}
template <typename V>
void fields(Register& m, V& v) {
  v(m.id), v(m.token);
}
template <typename V>
void fields(Problem& m, V& v) {
  v(m.what), v(m.why);
}
template <typename V>
void fields(Look& m, V& v) {
  v(m.devices);
}
template <typename V>
void fields(Seen& m, V& v) {
  v(m.hides);
}
template <typename V>
void fields(Query& m, V& v) {
  v(m.what), v(m.words);
}
template <typename V>
void fields(Report& m, V& v) {
  v(m.ok), v(m.text);
}

class Writer {
 public:
  explicit Writer(Bytes& out) : w_(out) {}
  void operator()(std::uint8_t v) { w_.u8(v); }
  void operator()(std::uint32_t v) { w_.u32(v); }
  void operator()(std::uint64_t v) { w_.u64(v); }
  void operator()(Entry v) { w_.u8(static_cast<std::uint8_t>(v)); }
  void operator()(Refused::Action v) { w_.u8(static_cast<std::uint8_t>(v)); }
  template <std::size_t N>
  void operator()(const std::array<std::byte, N>& v) {
    w_.bytes(v);
  }
  void operator()(const std::string& v) { blob(as_bytes(v)); }
  void operator()(const Bytes& v) { blob(v); }
  template <typename T>
  void operator()(const std::vector<T>& v) {
    w_.u32(static_cast<std::uint32_t>(v.size()));
    for (const auto& item : v) {
      (*this)(item);
    }
  }

 private:
  void blob(ByteView v) { w_.u32(static_cast<std::uint32_t>(v.size())).bytes(v); }
  ByteWriter w_;
};

class Reader {
 public:
  explicit Reader(ByteView data) : r_(data) {}
  void operator()(std::uint8_t& v) { take(v, r_.u8()); }
  void operator()(std::uint32_t& v) { take(v, r_.u32()); }
  void operator()(std::uint64_t& v) { take(v, r_.u64()); }
  void operator()(Entry& v) { choice(v, 3); }
  void operator()(Refused::Action& v) { choice(v, 2); }
  template <std::size_t N>
  void operator()(std::array<std::byte, N>& v) {
    if (const auto bytes = view(N)) {
      std::copy(bytes->begin(), bytes->end(), v.begin());
    }
  }
  void operator()(std::string& v) {
    if (const auto bytes = blob()) {
      v = as_text(*bytes);
    }
  }
  void operator()(Bytes& v) {
    if (const auto bytes = blob()) {
      v.assign(bytes->begin(), bytes->end());
    }
  }
  template <typename T>
  void operator()(std::vector<T>& v) {
    std::uint32_t count = 0;
    (*this)(count);
    if (count > k_max_list || count > r_.left()) {  // every item takes a byte at least
      refuse("a list is too long");
      return;
    }
    v.resize(count);
    for (auto& item : v) {
      (*this)(item);
    }
  }
  [[nodiscard]] Result<void> outcome() {
    if (error_.empty() && !r_.done()) {
      refuse("bytes are left over");
    }
    return error_.empty() ? Result<void>{} : fail(Errc::corrupt, error_);
  }

 private:
  template <typename T>
  void take(T& v, Result<T> got) {
    if (got) {
      v = *got;
    } else {
      refuse("it is cut off");
    }
  }
  template <typename E>
  void choice(E& v, std::uint8_t last) {
    std::uint8_t raw = 0;
    (*this)(raw);
    if (raw > last) {
      refuse("a choice is out of range");
      return;
    }
    v = static_cast<E>(raw);
  }
  std::optional<ByteView> view(std::size_t n) {
    if (!error_.empty()) {
      return std::nullopt;
    }
    const auto bytes = r_.take(n);
    if (!bytes) {
      refuse("it is cut off");
      return std::nullopt;
    }
    return *bytes;
  }
  std::optional<ByteView> blob() {
    std::uint32_t n = 0;
    (*this)(n);
    if (n > k_max_string_bytes) {
      refuse("a string is too long");
      return std::nullopt;
    }
    return view(n);
  }
  void refuse(const char* why) {
    if (error_.empty()) {
      error_ = std::string("not a message of the sworn protocol: ") + why;
    }
  }
  ByteReader r_;
  std::string error_;
};

template <std::size_t I = 0>
Result<Message> decode_as(std::size_t type, ByteView body) {
  if constexpr (I < std::variant_size_v<Message>) {
    if (type != I) {
      return decode_as<I + 1>(type, body);
    }
    std::variant_alternative_t<I, Message> message;
    Reader reader(body);
    fields(message, reader);
    TRY(reader.outcome());
    return Message(std::move(message));
  } else {
    return fail(Errc::unsupported, "a message of an unknown type");
  }
}

}  // namespace

Bytes encode(const Message& message) {
  Bytes out;
  ByteWriter(out)
      .u8('S')
      .u8('W')
      .u8(k_protocol_version)
      .u8(static_cast<std::uint8_t>(message.index()));
  Writer writer(out);
  // The visitor only reads; one description for both directions needs the member non-const.
  std::visit(
      [&](const auto& m) { fields(const_cast<std::remove_cvref_t<decltype(m)>&>(m), writer); },
      message);
  return out;
}

Result<Message> decode(ByteView bytes) {
  ByteReader head(bytes);
  TRY_ASSIGN(const auto mark, head.take(2));
  TRY_ASSIGN(const auto version, head.u8());
  TRY_ASSIGN(const auto type, head.u8());
  if (as_text(mark) != "SW") {
    return fail(Errc::corrupt, "not a message of the sworn protocol");
  }
  if (version != k_protocol_version) {
    return fail(Errc::unsupported, "another version of the sworn protocol");
  }
  return decode_as(type, bytes.subspan(4));
}

}  // namespace sworn::recorder::host
