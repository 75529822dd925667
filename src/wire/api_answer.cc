#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include "wire/api.h"
#include "wire/base64url.h"
#include "wire/http_date.h"
#include "wire/peer_http.h"
#include "wire/record_line.h"

namespace kvs {

namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kMetricsText = "text/plain; version=0.0.4; charset=utf-8";

/// Text made on the stack: fields and bodies of the frequent answers cost no allocation.
class SmallText {
 public:
  SmallText& text(std::string_view text) {
    std::memcpy(end_, text.data(), text.size());
    end_ += text.size();
    return *this;
  }

  SmallText& number(std::int64_t number) {
    end_ = std::to_chars(end_, bytes_.data() + bytes_.size(), number).ptr;
    return *this;
  }

  SmallText& uuid(const Uuid& uuid) {
    char digits[Uuid::kTextSize];
    format_uuid(uuid, digits);
    return text({digits, sizeof digits});
  }

  [[nodiscard]] std::string_view view() const {
    return {bytes_.data(), static_cast<std::size_t>(end_ - bytes_.data())};
  }

 private:
  std::array<char, 136> bytes_{};  // the longest: the answer to a PUT, 110 bytes
  char* end_ = bytes_.data();
};

/// The most fields that an answer has of its own.
constexpr std::size_t kFieldsMax = 6;

/// What of an answer differs from one to the next.
struct AnswerHead {
  unsigned status = 200;
  std::string_view content_type;
  std::span<const HeaderField> fields;
};

constexpr HeaderField source_field(AnswerSource source) {
  return {.name = "X-KVS-Source", .value = source == AnswerSource::proxy ? "proxy" : "partial"};
}

void put(const AnswerTarget& target, const Response& response, std::string_view body) {
  if (target.head_only) {
    put_response_to_head(target.out, response, body.size());
  } else {
    put_response(target.out, response, body);
  }
}

void put_answer(const AnswerTarget& target, const AnswerHead& head, std::string_view body) {
  Response response{.status = head.status,
                    .persistence = target.persistence,
                    .content_type = head.content_type,
                    .fields = head.fields};
  if (target.source == AnswerSource::here) {
    put(target, response, body);
    return;
  }
  std::array<HeaderField, kFieldsMax + 1> marked;
  std::ranges::copy(head.fields, marked.begin());
  marked[head.fields.size()] = source_field(target.source);
  response.fields = {marked.data(), head.fields.size() + 1};
  put(target, response, body);
}

/// A JSON answer without further fields.
void put_json(const AnswerTarget& target, unsigned status, std::string_view body) {
  put_answer(target, {.status = status, .content_type = kJson, .fields = {}}, body);
}

/// RFC 9110, 13.1.2: weak comparison, so strength does not matter.
bool lists_version(std::string_view if_none_match, const Uuid& uuid) {
  if (if_none_match == "*") {
    return true;
  }
  while (const auto tag = take_entity_tag(if_none_match)) {
    if (parse_uuid(tag->opaque) == uuid) {
      return true;
    }
    const std::size_t next = if_none_match.find_first_not_of(" \t,");
    if_none_match.remove_prefix(std::min(next, if_none_match.size()));
  }
  return false;
}

bool holds(const Condition& condition, const Uuid& uuid) {
  return condition.kind != Condition::Kind::if_match || condition.uuid == uuid;
}

std::string meta_body(Key key, const RecordView& record) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("path").string(key.text());
  json.key("uuid").string(to_string(record.header.version.uuid));
  json.key("timestamp").number(record.header.version.stamp.ms());
  if (record.header.expires_ms != 0) {
    json.key("expires").number(record.header.expires_ms);
  }
  json.key("data").raw(record.value);
  json.end_object();
  return body;
}

void put_written(const AnswerTarget& target, const WriteOutcome& outcome) {
  SmallText body;
  body.text(R"({"uuid":")").uuid(outcome.uuid).text(R"(","timestamp":)");
  body.number(outcome.stamp.ms());
  if (outcome.expires_ms != 0) {
    body.text(R"(,"expires":)").number(outcome.expires_ms);
  }
  body.text("}");
  put_json(target, outcome.status == WriteStatus::created ? 201 : 200, body.view());
}

