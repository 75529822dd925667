// HTTP/1.1 message heads (RFC 9110, RFC 9112): bytes in, views out. No I/O, no clock, no
// allocation.
//
// Strict only. Whatever two parsers could read differently is refused: bare CR or LF, folding,
// space before a colon, control characters, repeated or doubtful lengths, any transfer coding other
// than `chunked`, no or two Hosts. After an error the framing is lost: answer and close. Bodies:
// wire/http_chunked. Writing: wire/http_write. Targets: wire/url.
//
// A line is judged once its LF is there, and in order, so the verdict on a byte stream does not
// depend on how it was cut into pieces.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"

namespace kvs {

enum class Method : std::uint8_t { get, head, put, post, del, options, other };

struct HttpLimits {
  std::size_t header_bytes =
      std::size_t{16} * 1024;  // the whole head, request line and blank line included
  std::size_t target_bytes = std::size_t{8} * 1024;
  std::size_t headers = 100;  // at most HeaderFields::kCapacity
};

/// One header field; the value without the blanks around it.
struct HeaderField {
  std::string_view name;
  std::string_view value;
};

/// The header fields of one message in their order. Holds views only.
class HeaderFields {
 public:
  static constexpr std::size_t kCapacity = 100;

  [[nodiscard]] std::span<const HeaderField> all() const { return {fields_.data(), count_}; }

  [[nodiscard]] std::size_t size() const { return count_; }

  /// The value of the first field of that name, which is given in lower case.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view lower_case_name) const;

  void clear() { count_ = 0; }

  /// The caller has checked that size() < kCapacity.
  void add(const HeaderField& field) { fields_[count_++] = field; }

 private:
  std::array<HeaderField, kCapacity> fields_;
  std::size_t count_ = 0;
};

/// What the fields of either kind of message say about framing and the connection.
struct Framing {
  std::optional<std::uint64_t> content_length;
  bool chunked = false;     // never together with content_length
  bool keep_alive = false;  // version and Connection field taken together
  std::uint8_t minor_version = 1;
};

/// A request head: views into the parsed input, valid as long as its bytes stay where they are.
/// 3 KiB; keep one per thread and reuse it.
struct RequestHead {
  Method method = Method::other;
  Framing framing;
  bool expect_continue = false;
  std::string_view method_name;
  std::string_view target;  // as received
  std::string_view path;    // of the target, still percent-encoded; begins with '/', or is "*"
  std::optional<std::string_view> query;  // after '?', still percent-encoded
  std::string_view host;
  std::optional<std::string_view> content_type;
  std::optional<std::string_view> if_match;
  std::optional<std::string_view> if_none_match;
  std::optional<std::string_view> if_modified_since;
  std::optional<std::string_view> accept;
  HeaderFields fields;
};

/// A response head; see RequestHead. Without content_length and chunked the body ends with the
/// connection, unless status or request say that there is none (1xx, 204, 304, HEAD).
struct ResponseHead {
  unsigned status = 0;
  Framing framing;
  HeaderFields fields;
};

struct ParseResult {
  enum class Status : std::uint8_t { need_more, complete, error };

  Status status = Status::need_more;
  std::size_t consumed = 0;  // bytes of the input that are done with
  Errc code{};               // if error
  std::string_view detail;   // if error: a sentence for a person; static storage

  [[nodiscard]] bool complete() const { return status == Status::complete; }

  [[nodiscard]] bool failed() const { return status == Status::error; }
};

/// What a connection remembers of a head that has not arrived completely, so that each byte is
/// looked at a bounded number of times. A fresh one per head; a completed or failed parse leaves it
/// fresh.
struct HeadScan {
  std::size_t seen = 0;
};

/// Parses the request head at the start of `input`, which begins with the same byte on every call
/// until the head is complete. One empty line before it is skipped (RFC 9112, 2.2).
///
/// Errors: bad_request; not_implemented (a transfer coding other than chunked);
/// http_version_not_supported; headers_too_large; key_too_large (the target); expectation_failed.
///
/// Targets: origin-form; `*` for OPTIONS; absolute-form with scheme http (RFC 9112, 3.2.2), of
/// which the path counts. Printable ASCII without '#'.
ParseResult parse_request_head(std::string_view input, const HttpLimits& limits, HeadScan& scan,
                               RequestHead& head);

/// The same for the status line and fields of a response. target_bytes is not used.
ParseResult parse_response_head(std::string_view input, const HttpLimits& limits, HeadScan& scan,
                                ResponseHead& head);

/// Checks one field line without its CRLF: `name:value`. Nothing if it is malformed.
[[nodiscard]] std::optional<HeaderField> parse_field_line(std::string_view line);

/// ASCII case-insensitive equality; `lower` is in lower case.
[[nodiscard]] bool equals_lower_case(std::string_view text, std::string_view lower);

/// True if the comma-separated list `value` has the token `lower`, ASCII case-insensitively.
[[nodiscard]] bool list_has_token(std::string_view value, std::string_view lower);

}  // namespace kvs
