// Operating errors as values: Result<T>, Error, and KVS_TRY.
//
// Three kinds of failure are kept apart. Expected outcomes ("no such key", "read-only") are data in
// the return type. Operating errors (a bad file, a full disk, a malformed request) are a Result.
// Bugs are KVS_CHECK. Nothing in base, core, wire or sim throws.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace kvs {

/// Every error code the system knows. The names are the `code` field of HTTP error bodies (see
/// to_string); only wire/api maps them to statuses.
enum class Errc : std::uint8_t {
  // The request is at fault.
  invalid_key,
  invalid_json,
  invalid_query,
  bad_request,
  not_found,
  method_not_allowed,
  id_in_use,
  cluster_mismatch,
  length_required,
  value_too_large,
  key_too_large,
  headers_too_large,
  version_mismatch,
  unsupported_media_type,
  request_timeout,
  expectation_failed,
  not_implemented,
  http_version_not_supported,
  // The node cannot do it now.
  read_only,
  syncing,
  overloaded,
  shutting_down,
  disk_full,
  ttl_unsupported,
  // The machine is at fault.
  corrupt_data,
  io_error,
  // The operator is at fault: configuration, data folder.
  invalid_config,
  data_dir_unusable,
  format_too_new,
  address_unusable,
};

/// The code's snake_case name, e.g. "invalid_key". Static storage.
std::string_view to_string(Errc code);

/// An operating error: a code to act on and a sentence for a person, saying what is wrong and what
/// to do.
struct Error {
  Errc code;
  std::string detail;

  bool operator==(const Error&) const = default;
};

/// A T or an Error. A class of its own, not an alias: compilers warn about a dropped Result but not
/// about a dropped std::expected.
template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
};

/// Shorthand for the error branch: `return fail(Errc::invalid_key, "empty segment")`.
[[nodiscard]] inline std::unexpected<Error> fail(Errc code, std::string detail) {
  return std::unexpected<Error>(Error{.code = code, .detail = std::move(detail)});
}

}  // namespace kvs

/// Evaluates a Result expression: its value, or return of its error from the enclosing function.
#define KVS_TRY(expression)                                                    \
  __extension__({                                                              \
    auto kvs_try_result = (expression);                                        \
    if (!kvs_try_result) [[unlikely]] {                                        \
      return std::unexpected<::kvs::Error>(std::move(kvs_try_result).error()); \
    }                                                                          \
    *std::move(kvs_try_result);                                                \
  })