void put_deleted(const AnswerTarget& target, const WriteOutcome& outcome) {
  SmallText stamp;
  stamp.number(outcome.stamp.ms());
  const std::array<HeaderField, 1> fields{{{.name = "X-KVS-Timestamp", .value = stamp.view()}}};
  put_answer(target, {.status = 204, .content_type = {}, .fields = fields}, {});
}

}  // namespace

unsigned http_status(Errc code) {
  switch (code) {
    case Errc::invalid_key:
    case Errc::invalid_json:
    case Errc::invalid_query:
    case Errc::bad_request:
      return 400;
    case Errc::not_found:
      return 404;
    case Errc::method_not_allowed:
      return 405;
    case Errc::request_timeout:
      return 408;
    case Errc::id_in_use:
    case Errc::cluster_mismatch:
      return 409;
    case Errc::length_required:
      return 411;
    case Errc::version_mismatch:
      return 412;
    case Errc::value_too_large:
      return 413;
    case Errc::key_too_large:
      return 414;
    case Errc::unsupported_media_type:
      return 415;
    case Errc::expectation_failed:
      return 417;
    case Errc::headers_too_large:
      return 431;
    case Errc::not_implemented:
      return 501;
    case Errc::read_only:
    case Errc::syncing:
    case Errc::overloaded:
    case Errc::shutting_down:
    case Errc::ttl_unsupported:
      return 503;
    case Errc::http_version_not_supported:
      return 505;
    case Errc::disk_full:
      return 507;
    case Errc::corrupt_data:
    case Errc::io_error:
    case Errc::invalid_config:
    case Errc::data_dir_unusable:
    case Errc::format_too_new:
    case Errc::address_unusable:
      return 500;
  }
  return 500;
}

Errc errc_of(WriteStatus status) {
  switch (status) {
    case WriteStatus::not_found:
      return Errc::not_found;
    case WriteStatus::version_mismatch:
      return Errc::version_mismatch;
    case WriteStatus::read_only:
      return Errc::read_only;
    case WriteStatus::syncing:
      return Errc::syncing;
    case WriteStatus::disk_full:
      return Errc::disk_full;
    case WriteStatus::overloaded:
      return Errc::overloaded;
    case WriteStatus::shutting_down:
      return Errc::shutting_down;
    case WriteStatus::corrupt_data:
      return Errc::corrupt_data;
    case WriteStatus::ttl_unsupported:
      return Errc::ttl_unsupported;
    case WriteStatus::created:
    case WriteStatus::replaced:
    case WriteStatus::deleted:
    case WriteStatus::io_error:
      return Errc::io_error;
  }
  return Errc::io_error;
}

std::string_view retry_after(Errc code) {
  switch (code) {
    case Errc::overloaded:
      return "1";
    case Errc::syncing:
    case Errc::shutting_down:
      return "5";
    case Errc::disk_full:
      return "10";
    case Errc::read_only:
    case Errc::ttl_unsupported:
      return "60";
    default:
      return {};
  }
}

std::string_view message_of(WriteStatus status) {
  switch (status) {
    case WriteStatus::not_found:
      return "there is no value under this key";
    case WriteStatus::version_mismatch:
      return "the condition does not hold: read the key again and decide anew";
    case WriteStatus::read_only:
      return "this node is read-only: write to another, or set read_only: false";
    case WriteStatus::syncing:
      return "this node still fetches data: write to another, or try again later";
    case WriteStatus::disk_full:
      return "the disk is full: nothing was written; it goes on when there is space";
    case WriteStatus::overloaded:
      return "too many writes are waiting: nothing was written; try again";
    case WriteStatus::shutting_down:
      return "this node is stopping: nothing was written; write to another";
    case WriteStatus::corrupt_data:
      return "damage on this node's disk: if only this record is damaged, PUT without conditions "
             "replaces it; if /health is degraded, restore data_dir from a backup";
    case WriteStatus::ttl_unsupported:
      return "a member of an earlier version could not read a value that expires: nothing was "
             "written; upgrade all members, or write without ttl";
    case WriteStatus::io_error:
      return "the disk failed: whether the write took place is unknown; see the node's log";
    default:
      return "the write succeeded";
  }
}

