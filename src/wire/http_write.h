// Writing HTTP/1.1 messages: functions that append to one output buffer, so that the answers to
// pipelined requests leave in one send.
//
// Header injection is impossible: in field values and content types, bytes that may not stand there
// become spaces; names, methods and targets must be sound (checked: a bug otherwise).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "wire/http.h"

namespace kvs {

/// What the Connection field says: nothing (1.1 persists), `keep-alive` (to a 1.0 client), `close`.
enum class Persistence : std::uint8_t { implicit, keep_alive, close };

/// What the answer to `request` says if the server would like to keep the connection.
[[nodiscard]] Persistence persistence_for(const Framing& request);

struct Response {
  unsigned status = 200;  // 100..999
  Persistence persistence = Persistence::implicit;
  std::string_view content_type;  // empty: no such field
  std::span<const HeaderField> fields;
};

/// Head and body. Statuses 1xx, 204 and 304 have neither Content-Length nor body.
void put_response(std::string& out, const Response& response, std::string_view body);

/// The answer to HEAD: the head that GET would have had with a body of `body_bytes`.
void put_response_to_head(std::string& out, const Response& response, std::uint64_t body_bytes);

/// How a body of unknown length ends: chunked for HTTP/1.1, with the connection for 1.0 (which
/// writes `Connection: close`).
enum class StreamFraming : std::uint8_t { chunked, until_close };

void put_stream_head(std::string& out, const Response& response, StreamFraming framing);

/// One chunk of a chunked body; nothing if `data` is empty, since an empty chunk is the end.
void put_chunk(std::string& out, std::string_view data);
void put_last_chunk(std::string& out);

/// `100 Continue`, to be sent before the body is read if the request expects it.
void put_continue(std::string& out);

struct Request {
  std::string_view method;
  std::string_view target;  // already percent-encoded
  std::string_view host;
  std::string_view content_type;  // empty: no such field
  std::span<const HeaderField> fields;
};

/// Head and body; Content-Length unless the body is empty and the method is GET, HEAD or DELETE.
void put_request(std::string& out, const Request& request, std::string_view body);

}  // namespace kvs
