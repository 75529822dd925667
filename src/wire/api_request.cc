#include <algorithm>
#include <array>
#include <charconv>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "core/address.h"
#include "core/backup_name.h"
#include "wire/api.h"
#include "wire/base64url.h"
#include "wire/peer_codec.h"
#include "wire/peer_http.h"
#include "wire/peer_members.h"
#include "wire/record_line.h"
#include "wire/request_site.h"
#include "wire/ttl.h"
#include "wire/url.h"
#include "wire/watch_request.h"

namespace kvs {

namespace {

constexpr std::string_view kKeyMethods = "GET, HEAD, PUT, DELETE, OPTIONS";
constexpr std::string_view kFolderMethods = "GET, HEAD, POST, DELETE, OPTIONS";
constexpr std::string_view kReadMethods = "GET, HEAD, OPTIONS";
constexpr std::string_view kJoinMethods = "POST, OPTIONS";
constexpr std::string_view kLeaveMethods = "POST, DELETE, OPTIONS";
constexpr std::string_view kAllMethods = "GET, HEAD, PUT, POST, DELETE, OPTIONS";
constexpr std::string_view kFrameMethods = "POST, OPTIONS";
constexpr std::string_view kBackupMethods = "POST, OPTIONS";
constexpr std::string_view kImportMethods = "POST, OPTIONS";
constexpr std::string_view kImportPath = "/import";
constexpr std::string_view kExportPrefix = "/export/";
constexpr std::string_view kDataPrefix = "/kv/";
constexpr std::string_view kConsole = "/ui";
constexpr std::string_view kConsolePrefix = "/ui/";
constexpr std::array<std::string_view, 4> kFramePaths{"/internal/v1/gossip", "/internal/v1/push",
                                                      "/internal/v1/sync", "/internal/v1/ballot"};

bool takes_frames(const RequestHead& head) {
  return std::ranges::find(kFramePaths, head.path) != kFramePaths.end();
}

bool is_read(Method method) {
  return method == Method::get || method == Method::head;
}

ApiError method_not_allowed(const RequestHead& head, std::string_view allow) {
  return {Error{.code = Errc::method_not_allowed,
                .detail =
                    fmt::format("{} is not possible here: use one of {}", head.method_name, allow)},
          allow};
}

std::unexpected<Error> no_route(std::string_view path) {
  if (path == "/kv" || path == "/members") {
    return fail(Errc::not_found,
                fmt::format("there is nothing at {0}: write {0}/ with a slash at the end", path));
  }
  return fail(Errc::not_found,
              "there is nothing here: the API has /kv/{path}, /members/, /cluster/convergence, "
              "/cluster/lost, /export/{path}, /import, /backup, /health and /metrics; for people "
              "there is /ui/");
}

/// Blanks that may stand around the commas of a list (RFC 9110, 5.6.3).
std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

/// `*` or one entity tag.
Result<Condition> parse_if_match(std::string_view field) {
  if (field == "*") {
    return Condition{.kind = Condition::Kind::if_exists, .uuid = {}};
  }
  std::string_view rest = field;
  const auto tag = take_entity_tag(rest);
  if (!tag) {
    return fail(Errc::bad_request,
                "If-Match is malformed: write the uuid in quotes, as in If-Match: \"<uuid>\"");
  }
  if (!rest.empty()) {
    return fail(Errc::bad_request, "If-Match names more than one version: name one, or *");
  }
  // A weak tag, or one that was never ours, matches nothing; no version has the zero uuid.
  const bool strong = tag->strength == EntityTag::Strength::strong;
  const auto uuid = strong ? parse_uuid(tag->opaque) : std::nullopt;
  return Condition{.kind = Condition::Kind::if_match, .uuid = uuid.value_or(Uuid{})};
}

/// `*` or a list of entity tags.
Result<std::string_view> check_if_none_match(std::string_view field) {
  if (field == "*") {
    return field;
  }
  std::string_view rest = field;
  for (bool first = true; first || !rest.empty(); first = false) {
    const auto tag = take_entity_tag(rest);
    rest = trim(rest);
    if (!tag || (!rest.empty() && !rest.starts_with(','))) {
      return fail(Errc::bad_request,
                  "If-None-Match is malformed: write * or uuids in quotes, separated by commas");
    }
    if (!rest.empty()) {
      rest = trim(rest.substr(1));
      if (rest.empty()) {
        return fail(Errc::bad_request, "If-None-Match ends with a comma");
      }
    }
  }
  return field;
}

Result<Condition> parse_write_condition(const RequestHead& head) {
  if (head.if_match && head.if_none_match) {
    return fail(Errc::bad_request, "If-Match and If-None-Match exclude each other: send one");
  }
  if (head.if_match) {
    return parse_if_match(*head.if_match);
  }
  if (!head.if_none_match) {
    return Condition{};
  }
  if (*head.if_none_match != "*") {
    return fail(Errc::bad_request, "a write takes no If-None-Match but *");
  }
  return Condition{.kind = Condition::Kind::if_absent, .uuid = {}};
}

/// Fields that change what a write means and that are not understood must not be ignored.
Result<void> check_write_fields(const RequestHead& head) {
  for (const HeaderField& field : head.fields.all()) {
    if (equals_lower_case(field.name, "content-encoding") &&
        !equals_lower_case(field.value, "identity")) {
      return fail(Errc::unsupported_media_type,
                  "values are stored as sent: send the JSON without Content-Encoding");
    }
    if (equals_lower_case(field.name, "content-range")) {
      return fail(Errc::bad_request, "a value is replaced whole: Content-Range is not possible");
    }
    if (equals_lower_case(field.name, "if-unmodified-since")) {
      return fail(Errc::bad_request,
                  "dates are too coarse for conditions: use If-Match with the uuid");
    }
  }
  return {};
}

Result<void> check_content_type(const RequestHead& head) {
  if (!head.content_type) {
    return {};
  }
  const std::string_view type = trim(head.content_type->substr(0, head.content_type->find(';')));
  if (!equals_lower_case(type, "application/json")) {
    return fail(Errc::unsupported_media_type,
                "values are JSON: send Content-Type: application/json, or none");
  }
  return {};
}

Result<std::size_t> parse_limit(std::string_view value) {
  std::size_t limit = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), limit);
  if (error != std::errc{} || end != value.data() + value.size() || limit < 1 ||
      limit > kListLimitMax) {
    return fail(Errc::invalid_query, fmt::format("limit is a number from 1 to {}", kListLimitMax));
  }
  return limit;
}