void append_version_members(std::string& out, const Uuid& uuid, Stamp stamp) {
  SmallText members;
  members.text(R"(,"uuid":")").uuid(uuid).text(R"(","timestamp":)").number(stamp.ms());
  out.append(members.view());
}

void append_timestamp_member(std::string& out, Stamp stamp) {
  SmallText members;
  members.text(R"(,"timestamp":)").number(stamp.ms());
  out.append(members.view());
}

void append_expires_member(std::string& out, std::int64_t expires_ms) {
  if (expires_ms != 0) {
    SmallText member;
    member.text(R"(,"expires":)").number(expires_ms);
    out.append(member.view());
  }
}

void append_error_member(std::string& out, const Error& error) {
  out.append(R"(,"error":{"code":")").append(to_string(error.code)).append(R"(","message":)");
  append_json_string(out, error.detail);
  out.push_back('}');
}

void append_value_response(const AnswerTarget& target, const GetValue& request,
                           const RecordView& record) {
  const Version& version = record.header.version;
  if (!holds(request.if_match, version.uuid)) {
    append_error_response(target,
                          Error{.code = Errc::version_mismatch,
                                .detail = "the key holds another version than If-Match names"});
    return;
  }
  SmallText tag;
  tag.text("\"").uuid(version.uuid).text("\"");
  SmallText stamp;
  stamp.number(version.stamp.ms());
  char date[kHttpDateSize];
  format_http_date(version.stamp.ms(), date);
  std::array<HeaderField, kFieldsMax> all_fields{
      {{.name = "ETag", .value = tag.view()},
       {.name = "Last-Modified", .value = {date, sizeof date}},
       {.name = "X-KVS-Timestamp", .value = stamp.view()}}};
  std::span<const HeaderField> fields(all_fields.data(), 3);
  std::optional<SmallText> expiry;
  char expiry_date[kHttpDateSize];
  if (record.header.expires_ms != 0) {
    expiry.emplace().number(record.header.expires_ms);
    format_http_date(record.header.expires_ms, expiry_date);
    // To HTTP, Expires alone would permit caches to answer by themselves until then.
    all_fields[3] = {.name = "Expires", .value = {expiry_date, sizeof expiry_date}};
    all_fields[4] = {.name = "X-KVS-Expires", .value = expiry->view()};
    all_fields[5] = {.name = "Cache-Control", .value = "no-cache"};
    fields = all_fields;
  }
  if (!request.if_none_match.empty() && lists_version(request.if_none_match, version.uuid)) {
    put_answer(target, {.status = 304, .content_type = {}, .fields = fields}, {});
    return;
  }
  const AnswerHead head{.status = 200, .content_type = kJson, .fields = fields};
  if (request.form == GetValue::Form::meta) {
    put_answer(target, head, meta_body(request.key, record));
  } else {
    put_answer(target, head, record.value);
  }
}

void append_no_value_response(const AnswerTarget& target) {
  put_json(target, 404,
           R"({"error":{"code":"not_found","message":"there is no value under this key"}})");
}

void append_write_response(const AnswerTarget& target, const WriteOutcome& outcome) {
  switch (outcome.status) {
    case WriteStatus::created:
    case WriteStatus::replaced:
      put_written(target, outcome);
      return;
    case WriteStatus::deleted:
      put_deleted(target, outcome);
      return;
    case WriteStatus::not_found:
      append_no_value_response(target);
      return;
    default:
      append_error_response(target, Error{.code = errc_of(outcome.status),
                                          .detail = std::string(message_of(outcome.status))});
  }
}

