#include "wire/watch_body.h"

#include <algorithm>
#include <string>
#include <utility>

#include "wire/json.h"
#include "wire/watch_cursor.h"

namespace kvs {

namespace {

/// So many changes or records are looked at in one pull.
constexpr std::size_t kWorkMax = 512;

/// An idle stream keeps no larger buffer.
constexpr std::size_t kDataBytesKept = 512;

std::string_view name_of(WatchEvent::Kind kind) {
  switch (kind) {
    case WatchEvent::Kind::put:
      return "put";
    case WatchEvent::Kind::del:
      return "delete";
    case WatchEvent::Kind::bookmark:
      return "bookmark";
    case WatchEvent::Kind::reset:
      return "reset";
    case WatchEvent::Kind::end:
      break;
  }
  return "end";
}

std::string_view reason_of(WatchEnd why) {
  switch (why) {
    case WatchEnd::slow:
      return "slow";
    case WatchEnd::behind:
      return "behind";
    case WatchEnd::damaged:
    case WatchEnd::unreadable:
      return "unreadable";
    case WatchEnd::none:
      break;
  }
  return "shutdown";
}

/// Opens an object and writes what a person or a program wants to know of an event.
void put_fields(JsonWriter& json, const WatchEvent& event) {
  if (event.kind == WatchEvent::Kind::end) {
    json.key("reason").string(reason_of(event.why));
    return;
  }
  if (event.kind != WatchEvent::Kind::put && event.kind != WatchEvent::Kind::del) {
    return;
  }
  json.key("path").string(event.path);
  if (event.version) {
    json.key("uuid").string(to_string(event.version->uuid));
    json.key("timestamp").number(event.version->stamp.ms());
    if (event.expires_ms != 0) {
      json.key("expires").number(event.expires_ms);
    }
  }
}

/// Closes the object, the value as its last field: JSON text as it was stored.
void close_object(std::string& out, std::string_view value) {
  out.back() = '}';
  if (!value.empty()) {
    out.pop_back();
    out.append(R"(,"data":)").append(value).push_back('}');
  }
}

/// A text as the data of an event: each of its lines is one (WHATWG HTML, 9.2.6).
void put_data(std::string& out, std::string_view text) {
  out.append("data: ");
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\n' && text[i] != '\r') {
      out.push_back(text[i]);
      continue;
    }
    i += text[i] == '\r' && text.substr(i + 1).starts_with('\n') ? 1U : 0U;
    out.append("\ndata: ");
  }
  out.push_back('\n');
}

/// What both forms of the answer have in common.
class WatchBody : public BodySource, protected WatchSink {
 public:
  WatchBody(const WatchKeys& request, WatchParts parts)
      : parts_(std::move(parts)), watcher_(parts_.source, request.watch) {
    parts_.tally.opened();
  }

  WatchBody(const WatchBody&) = delete;
  WatchBody& operator=(const WatchBody&) = delete;

  ~WatchBody() override { parts_.tally.closed(); }

  void end_soon() override { ending_ = true; }

  Status fill(std::string& out, std::size_t budget, Instant now) final {
    out_ = &out;
    full_at_ = out.size() + budget;
    now_ = now;
    if (ended_) {
      return Status::done;
    }
    if (ending_) {
      take({.kind = WatchEvent::Kind::end});
      return finish();
    }
    const Watcher::Progress progress =
        watcher_.step({.instant = now, .wall = parts_.wall_clock()}, kWorkMax, *this);
    if (progress == Watcher::Progress::ended || is_complete(progress)) {
      return finish();
    }
    return progress == Watcher::Progress::more ? Status::more : at_rest();
  }

 protected:
  virtual void put(const WatchEvent& event) = 0;
  virtual Status at_rest() = 0;

  virtual void put_end() {}

  /// True if it may be complete with the event just told.
  [[nodiscard]] virtual bool is_full() const { return false; }

  /// True if the answer ends here, although the watch could go on.
  virtual bool is_complete(Watcher::Progress /*progress*/) { return false; }

  [[nodiscard]] std::string& out() const { return *out_; }

  [[nodiscard]] Instant now() const { return now_; }

  [[nodiscard]] const Watcher& watcher() const { return watcher_; }

 private:
  Appetite take(const WatchEvent& event) override {
    parts_.tally.told(event);
    if (event.why == WatchEnd::damaged && parts_.damaged) {
      parts_.damaged(Key::from_store(event.path));
    }
    put(event);
    return out_->size() < full_at_ && !is_full() ? Appetite::more : Appetite::enough_for_now;
  }