/// The bytes of a cursor, appended to `scratch`.
Result<std::string_view> decode_cursor(std::string_view text, std::string& scratch) {
  const std::size_t begin = scratch.size();
  if (!decode_base64url(text, scratch) || scratch.size() == begin) {
    return fail(Errc::invalid_query, "after is not a cursor: send what `next` gave");
  }
  return std::string_view(scratch).substr(begin);
}

/// One known parameter of a query, and its decoded value once it was met.
struct Parameter {
  std::string_view name;
  std::optional<std::string_view> value;
};

/// False if it was not given.
Result<bool> flag_of(const Parameter& parameter) {
  const std::string_view value = parameter.value.value_or("false");
  if (value != "true" && value != "false") {
    return fail(Errc::invalid_query, fmt::format("{} is true or false", parameter.name));
  }
  return value == "true";
}

/// Decodes `text` onto the end of `scratch`, which has room for it.
Result<std::string_view> decode_part(std::string_view text, std::string& scratch) {
  const std::size_t begin = scratch.size();
  if (!percent_decode(text, scratch, Plus::space)) {
    return fail(Errc::invalid_query, "the query has a malformed percent escape");
  }
  return std::string_view(scratch).substr(begin);
}

/// Most often the slash was forgotten.
std::string unknown_parameter(std::string_view name, std::string_view path) {
  const bool of_key = path.starts_with("/kv/") && !path.ends_with('/');
  return fmt::format("unknown query parameter `{}`{}", name,
                     of_key ? "; those of folders need a slash at the end of the path" : "");
}

