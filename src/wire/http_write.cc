#include "wire/http_write.h"

#include <charconv>
#include <concepts>
#include <cstring>

#include "base/check.h"
#include "wire/http_chars.h"

namespace kvs {

namespace {

constexpr std::size_t kNumberBytesMax = 20;

bool sound(std::string_view text, http_chars::Class wanted) {
  return !text.empty() && http_chars::all(text, wanted);
}

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
    case 308:
      return "HTTP/1.1 308 Permanent Redirect\r\n";
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

/// Room for all of a head but the values that the caller gives.
constexpr std::size_t kFixedBytesMax = 256;

/// Writes into room that has been made before; keeps the place.
struct Pen {
  char* p = nullptr;

  void put(std::string_view text) {
    std::memcpy(p, text.data(), text.size());
    p += text.size();
  }

  void put_number(std::uint64_t number) { p = std::to_chars(p, p + kNumberBytesMax, number).ptr; }

  /// Bytes that may not stand in a field value become spaces.
  void put_value(std::string_view value) {
    char* q = p;
    put(value);
    while ((q += http_chars::skip_fast<http_chars::field>(q, p) - q) != p) {
      *q = ' ';
    }
  }

  void put_field(const HeaderField& field) {
    KVS_CHECK(sound(field.name, http_chars::token), "header field name");
    put(field.name);
    put(": ");
    put_value(field.value);
    put("\r\n");
  }

  void put_content_length(std::uint64_t bytes) {
    put("Content-Length: ");
    put_number(bytes);
    put("\r\n");
  }
};

/// Appends what `write` writes with a Pen, at most `bytes_max` bytes.
template <std::invocable<Pen&> Write>
void append_with_pen(std::string& out, std::size_t bytes_max, Write write) {
  const std::size_t before = out.size();
  out.resize_and_overwrite(before + bytes_max, [&](char* start, std::size_t) {
    Pen pen{.p = start + before};
    write(pen);
    return static_cast<std::size_t>(pen.p - start);
  });
}

std::size_t bytes_of(std::span<const HeaderField> fields) {
  std::size_t bytes = 0;
  for (const HeaderField& field : fields) {
    bytes += field.name.size() + field.value.size() + std::string_view(": \r\n").size();
  }
  return bytes;
}

void put_status_line(Pen& pen, unsigned status) {
  if (const std::string_view line = status_line(status); !line.empty()) {
    pen.put(line);
    return;
  }
  KVS_CHECK(status >= 100, "status out of range");
  KVS_CHECK(status <= 999, "status out of range");
  pen.put("HTTP/1.1 ");
  pen.put_number(status);
  pen.put(" \r\n");
}

void put_fields(Pen& pen, std::string_view content_type, std::span<const HeaderField> fields) {
  if (!content_type.empty()) {
    pen.put_field({.name = "Content-Type", .value = content_type});
  }
  for (const HeaderField& field : fields) {
    pen.put_field(field);
  }
}

/// The head up to what `write_framing` adds, and the blank line.
template <std::invocable<Pen&> WriteFraming>
void put_head(std::string& out, const Response& response, WriteFraming write_framing) {
  const std::size_t bytes_max =
      kFixedBytesMax + response.content_type.size() + bytes_of(response.fields);
  append_with_pen(out, bytes_max, [&](Pen& pen) {
    put_status_line(pen, response.status);
    put_fields(pen, response.content_type, response.fields);
    if (response.persistence == Persistence::keep_alive) {
      pen.put("Connection: keep-alive\r\n");
    } else if (response.persistence == Persistence::close) {
      pen.put("Connection: close\r\n");
    }
    write_framing(pen);
    pen.put("\r\n");
  });
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
  put_head(out, response, [&](Pen& pen) {
    if (!has_no_body(response.status)) {
      pen.put_content_length(body_bytes);
    }
  });
}

void put_stream_head(std::string& out, const Response& response, StreamFraming framing) {
  KVS_CHECK(!has_no_body(response.status), "a stream needs a status with a body");
  Response head = response;
  if (framing == StreamFraming::until_close) {
    head.persistence = Persistence::close;
  }
  put_head(out, head, [&](Pen& pen) {
    if (framing == StreamFraming::chunked) {
      pen.put("Transfer-Encoding: chunked\r\n");
    }
  });
}

void put_chunk(std::string& out, std::string_view data) {
  if (data.empty()) {
    return;
  }
  append_with_pen(out, kFixedBytesMax, [&](Pen& pen) {
    pen.p = std::to_chars(pen.p, pen.p + kNumberBytesMax, data.size(), 16).ptr;
    pen.put("\r\n");
  });
  out.append(data).append("\r\n");
}

void put_last_chunk(std::string& out) {
  out.append("0\r\n\r\n");
}

void put_continue(std::string& out) {
  out.append("HTTP/1.1 100 Continue\r\n\r\n");
}

void put_request(std::string& out, const Request& request, std::string_view body) {
  KVS_CHECK(sound(request.method, http_chars::token), "method");
  KVS_CHECK(sound(request.target, http_chars::target), "target");
  KVS_CHECK(http_chars::all(request.host, http_chars::host), "host");
  const bool bodiless =
      request.method == "GET" || request.method == "HEAD" || request.method == "DELETE";
  const std::size_t bytes_max = kFixedBytesMax + request.method.size() + request.target.size() +
                                request.host.size() + request.content_type.size() +
                                bytes_of(request.fields);
  append_with_pen(out, bytes_max, [&](Pen& pen) {
    pen.put(request.method);
    pen.put(" ");
    pen.put(request.target);
    pen.put(" HTTP/1.1\r\nHost: ");
    pen.put(request.host);
    pen.put("\r\n");
    put_fields(pen, request.content_type, request.fields);
    if (!body.empty() || !bodiless) {
      pen.put_content_length(body.size());
    }
    pen.put("\r\n");
  });
  out.append(body);
}

}  // namespace kvs
