// The client's side of docs/api.md: calls to requests, answers to errors. Pure; wire/api is the
// other side.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "core/key.h"
#include "wire/answer_reader.h"

namespace kvs {

/// The longest key and the largest value that any node can be configured to take.
inline constexpr std::size_t kKeyBytesMax = 4096;
inline constexpr std::size_t kValueBytesMax = std::size_t{64} << 20U;

/// The condition of a call, sent as If-Match or If-None-Match.
struct CallCondition {
  enum class Kind : std::uint8_t { none, if_version, if_present, if_absent };

  Kind kind = Kind::none;
  std::string uuid;  // of if_version
};

/// One request.
struct ClientCall {
  std::string_view method = "GET";
  std::string target;     // percent-encoded
  std::string_view body;  // sent as JSON if it is not empty, or the method is PUT
  CallCondition condition{};
  std::string_view content_type = "application/json";  // of the body
};

/// Appends the request. `host` is the address that is called.
void append_call(std::string& out, std::string_view host, const ClientCall& call);

[[nodiscard]] std::string key_target(Key key);

/// Which page of which listing.
struct ListCall {
  enum class Depth : std::uint8_t { children, below };
  enum class Values : std::uint8_t { omit, include };

  std::string path;  // without a slash at the end; empty: the root
  Depth depth = Depth::children;
  Values values = Values::omit;
  std::size_t limit = 1000;
  std::string after;  // a cursor; empty: from the first
};

[[nodiscard]] std::string list_target(const ListCall& call);

/// DELETE of it deletes every key below `path`, the empty one is the root, and tells how far it is.
[[nodiscard]] std::string delete_below_target(std::string_view path);

/// An export, from a path on.
struct ExportCall {
  enum class Deletions : std::uint8_t { omit, include };

  std::string path;   // without a slash at the end; empty: the root
  std::string after;  // a path; empty: from the first
  Deletions deletions = Deletions::omit;
};

[[nodiscard]] std::string export_target(const ExportCall& call);

/// The cursor of the page that begins after `name`, which is relative to the listing's path.
[[nodiscard]] std::string cursor_after(std::string_view name);

/// What an answer that is not fine says. A body that is no error of this API is told as such; its
/// code then follows from the status.
[[nodiscard]] Error error_of(const AnswerHead& head, std::string_view body);

}  // namespace kvs