/// Fills in `known`. What is not there, or there twice, is an error.
Result<void> parse_query(const RequestHead& head, std::span<Parameter> known,
                         std::string& scratch) {
  QueryReader reader(head.query.value_or(std::string_view()));
  for (;;) {
    const auto pair = KVS_TRY(reader.next());
    if (!pair) {
      return {};
    }
    const std::string_view name = KVS_TRY(decode_part(pair->name, scratch));
    const auto parameter = std::ranges::find(known, name, &Parameter::name);
    if (parameter == known.end()) {
      return fail(Errc::invalid_query, unknown_parameter(name, head.path));
    }
    if (parameter->value) {
      return fail(Errc::invalid_query, fmt::format("query parameter `{}` stands twice", name));
    }
    parameter->value = KVS_TRY(decode_part(pair->value, scratch));
  }
}

/// For targets that take no parameters.
Result<void> expect_no_query(const RequestHead& head, std::string& scratch) {
  return head.query ? parse_query(head, {}, scratch) : Result<void>();
}

}  // namespace

bool is_write(const RequestHead& head) {
  const bool folder = head.method == Method::del && head.path.ends_with('/');
  return (head.method == Method::put || head.method == Method::del) &&
         head.path.starts_with(kDataPrefix) && !folder;
}

std::uint64_t ApiParser::body_bytes_max(const RequestHead& head) const {
  // Enough for a member object; bodies that mean nothing are read and dropped.
  constexpr std::uint64_t kOtherBytesMax = 64U << 10U;
  constexpr std::uint64_t kImportBytesMax = 1U << 20U;
  if (head.method == Method::post && takes_frames(head)) {
    return peer_frame_bytes_max(limits_.value_bytes_max);
  }
  const bool folder = head.path.starts_with(kDataPrefix) && head.path.ends_with('/');
  if (head.method == Method::post && folder) {
    return std::max<std::uint64_t>(kBatchBytesMax, limits_.value_bytes_max + kOtherBytesMax);
  }
  if (head.method == Method::post && head.path == kImportPath) {
    // A line holds a value twice at most, once escaped, with its path.
    return 8 * limits_.value_bytes_max + kImportBytesMax;
  }
  const bool value = head.method == Method::put && is_write(head);
  return value ? limits_.value_bytes_max : kOtherBytesMax;
}

std::expected<ApiRequest, ApiError> ApiParser::parse(const RequestHead& head,
                                                     std::string_view body) {
  if (head.method == Method::post && comes_from_another_site(head)) {
    return fail(Errc::bad_request, "a page of another site asked for this: it may not");
  }
  if (head.path.starts_with(kDataPrefix)) [[likely]] {
    return parse_kv(head, body);
  }
  return parse_other(head, body);
}

std::expected<ApiRequest, ApiError> ApiParser::parse_kv(const RequestHead& head,
                                                        std::string_view body) {
  scratch_.clear();
  // Decoding never lengthens, and a cursor is decoded twice: no view into the text ever moves.
  scratch_.reserve(2 * head.target.size());
  if (!percent_decode(head.path.substr(kDataPrefix.size()), scratch_)) {
    return fail(Errc::invalid_key, "the path has a malformed percent escape");
  }
  const std::string_view path = scratch_;
  if (is_write(head)) {
    return parse_write(head, path, body);
  }
  if (path.empty() || path.ends_with('/')) {
    return parse_folder(head, path, body);
  }
  if (head.method == Method::options) {
    return GetOptions{.allow = kKeyMethods};
  }
  if (!is_read(head.method)) {
    return std::unexpected(method_not_allowed(head, kKeyMethods));
  }
  return parse_get(head, path);
}

