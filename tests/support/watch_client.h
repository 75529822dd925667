// A client of watchers that believes nothing: it keeps what it was told as a map of keys, and
// notices an older version after a newer one, and a version that comes twice.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/watcher.h"

namespace kvs {

class WatchClient final : public WatchSink {
 public:
  /// Takes so many events at a time.
  void set_appetite(int events) { appetite_ = events; }

  Appetite take(const WatchEvent& event) override {
    ++events_;
    if (event.cursor != nullptr) {
      cursor_ = *event.cursor;
    }
    switch (event.kind) {
      case WatchEvent::Kind::put:
      case WatchEvent::Kind::del:
        changed(event);
        break;
      case WatchEvent::Kind::reset:
        ++resets_;
        listed_.emplace();
        forget_expiries();
        break;
      case WatchEvent::Kind::bookmark:
        sweep();
        break;
      case WatchEvent::Kind::end:
        ended_ = event.why;
        listed_.reset();
        break;
    }
    return --appetite_ > 0 ? Appetite::more : Appetite::enough_for_now;
  }

  /// The client has read this before it began, elsewhere than from a watch.
  void hold(const std::string& path, const Version& version) { live_[path] = version; }

  /// As hold(); and it counts as told, because the K with which the client begins covers it.
  void assume(const std::string& path, const Version& version) {
    hold(path, version);
    newest_.insert_or_assign(path, version);
  }

  /// The stream broke off. What a reset has told so far is told again.
  void disconnected() {
    ended_ = WatchEnd::none;
    listed_.reset();
  }

  [[nodiscard]] const std::map<std::string, Version>& live() const { return live_; }

  [[nodiscard]] const std::optional<WatchCursor>& cursor() const { return cursor_; }

  [[nodiscard]] WatchEnd ended() const { return ended_; }

  /// What was wrong first, with the version that shows it.
  struct Wrong {
    std::string text;
    Dot dot;
  };

  std::optional<Wrong> take_wrong() { return std::exchange(wrong_, std::nullopt); }

  [[nodiscard]] std::size_t events() const { return events_; }

  [[nodiscard]] std::size_t resets() const { return resets_; }

 private:
  void changed(const WatchEvent& event) {
    const std::string path(event.path);
    if (!event.version) {
      live_.erase(path);
      return;
    }
    const Version& version = *event.version;
    const auto newest = newest_.find(path);
    if (newest != newest_.end() && version < newest->second) {
      complain(fmt::format("{} was told older after newer", path), version.dot);
    }
    if (!listed_ && was_told(event)) {
      complain(fmt::format("{} was told twice", path), version.dot);
    }
    newest_.insert_or_assign(path, version);
    note(event);
    if (event.kind == WatchEvent::Kind::put) {
      live_[path] = version;
    } else {
      live_.erase(path);
    }
    if (listed_) {
      listed_->insert(path);
    }
  }

  /// Versions come once; one that expires once as a put and then once as a delete, of which the
  /// cursor then knows unless it was told out of its order.
  [[nodiscard]] bool was_told(const WatchEvent& event) const {
    const auto told = told_.find({std::string(event.path), event.version->dot});
    if (told == told_.end()) {
      return false;
    }
    const bool expires = event.kind == WatchEvent::Kind::del && event.expires_ms != 0;
    return !expires || told->second == Told::dead_for_good;
  }

  /// A snapshot begins anew, at a node that may be behind: it tells of times when they come there.
  void forget_expiries() {
    for (auto& [version, told] : told_) {
      if (told == Told::dead_for_good) {
        told = Told::dead;
      }
    }
  }

  void note(const WatchEvent& event) {
    Told& told = told_[{std::string(event.path), event.version->dot}];
    if (event.kind == WatchEvent::Kind::put) {
      told = Told::shown;
      return;
    }
    const ExpiryPlace place{.expires_ms = event.expires_ms, .dot = event.version->dot};
    const bool known = event.cursor != nullptr && event.cursor->expired >= place;
    told = known || event.expires_ms == 0 ? Told::dead_for_good : Told::dead;
  }

  void complain(std::string text, Dot dot) {
    if (!wrong_) {
      wrong_ = Wrong{.text = std::move(text), .dot = dot};
    }
  }

  void sweep() {
    if (listed_) {
      std::erase_if(live_, [&](const auto& entry) { return !listed_->contains(entry.first); });
      listed_.reset();
    }
  }

  int appetite_ = 1'000'000;
  std::map<std::string, Version> live_;
  std::map<std::string, Version> newest_;
  enum class Told : std::uint8_t { shown, dead, dead_for_good };

  std::map<std::pair<std::string, Dot>, Told> told_;
  std::optional<std::set<std::string>> listed_;  // since a reset; nothing: none is under way
  std::optional<WatchCursor> cursor_;
  WatchEnd ended_ = WatchEnd::none;
  std::optional<Wrong> wrong_;
  std::size_t events_ = 0;
  std::size_t resets_ = 0;
};

}  // namespace kvs