void append_error_response(const AnswerTarget& target, const ApiError& error) {
  std::string body = R"({"error":{"code":")";
  body.append(to_string(error.code)).append(R"(","message":)");
  append_json_string(body, error.message);
  body.append("}}");
  std::array<HeaderField, 2> fields;
  std::size_t count = 0;
  if (!error.allow.empty()) {
    fields[count++] = {.name = "Allow", .value = error.allow};
  }
  if (const std::string_view seconds = retry_after(error.code); !seconds.empty()) {
    fields[count++] = {.name = "Retry-After", .value = seconds};
  }
  put_answer(
      target,
      {.status = http_status(error.code), .content_type = kJson, .fields = {fields.data(), count}},
      body);
}

void append_options_response(const AnswerTarget& target, const GetOptions& options) {
  const std::array<HeaderField, 1> fields{{{.name = "Allow", .value = options.allow}}};
  put_answer(target, {.status = 204, .content_type = {}, .fields = fields}, {});
}

void append_list_response(const AnswerTarget& target, std::string_view body) {
  put_json(target, 200, body);
}

void append_list_head(const AnswerTarget& target) {
  const HeaderField source = source_field(target.source);
  const std::size_t fields = target.source == AnswerSource::here ? 0 : 1;
  put_stream_head(target.out,
                  {.status = 200,
                   .persistence = target.persistence,
                   .content_type = kJson,
                   .fields = {&source, fields}},
                  target.stream_framing);
}

void append_export_head(const AnswerTarget& target) {
  const HeaderField source = source_field(target.source);
  const std::size_t fields = target.source == AnswerSource::here ? 0 : 1;
  put_stream_head(target.out,
                  {.status = 200,
                   .persistence = target.persistence,
                   .content_type = kRecordLinesType,
                   .fields = {&source, fields}},
                  target.stream_framing);
}

void append_import_response(const AnswerTarget& target, std::size_t taken) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("taken").number(static_cast<std::int64_t>(taken));
  json.end_object();
  put_json(target, 200, body);
}

void append_watch_head(const AnswerTarget& target, const WatchKeys& request) {
  // Proxies shall neither keep events nor hold them back (the second field is nginx's).
  constexpr std::array<HeaderField, 2> kFields{{{.name = "Cache-Control", .value = "no-store"},
                                                {.name = "X-Accel-Buffering", .value = "no"}}};
  put_stream_head(target.out,
                  {.status = 200,
                   .persistence = target.persistence,
                   .content_type = request.wait ? kJson : "text/event-stream",
                   .fields = kFields},
                  target.stream_framing);
}

void append_frame_response(const AnswerTarget& target, std::string_view frame) {
  put_answer(target, {.status = 200, .content_type = kPeerContentType, .fields = {}}, frame);
}

void append_members_response(const AnswerTarget& target, std::span<const MemberView> members) {
  std::string body;
  JsonWriter json(body);
  json.begin_array();
  for (const MemberView& member : members) {
    json.begin_object();
    json.key("id").string(member.id);
    json.key("address").string(member.address);
    json.key("last_seen").number(member.last_seen_ms);
    json.key("joined_timestamp").number(member.joined_ms);
    json.key("state").string(member.state);
    json.key("mode").string(member.mode);
    if (!member.version.empty()) {
      json.key("version").string(member.version);
    }
    json.end_object();
  }
  json.end_array();
  put_json(target, 200, body);
}

void append_leave_response(const AnswerTarget& target, Handover handover) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("left").boolean(true);
  json.key("handed_over").boolean(handover == Handover::complete);
  json.end_object();
  put_json(target, 200, body);
}

void append_removed_response(const AnswerTarget& target, std::string_view id) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("removed").string(id);
  json.end_object();
  put_json(target, 200, body);
}

void append_backup_response(const AnswerTarget& target, const BackupView& backup) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("name").string(backup.name);
  json.key("path").string(backup.path);
  json.key("id").string(backup.id);
  json.key("taken").number(backup.taken_ms);
  json.key("bytes").number(static_cast<std::int64_t>(backup.bytes));
  json.end_object();
  put_json(target, 201, body);
}