std::expected<ApiRequest, ApiError> ApiParser::parse_folder(const RequestHead& head,
                                                            std::string_view path,
                                                            std::string_view body) {
  switch (head.method) {
    case Method::options:
      return GetOptions{.allow = kFolderMethods};
    case Method::get:
    case Method::head:
      return KVS_TRY(parse_names(head, path));
    case Method::post:
      return KVS_TRY(parse_batch(head, path, body));
    case Method::del:
      return KVS_TRY(parse_delete_below(head, path));
    default:
      return std::unexpected(method_not_allowed(head, kFolderMethods));
  }
}

/// `path`, which ends in a slash or is empty, without the slash.
Result<std::string_view> ApiParser::parse_folder_path(std::string_view path) const {
  if (!path.empty()) {
    path.remove_suffix(1);
    KVS_TRY(Key::parse(path, limits_.key_bytes_max));
  }
  return path;
}

/// The media type is demanded: a page of another origin cannot send it unasked.
Result<RunBatch> ApiParser::parse_batch(const RequestHead& head, std::string_view path,
                                        std::string_view body) {
  const std::string_view below = KVS_TRY(parse_folder_path(path));
  std::array<Parameter, 1> known{{{.name = "batch", .value = {}}}};
  KVS_TRY(parse_query(head, known, scratch_));
  const auto& batch = known[0].value;
  if (!batch || (!batch->empty() && *batch != "true")) {
    return fail(Errc::invalid_query, "POST is for batches here: write ?batch");
  }
  KVS_TRY(check_write_fields(head));
  if (head.if_match || head.if_none_match) {
    return fail(Errc::bad_request,
                "each operation of a batch has its own condition: use if_match in it");
  }
  if (!head.content_type) {
    return fail(Errc::unsupported_media_type, "send Content-Type: application/json");
  }
  KVS_TRY(check_content_type(head));
  if (!head.framing.content_length && !head.framing.chunked) {
    return fail(Errc::length_required, "say how long the batch is: send Content-Length");
  }
  KVS_TRY(json_.check(body));
  return RunBatch{.below = below, .body = body};
}

/// All data at once takes one word more, so that a variable which is empty does not delete it.
Result<DeleteBelow> ApiParser::parse_delete_below(const RequestHead& head, std::string_view path) {
  DeleteBelow asked{.path = KVS_TRY(parse_folder_path(path)), .report = DeleteBelow::Report::count};
  std::array<Parameter, 3> known{{{.name = "recursive", .value = {}},
                                  {.name = "everything", .value = {}},
                                  {.name = "progress", .value = {}}}};
  KVS_TRY(parse_query(head, known, scratch_));
  const auto& [recursive, everything, progress] = known;
  if (!KVS_TRY(flag_of(recursive))) {
    return fail(Errc::invalid_key,
                "a path that ends in a slash is no key: ?recursive=true deletes all keys below it");
  }
  if (KVS_TRY(flag_of(everything)) != asked.path.empty()) {
    return fail(Errc::invalid_query,
                asked.path.empty()
                    ? "this would delete all keys: write ?recursive=true&everything=true"
                    : "everything=true is for /kv/ alone");
  }
  if (KVS_TRY(flag_of(progress))) {
    asked.report = DeleteBelow::Report::progress;
  }
  KVS_TRY(check_write_fields(head));
  if (head.if_match || head.if_none_match) {
    return fail(Errc::bad_request, "conditions are for single keys: If-Match is not possible here");
  }
  return asked;
}

Result<GetValue> ApiParser::parse_get(const RequestHead& head, std::string_view path) {
  GetValue get{.key = KVS_TRY(Key::parse(path, limits_.key_bytes_max)),
               .form = GetValue::Form::bytes,
               .if_match = {},
               .if_none_match = {}};
  if (head.query) {
    std::array<Parameter, 1> known{{{.name = "meta", .value = {}}}};
    KVS_TRY(parse_query(head, known, scratch_));
    if (KVS_TRY(flag_of(known[0]))) {
      get.form = GetValue::Form::meta;
    }
  }
  if (head.if_match) {
    get.if_match = KVS_TRY(parse_if_match(*head.if_match));
  }
  if (head.if_none_match) {
    get.if_none_match = KVS_TRY(check_if_none_match(*head.if_none_match));
  }
  return get;
}

