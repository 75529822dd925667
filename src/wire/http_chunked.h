// Bodies with `Transfer-Encoding: chunked` (RFC 9112, 7.1), decoded as they arrive.
//
// Strict: CRLF everywhere, at most 15 hexadecimal digits, no blanks. Chunk extensions must be well
// formed and are ignored; trailer fields are checked and dropped, those that would change framing,
// routing or meaning of the request are refused. Body, extensions and trailers are bounded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/http.h"

namespace kvs {

class ChunkedDecoder {
 public:
  /// At most `body_bytes_max` decoded bytes; a larger announced chunk fails before its data.
  explicit ChunkedDecoder(std::uint64_t body_bytes_max) : body_bytes_max_(body_bytes_max) {}

  /// Takes the next bytes of the message and appends what they decode to to `body`. Consumes all of
  /// `input` unless the message ends in it. To be called with new bytes only.
  ///
  /// Errors: bad_request, value_too_large, headers_too_large (extensions or trailers).
  ParseResult decode(std::string_view input, std::string& body);

 private:
  enum class State : std::uint8_t {
    size_first,
    size,
    extension_name_first,
    extension_name,
    extension_value_first,
    extension_value,
    extension_quoted,
    extension_escape,
    extension_end,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer,
    trailer_lf,
    done,
  };

  /// One byte outside chunk data. Nothing if it may stand there.
  struct Refusal {
    Errc code{};
    std::string_view detail;
  };

  Refusal take(char byte);
  Refusal take_size(char byte);
  Refusal take_extension(char byte);
  [[nodiscard]] std::optional<State> after_quoted(char byte) const;
  [[nodiscard]] std::optional<State> after_unquoted(char byte) const;
  Refusal end_of_size_line();
  Refusal take_trailer(char byte);
  Refusal end_of_trailer_line();

  std::uint64_t body_bytes_max_;
  std::uint64_t body_bytes_ = 0;
  std::uint64_t chunk_left_ = 0;
  std::uint32_t size_digits_ = 0;
  std::uint32_t extension_bytes_ = 0;
  std::uint32_t trailer_bytes_ = 0;
  State state_ = State::size_first;
  std::string trailer_line_;
};

}  // namespace kvs