  Status finish() {
    put_end();
    ended_ = true;
    return Status::done;
  }

  WatchParts parts_;
  Watcher watcher_;
  std::string* out_ = nullptr;
  std::size_t full_at_ = 0;
  Instant now_;
  bool ending_ = false;
  bool ended_ = false;
};

class EventStream final : public WatchBody {
 public:
  EventStream(const WatchKeys& request, WatchParts parts, Instant now)
      : WatchBody(request, std::move(parts)), heartbeat_due_(now + kWatchHeartbeat) {}

  [[nodiscard]] Instant wake_at() const override {
    return std::min(heartbeat_due_, watcher().wake_at());
  }

 private:
  void put(const WatchEvent& event) override {
    heartbeat_due_ = now() + kWatchHeartbeat;
    std::string& text = out();
    text.append("event: ").append(name_of(event.kind)).push_back('\n');
    if (event.cursor != nullptr) {
      text.append("id: ");
      append_watch_cursor(*event.cursor, watcher().request().path, text);
      text.push_back('\n');
    }
    data_.clear();
    JsonWriter json(data_);
    json.begin_object();
    put_fields(json, event);
    json.end_object();
    close_object(data_, event.value);
    put_data(text, data_);
    text.push_back('\n');
    if (data_.capacity() > kDataBytesKept) {
      std::string().swap(data_);
    }
  }

  Status at_rest() override {
    if (now() >= heartbeat_due_) {
      out().append(":\n\n");
      heartbeat_due_ = now() + kWatchHeartbeat;
    }
    return Status::idle;
  }

  Instant heartbeat_due_;
  std::string data_;
};

/// `{"events":[...],"cursor":"..."}`.
class PollAnswer final : public WatchBody {
 public:
  /// It is over by `until` at the latest.
  PollAnswer(const WatchKeys& request, WatchParts parts, Instant until)
      : WatchBody(request, std::move(parts)),
        until_(until),
        asks_where_(request.watch.begin == WatchRequest::Begin::now) {
    if (request.watch.begin == WatchRequest::Begin::cursor) {
      note(request.watch.cursor);
    }
  }

  [[nodiscard]] Instant wake_at() const override { return std::min(until_, watcher().wake_at()); }

 private:
  void put(const WatchEvent& event) override {
    if (event.cursor != nullptr) {
      note(*event.cursor);
    }
    if (event.kind == WatchEvent::Kind::bookmark) {
      marked_ = true;
      return;
    }
    std::string& text = out();
    text.append(events_++ == 0 ? R"({"events":[)" : ",");
    JsonWriter json(text);
    json.begin_object();
    json.key("event").string(name_of(event.kind));
    put_fields(json, event);
    json.end_object();
    close_object(text, event.value);
  }

  [[nodiscard]] bool is_full() const override {
    return events_ > 0 && events_ % kWatchPollEventsMax == 0;
  }

  bool is_complete(Watcher::Progress progress) override {
    if (progress != Watcher::Progress::idle) {
      return events_ >= kWatchPollEventsMax && !watcher().cursor().partial;
    }
    if (events_ == 0 && !(asks_where_ && marked_) && now() < until_) {
      return false;
    }
    note(watcher().cursor());  // it may have moved on without an event
    return true;
  }

  void note(const WatchCursor& cursor) {
    cursor_.clear();
    append_watch_cursor(cursor, watcher().request().path, cursor_);
  }

  Status at_rest() override { return Status::idle; }

  void put_end() override {
    std::string& text = out();
    text.append(events_ == 0 ? R"({"events":[])" : "]");
    text.append(R"(,"cursor":")").append(cursor_).append("\"}");
  }

  Instant until_;
  bool asks_where_;
  bool marked_ = false;
  std::size_t events_ = 0;
  std::string cursor_ = std::string(kWatchCursorNone);
};

}  // namespace

Handled answer_watch(const AnswerTarget& target, const WatchKeys& request, WatchParts parts,
                     Instant now) {
  append_watch_head(target, request);
  Handled handled{.kind = Handled::Kind::streaming, .source = nullptr};
  if (target.head_only) {
    return handled;
  }
  if (request.wait) {
    handled.source = std::make_unique<PollAnswer>(request, std::move(parts), now + *request.wait);
  } else {
    handled.source = std::make_unique<EventStream>(request, std::move(parts), now);
  }
  return handled;
}

}  // namespace kvs