namespace {

/// The parameters of a target that ends in a slash.
struct FolderQuery {
  std::array<Parameter, 8> all{{{.name = "recursive"},
                                {.name = "values"},
                                {.name = "limit"},
                                {.name = "after"},
                                {.name = "watch"},
                                {.name = "since"},
                                {.name = "snapshot"},
                                {.name = "wait"}}};

  [[nodiscard]] const Parameter& operator[](std::string_view name) const {
    return *std::ranges::find(all, name, &Parameter::name);
  }
};

Result<ListKeys> list_of(const FolderQuery& query, std::string_view path, std::string& scratch) {
  if (query["since"].value || query["snapshot"].value || query["wait"].value) {
    return fail(Errc::invalid_query, "since, snapshot and wait belong to a watch: send watch=true");
  }
  ListKeys keys;
  keys.list.path = path;
  if (KVS_TRY(flag_of(query["recursive"]))) {
    keys.list.depth = ListRequest::Depth::below;
  }
  if (KVS_TRY(flag_of(query["values"]))) {
    keys.values = ListKeys::Values::include;
  }
  if (const auto limit = query["limit"].value) {
    keys.list.limit = KVS_TRY(parse_limit(*limit));
  }
  if (const auto after = query["after"].value) {
    keys.list.after = KVS_TRY(decode_cursor(*after, scratch));
  }
  return keys;
}

Result<WatchKeys> watch_of(const FolderQuery& query, std::string_view path,
                           const RequestHead& head) {
  if (query["recursive"].value || query["limit"].value || query["after"].value) {
    return fail(Errc::invalid_query, "a watch tells every key below: no recursive, limit or after");
  }
  const std::string_view told = head.fields.find("last-event-id").value_or("");
  WatchKeys keys{
      .watch = KVS_TRY(watch_from(path, told.empty() ? query["since"].value.value_or("") : told)),
      .wait = std::nullopt};
  if (KVS_TRY(flag_of(query["values"]))) {
    keys.watch.values = WatchRequest::Values::include;
  }
  if (KVS_TRY(flag_of(query["snapshot"])) && keys.watch.begin == WatchRequest::Begin::now) {
    keys.watch.begin = WatchRequest::Begin::all;
  }
  if (const auto wait = query["wait"].value) {
    keys.wait = KVS_TRY(parse_wait(*wait));
  }
  return keys;
}

}  // namespace

Result<ApiRequest> ApiParser::parse_names(const RequestHead& head, std::string_view path) {
  path = KVS_TRY(parse_folder_path(path));
  FolderQuery query;
  KVS_TRY(parse_query(head, query.all, scratch_));
  if (KVS_TRY(flag_of(query["watch"]))) {
    return KVS_TRY(watch_of(query, path, head));
  }
  return KVS_TRY(list_of(query, path, scratch_));
}

Result<GetLost> ApiParser::parse_lost(const RequestHead& head) {
  GetLost lost;
  std::array<Parameter, 2> known{{{.name = "limit", .value = {}}, {.name = "after", .value = {}}}};
  KVS_TRY(parse_query(head, known, scratch_));
  const auto& [limit, after] = known;
  if (limit.value) {
    lost.limit = KVS_TRY(parse_limit(*limit.value));
  }
  if (after.value) {
    lost.after = KVS_TRY(decode_cursor(*after.value, scratch_));
  }
  return lost;
}

/// Zero if none is asked for.
Result<Duration> ApiParser::parse_ttl_of(const RequestHead& head) {
  std::array<Parameter, 1> known{{{.name = "ttl", .value = {}}}};
  if (head.query) {
    KVS_TRY(parse_query(head, known, scratch_));
  }
  const auto& text = known[0].value;
  if (!text) {
    return Duration{};
  }
  const auto ttl = parse_ttl(*text);
  return ttl ? Result<Duration>(*ttl) : fail(Errc::invalid_query, std::string(kTtlRule));
}

