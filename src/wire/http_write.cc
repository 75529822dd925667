#include "wire/http_write.h"

#include <array>
#include <charconv>

#include "base/check.h"
#include "wire/http_chars.h"

namespace kvs {

namespace {

std::string_view status_line(unsigned status) {
  switch (status) {
    case 100:
      return "HTTP/1.1 100 Continue\r\n";
    case 200:
      return "HTTP/1.1 200 OK\r\n";
    case 201:
      return "HTTP/1.1 201 Created\r\n";
    case 202:
      return "HTTP/1.1 202 Accepted\r\n";
    case 204:
      return "HTTP/1.1 204 No Content\r\n";
    case 304:
      return "HTTP/1.1 304 Not Modified\r\n";
    case 400:
      return "HTTP/1.1 400 Bad Request\r\n";
    case 404:
      return "HTTP/1.1 404 Not Found\r\n";
    case 405:
      return "HTTP/1.1 405 Method Not Allowed\r\n";
    case 408:
      return "HTTP/1.1 408 Request Timeout\r\n";
    case 409:
      return "HTTP/1.1 409 Conflict\r\n";
    case 411:
      return "HTTP/1.1 411 Length Required\r\n";
    case 412:
      return "HTTP/1.1 412 Precondition Failed\r\n";
    case 413:
      return "HTTP/1.1 413 Content Too Large\r\n";
    case 414:
      return "HTTP/1.1 414 URI Too Long\r\n";
    case 415:
      return "HTTP/1.1 415 Unsupported Media Type\r\n";
    case 417:
      return "HTTP/1.1 417 Expectation Failed\r\n";
    case 431:
      return "HTTP/1.1 431 Request Header Fields Too Large\r\n";
    case 500:
      return "HTTP/1.1 500 Internal Server Error\r\n";
    case 501:
      return "HTTP/1.1 501 Not Implemented\r\n";
    case 503:
      return "HTTP/1.1 503 Service Unavailable\r\n";
    case 505:
      return "HTTP/1.1 505 HTTP Version Not Supported\r\n";
    case 507:
      return "HTTP/1.1 507 Insufficient Storage\r\n";
    default:
      return {};
  }
}

template <class... Parts>
void append(std::string& out, Parts... parts) {
  (out.append(parts), ...);
}

void put_number(std::string& out, std::uint64_t number, int base) {
  std::array<char, 20> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number, base);
  out.append(text.data(), end);
}

void put_value(std::string& out, std::string_view value) {
  const char* const end = value.data() + value.size();
  const char* p = value.data();
  for (;;) {
    const char* const bad = http_chars::skip_fast<http_chars::field>(p, end);
    out.append(p, bad);
    if (bad == end) {
      return;
    }
    out.push_back(' ');
    p = bad + 1;
  }
}

void put_field(std::string& out, const HeaderField& field) {
  KVS_CHECK(!field.name.empty() && http_chars::all(field.name, http_chars::token),
            "header field name");
  append(out, field.name, std::string_view(": "));
  put_value(out, field.value);
  out.append("\r\n");
}

void put_head(std::string& out, const Response& response) {
  if (const std::string_view line = status_line(response.status); !line.empty()) {
    out.append(line);
  } else {
    KVS_CHECK(response.status >= 100 && response.status <= 999, "status out of range");
    out.append("HTTP/1.1 ");
    put_number(out, response.status, 10);
    out.append(" \r\n");
  }
  if (!response.content_type.empty()) {
    put_field(out, {.name = "Content-Type", .value = response.content_type});
  }
  for (const HeaderField& field : response.fields) {
    put_field(out, field);
  }
  if (response.persistence == Persistence::keep_alive) {
    out.append("Connection: keep-alive\r\n");
  } else if (response.persistence == Persistence::close) {
    out.append("Connection: close\r\n");
  }
}

void put_content_length(std::string& out, std::uint64_t bytes) {
  out.append("Content-Length: ");
  put_number(out, bytes, 10);
  out.append("\r\n");
}

bool has_no_body(unsigned status) {
  return status < 200 || status == 204 || status == 304;
}

}  // namespace

Persistence persistence_for(const Framing& request) {
  if (!request.keep_alive) {
    return Persistence::close;
  }
  return request.minor_version == 0 ? Persistence::keep_alive : Persistence::implicit;
}

void put_response(std::string& out, const Response& response, std::string_view body) {
  put_response_to_head(out, response, body.size());
  if (!has_no_body(response.status)) {
    out.append(body);
  }
}

void put_response_to_head(std::string& out, const Response& response, std::uint64_t body_bytes) {
  put_head(out, response);
  if (!has_no_body(response.status)) {
    put_content_length(out, body_bytes);
  }
  out.append("\r\n");
}

void put_stream_head(std::string& out, const Response& response, StreamFraming framing) {
  KVS_CHECK(!has_no_body(response.status), "a stream needs a status with a body");
  Response head = response;
  if (framing == StreamFraming::until_close) {
    head.persistence = Persistence::close;
  }
  put_head(out, head);
  out.append(framing == StreamFraming::chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n");
}

void put_chunk(std::string& out, std::string_view data) {
  if (data.empty()) {
    return;
  }
  put_number(out, data.size(), 16);
  out.append("\r\n").append(data).append("\r\n");
}

void put_last_chunk(std::string& out) {
  out.append("0\r\n\r\n");
}

void put_continue(std::string& out) {
  out.append("HTTP/1.1 100 Continue\r\n\r\n");
}

void put_request(std::string& out, const Request& request, std::string_view body) {
  KVS_CHECK(!request.method.empty() && http_chars::all(request.method, http_chars::token),
            "method");
  KVS_CHECK(!request.target.empty() && http_chars::all(request.target, http_chars::target),
            "target");
  KVS_CHECK(http_chars::all(request.host, http_chars::host), "host");
  append(out, request.method, std::string_view(" "), request.target,
         std::string_view(" HTTP/1.1\r\nHost: "), request.host, std::string_view("\r\n"));
  if (!request.content_type.empty()) {
    put_field(out, {.name = "Content-Type", .value = request.content_type});
  }
  for (const HeaderField& field : request.fields) {
    put_field(out, field);
  }
  const bool bodiless =
      request.method == "GET" || request.method == "HEAD" || request.method == "DELETE";
  if (!body.empty() || !bodiless) {
    put_content_length(out, body.size());
  }
  out.append("\r\n").append(body);
}

}  // namespace kvs
