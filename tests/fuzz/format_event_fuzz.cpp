// SPDX-License-Identifier: Apache-2.0
// Event payloads, columns of a chunk, the header's map, notes of redaction and recovery: the first
// byte chooses.
#include "format/chunk.hpp"
#include "format/event_payload.hpp"
#include "format/msgpack_map.hpp"
#include "format/recovered.hpp"
#include "format/redact.hpp"
#include "format/seal.hpp"
#include "format/session_header.hpp"

#include <cstdlib>
#include <cstring>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace sworn;
  using namespace sworn::format;
  if (size == 0) {
    return 0;
  }
  const ByteView data = std::as_bytes(std::span(bytes, size)).subspan(1);
  switch (bytes[0] % 16) {
    case 0:
      static_cast<void>(decode_resize(data));
      break;
    case 1:
      static_cast<void>(decode_signal(data));
      break;
    case 2:
      static_cast<void>(decode_clock_sample(data));
      break;
    case 3:
      static_cast<void>(decode_session_start(data));
      break;
    case 4:
      static_cast<void>(decode_command_begin(data));
      break;
    case 5:
      static_cast<void>(decode_command_end(data));
      break;
    case 6:
      static_cast<void>(decode_gap(data));
      break;
    case 7:
      static_cast<void>(decode_exit(data));
      break;
    case 8:
      static_cast<void>(decode_session_header(data));
      break;
    case 9:
      static_cast<void>(decode_redaction(FileId{}, data));
      break;
    case 10:
      static_cast<void>(decode_recovered(FileId{}, data));
      break;
    case 11:
      static_cast<void>(decode_seal(data));
      break;
    case 12:
      if (const auto map = MapReader::parse(data)) {
        static_cast<void>(map->to_json());
      }
      break;
    case 13:
      static_cast<void>(decode_marker(data));
      break;
    default: {
      // Number of events, time range, then the columns.
      ChunkCore core;
      if (data.size() < 8) {
        return 0;
      }
      core.n_events = std::to_integer<std::uint32_t>(data[0]) + 1;
      std::uint32_t span = 0;
      std::memcpy(&span, data.data() + 1, 3);
      core.t_last.us = static_cast<std::int64_t>(span);
      std::vector<EventView> events;
      if (!decode_columns(core, data.subspan(4), events)) {
        return 0;
      }
      if (events.size() != core.n_events || events.back().t != core.t_last) {
        std::abort();
      }
      // Whatever reads well is written again to the same bytes, unless a number was not in its
      // shortest form.
      ChunkBuilder builder;
      for (const auto& event : events) {
        builder.add(event);
      }
      Bytes again;
      builder.append_columns(again);
      if (again.size() > data.size() - 4) {
        std::abort();
      }
    }
  }
  return 0;
}