Result<WriteCommand> ApiParser::parse_write(const RequestHead& head, std::string_view path,
                                            std::string_view body) {
  const bool put = head.method == Method::put;
  WriteCommand command{.ticket = {},
                       .kind = put ? WriteCommand::Kind::put : WriteCommand::Kind::del,
                       .key = KVS_TRY(Key::parse(path, limits_.key_bytes_max)),
                       .value = put ? body : std::string_view(),
                       .condition = KVS_TRY(parse_write_condition(head)),
                       .ttl = {}};
  if (!put) {
    KVS_TRY(expect_no_query(head, scratch_));
    KVS_TRY(check_write_fields(head));
    return command;
  }
  command.ttl = KVS_TRY(parse_ttl_of(head));
  KVS_TRY(check_write_fields(head));
  if (!head.framing.content_length && !head.framing.chunked) {
    return fail(Errc::length_required, "say how long the value is: send Content-Length");
  }
  if (body.size() > limits_.value_bytes_max) {
    return fail(Errc::value_too_large,
                fmt::format("the value has {} bytes, {} are allowed (max_value_bytes)", body.size(),
                            limits_.value_bytes_max));
  }
  KVS_TRY(check_content_type(head));
  KVS_TRY(json_.check(body));
  return command;
}

namespace {

/// What nodes send one another is no page that a browser could be made to send.
std::expected<ApiRequest, ApiError> parse_frame(const RequestHead& head, std::string_view body) {
  if (head.method == Method::options) {
    return GetOptions{.allow = kFrameMethods};
  }
  if (head.method != Method::post) {
    return std::unexpected(method_not_allowed(head, kFrameMethods));
  }
  if (!equals_lower_case(head.content_type.value_or(""), kPeerContentType)) {
    return fail(Errc::unsupported_media_type,
                fmt::format("this path is for nodes: send Content-Type: {}", kPeerContentType));
  }
  return PeerFrame{.bytes = body};
}

std::unexpected<Error> no_joiner(std::string_view why) {
  return fail(Errc::bad_request,
              fmt::format(R"(the body is no member: {}; send {{"id":"<node id>","address":)"
                          R"("<host:port>","joined_timestamp":<ms>}})",
                          why));
}

}  // namespace

std::expected<ApiRequest, ApiError> ApiParser::parse_membership(const RequestHead& head,
                                                                std::string_view body) {
  const bool leave = head.path.ends_with("leave");
  const std::string_view allow = leave ? kLeaveMethods : kJoinMethods;
  if (head.method == Method::options) {
    return GetOptions{.allow = allow};
  }
  const bool known = head.method == Method::post || (leave && head.method == Method::del);
  if (!known) {
    return std::unexpected(method_not_allowed(head, allow));
  }
  KVS_TRY(expect_no_query(head, scratch_));
  KVS_TRY(check_content_type(head));
  if (leave) {
    return KVS_TRY(parse_leave(body));
  }
  return KVS_TRY(parse_join(body));
}

/// One member object as /members/ shows it; fields that mean nothing here are ignored.
Result<JoinCluster> ApiParser::parse_join(std::string_view body) {
  KVS_TRY(json_.check(body));
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse({body.data(), body.size()}, error);
  const boost::json::object* const member = error ? nullptr : value.if_object();
  if (member == nullptr) {
    return no_joiner("it is no JSON object, or nested too deep");
  }
  const auto text_of = [member](std::string_view name) {
    const boost::json::value* const field = member->if_contains({name.data(), name.size()});
    const boost::json::string* const text = field == nullptr ? nullptr : field->if_string();
    return text == nullptr ? std::string_view() : std::string_view(text->data(), text->size());
  };
  const std::string_view id = text_of("id");
  const std::string_view address = text_of("address");
  if (id.empty() || id.size() > kPeerNodeIdBytesMax) {
    return no_joiner("`id` is missing or no name of a node");
  }
  if (!parse_address(address)) {
    return no_joiner("`address` is missing or not of the form host:port");
  }
  scratch_.assign(id).append(address);
  JoinCluster join{.id = std::string_view(scratch_).substr(0, id.size()),
                   .address = std::string_view(scratch_).substr(id.size())};
  if (const auto* const joined = member->if_contains("joined_timestamp")) {
    const std::int64_t* const ms = joined->if_int64();
    if (ms == nullptr || *ms < 0) {
      return no_joiner("`joined_timestamp` is no number of milliseconds");
    }
    join.joined_ms = *ms;
  }
  return join;
}

