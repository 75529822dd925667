#include "core/watcher.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "base/probe.h"

namespace kvs {

Watcher::Watcher(const WatchSource& source, WatchRequest request)
    : source_(&source),
      request_(std::move(request)),
      prefix_(request_.path.empty() ? std::string() : request_.path + '/'),
      cursor_(std::exchange(request_.cursor, {})) {}

Watcher::Progress Watcher::step(const Now& now, std::size_t work_max, WatchSink& sink) {
  now_ = now;
  looked_bytes_ = 0;
  for (std::size_t work = 0; work < work_max && looked_bytes_ < source_->options().step_bytes_max;
       ++work) {
    switch (turn(sink)) {
      case Turn::on:
        break;
      case Turn::enough:
        return Progress::more;
      case Turn::idle:
        return Progress::idle;
      case Turn::ended:
        return Progress::ended;
    }
  }
  return Progress::more;
}

Instant Watcher::wake_at() const {
  if (state_ == State::resuming) {
    return patience_until_;
  }
  return state_ == State::following && moved_ ? bookmark_due_ : Instant::never();
}

Watcher::Turn Watcher::turn(WatchSink& sink) {
  if (!gone_.empty()) {
    return tell_gone(sink);
  }
  switch (state_) {
    case State::starting:
      return start(sink);
    case State::resuming:
      return resume(sink);
    case State::scanning:
      return scan(sink);
    case State::following:
      return follow(sink);
    case State::ended:
      break;
  }
  return Turn::ended;
}

bool Watcher::is_below(std::string_view path) const {
  return path.starts_with(prefix_);
}

// --- beginning

Watcher::Turn Watcher::start(WatchSink& sink) {
  if (request_.begin == WatchRequest::Begin::cursor) {
    state_ = State::resuming;
    return Turn::on;
  }
  WatchSource::Head head = source_->head();
  if (request_.begin == WatchRequest::Begin::all) {
    return tell_everything(std::move(head), sink);
  }
  cursor_.seen = *head.known;
  cursor_.place = head.place;
  cursor_.expired = head.expired;
  cursor_.made = now_.wall;
  state_ = State::following;
  return emit({.kind = WatchEvent::Kind::bookmark}, sink);
}

Watcher::Turn Watcher::resume(WatchSink& sink) {
  WatchSource::Resumption resumption = source_->resume(cursor_, now_.wall);
  using Way = WatchSource::Resumption::Way;
  if (resumption.way == Way::wait) {
    if (patience_until_ == Instant::never()) {
      patience_until_ = now_.instant + source_->options().patience;
    }
    return now_.instant < patience_until_ ? Turn::idle : end(WatchEnd::behind, {}, sink);
  }
  patience_until_ = Instant::never();
  gone_ = std::move(resumption.dropped);
  switch (resumption.way) {
    case Way::replay:
      go_on_at_ = resumption.from.place;
      cursor_.place = gone_.empty() ? resumption.from.place : FeedPlace{};
      state_ = State::following;
      announce_ = true;
      return Turn::on;
    case Way::scan:
      KVS_PROBE("watcher: the difference to a cursor is scanned for");
      begin_scan(std::move(resumption.from), Extent::difference);
      return Turn::on;
    default:
      return tell_everything(std::move(resumption.from), sink);
  }
}

/// Keys that went without a tombstone: whatever the client has seen of them this node reflects too.
Watcher::Turn Watcher::tell_gone(WatchSink& sink) {
  const std::string path = std::move(gone_.back());
  gone_.pop_back();
  if (!is_below(path)) {
    return Turn::on;
  }
  const auto found = source_->store().find(Key::from_store(path));
  if (!found) {
    cursor_.place = {};  // from where the feed tells of it no more
    return end_unread(found.error(), path, sink);
  }
  return *found ? Turn::on : emit({.kind = WatchEvent::Kind::del, .path = path}, sink);
}

// --- scanning

void Watcher::begin_scan(WatchSource::Head from, Extent extent) {
  state_ = State::scanning;
  cursor_.place = {};
  cursor_.partial = extent == Extent::everything;
  if (cursor_.partial) {
    cursor_.seen = *from.known;
    cursor_.expired = from.expired;
  }
  scan_ = std::make_unique<Scan>(
      Scan{.extent = extent,
           .from = std::move(from),
           .records = source_->store().cursor(),  // after the place was taken
           .renew_at = now_.instant + source_->options().moment_age_max,
           .begun = now_.wall});
  scan_->records->seek(prefix_);
}

/// Anew, whatever the client has.
Watcher::Turn Watcher::tell_everything(WatchSource::Head from, WatchSink& sink) {
  begin_scan(std::move(from), Extent::everything);
  return emit({.kind = WatchEvent::Kind::reset}, sink);
}

/// In a later moment deletions of which a difference has yet to tell may be gone: then the client
/// needs everything, from there on.
std::optional<WatchSource::Head> Watcher::everything_instead() const {
  if (scan_->extent == Extent::everything) {
    return std::nullopt;
  }
  WatchSource::Resumption again = source_->resume(cursor_, now_.wall);
  if (again.way != WatchSource::Resumption::Way::reset) {
    return std::nullopt;
  }
  KVS_PROBE("watcher: deletions went while a difference was scanned for");
  return std::move(again.from);
}

/// A client that reads slowly must not keep an old moment of the store alive.
void Watcher::renew_moment() {
  KVS_PROBE("watcher: a scan goes on with a later moment");
  auto records = source_->store().cursor();
  records->seek(scan_->records->key().text());
  scan_->records = std::move(records);
  scan_->renew_at = now_.instant + source_->options().moment_age_max;
}

Watcher::Turn Watcher::scan(WatchSink& sink) {
  if (now_.instant >= scan_->renew_at && scan_->records->valid()) {
    if (auto everything = everything_instead()) {
      return tell_everything(*std::move(everything), sink);
    }
    renew_moment();
  }
  if (source_->run() != scan_->from.place.run) {
    return lose_run();
  }
  if (scan_->ranges > source_->options().scan_ranges_max) {
    KVS_PROBE("watcher: more differs than a scan for the difference keeps in mind");
    return tell_everything(source_->head(), sink);
  }
  if (!scan_->records->valid()) {
    return scan_->records->status() ? end_scan(sink) : end(WatchEnd::unreadable, {}, sink);
  }
  if (!is_below(scan_->records->key().text())) {
    return end_scan(sink);
  }
  const auto record = scan_->records->record();
  if (!record) {
    return end_unread(record.error(), scan_->records->key().text(), sink);
  }
  looked_bytes_ += record->value.size();
  const Turn turn = scanned(*record, sink);
  scan_->records->next();
  return turn;
}

/// Up to `expired` it was told, or is to be told now, that times are over.
Watcher::Standing Watcher::standing(const RecordHeader& header, const ExpiryPlace& expired) const {
  if (header.kind == RecordKind::tombstone) {
    return Standing::dead;
  }
  if (header.expires_ms == 0) {
    return Standing::shown;
  }
  if (place_of(header) <= expired) {
    return Standing::dead;
  }
  return header.shows(source_->expiry_clock()) ? Standing::shown : Standing::later;
}

Watcher::Turn Watcher::scanned(const RecordView& record, WatchSink& sink) {
  const RecordHeader& header = record.header;
  const Version& version = header.version;
  const bool everything = scan_->extent == Extent::everything;
  const Standing stands = standing(header, std::max(cursor_.expired, scan_->from.expired));
  if (everything && stands != Standing::shown) {
    return Turn::on;
  }
  if (!everything && cursor_.seen.covers(version.dot)) {
    const bool over_since =
        header.expires_ms != 0 && stands == Standing::dead && place_of(header) > cursor_.expired;
    if (!over_since || KVS_MUTATED(watch_scan_leaves_out_expiries)) {
      return Turn::on;
    }
  }
  const bool live = stands == Standing::shown;
  if (stands == Standing::dead && KVS_MUTATED(watch_scan_leaves_out_deletions)) {
    return Turn::on;
  }
  if (!everything || !KVS_MUTATED(watch_scan_forgets_newer)) {
    note_seen(version.dot);
  }
  if (stands == Standing::later) {
    return Turn::on;
  }
  const bool with_value = live && request_.values == WatchRequest::Values::include;
  return emit({.kind = live ? WatchEvent::Kind::put : WatchEvent::Kind::del,
               .path = scan_->records->key().text(),
               .version = version,
               .expires_ms = header.expires_ms,
               .value = with_value ? record.value : std::string_view()},
              sink);
}

/// Of what a scan finds; counts the ranges that come of it.
void Watcher::note_seen(Dot dot) {
  const std::size_t before = cursor_.seen.of(dot.origin).beyond.size();
  cursor_.seen.add(dot);
  const std::size_t after = cursor_.seen.of(dot.origin).beyond.size();
  scan_->ranges += scan_->extent == Extent::difference && after > before ? after - before : 0;
}

Watcher::Turn Watcher::end_scan(WatchSink& sink) {
  cursor_.seen.join(*scan_->from.known);
  cursor_.expired = std::max(cursor_.expired, scan_->from.expired);
  cursor_.partial = false;
  cursor_.place = scan_->from.place;
  cursor_.made = scan_->begun;
  scan_.reset();
  state_ = State::following;
  return emit({.kind = WatchEvent::Kind::bookmark}, sink);
}

/// K was emptied: what is stored from now on may be older than what was lost. Nothing is told until
/// K covers again what the client has seen.
Watcher::Turn Watcher::lose_run() {
  scan_.reset();
  news_.reset();
  state_ = State::resuming;
  return Turn::on;
}

// --- following

Watcher::Turn Watcher::follow(WatchSink& sink) {
  if (go_on_at_) {
    cursor_.place = *go_on_at_;
    go_on_at_.reset();
  }
  if (!news_) {
    return read_on(sink);
  }
  const std::vector<Change>& changes = news_->changes;
  while (cursor_.place.index < changes.size() && !is_below(changes[cursor_.place.index].path)) {
    ++cursor_.place.index;
  }
  if (cursor_.place.index >= changes.size()) {
    end_news();
    return Turn::on;
  }
  const std::shared_ptr<const WatchNews> kept = news_;
  return tell(kept->changes[cursor_.place.index++], sink);
}

Watcher::Turn Watcher::read_on(WatchSink& sink) {
  WatchSource::Reading reading = source_->read(cursor_.place);
  switch (reading.kind) {
    case WatchSource::Reading::Kind::news:
      news_ = std::move(reading.news);
      return Turn::on;
    case WatchSource::Reading::Kind::nothing_yet:
      return at_rest(sink);
    case WatchSource::Reading::Kind::too_late:
      KVS_PROBE("watcher: the feed has passed a slow reader");
      return end(WatchEnd::slow, {}, sink);
    case WatchSource::Reading::Kind::other_run:
      break;
  }
  return lose_run();
}

/// The client's state reflects now what the node's did after this batch.
void Watcher::end_news() {
  for (const KnowledgeWrite& write : news_->knowledge) {
    const DotRange first{.origin = write.origin, .first = 1, .last = write.known.upto};
    cursor_.seen.add(first);
    for (const auto& [from, to] : write.known.beyond) {
      cursor_.seen.add(DotRange{.origin = write.origin, .first = from, .last = to});
    }
    moved_ = true;
  }
  // What another node told as a put may have come here late, further on: until the client has
  // caught up, it knows of no more times than it did.
  if (!announce_) {
    cursor_.expired = std::max(cursor_.expired, news_->expired);
  }
  news_.reset();
  ++cursor_.place.number;
  cursor_.place.index = 0;
}

Watcher::Turn Watcher::tell(const Change& change, WatchSink& sink) {
  moved_ = true;
  if (!change.after) {
    if (change.before && change.before->live()) {
      gone_.push_back(change.path);
    }
    return Turn::on;
  }
  const RecordHeader& after = *change.after;
  const Version& version = after.version;
  if (change.cause == Change::Cause::expiry || cursor_.seen.covers(version.dot)) {
    return tell_over(change, after, sink);
  }
  // Until it has caught up the client may hold something newer than what was here before.
  const bool settled = !announce_ && !change.overdue && change.before &&
                       change.before->version.uuid == version.uuid &&
                       cursor_.seen.covers(change.before->version.dot);
  if (settled) {
    KVS_PROBE("watcher: a verdict changed nothing for the client");
    return Turn::on;
  }
  return tell_current(change, after, sink);
}

/// The client has seen this version, and maybe not that its time is over: told in the order of the
/// places, or, of one that came late, with its coming. Not if something newer took its place, of
/// which the client may have been told already.
Watcher::Turn Watcher::tell_over(const Change& change, const RecordHeader& after, WatchSink& sink) {
  const bool comes_in_order = change.cause == Change::Cause::expiry;
  const Version& version = after.version;
  if ((!comes_in_order && !change.overdue) || place_of(after) <= cursor_.expired ||
      !cursor_.seen.covers(version.dot)) {
    return Turn::on;
  }
  const auto found = source_->store().find(Key::from_store(change.path));
  if (source_->run() != cursor_.place.run) {
    return lose_run();
  }
  if (!found) {
    --cursor_.place.index;
    return end_unread(found.error(), change.path, sink);
  }
  if (comes_in_order && !announce_ && !KVS_MUTATED(watch_forgets_told)) {
    cursor_.expired = place_of(after);
  }
  const std::optional<RecordHeader>& held = *found;
  if (!held) {
    gone_.push_back(change.path);
    return Turn::on;
  }
  if (held->version.dot != version.dot) {
    KVS_PROBE("watcher: what expired was replaced before that was told");
    return Turn::on;
  }
  return emit({.kind = WatchEvent::Kind::del,
               .path = change.path,
               .version = version,
               .expires_ms = after.expires_ms},
              sink);
}

/// What a path holds now, with its value if the client wants it.
Result<std::optional<Record>> Watcher::look_up(const std::string& path) const {
  const Key key = Key::from_store(path);
  if (request_.values == WatchRequest::Values::include) {
    return source_->store().get_record(key);
  }
  const std::optional<RecordHeader> header = KVS_TRY(source_->store().find(key));
  return header ? std::optional(Record{.header = *header, .value = {}}) : std::nullopt;
}

Watcher::Turn Watcher::tell_current(const Change& change, const RecordHeader& after,
                                    WatchSink& sink) {
  const std::string& path = change.path;
  const auto found = look_up(path);
  if (source_->run() != cursor_.place.run) {
    KVS_PROBE("watcher: K was emptied while a record was read");
    return lose_run();
  }
  if (!found) {
    --cursor_.place.index;  // the client has not seen it
    return end_unread(found.error(), path, sink);
  }
  const std::optional<Record>& held = *found;
  if (!held) {
    // It went since. Its version may be older than what the client has seen elsewhere, but that the
    // key is gone is true.
    gone_.push_back(path);
    return Turn::on;
  }
  const Record& record = *held;
  const Version& version = record.header.version;
  if (cursor_.seen.covers(version.dot)) {
    return Turn::on;
  }
  const bool told_of = version.dot == after.version.dot;
  const Standing stands =
      told_of && change.overdue ? Standing::dead : standing(record.header, cursor_.expired);
  if (stands == Standing::later && !told_of) {
    return Turn::on;  // a later version, of which the feed tells later
  }
  if (!KVS_MUTATED(watch_forgets_told)) {
    cursor_.seen.add(version.dot);
  }
  if (stands == Standing::later) {
    KVS_PROBE("watcher: a value's time was over before it was told");
    return Turn::on;
  }
  const bool live = stands == Standing::shown;
  return emit({.kind = live ? WatchEvent::Kind::put : WatchEvent::Kind::del,
               .path = path,
               .version = version,
               .expires_ms = record.header.expires_ms,
               .value = live ? std::string_view(record.value) : std::string_view()},
              sink);
}

Watcher::Turn Watcher::at_rest(WatchSink& sink) {
  if (announce_) {
    const WatchSource::Head head = source_->head();
    if (head.place.run != cursor_.place.run || head.place.number != cursor_.place.number) {
      return Turn::on;  // it has just gone on
    }
    cursor_.expired = std::max(cursor_.expired, head.expired);
  }
  cursor_.made = now_.wall;
  if (std::exchange(announce_, false) || (moved_ && now_.instant >= bookmark_due_)) {
    return emit({.kind = WatchEvent::Kind::bookmark}, sink);
  }
  return Turn::idle;
}

// --- telling

Watcher::Turn Watcher::emit(WatchEvent event, WatchSink& sink) {
  event.cursor = &cursor_;
  moved_ = false;
  bookmark_due_ = now_.instant + source_->options().bookmark_interval;
  return sink.take(event) == WatchSink::Appetite::more ? Turn::on : Turn::enough;
}

Watcher::Turn Watcher::end_unread(const Error& error, std::string_view path, WatchSink& sink) {
  const bool damaged = error.code == Errc::corrupt_data;
  return end(damaged ? WatchEnd::damaged : WatchEnd::unreadable, path, sink);
}

Watcher::Turn Watcher::end(WatchEnd why, std::string_view path, WatchSink& sink) {
  const std::string kept(path);  // it may belong to the scan
  emit({.kind = WatchEvent::Kind::end, .path = kept, .why = why}, sink);
  state_ = State::ended;
  gone_.clear();
  scan_.reset();
  news_.reset();
  return Turn::ended;
}

}  // namespace kvs
