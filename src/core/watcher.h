// One watcher: which changes below a path its client is told next, and where it stands.
//
// The state is the client's cursor: K of what it has seen, and a place in the node's feed. A change
// in the feed is a hint; what is told is what the path holds when it is told, unless the cursor
// covers that already. So versions of a key only get newer, none is told twice, and writes in quick
// succession may be told as one. A cursor of another node is gone on with once this node knows all
// that it covers; proofs in docs/consistency.md, "Watching". Nothing is queued: a client that reads
// slowly is asked for less, until the feed has passed it.
//
// A value whose time comes is told as deleted once, in the order of the places of what expires; up
// to which place the client knows is part of its cursor.
//
// No I/O but reads of the store, no clock. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/record.h"
#include "core/watch_feed.h"

namespace kvs {

struct WatchRequest {
  enum class Begin : std::uint8_t {
    now,     // what changes from now on
    all,     // first everything that is there
    cursor,  // what `cursor` does not cover
  };

  enum class Values : std::uint8_t { omit, include };

  std::string path;  // without a trailing slash; empty: the root
  Begin begin = Begin::now;
  WatchCursor cursor;
  Values values = Values::omit;
};

/// Why a stream ends.
enum class WatchEnd : std::uint8_t {
  none,
  slow,        // the feed has passed the reader
  behind,      // this node still does not know what the client has seen elsewhere
  damaged,     // the record under `path` is damaged
  unreadable,  // it cannot be read
};

/// Views are good until the sink returns.
struct WatchEvent {
  enum class Kind : std::uint8_t {
    put,
    del,
    bookmark,  // all that the cursor covers has been told
    reset,     // everything follows; what has not come up to the next bookmark is gone
    end,
  };

  Kind kind{};
  std::string_view path;
  std::optional<Version> version;  // nothing with a del: the key went without a trace
  std::int64_t expires_ms = 0;     // of that version: with a del, why it has no value; 0: never
  std::string_view value;          // if asked for
  WatchEnd why = WatchEnd::none;
  const WatchCursor* cursor = nullptr;  // after this event; null: as before
};

class WatchSink {
 public:
  enum class Appetite : std::uint8_t { more, enough_for_now };

  WatchSink() = default;
  WatchSink(const WatchSink&) = delete;
  WatchSink& operator=(const WatchSink&) = delete;
  virtual ~WatchSink() = default;

  virtual Appetite take(const WatchEvent& event) = 0;
};

class Watcher {
 public:
  enum class Progress : std::uint8_t {
    more,   // call again
    idle,   // nothing to tell before the feed goes on, or wake_at()
    ended,  // the end was told
  };

  /// `source` outlives the watcher.
  Watcher(const WatchSource& source, WatchRequest request);

  /// Looks at up to `work_max` further changes or records, or fewer large ones.
  Progress step(const Now& now, std::size_t work_max, WatchSink& sink);

  /// When to step although the feed has not gone on.
  [[nodiscard]] Instant wake_at() const;

  [[nodiscard]] const WatchCursor& cursor() const { return cursor_; }

  [[nodiscard]] const WatchRequest& request() const { return request_; }

 private:
  enum class State : std::uint8_t { starting, resuming, scanning, following, ended };
  enum class Extent : std::uint8_t { difference, everything };
  enum class Turn : std::uint8_t { on, enough, idle, ended };

  /// Everything below the path, at one moment after a place of the feed.
  struct Scan {
    Extent extent = Extent::difference;
    WatchSource::Head from;
    std::unique_ptr<RecordCursor> records;
    Instant renew_at;
    WallTime begun;
    std::size_t ranges = 0;  // that it has added to what the client has seen
  };

  Turn turn(WatchSink& sink);
  Turn start(WatchSink& sink);
  Turn resume(WatchSink& sink);
  Turn tell_gone(WatchSink& sink);
  void begin_scan(WatchSource::Head from, Extent extent);
  Turn tell_everything(WatchSource::Head from, WatchSink& sink);
  Turn scan(WatchSink& sink);
  Turn scanned(const RecordView& record, WatchSink& sink);
  void note_seen(Dot dot);
  Turn end_scan(WatchSink& sink);
  [[nodiscard]] std::optional<WatchSource::Head> everything_instead() const;
  void renew_moment();
  Turn follow(WatchSink& sink);
  Turn read_on(WatchSink& sink);
  void end_news();
  Turn tell(const Change& change, WatchSink& sink);
  Turn tell_over(const Change& change, const RecordHeader& after, WatchSink& sink);
  [[nodiscard]] Result<std::optional<Record>> look_up(const std::string& path) const;
  Turn tell_current(const Change& change, const RecordHeader& after, WatchSink& sink);

  /// What a record is to the client.
  enum class Standing : std::uint8_t {
    shown,
    dead,
    later,  // its time is over, and the feed will say so
  };

  [[nodiscard]] Standing standing(const RecordHeader& header, const ExpiryPlace& expired) const;
  Turn at_rest(WatchSink& sink);
  Turn lose_run();
  Turn emit(WatchEvent event, WatchSink& sink);
  Turn end_unread(const Error& error, std::string_view path, WatchSink& sink);
  Turn end(WatchEnd why, std::string_view path, WatchSink& sink);
  [[nodiscard]] bool is_below(std::string_view path) const;

  const WatchSource* source_;
  WatchRequest request_;
  std::string prefix_;  // the path with its slash; empty for the root
  State state_ = State::starting;
  WatchCursor cursor_;
  Now now_{};
  Instant patience_until_ = Instant::never();
  Instant bookmark_due_;
  std::size_t looked_bytes_ = 0;           // of values, in this step
  bool moved_ = true;                      // the cursor has, since the client was told
  bool announce_ = false;                  // the client waits to hear that it has caught up
  std::shared_ptr<const WatchNews> news_;  // at the place of the cursor; null: to be read
  std::vector<std::string> gone_;          // to be told as gone, before anything else
  std::optional<FeedPlace> go_on_at_;      // once these are told; until then no place is safe
  std::unique_ptr<Scan> scan_;             // while scanning
};

}  // namespace kvs