/// Nothing, or an object with the id of a member. An object without one must not stop this node.
Result<LeaveCluster> ApiParser::parse_leave(std::string_view body) {
  if (trim(body).empty()) {
    return LeaveCluster{};
  }
  KVS_TRY(json_.check(body));
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse({body.data(), body.size()}, error);
  const boost::json::object* const member = error ? nullptr : value.if_object();
  const boost::json::value* const field = member == nullptr ? nullptr : member->if_contains("id");
  const boost::json::string* const id = field == nullptr ? nullptr : field->if_string();
  if (id == nullptr || id->empty() || id->size() > kPeerNodeIdBytesMax) {
    return fail(Errc::bad_request,
                R"(send no body if this node is to leave, or {"id":"<node id>"} to remove a )"
                "failed member");
  }
  scratch_.assign(id->data(), id->size());
  return LeaveCluster{.id = scratch_};
}

std::expected<ApiRequest, ApiError> ApiParser::parse_export(const RequestHead& head) {
  if (head.method == Method::options) {
    return GetOptions{.allow = kReadMethods};
  }
  if (!is_read(head.method)) {
    return std::unexpected(method_not_allowed(head, kReadMethods));
  }
  if (!percent_decode(head.path.substr(kExportPrefix.size()), scratch_)) {
    return fail(Errc::invalid_key, "the path has a malformed percent escape");
  }
  std::string_view path = scratch_;
  if (path.ends_with('/')) {
    path.remove_suffix(1);
  }
  if (!path.empty()) {
    KVS_TRY(Key::parse(path, limits_.key_bytes_max));
  }
  std::array<Parameter, 2> known{
      {{.name = "after", .value = {}}, {.name = "deletions", .value = {}}}};
  KVS_TRY(parse_query(head, known, scratch_));
  ExportRecords asked{.path = path, .after = {}};
  if (const auto& after = known[0].value) {
    asked.after = KVS_TRY(decode_cursor(*after, scratch_));
  }
  if (KVS_TRY(flag_of(known[1]))) {
    asked.deletions = ExportRecords::Deletions::include;
  }
  return asked;
}

/// The type of the body must be told, as for a backup.
std::expected<ApiRequest, ApiError> ApiParser::parse_import(const RequestHead& head,
                                                            std::string_view body) {
  if (head.method == Method::options) {
    return GetOptions{.allow = kImportMethods};
  }
  if (head.method != Method::post) {
    return std::unexpected(method_not_allowed(head, kImportMethods));
  }
  KVS_TRY(expect_no_query(head, scratch_));
  const std::string_view type = head.content_type.value_or("");
  if (!equals_lower_case(trim(type.substr(0, type.find(';'))), kRecordLinesType)) {
    return fail(Errc::unsupported_media_type,
                fmt::format("send Content-Type: {}", kRecordLinesType));
  }
  return ImportRecords{.lines = body};
}

