#include "wire/list_body.h"

#include <utility>

#include "wire/base64url.h"

namespace kvs {

namespace {

/// One slice: so many records are looked at, or about so much text is made.
constexpr std::size_t kSliceRecords = 512;
constexpr std::size_t kFirstSliceBytes = 32U << 10U;

/// Appends entries as elements of a JSON array until about `bytes_max` are there.
class EntryWriter final : public ListSink {
 public:
  explicit EntryWriter(ListKeys::Values values) : values_(values) {}

  void aim(std::string& out, std::size_t bytes_max) {
    out_ = &out;
    full_at_ = out.size() + bytes_max;
  }

  Appetite take(const ListEntry& entry) override {
    std::string& out = *out_;
    out.append(first_ ? R"({"name":)" : R"(,{"name":)");
    first_ = false;
    append_json_string(out, entry.name);
    if (entry.version) {
      append_version_members(out, entry.version->version.uuid, entry.version->version.stamp);
      append_expires_member(out, entry.version->expires_ms);
      if (values_ == ListKeys::Values::include) {
        out.append(R"(,"data":)").append(entry.value);
      }
    }
    out.push_back('}');
    return out.size() < full_at_ ? Appetite::more : Appetite::enough_for_now;
  }

 private:
  ListKeys::Values values_;
  bool first_ = true;
  std::string* out_ = nullptr;
  std::size_t full_at_ = 0;
};

class ListBody final : public BodySource {
 public:
  ListBody(const ListKeys& request, ListSource source, Instant now)
      : source_(std::move(source)),
        cursor_(source_.cursor()),
        cursor_until_(now + kListCursorAge),
        listing_(*cursor_, request.list),
        writer_(request.values) {
    begun_ = R"({"path":)";
    const bool root = request.list.path.empty();
    append_json_string(begun_, root ? std::string() : std::string(request.list.path) + '/');
    begun_.append(R"(,"entries":[)");
  }

  /// Makes the first slice, to be had from begun() or by the first fill().
  Result<Listing::Progress> begin() { return advance(begun_, kFirstSliceBytes); }

  [[nodiscard]] std::string_view begun() const { return begun_; }

  Status fill(std::string& out, std::size_t budget, Instant now) override {
    if (!begun_.empty()) {
      out.append(std::exchange(begun_, {}));
      return Status::more;
    }
    if (now >= cursor_until_ && cursor_->valid()) {
      renew_cursor(now);
    }
    const auto progress = advance(out, budget);
    if (!progress) {
      return Status::failed;
    }
    return *progress == Listing::Progress::done ? Status::done : Status::more;
  }

 private:
  Result<Listing::Progress> advance(std::string& out, std::size_t bytes_max) {
    writer_.aim(out, bytes_max);
    const auto stepped = listing_.step(kSliceRecords, writer_);
    if (!stepped) {
      report(stepped.error());
      return std::unexpected(stepped.error());
    }
    const Listing::Progress progress = *stepped;
    if (progress == Listing::Progress::done) {
      out.push_back(']');
      if (const auto& next = listing_.next_after()) {
        out.append(R"(,"next":")");
        encode_base64url(*next, out);
        out.push_back('"');
      }
      out.push_back('}');
    }
    return progress;
  }

  void report(const Error& error) const {
    if (error.code == Errc::corrupt_data && cursor_->valid() && source_.damaged) {
      source_.damaged(cursor_->key());
    }
  }

  void renew_cursor(Instant now) {
    auto cursor = source_.cursor();
    cursor->seek(cursor_->key().text());
    listing_.go_on_with(*cursor);
    cursor_ = std::move(cursor);
    cursor_until_ = now + kListCursorAge;
  }

  ListSource source_;
  std::unique_ptr<RecordCursor> cursor_;
  Instant cursor_until_;
  Listing listing_;
  EntryWriter writer_;
  std::string begun_;
};

}  // namespace

Handled answer_listing(const AnswerTarget& target, const ListKeys& request, ListSource source,
                       Instant now) {
  auto body = std::make_unique<ListBody>(request, std::move(source), now);
  const auto progress = body->begin();
  if (!progress) {
    append_error_response(target, progress.error());
    return {.kind = Handled::Kind::answered, .source = nullptr};
  }
  if (*progress == Listing::Progress::done) {
    append_list_response(target, body->begun());
    return {.kind = Handled::Kind::answered, .source = nullptr};
  }
  append_list_head(target);
  return {.kind = Handled::Kind::streaming, .source = std::move(body)};
}

}  // namespace kvs
