#include "wire/batch.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/ids.h"
#include "wire/json.h"
#include "wire/ttl.h"

namespace kvs {

namespace {

/// Appends `{"status":N`.
void begin_result(std::string& out, unsigned status) {
  std::array<char, 10> digits{};
  char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), status).ptr;
  out.append(R"({"status":)").append(digits.data(), end);
}

std::optional<BatchOperation::Kind> kind_named(std::string_view name) {
  if (name == "put") {
    return BatchOperation::Kind::put;
  }
  if (name == "delete") {
    return BatchOperation::Kind::del;
  }
  if (name == "get") {
    return BatchOperation::Kind::get;
  }
  return std::nullopt;
}

bool holds(const Condition& condition, const Uuid& uuid) {
  return condition.kind == Condition::Kind::if_exists ||
         (condition.kind == Condition::Kind::if_match && condition.uuid == uuid);
}

}  // namespace

BatchReader::BatchReader(std::string_view below, std::string_view body, const ApiLimits& limits)
    : walk_(body), limits_(limits), key_(below) {
  if (!below.empty()) {
    key_.push_back('/');
  }
  below_bytes_ = key_.size();
}

std::unexpected<Error> BatchReader::malformed(std::string_view why) const {
  return fail(Errc::bad_request, fmt::format("operations[{}]: {}", read_, why));
}

Result<void> BatchReader::begin() {
  begun_ = true;
  std::optional<std::string_view> name;
  if (walk_.take('{')) {
    name = walk_.take_value();
  }
  if (!name || json_string(*name) != "operations" || !walk_.take(':') || !walk_.take('[')) {
    return fail(Errc::bad_request,
                R"(the body is no batch: send {"operations":[{"op":"put","path":"a","data":1},)"
                R"({"op":"delete","path":"b"},{"op":"get","path":"c"}]})");
  }
  if (walk_.take(']')) {
    return end();
  }
  return {};
}

Result<void> BatchReader::end() {
  ended_ = true;
  if (!walk_.take('}')) {
    return fail(Errc::bad_request, "a batch has `operations` and nothing else");
  }
  return {};
}

Result<std::optional<BatchOperation>> BatchReader::next() {
  if (!begun_) {
    KVS_TRY(begin());
  }
  if (ended_) {
    return std::optional<BatchOperation>();
  }
  if (read_ == kBatchOperationsMax) {
    return fail(Errc::value_too_large,
                fmt::format("a batch has at most {} operations", kBatchOperationsMax));
  }
  const Fields fields = KVS_TRY(take_fields());
  std::optional<BatchOperation> read = KVS_TRY(operation(fields));
  ++read_;
  if (!walk_.take(',')) {
    if (!walk_.take(']')) {
      return malformed("the array does not end after it");
    }
    KVS_TRY(end());
  }
  return read;
}

/// What is not known might be a condition, so it is not ignored.
Result<BatchReader::Fields> BatchReader::take_fields() {
  Fields fields;
  if (!walk_.take('{')) {
    return malformed("it is no object");
  }
  for (bool more = !walk_.take('}'); more; more = !walk_.take('}')) {
    const auto name = walk_.take_value();
    const auto value = name && walk_.take(':') ? walk_.take_value() : std::nullopt;
    const auto text = name ? json_string(*name) : std::nullopt;
    if (!text || !value) {
      return malformed("it is no object");
    }
    if (*text == "op") {
      fields.op = value;
    } else if (*text == "path") {
      fields.path = value;
    } else if (*text == "data") {
      fields.data = value;
    } else if (*text == "ttl") {
      fields.ttl = value;
    } else if (*text == "if_match") {
      fields.if_match = value;
    } else if (*text == "if_none_match") {
      fields.if_none_match = value;
    } else {
      return malformed(fmt::format("unknown field `{}`", *text));
    }
    walk_.take(',');
  }
  return fields;
}

