// How traces of runs call things.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sim/operation.h"

namespace kvs {

[[nodiscard]] std::uint64_t trace_number(const Operation& operation);
[[nodiscard]] std::string_view trace_name(Operation::Kind kind);
[[nodiscard]] std::string_view trace_name(Condition::Kind kind);
[[nodiscard]] std::string_view trace_name(WriteStatus status);
[[nodiscard]] std::string trace_name(const WriteOutcome& outcome);
[[nodiscard]] std::string trace_name(const Record& record);

}  // namespace kvs
