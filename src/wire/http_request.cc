#include "wire/http_head.h"

namespace kvs {

namespace {

using http_head::Cursor;
using http_head::FramingFields;
using http_head::is_named;

Method method_of(std::string_view name) {
  switch (name.size()) {
    case 3:
      return name == "GET" ? Method::get : name == "PUT" ? Method::put : Method::other;
    case 4:
      return name == "HEAD" ? Method::head : name == "POST" ? Method::post : Method::other;
    case 6:
      return name == "DELETE" ? Method::del : Method::other;
    case 7:
      return name == "OPTIONS" ? Method::options : Method::other;
    default:
      return Method::other;
  }
}

/// Everything about one request that its fields have said so far.
struct FieldSink {
  RequestHead& head;
  Cursor& cursor;
  std::size_t fields_max = 0;
  FramingFields framing{};
  bool has_host = false;

  bool take(const HeaderField& field) {
    if (head.fields.size() == fields_max) {
      return cursor.reject(Errc::headers_too_large, "too many header fields");
    }
    head.fields.add(field);
    switch (field.name.size()) {
      case 4:
        return !is_named(field.name, "host") || take_host(field.value);
      case 6:
        return take_6(field);
      case 8:
        return !is_named(field.name, "if-match") || keep_once(head.if_match, field.value);
      case 10:
        if (is_named(field.name, "connection")) {
          framing.take_connection(field.value);
        }
        return true;
      case 12:
        return !is_named(field.name, "content-type") || keep_once(head.content_type, field.value);
      case 13:
        return !is_named(field.name, "if-none-match") || keep_once(head.if_none_match, field.value);
      case 14:
        return !is_named(field.name, "content-length") ||
               accepted(framing.take_content_length(field.value));
      case 17:
        return take_17(field);
      default:
        return true;
    }
  }

  bool accepted(std::string_view complaint) {
    return complaint.empty() || cursor.reject(Errc::bad_request, complaint);
  }

  bool keep_once(std::optional<std::string_view>& place, std::string_view value) {
    if (place) {
      return cursor.reject(Errc::bad_request, "repeated header field that may stand only once");
    }
    place = value;
    return true;
  }

  bool take_host(std::string_view value) {
    if (has_host) {
      return cursor.reject(Errc::bad_request, "repeated Host");
    }
    if (!http_chars::all(value, http_chars::host)) {
      return cursor.reject(Errc::bad_request, "malformed Host");
    }
    has_host = true;
    head.host = value;
    return true;
  }

  bool take_6(const HeaderField& field) {
    if (is_named(field.name, "accept")) {
      if (!head.accept) {
        head.accept = field.value;
      }
    } else if (is_named(field.name, "expect")) {
      if (!equals_lower_case(field.value, "100-continue")) {
        return cursor.reject(Errc::expectation_failed,
                             "the only Expect understood is 100-continue");
      }
      head.expect_continue = head.framing.minor_version == 1;
    }
    return true;
  }

  bool take_17(const HeaderField& field) {
    if (is_named(field.name, "transfer-encoding")) {
      return accepted(framing.take_transfer_encoding(field.value));
    }
    return !is_named(field.name, "if-modified-since") ||
           keep_once(head.if_modified_since, field.value);
  }

  ParseResult settle() {
    if (!has_host && head.framing.minor_version == 1) {
      return http_head::refuse("no Host");
    }
    return framing.settle(head.framing);
  }
};

void split_query(RequestHead& head, std::string_view path_and_query) {
  const std::size_t mark = path_and_query.find('?');
  head.path = path_and_query.substr(0, mark);
  if (mark != std::string_view::npos) {
    head.query = path_and_query.substr(mark + 1);
  }
}

/// RFC 9112, 3.2. What is wrong with the target, or nothing.
std::string_view take_target_form(RequestHead& head) {
  const std::string_view target = head.target;
  if (target.starts_with('/')) [[likely]] {
    split_query(head, target);
    return {};
  }
  if (target == "*" && head.method == Method::options) {
    head.path = target;
    return {};
  }
  constexpr std::string_view kScheme = "http://";
  if (!equals_lower_case(target.substr(0, kScheme.size()), kScheme)) {
    return "the target must be a path";
  }
  const std::size_t authority_end =
      std::min(target.find_first_of("/?", kScheme.size()), target.size());
  const std::string_view authority = target.substr(kScheme.size(), authority_end - kScheme.size());
  if (authority.empty() || !http_chars::all(authority, http_chars::host)) {
    return "malformed authority in the target";
  }
  split_query(head, target.substr(authority_end));
  if (head.path.empty()) {
    head.path = "/";
  }
  return {};
}

bool take_request_line(Cursor& cursor, const HttpLimits& limits, RequestHead& head) {
  const char* const name = cursor.p;
  const char* q = http_chars::skip(name, cursor.end, http_chars::token);
  if (q == cursor.end) {
    return Cursor::starve();
  }
  if (*q != ' ' || q == name) {
    return cursor.fail("malformed method");
  }
  head.method_name = {name, static_cast<std::size_t>(q - name)};
  head.method = method_of(head.method_name);
  const char* const target = ++q;
  q = http_chars::skip_fast<http_chars::target>(q, cursor.end);
  if (q == cursor.end) {
    return Cursor::starve();
  }
  if (*q != ' ') {
    return cursor.fail("malformed target");
  }
  head.target = {target, static_cast<std::size_t>(q - target)};
  cursor.p = q + 1;
  if (head.target.size() > limits.target_bytes) {
    return cursor.fail(Errc::key_too_large, "the target is too long");
  }
  if (const std::string_view complaint = take_target_form(head); !complaint.empty()) {
    return cursor.fail(complaint);
  }
  return http_head::take_version(cursor, head.framing) &&
         cursor.take_line_end("malformed request line");
}

void reset(RequestHead& head) {
  head.expect_continue = false;
  head.query.reset();
  head.host = {};
  head.content_type.reset();
  head.if_match.reset();
  head.if_none_match.reset();
  head.if_modified_since.reset();
  head.accept.reset();
  head.fields.clear();
}

}  // namespace

ParseResult parse_request_head(std::string_view input, const HttpLimits& limits, HeadScan& scan,
                               RequestHead& head) {
  if (input.empty() || http_head::still_incomplete(input, limits, scan)) {
    return {};
  }
  scan = {};
  if (!http_chars::is(input[0], http_chars::token) && input[0] != '\r' && input[0] != '\n') {
    return http_head::refuse("not HTTP");
  }
  reset(head);
  const std::string_view window = input.substr(0, limits.header_bytes);
  Cursor cursor{.p = window.data(), .end = window.data() + window.size()};
  bool line_done = *cursor.p != '\r' || cursor.take_line_end("bare CR before the request line");
  line_done = line_done && take_request_line(cursor, limits, head);
  FieldSink sink{.head = head,
                 .cursor = cursor,
                 .fields_max = std::min(limits.headers, HeaderFields::kCapacity)};
  if (line_done &&
      http_head::take_fields(cursor, [&](const HeaderField& field) { return sink.take(field); })) {
    ParseResult result = sink.settle();
    result.consumed = static_cast<std::size_t>(cursor.p - window.data());
    return result;
  }
  if (cursor.result.failed()) {
    return cursor.result;
  }
  if (input.size() >= limits.header_bytes) {
    return line_done ? http_head::refuse(Errc::headers_too_large, "the header block is too large")
                     : http_head::refuse(Errc::key_too_large, "the request line is too long");
  }
  scan.seen = input.size();
  return {};
}

}  // namespace kvs