namespace {

void put_row(JsonWriter& json, const ConvergenceView::Row& row) {
  const auto number_or_null = [&json](std::string_view name, const auto& value) {
    json.key(name);
    if (value) {
      json.number(static_cast<std::int64_t>(*value));
    } else {
      json.raw("null");
    }
  };
  json.begin_object();
  json.key("id").string(row.id);
  json.key("state").string(row.state);
  number_or_null("writes_behind", row.writes_behind);
  json.key("writes_owed").number(static_cast<std::int64_t>(row.writes_owed));
  json.key("fingerprints_agree");
  if (row.fingerprints_agree) {
    json.boolean(*row.fingerprints_agree);
  } else {
    json.raw("null");
  }
  number_or_null("as_of_ms", row.as_of_ms);
  json.end_object();
}

}  // namespace

void append_convergence_response(const AnswerTarget& target, const ConvergenceView& view) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("converged").boolean(view.converged);
  json.key("summary").string(view.summary);
  json.key("fingerprint");
  if (view.fingerprint) {
    json.string(*view.fingerprint);
  } else {
    json.raw("null");
  }
  json.key("members").begin_array();
  for (const ConvergenceView::Row& row : view.rows) {
    put_row(json, row);
  }
  json.end_array();
  json.end_object();
  put_json(target, 200, body);
}

void append_verdicts_response(const AnswerTarget& target, std::span<const VerdictView> verdicts) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("verdicts").begin_array();
  for (const VerdictView& verdict : verdicts) {
    json.begin_object();
    json.key("path").string(verdict.path);
    json.key("settled_timestamp").number(verdict.settled_ms);
    json.key("rule").string(verdict.rule);
    json.key("winner").string(to_string(verdict.winner));
    json.key("timestamp").number(verdict.timestamp_ms);
    json.key("versions").begin_array();
    for (const VerdictView::Candidate& candidate : verdict.candidates) {
      json.begin_object();
      json.key("uuid").string(to_string(candidate.uuid));
      json.key("votes").number(static_cast<std::int64_t>(candidate.votes));
      json.end_object();
    }
    json.end_array();
    json.end_object();
  }
  json.end_array();
  json.end_object();
  put_json(target, 200, body);
}

void append_lost_response(const AnswerTarget& target, const LostView& view) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("lost").begin_array();
  for (const LostView::Row& row : view.rows) {
    json.begin_object();
    json.key("path").string(row.path);
    json.key("uuid").string(to_string(row.record.header.version.uuid));
    json.key("timestamp").number(row.record.header.version.stamp.ms());
    json.key("lost_timestamp").number(row.lost_ms);
    json.key("data").raw(row.record.value);
    json.end_object();
  }
  json.end_array();
  if (!view.next.empty()) {
    std::string cursor;
    encode_base64url(view.next, cursor);
    json.key("next").string(cursor);
  }
  json.end_object();
  put_json(target, 200, body);
}

void append_health_response(const AnswerTarget& target, const HealthView& health) {
  const bool ok = health.status == HealthView::Status::ok;
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("status").string(ok ? "ok" : "degraded");
  if (!ok) {
    json.key("reason").string(health.reason);
  }
  json.key("mode").string(to_string(health.mode));
  json.key("member_count").number(static_cast<std::int64_t>(health.member_count));
  json.key("node_id").string(health.node_id);
  json.key("version").string(health.version);
  json.key("uptime_ms").number(health.uptime_ms);
  json.key("clock_ahead_ms").number(health.clock_ahead_ms);
  if (!health.warnings.empty()) {
    json.key("warnings").begin_array();
    for (const std::string& warning : health.warnings) {
      json.string(warning);
    }
    json.end_array();
  }
  json.end_object();
  put_json(target, ok ? 200 : 503, body);
}

void append_metrics_response(const AnswerTarget& target, std::string_view text) {
  put_answer(target, {.status = 200, .content_type = kMetricsText, .fields = {}}, text);
}

}  // namespace kvs
