// SPDX-License-Identifier: Apache-2.0
// Lines of auditd and of everything else, one per row: records, events and parsed lines stay within
// their limits.
#include "audit/logs/line_parser.hpp"
#include "audit/logs/record_assembler.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sworn::audit::logs;
  RecordAssembler assembler;
  LineParser parser({{1'795'225'995'000'000}, Zone::utc()}, {});
  std::vector<AuditEvent> events;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = rest.substr(0, end);
    static_cast<void>(parser.parse(line));
    if (auto record = parse_audit_record(line)) {
      assembler.add(std::move(*record), events);
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  assembler.flush(events);
  for (const auto& event : events) {
    if (event.records.size() > RecordAssembler::k_max_records ||
        event.summary().size() > (1U << 16U)) {
      std::abort();
    }
    static_cast<void>(event.proctitle());
  }
  return 0;
}
