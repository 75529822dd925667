#include "sim/trace_names.h"

#include <array>

#include <fmt/format.h>

namespace kvs {

std::uint64_t trace_number(const Operation& operation) {
  return static_cast<std::uint64_t>(operation.ticket);
}

std::string_view trace_name(Operation::Kind kind) {
  constexpr std::array<std::string_view, 4> kNames{"put", "del", "get", "list"};
  return kNames.at(static_cast<std::size_t>(kind));
}

std::string_view trace_name(Condition::Kind kind) {
  constexpr std::array<std::string_view, 4> kNames{"", " if absent", " if there", " if match"};
  return kNames.at(static_cast<std::size_t>(kind));
}

std::string_view trace_name(WriteStatus status) {
  constexpr std::array<std::string_view, 13> kNames{
      "created",      "replaced", "deleted",        "not_found",  "version_mismatch",
      "read_only",    "syncing",  "disk_full",      "overloaded", "shutting_down",
      "corrupt_data", "io_error", "ttl_unsupported"};
  return kNames.at(static_cast<std::size_t>(status));
}

std::string trace_name(const WriteOutcome& outcome) {
  if (!succeeded(outcome.status)) {
    return std::string(trace_name(outcome.status));
  }
  return fmt::format("{} {:.8} at {}+{}", trace_name(outcome.status), to_string(outcome.uuid),
                     outcome.stamp.ms(), outcome.stamp.bits & 0xffffU);
}

std::string trace_name(const Record& record) {
  return fmt::format("{:.8}{}", to_string(record.header.version.uuid),
                     record.header.live() ? "" : " (deleted)");
}

}  // namespace kvs
