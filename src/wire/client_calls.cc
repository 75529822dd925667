#include "wire/client_calls.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "wire/base64url.h"
#include "wire/http_write.h"
#include "wire/json_view.h"
#include "wire/url.h"

namespace kvs {

namespace {

std::optional<HeaderField> field_of(const CallCondition& condition, std::string& tag) {
  switch (condition.kind) {
    case CallCondition::Kind::none:
      return std::nullopt;
    case CallCondition::Kind::if_version:
      tag = fmt::format("\"{}\"", condition.uuid);
      return HeaderField{.name = "If-Match", .value = tag};
    case CallCondition::Kind::if_present:
      return HeaderField{.name = "If-Match", .value = "*"};
    case CallCondition::Kind::if_absent:
      return HeaderField{.name = "If-None-Match", .value = "*"};
  }
  return std::nullopt;
}

std::optional<Errc> code_named(std::string_view name) {
  constexpr auto kLast = static_cast<unsigned>(Errc::address_unusable);
  for (unsigned number = 0; number <= kLast; ++number) {
    const auto code = static_cast<Errc>(number);
    if (to_string(code) == name) {
      return code;
    }
  }
  return std::nullopt;
}

/// For answers of something between the client and the node.
Errc code_of_status(unsigned status) {
  switch (status) {
    case 404:
      return Errc::not_found;
    case 412:
      return Errc::version_mismatch;
    case 502:
    case 504:
      return Errc::address_unusable;
    case 503:
      return Errc::overloaded;
    case 507:
      return Errc::disk_full;
    default:
      return status >= 500 ? Errc::io_error : Errc::bad_request;
  }
}

}  // namespace

void append_call(std::string& out, std::string_view host, const ClientCall& call) {
  std::string tag;
  const auto field = field_of(call.condition, tag);
  const bool has_body = !call.body.empty() || call.method == "PUT";
  put_request(
      out,
      {.method = call.method,
       .target = call.target,
       .host = host,
       .content_type = has_body ? call.content_type : std::string_view(),
       .fields = field ? std::span<const HeaderField>(&*field, 1) : std::span<const HeaderField>()},
      call.body);
}

std::string key_target(Key key) {
  std::string target = "/kv/";
  percent_encode(key.text(), target);
  return target;
}

std::string list_target(const ListCall& call) {
  std::string target = "/kv/";
  if (!call.path.empty()) {
    percent_encode(call.path, target);
    target.push_back('/');
  }
  target += fmt::format("?limit={}", call.limit);
  if (call.depth == ListCall::Depth::below) {
    target += "&recursive=true";
  }
  if (call.values == ListCall::Values::include) {
    target += "&values=true";
  }
  if (!call.after.empty()) {
    target += "&after=" + call.after;
  }
  return target;
}

std::string delete_below_target(std::string_view path) {
  if (path.empty()) {
    return "/kv/?recursive=true&everything=true&progress=true";
  }
  std::string target = "/kv/";
  percent_encode(path, target);
  return target += "/?recursive=true&progress=true";
}

std::string export_target(const ExportCall& call) {
  std::string target = "/export/";
  if (!call.path.empty()) {
    percent_encode(call.path, target);
    target.push_back('/');
  }
  const bool deletions = call.deletions == ExportCall::Deletions::include;
  target += deletions ? "?deletions=true" : "?deletions=false";
  if (!call.after.empty()) {
    target += "&after=" + cursor_after(call.after);
  }
  return target;
}

std::string cursor_after(std::string_view name) {
  std::string cursor;
  encode_base64url(name, cursor);
  return cursor;
}

Error error_of(const AnswerHead& head, std::string_view body) {
  const auto error = json_member(body, "error");
  const auto name = error ? json_string_member(*error, "code") : std::nullopt;
  auto message = error ? json_string_member(*error, "message") : std::nullopt;
  if (!name || !message) {
    return {.code = code_of_status(head.status),
            .detail = fmt::format("status {} without an error of a KVS node: is something else "
                                  "listening there, or standing in between?",
                                  head.status)};
  }
  return {.code = code_named(*name).value_or(code_of_status(head.status)),
          .detail = *std::move(message)};
}

}  // namespace kvs
