// Assertions that stay on in release builds.
//
// A failed check is a bug in KVS, never a consequence of input. The process prints where and what,
// and aborts: every node holds all data, so stopping is cheap; spreading a wrong record is not.
#pragma once

#include <string_view>

namespace kvs {

/// Prints `file:line: check failed: condition (detail)` to standard error and aborts.
[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               std::string_view detail);

}  // namespace kvs

/// Ends the process if `condition` is false. `detail` is anything convertible to std::string_view.
#define KVS_CHECK(condition, detail)                                 \
  do {                                                               \
    if (!(condition)) [[unlikely]] {                                 \
      ::kvs::check_failed(__FILE__, __LINE__, #condition, (detail)); \
    }                                                                \
  } while (false)

/// As KVS_CHECK, but only in builds without NDEBUG: for checks that cost more than a comparison.
#ifdef NDEBUG
#define KVS_DCHECK(condition, detail) static_cast<void>(0)
#else
#define KVS_DCHECK(condition, detail) KVS_CHECK(condition, detail)
#endif
