#include "wire/export_body.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "wire/record_line.h"

namespace kvs {

namespace {

/// One slice: so many records are looked at, with about so many bytes of values, or about so much
/// text is made.
constexpr std::size_t kSliceRecords = 512;
constexpr std::size_t kSliceBytes = 1U << 20U;
constexpr std::size_t kFirstSliceBytes = 32U << 10U;

class ExportBody final : public BodySource {
 public:
  ExportBody(const ExportRecords& request, ExportSource source, Instant now)
      : source_(std::move(source)),
        cursor_(source_.cursor()),
        cursor_until_(now + kExportCursorAge),
        until_(now + kExportTimeMax),
        prefix_(request.path.empty() ? std::string() : std::string(request.path) + '/'),
        deletions_(request.deletions) {
    cursor_->seek(std::max(std::string_view(prefix_), request.after));
    if (cursor_->valid() && cursor_->key().text() == request.after) {
      cursor_->next();
    }
  }

  /// Makes the first slice.
  Result<Status> begin() { return advance(begun_, kFirstSliceBytes); }

  Status fill(std::string& out, std::size_t budget, Instant now) override {
    if (!begun_.empty()) {
      out.append(std::exchange(begun_, {}));
      return Status::more;
    }
    if (now >= until_) {
      return Status::failed;
    }
    if (now >= cursor_until_ && cursor_->valid()) {
      renew_cursor(now);
    }
    return advance(out, budget).value_or(Status::failed);
  }

 private:
  Result<Status> advance(std::string& out, std::size_t bytes_max) {
    const std::size_t full_at = out.size() + bytes_max;
    std::size_t looked_bytes = 0;
    for (std::size_t looked = 0;
         looked < kSliceRecords && looked_bytes < kSliceBytes && out.size() < full_at; ++looked) {
      if (!cursor_->valid()) {
        KVS_TRY(cursor_->status());
        return Status::done;
      }
      const Key key = cursor_->key();
      if (!key.text().starts_with(prefix_)) {
        return Status::done;
      }
      const auto record = cursor_->record();
      if (!record) {
        report(key, record.error());
        return std::unexpected(record.error());
      }
      looked_bytes += record->value.size();
      const RecordView shown = as_shown(*record);
      if (shown.header.live() || deletions_ == ExportRecords::Deletions::include) {
        append_record_line(out, key.text(), shown);
      }
      cursor_->next();
    }
    return Status::more;
  }

  /// What has expired goes without its value, as a deletion.
  [[nodiscard]] RecordView as_shown(RecordView record) const {
    if (record.header.live() && !record.header.shows(source_.expiry_clock)) {
      record.header.kind = RecordKind::expired;
      record.value = {};
    }
    return record;
  }

  void report(Key key, const Error& error) const {
    if (error.code == Errc::corrupt_data && source_.damaged) {
      source_.damaged(key);
    }
  }

  void renew_cursor(Instant now) {
    auto cursor = source_.cursor();
    cursor->seek(cursor_->key().text());
    cursor_ = std::move(cursor);
    cursor_until_ = now + kExportCursorAge;
  }

  ExportSource source_;
  std::unique_ptr<RecordCursor> cursor_;
  Instant cursor_until_;
  Instant until_;
  std::string prefix_;
  ExportRecords::Deletions deletions_;
  std::string begun_;
};

}  // namespace

Handled answer_export(const AnswerTarget& target, const ExportRecords& request, ExportSource source,
                      Instant now) {
  auto body = std::make_unique<ExportBody>(request, std::move(source), now);
  if (const auto begun = body->begin(); !begun) {
    append_error_response(target, begun.error());
    return {.kind = Handled::Kind::answered, .source = nullptr};
  }
  append_export_head(target);
  return {.kind = Handled::Kind::streaming, .source = std::move(body)};
}

}  // namespace kvs
