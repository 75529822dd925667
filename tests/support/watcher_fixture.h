// A watcher of a node of one origin, and who listens to it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/watcher.h"
#include "support/memory_store.h"

namespace kvs {

inline constexpr Origin kHere{1};  // MemoryStore gives its records dots of this origin
inline constexpr WallTime kWatchWall{1'000'000};

/// Writes down what it is told.
class Listener final : public WatchSink {
 public:
  explicit Listener(int appetite = 1'000'000) : appetite_(appetite) {}

  Appetite take(const WatchEvent& event) override {
    text.push_back(describe(event));
    if (event.cursor != nullptr) {
      cursors.push_back(*event.cursor);
    }
    return --appetite_ > 0 ? Appetite::more : Appetite::enough_for_now;
  }

  std::vector<std::string> text;
  std::vector<WatchCursor> cursors;

 private:
  static std::string describe(const WatchEvent& event) {
    switch (event.kind) {
      case WatchEvent::Kind::put:
        return fmt::format("put {} {}{}", event.path, event.version->dot.seq, event.value);
      case WatchEvent::Kind::del:
        return fmt::format("del {} {}", event.path, event.version ? event.version->dot.seq : 0);
      case WatchEvent::Kind::bookmark:
        return "bookmark";
      case WatchEvent::Kind::reset:
        return "reset";
      case WatchEvent::Kind::end:
        break;
    }
    return fmt::format("end {}", static_cast<int>(event.why));
  }

  int appetite_;
};

/// A node of one origin whose writes are durable at once.
class WatcherTest : public ::testing::Test {
 protected:
  WatcherTest() {
    options_.patience = Duration::from_seconds(20);
    options_.cursor_age_max = Duration::from_seconds(100);
    restart(1, {});
  }

  void restart(std::uint64_t run, const Knowledge& known, WatchFeed::Bounds bounds = {}) {
    WatchFeed::Start start{.run = run, .known = known, .options = options_, .bounds = bounds};
    feed_ = std::make_unique<WatchFeed>(store_, std::move(start));
  }

  void put(const std::string& path) {
    const Change change = write(path);
    store_.put(path, seq_);
    publish({change_to(change, RecordKind::value)});
  }

  void del(const std::string& path) {
    const Change change = write(path);
    store_.put_tombstone(path, seq_);
    publish({change_to(change, RecordKind::tombstone)});
  }

  /// What is held goes without a trace.
  void drop(const std::string& path) {
    Change change{.path = path, .before = header(path), .after = {}};
    store_.erase(path);
    publish({std::move(change)});
  }

  /// A value that expires then; overdue: its time is over already.
  void put_expiring(const std::string& path, std::int64_t expires_ms) {
    Change change = write(path);
    const RecordHeader header{.version = MemoryStore::version_of(seq_), .expires_ms = expires_ms};
    store_.set(path, {.header = header, .value = "1"});
    change.after = header;
    change.overdue = place_of(header) <= expired_;
    publish({std::move(change)});
  }

  /// The node's expiry clock shows this, and what has expired since is told.
  void expire(std::int64_t clock_ms) {
    feed_->set_expiry_clock({clock_ms});
    std::vector<Change> changes;
    const auto entries = store_.expiries(expired_, 1000);
    for (const ExpiryEntry& entry : *entries) {
      const auto held = header(entry.path);
      if (entry.place <= end_of({clock_ms}) && held && place_of(*held) == entry.place) {
        Change change;
        change.path = entry.path;
        change.before = held;
        change.after = held;
        change.cause = Change::Cause::expiry;
        changes.push_back(std::move(change));
      }
    }
    expired_ = end_of({clock_ms});
    publish(std::move(changes));
  }

  /// The bytes of a value that has expired go; nobody is told.
  void free_value(const std::string& path) {
    RecordHeader freed = *header(path);
    freed.kind = RecordKind::expired;
    store_.set(path, {.header = freed, .value = {}});
  }

  void publish(std::vector<Change> changes) {
    known_.add(DotRange{.origin = kHere, .first = 1, .last = seq_});
    feed_->add(std::make_shared<const WatchNews>(
        WatchNews{.changes = std::move(changes),
                  .knowledge = {{.origin = kHere, .known = known_.of(kHere)}},
                  .emptied = false,
                  .whole = true,
                  .expired = expired_}));
  }

  void empty_knowledge() {
    known_ = {};
    feed_->add(std::make_shared<const WatchNews>(
        WatchNews{.changes = {}, .knowledge = {}, .emptied = true, .whole = false}));
  }

  [[nodiscard]] std::optional<RecordHeader> header(const std::string& path) const {
    return store_.find(Key::from_store(path)).value();
  }

  Watcher::Progress step(Watcher& watcher, WatchSink& sink) {
    return watcher.step({.instant = now_, .wall = kWatchWall}, 1000, sink);
  }

  std::vector<std::string> told(Watcher& watcher) {
    Listener listener;
    progress_ = step(watcher, listener);
    if (!listener.cursors.empty()) {
      cursor_ = listener.cursors.back();
    }
    return listener.text;
  }

  Watcher watch(std::string path, WatchRequest::Begin begin = WatchRequest::Begin::now) {
    return Watcher(*feed_, {.path = std::move(path), .begin = begin, .cursor = cursor_});
  }

  MemoryStore store_;
  WatchOptions options_;
  std::unique_ptr<WatchFeed> feed_;
  Knowledge known_;
  std::uint64_t seq_ = 0;
  ExpiryPlace expired_;
  Instant now_{1};
  Watcher::Progress progress_ = Watcher::Progress::more;
  WatchCursor cursor_;

 private:
  Change write(const std::string& path) {
    ++seq_;
    return {.path = path, .before = header(path)};
  }

  [[nodiscard]] Change change_to(Change change, RecordKind kind) const {
    change.after = RecordHeader{.version = MemoryStore::version_of(seq_), .kind = kind};
    return change;
  }
};

}  // namespace kvs
