#include "app/delete_run.h"

#include <array>
#include <utility>

#include "base/check.h"
#include "wire/json.h"

namespace kvs {

namespace {

/// Records looked at in one slice, and bytes of their values: others of this door have their turns
/// between.
constexpr std::size_t kSliceRecords = 512;
constexpr std::size_t kSliceBytes = 1U << 20U;

/// Deletes under way: while some are made durable the next ones gather.
constexpr std::size_t kWindow = 2 * kSliceRecords;

constexpr std::string_view kJson = "application/json";

constexpr std::string_view content_type_of(DeleteBelow::Report report) {
  return report == DeleteBelow::Report::progress ? "application/x-ndjson" : kJson;
}

}  // namespace

DeleteRun::DeleteRun(BulkParts parts, const DeleteBelow& request, const ReceivedRequest& received,
                     const AnswerTarget& target)
    : parts_(std::move(parts)),
      ticket_(received.ticket),
      report_(request.report),
      begun_(received.now),
      prefix_(request.path.empty() ? std::string() : std::string(request.path) + '/'),
      cursor_(parts_.store.cursor()),
      answer_(target, content_type_of(request.report)) {
  cursor_->seek(prefix_);
}

bool DeleteRun::may_post() const {
  return !at_end_ && !error_ && outstanding_ + kSliceRecords <= kWindow;
}

BodySource::Status DeleteRun::fill(std::string& out, std::size_t /*budget*/, Instant now) {
  if (may_post()) {
    look_further();
  }
  if ((at_end_ || error_) && outstanding_ == 0) {
    finish(out, now);
    return Status::done;
  }
  if (told_ < deleted_ + kept_) {
    tell(out);
  }
  return may_post() ? Status::more : Status::waiting;
}

void DeleteRun::look_further() {
  std::vector<WriteRequest> deletes;
  std::size_t bytes = 0;
  for (std::size_t n = 0; n < kSliceRecords && bytes < kSliceBytes && below() && !error_; ++n) {
    if (const auto taken = take_record(deletes); !taken) {
      error_ = taken.error();
    } else {
      bytes += *taken;
      cursor_->next();
    }
  }
  if (!error_ && !below()) {
    at_end_ = true;
    if (const auto status = cursor_->status(); !status) {
      error_ = status.error();
    }
  }
  outstanding_ += deletes.size();
  parts_.node.post_all(deletes);
}

bool DeleteRun::below() const {
  return cursor_->valid() && cursor_->key().text().starts_with(prefix_);
}

Result<std::size_t> DeleteRun::take_record(std::vector<WriteRequest>& deletes) {
  const Key key = cursor_->key();
  const Result<RecordView> record = cursor_->record();
  if (!record) {
    if (record.error().code == Errc::corrupt_data) {
      parts_.damaged(key);
    }
    return std::unexpected(record.error());
  }
  if (!parts_.node.shows(record->header)) {
    return record->value.size();
  }
  const WriteCommand command{
      .ticket = ticket_,
      .kind = WriteCommand::Kind::del,
      .key = key,
      .value = {},
      .condition = {.kind = Condition::Kind::if_match, .uuid = record->header.version.uuid}};
  deletes.emplace_back(command, begun_);
  return record->value.size();
}

void DeleteRun::complete(const WriteOutcome& outcome) {
  KVS_CHECK(outstanding_ > 0, "a reply to no delete of this run");
  --outstanding_;
  if (succeeded(outcome.status)) {
    ++deleted_;
  } else if (rests_on_state(outcome.status)) {
    ++kept_;
  } else if (!error_) {
    error_ =
        Error{.code = errc_of(outcome.status), .detail = std::string(message_of(outcome.status))};
  }
}

/// A sign of life, by which it shows too whether the client is still there.
void DeleteRun::tell(std::string& out) {
  told_ = deleted_ + kept_;
  if (report_ == DeleteBelow::Report::progress) {
    JsonWriter json(answer_.body());
    json.begin_object();
    json.key("deleted").number(static_cast<std::int64_t>(deleted_));
    json.end_object();
  }
  answer_.body().push_back('\n');
  answer_.send_some(out);
}

void DeleteRun::finish(std::string& out, Instant now) {
  JsonWriter json(answer_.body());
  json.begin_object();
  json.key("deleted").number(static_cast<std::int64_t>(deleted_));
  if (kept_ > 0) {
    json.key("kept").number(static_cast<std::int64_t>(kept_));
  }
  if (error_) {
    json.key("error").begin_object();
    json.key("code").string(to_string(error_->code));
    json.key("message").string(error_->detail);
    json.end_object();
  } else if (report_ == DeleteBelow::Report::progress) {
    json.key("done").boolean(true);
  }
  json.end_object();
  answer_.body().push_back('\n');
  const bool begun = answer_.begun();
  const unsigned status = error_ && !begun ? http_status(error_->code) : 200;
  const std::string_view seconds = error_ ? retry_after(error_->code) : std::string_view();
  const std::array<HeaderField, 1> fields{{{.name = "Retry-After", .value = seconds}}};
  answer_.finish(out, {.status = status,
                       .content_type = error_ ? kJson : std::string_view(),
                       .fields = {fields.data(), seconds.empty() ? 0U : 1U}});
  parts_.counters.count(Route::delete_below, status);
  parts_.counters.time(Route::delete_below, now - begun_);
}

}  // namespace kvs
