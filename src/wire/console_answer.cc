#include "wire/console_answer.h"

#include <algorithm>
#include <array>

#include "wire/api.h"

namespace kvs {

namespace {

// Trusted Types: a browser that knows them refuses to make markup or code out of text at all.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

/// RFC 9110, 13.1.2: weak comparison.
bool names(std::string_view if_none_match, std::string_view etag) {
  if (if_none_match == "*") {
    return true;
  }
  etag.remove_prefix(1);
  etag.remove_suffix(1);
  while (const auto tag = take_entity_tag(if_none_match)) {
    if (tag->opaque == etag) {
      return true;
    }
    const std::size_t next = if_none_match.find_first_not_of(" \t,");
    if_none_match.remove_prefix(std::min(next, if_none_match.size()));
  }
  return false;
}

void put(const AnswerTarget& target, const Response& response, std::string_view body) {
  if (target.head_only) {
    put_response_to_head(target.out, response, body.size());
  } else {
    put_response(target.out, response, body);
  }
}

}  // namespace

void append_console_response(const AnswerTarget& target, const ConsoleFile& file,
                             std::string_view if_none_match) {
  // no-cache: kept, but asked for anew each time, so that a node that was upgraded shows its own.
  const std::array<HeaderField, 6> fields{
      {{.name = "ETag", .value = file.etag},
       {.name = "Cache-Control", .value = "no-cache"},
       {.name = "Content-Security-Policy", .value = kPolicy},
       {.name = "X-Content-Type-Options", .value = "nosniff"},
       {.name = "Referrer-Policy", .value = "no-referrer"},
       {.name = "Cross-Origin-Resource-Policy", .value = "same-origin"}}};
  Response response{
      .status = 304, .persistence = target.persistence, .content_type = {}, .fields = fields};
  if (!if_none_match.empty() && names(if_none_match, file.etag)) {
    put(target, response, {});
    return;
  }
  response.status = 200;
  response.content_type = file.content_type;
  put(target, response, file.bytes);
}

void append_moved_response(const AnswerTarget& target, std::string_view location) {
  const std::array<HeaderField, 1> fields{{{.name = "Location", .value = location}}};
  put(target,
      {.status = 308, .persistence = target.persistence, .content_type = {}, .fields = fields}, {});
}

}  // namespace kvs
