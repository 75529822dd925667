#include "core/listing.h"

#include <algorithm>

#include "core/key.h"

namespace kvs {

namespace {

/// The smallest text at which a key may stand whose name comes after `name` in this listing.
std::string text_after(std::string_view prefix, std::string_view name, ListRequest::Depth depth) {
  std::string text(prefix);
  if (depth == ListRequest::Depth::children && name.ends_with('/')) {
    name.remove_suffix(1);
    text.append(name);
    return past_subtree(text);
  }
  text.append(name);
  text.push_back('\0');
  return text;
}

}  // namespace

Listing::Listing(RecordCursor& cursor, const ListRequest& request)
    : cursor_(&cursor),
      prefix_(request.path.empty() ? std::string() : std::string(request.path) + '/'),
      depth_(request.depth),
      expiry_clock_(request.expiry_clock),
      limit_(request.limit),
      start_(request.after.empty() ? prefix_ : text_after(prefix_, request.after, depth_)) {}

void Listing::start() {
  if (!started_) {
    started_ = true;
    cursor_->seek(start_);
  }
}

std::optional<std::string_view> Listing::name_below() const {
  if (!cursor_->valid()) {
    return std::nullopt;
  }
  std::string_view text = cursor_->key().text();
  if (!text.starts_with(prefix_)) {
    return std::nullopt;
  }
  text.remove_prefix(prefix_.size());
  return text;
}

ListSink::Appetite Listing::take_key(std::string_view name, const RecordView& record,
                                     ListSink& sink) {
  last_name_ = name;
  const auto appetite =
      sink.take({.name = last_name_, .version = record.header, .value = record.value});
  cursor_->next();
  return appetite;
}

ListSink::Appetite Listing::take_folder(std::string_view name, ListSink& sink) {
  last_name_ = name;
  const auto appetite = sink.take({.name = last_name_, .version = std::nullopt, .value = {}});
  leave_folder();
  return appetite;
}

/// From the first record in the folder last_name_ to what follows its subtree. What cannot be read
/// there is no matter: it is jumped over.
void Listing::leave_folder() {
  for (std::size_t i = 0; i < steps_; ++i) {
    cursor_->next();
    if (!cursor_->valid()) {
      break;
    }
    const auto name = name_below();
    if (!name || !name->starts_with(last_name_)) {
      steps_ = std::min(2 * steps_, kStepsMax);
      return;
    }
  }
  steps_ = std::max<std::size_t>(steps_ / 2, 1);
  cursor_->seek(text_after(prefix_, last_name_, depth_));
}

ListSink::Appetite Listing::take(std::string_view name, const RecordView& record, ListSink& sink) {
  ++taken_;
  const std::size_t slash =
      depth_ == ListRequest::Depth::children ? name.find('/') : std::string_view::npos;
  return slash == std::string_view::npos ? take_key(name, record, sink)
                                         : take_folder(name.substr(0, slash + 1), sink);
}

Result<Listing::Progress> Listing::step(std::size_t records_max, ListSink& sink) {
  start();
  auto appetite = ListSink::Appetite::more;
  for (std::size_t seen = 0; seen < records_max && appetite == ListSink::Appetite::more; ++seen) {
    const std::optional<std::string_view> name = name_below();
    if (!name) {
      return end_of_keys();
    }
    const RecordView record = KVS_TRY(cursor_->record());
    if (!record.header.shows(expiry_clock_)) {
      cursor_->next();
    } else if (taken_ < limit_) {
      appetite = take(*name, record, sink);
    } else {
      next_after_ = last_name_;
      return Progress::done;
    }
  }
  return Progress::more;
}

Result<Listing::Progress> Listing::end_of_keys() const {
  KVS_TRY(cursor_->status());
  return Progress::done;
}

}  // namespace kvs
