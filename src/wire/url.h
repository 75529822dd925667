// Percent-encoding and query strings (RFC 3986), strictly: a bad escape is an error, never text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kvs {

/// What '+' means: itself in paths, a space in queries (as HTML forms and client libraries write
/// it).
enum class Plus : std::uint8_t { literal, space };

/// Appends `text` with its %XX decoded. False if an escape is malformed; `out` then holds the part
/// before it.
[[nodiscard]] bool percent_decode(std::string_view text, std::string& out,
                                  Plus plus = Plus::literal);

/// Appends `text`, leaving only unreserved characters (RFC 3986, 2.3) and '/' as they are.
void percent_encode(std::string_view text, std::string& out);

/// Walks over `name=value&name=value`. Names and values are still encoded.
class QueryReader {
 public:
  struct Pair {
    std::string_view name;
    std::string_view value;  // empty if there is no '='
  };

  explicit QueryReader(std::string_view query) : rest_(query) {}

  /// The next pair; nothing at the end. invalid_query for an empty pair or name, as in `a=1&&b=2`.
  Result<std::optional<Pair>> next();

 private:
  std::string_view rest_;
  bool pending_ = false;  // a "&" has been read and its pair has not
};

}  // namespace kvs
