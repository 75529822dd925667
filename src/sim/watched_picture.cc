#include "sim/watched_picture.h"

namespace kvs {

bool is_below(std::string_view key, std::string_view path) {
  return path.empty() ||
         (key.size() > path.size() && key.starts_with(path) && key[path.size()] == '/');
}

std::optional<WatchedPicture::Told> WatchedPicture::take(const WatchEvent& event) {
  switch (event.kind) {
    case WatchEvent::Kind::reset:
      listed_.emplace();
      for (auto& [place, known] : told_) {
        known = known == Known::gone_for_good ? Known::gone : known;
      }
      return std::nullopt;
    case WatchEvent::Kind::bookmark:
      end_snapshot();
      return std::nullopt;
    case WatchEvent::Kind::end:
      return std::nullopt;
    default:
      break;
  }
  if (!event.version) {
    live_.erase(std::string(event.path));
    return std::nullopt;
  }
  return take_version(event, *event.version);
}

WatchedPicture::Told WatchedPicture::take_version(const WatchEvent& event, const Version& version) {
  const std::string key(event.path);
  const bool live = event.kind == WatchEvent::Kind::put;
  Told told{.header = {.version = version,
                       .kind = live ? RecordKind::value : RecordKind::tombstone,
                       .expires_ms = event.expires_ms},
            .newer = std::nullopt};
  const auto [newest, first] = newest_.try_emplace(key, told.header.version);
  if (!first && told.header.version < newest->second) {
    told.newer = newest->second;
  }
  newest->second = told.header.version;
  told.repeated = !listing() && repeats(event, version);
  note(event, version);
  if (live) {
    live_.insert_or_assign(key, told.header);
  } else {
    live_.erase(key);
  }
  if (listed_) {
    listed_->insert(key);
  }
  return told;
}

bool WatchedPicture::repeats(const WatchEvent& event, const Version& version) const {
  const auto told = told_.find({std::string(event.path), version.dot});
  const bool may_come_again = event.kind == WatchEvent::Kind::del && event.expires_ms != 0;
  return told != told_.end() && (!may_come_again || told->second == Known::gone_for_good);
}

void WatchedPicture::note(const WatchEvent& event, const Version& version) {
  const ExpiryPlace place{.expires_ms = event.expires_ms, .dot = version.dot};
  const bool in_order = event.cursor != nullptr && event.cursor->expired >= place;
  Known& known = told_[{std::string(event.path), version.dot}];
  known = in_order ? Known::gone_for_good : Known::gone;
  known = event.kind == WatchEvent::Kind::put ? Known::there : known;
}

/// What the snapshot did not name is gone.
void WatchedPicture::end_snapshot() {
  if (listed_) {
    std::erase_if(live_, [&](const auto& entry) { return !listed_->contains(entry.first); });
    listed_.reset();
  }
}

}  // namespace kvs