/// An object with the name of the backup. The type of the body must be told: then no foreign page
/// can make a browser send it without having asked.
std::expected<ApiRequest, ApiError> ApiParser::parse_backup(const RequestHead& head,
                                                            std::string_view body) {
  if (head.method == Method::options) {
    return GetOptions{.allow = kBackupMethods};
  }
  if (head.method != Method::post) {
    return std::unexpected(method_not_allowed(head, kBackupMethods));
  }
  KVS_TRY(expect_no_query(head, scratch_));
  KVS_TRY(check_content_type(head));
  if (!head.content_type) {
    return fail(Errc::unsupported_media_type, "send Content-Type: application/json");
  }
  KVS_TRY(json_.check(body));
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse({body.data(), body.size()}, error);
  const boost::json::object* const order = error ? nullptr : value.if_object();
  const boost::json::value* const field = order == nullptr ? nullptr : order->if_contains("name");
  const boost::json::string* const name = field == nullptr ? nullptr : field->if_string();
  if (name == nullptr || order->size() != 1 || !is_backup_name({name->data(), name->size()})) {
    return fail(Errc::bad_request,
                fmt::format(R"(send {{"name":"<name>"}}: 1 to {} letters, digits, `.`, `_`, `-`, )"
                            "of which a letter or digit comes first",
                            kBackupNameBytesMax));
  }
  scratch_.assign(name->data(), name->size());
  return TakeBackup{.name = scratch_};
}

std::expected<ApiRequest, ApiError> ApiParser::parse_other(const RequestHead& head,
                                                           std::string_view body) {
  scratch_.clear();
  scratch_.reserve(2 * head.target.size());
  constexpr std::array<std::string_view, 6> kViews{"/health",           "/metrics",
                                                   "/members/",         "/cluster/convergence",
                                                   "/cluster/verdicts", "/cluster/lost"};
  if (std::ranges::find(kViews, head.path) != kViews.end()) {
    return parse_view(head);
  }
  if (head.path == "/members/join" || head.path == "/members/leave") {
    return parse_membership(head, body);
  }
  if (takes_frames(head)) {
    return parse_frame(head, body);
  }
  if (head.path == kConsole || head.path.starts_with(kConsolePrefix)) {
    return parse_console(head);
  }
  if (head.path.starts_with(kExportPrefix)) {
    return parse_export(head);
  }
  if (head.path == kImportPath) {
    return parse_import(head, body);
  }
  if (head.path == "/backup") {
    return parse_backup(head, body);
  }
  if (head.path == "*") {
    return GetOptions{.allow = kAllMethods};
  }
  return no_route(head.path);
}

std::expected<ApiRequest, ApiError> ApiParser::parse_console(const RequestHead& head) {
  if (head.method == Method::options) {
    return GetOptions{.allow = kReadMethods};
  }
  if (!is_read(head.method)) {
    return std::unexpected(method_not_allowed(head, kReadMethods));
  }
  KVS_TRY(expect_no_query(head, scratch_));
  if (head.path == kConsole) {
    return Moved{.location = kConsolePrefix};
  }
  GetConsole console{.name = head.path.substr(kConsolePrefix.size()), .if_none_match = {}};
  if (head.if_none_match) {
    console.if_none_match = KVS_TRY(check_if_none_match(*head.if_none_match));
  }
  return console;
}

std::expected<ApiRequest, ApiError> ApiParser::parse_view(const RequestHead& head) {
  if (head.method == Method::options) {
    return GetOptions{.allow = kReadMethods};
  }
  if (!is_read(head.method)) {
    return std::unexpected(method_not_allowed(head, kReadMethods));
  }
  if (head.path == "/members/") {
    std::array<Parameter, 1> known{{{.name = "all", .value = {}}}};
    KVS_TRY(parse_query(head, known, scratch_));
    const bool all = KVS_TRY(flag_of(known[0]));
    return GetMembers{.which = all ? GetMembers::Which::all : GetMembers::Which::live};
  }
  if (head.path == "/cluster/lost") {
    return KVS_TRY(parse_lost(head));
  }
  KVS_TRY(expect_no_query(head, scratch_));
  if (head.path == "/health") {
    return GetHealth{};
  }
  if (head.path == "/cluster/convergence") {
    return GetConvergence{};
  }
  if (head.path == "/cluster/verdicts") {
    return GetVerdicts{};
  }
  return GetMetrics{};
}

}  // namespace kvs