Result<BatchOperation> BatchReader::operation(const Fields& fields) {
  const auto name = fields.op ? json_string(*fields.op) : std::nullopt;
  const auto kind = name ? kind_named(*name) : std::nullopt;
  if (!kind) {
    return malformed(R"(`op` is "put", "delete" or "get")");
  }
  const bool put = *kind == BatchOperation::Kind::put;
  if (fields.data.has_value() != put) {
    return malformed(put ? "a put has `data`, which is any JSON value" : "only a put has `data`");
  }
  const auto ttl = fields.ttl ? parse_ttl(*fields.ttl) : Duration{};
  if (!ttl || (fields.ttl && !put)) {
    return malformed(put ? kTtlRule : "only a put has `ttl`");
  }
  key_.resize(below_bytes_);
  if (!fields.path || !append_unquoted(*fields.path, key_)) {
    return malformed("`path` is a string");
  }
  BatchOperation read;
  read.kind = *kind;
  read.value = fields.data.value_or(std::string_view());
  read.ttl = *ttl;
  KVS_TRY(take_conditions(fields, read));
  read.refusal = refusal_of(read);
  return read;
}

Result<void> BatchReader::take_conditions(const Fields& fields, BatchOperation& operation) const {
  const Condition wanted = fields.if_match ? KVS_TRY(condition_of(*fields.if_match)) : Condition{};
  const Condition unwanted =
      fields.if_none_match ? KVS_TRY(condition_of(*fields.if_none_match)) : Condition{};
  if (operation.kind == BatchOperation::Kind::get) {
    operation.get = {.wanted = wanted, .known = unwanted};
    return {};
  }
  if (fields.if_match && fields.if_none_match) {
    return malformed("`if_match` and `if_none_match` exclude each other");
  }
  if (unwanted.kind == Condition::Kind::if_match) {
    return malformed("a write takes no `if_none_match` but \"*\"");
  }
  operation.condition =
      fields.if_none_match ? Condition{.kind = Condition::Kind::if_absent, .uuid = {}} : wanted;
  return {};
}

/// `"*"` or the uuid of a version, as a JSON string.
Result<Condition> BatchReader::condition_of(std::string_view text) const {
  const auto named = json_string(text);
  if (named == "*") {
    return Condition{.kind = Condition::Kind::if_exists, .uuid = {}};
  }
  const auto uuid = named ? parse_uuid(*named) : std::nullopt;
  if (!uuid) {
    return malformed("a condition is the uuid of a version as a string, or \"*\"");
  }
  return Condition{.kind = Condition::Kind::if_match, .uuid = *uuid};
}

/// Checks key and value; sets the key.
std::optional<Error> BatchReader::refusal_of(BatchOperation& operation) {
  auto key = Key::parse(key_, limits_.key_bytes_max);
  if (!key) {
    return std::move(key).error();
  }
  operation.key = *key;
  if (operation.value.size() > limits_.value_bytes_max) {
    return Error{.code = Errc::value_too_large,
                 .detail = fmt::format("the value has {} bytes, {} are allowed (max_value_bytes)",
                                       operation.value.size(), limits_.value_bytes_max)};
  }
  return std::nullopt;
}

void append_write_result(std::string& out, const WriteOutcome& outcome) {
  if (!succeeded(outcome.status)) {
    append_error_result(out, Error{.code = errc_of(outcome.status),
                                   .detail = std::string(message_of(outcome.status))});
    return;
  }
  if (outcome.status == WriteStatus::deleted) {
    begin_result(out, 204);
    append_timestamp_member(out, outcome.stamp);
  } else {
    begin_result(out, outcome.status == WriteStatus::created ? 201 : 200);
    append_version_members(out, outcome.uuid, outcome.stamp);
    append_expires_member(out, outcome.expires_ms);
  }
  out.push_back('}');
}

void append_error_result(std::string& out, const Error& error) {
  begin_result(out, http_status(error.code));
  append_error_member(out, error);
  out.push_back('}');
}

void append_value_result(std::string& out, const GetConditions& conditions,
                         const RecordView& record) {
  const Version& version = record.header.version;
  if (conditions.wanted.kind == Condition::Kind::if_match &&
      conditions.wanted.uuid != version.uuid) {
    append_error_result(out, Error{.code = Errc::version_mismatch,
                                   .detail = "the key holds another version than if_match names"});
    return;
  }
  const bool is_known = holds(conditions.known, version.uuid);
  begin_result(out, is_known ? 304 : 200);
  append_version_members(out, version.uuid, version.stamp);
  append_expires_member(out, record.header.expires_ms);
  if (!is_known) {
    out.append(R"(,"data":)").append(record.value);
  }
  out.push_back('}');
}

void append_no_value_result(std::string& out) {
  append_error_result(out, Error{.code = Errc::not_found,
                                 .detail = std::string(message_of(WriteStatus::not_found))});
}

}  // namespace kvs
