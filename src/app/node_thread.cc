#include "app/node_thread.h"

#include <algorithm>
#include <chrono>
#include <type_traits>
#include <utility>

#include "app/trace_log.h"
#include "base/check.h"
#include "io/os.h"

namespace kvs {

namespace {

Now read_clocks() {
  return {.instant = monotonic_now(), .wall = wall_now()};
}

/// How a client is told of a commit that failed without doing harm; nothing if it may have done
/// harm.
std::optional<WriteStatus> harmless(Errc code) {
  if (code == Errc::disk_full) {
    return WriteStatus::disk_full;
  }
  if (code == Errc::overloaded) {
    return WriteStatus::overloaded;
  }
  if (code == Errc::corrupt_data) {
    return WriteStatus::corrupt_data;
  }
  return std::nullopt;
}

/// True for what a step only reads: nothing in its effects points into it.
struct IsOnlyRead {
  template <class Message>
  bool operator()(const Message& /*message*/) const {
    constexpr bool kAboutMembers =
        std::is_same_v<Message, Ping> || std::is_same_v<Message, PingOther> ||
        std::is_same_v<Message, Join> || std::is_same_v<Message, CompareMembers> ||
        std::is_same_v<Message, MemberRows> || std::is_same_v<Message, Pong> ||
        std::is_same_v<Message, NoPong>;
    return kAboutMembers || std::is_same_v<Message, Done> || std::is_same_v<Message, Refused>;
  }
};

/// An eighth is for clocks that differ.
WatchFeed::Start watch_start(const NodeOptions& options, const Recovered& recovered) {
  WatchFeed::Start start{.run = entropy() | 1U,
                         .known = recovered.knowledge,
                         .expired = recovered.expiry_reserve,
                         .options = {},
                         .bounds = {}};
  start.options.clocks_differ_max = Expirer::kSetBackMax;
  start.options.cursor_age_max = {options.tombstone_min_age.ns - options.tombstone_min_age.ns / 8};
  return start;
}

std::size_t bytes_of(const std::vector<PeerLetter>& calls) {
  std::size_t bytes = 0;
  for (const PeerLetter& call : calls) {
    bytes += call.bytes;
  }
  return bytes;
}

}  // namespace

NodeThread::NodeThread(const NodeOptions& options, const Recovered& recovered, Parts parts)
    : parts_(std::move(parts)),
      watch_board_(parts_.records, watch_start(options, recovered), parts_.watched),
      node_(options, recovered, parts_.records, entropy()) {}

NodeThread::~NodeThread() {
  if (node_thread_.joinable()) {
    stop();
  }
}

Result<void> NodeThread::start() {
  now_ = read_clocks();
  node_.start(now_, open_->effects);
  node_.close_batch(now_, open_->effects);
  if (!open_->effects.nothing_to_store()) {  // on a full disk a node may start and serve reads
    KVS_TRY(parts_.committer.commit(open_->effects));
  }
  node_.committed(now_, open_->effects);
  publish_node();  // whoever carries out a call may look at the view
  let_go(open_->effects);
  open_->effects.clear();
  node_thread_ = std::thread([this] { run_node(); });
  commit_thread_ = std::thread([this] { run_committer(); });
  return {};
}

void NodeThread::stop() {
  mailbox_.post(Stop{});
  node_thread_.join();
  {
    const std::lock_guard lock(commit_mutex_);
    no_more_commits_ = true;
  }
  commit_wanted_.notify_one();
  commit_thread_.join();
}

void NodeThread::post(WriteRequest request) {
  bytes_under_way_.fetch_add(request.bytes(), std::memory_order_relaxed);
  mailbox_.post(std::move(request));
}

void NodeThread::post_all(std::vector<WriteRequest>& requests) {
  std::size_t bytes = 0;
  for (const WriteRequest& request : requests) {
    bytes += request.bytes();
  }
  bytes_under_way_.fetch_add(bytes, std::memory_order_relaxed);
  mailbox_.post_all(requests);
}

void NodeThread::post_all(std::vector<PeerLetter>& calls) {
  peer_bytes_under_way_.fetch_add(bytes_of(calls), std::memory_order_relaxed);
  mailbox_.post_all(calls);
}

void NodeThread::post_all(std::vector<PeerReturn>& returns) {
  mailbox_.post_all(returns);
}

NodeThreadStatus NodeThread::status() const {
  const std::lock_guard lock(status_mutex_);
  NodeThreadStatus status = status_;
  status.bytes_under_way = bytes_under_way_.load(std::memory_order_relaxed);
  status.peer_bytes_under_way = peer_bytes_under_way_.load(std::memory_order_relaxed);
  return status;
}

std::shared_ptr<const View> NodeThread::view() const {
  const std::lock_guard lock(status_mutex_);
  return status_.view;
}

void NodeThread::run_node() {
  std::vector<Mail> letters;
  while (!stopping_ || committing_ != nullptr) {
    mailbox_.wait_and_take(letters, std::min(node_.next_deadline(), leave_until_));
    now_ = read_clocks();
    if (!letters.empty()) {
      take_letters(letters);
      letters = {};
    }
    if (node_.next_deadline() <= now_.instant) {
      node_.tick(now_, open_->effects);
    }
    if (committing_ == nullptr) {
      hand_over();
    } else {
      let_go(open_->effects);
      publish_node();
    }
    leave_if_done();
  }
}

void NodeThread::take_letters(std::vector<Mail>& letters) {
  // Commands point into the letters, so the whole vector stays with the batch that they enter. A
  // finished commit only ever frees the other batch.
  std::vector<Mail>& kept = open_->letters.emplace_back(std::move(letters));
  for (Mail& mail : kept) {
    take(mail);
  }
}

void NodeThread::take(Mail& mail) {
  if (const auto* request = std::get_if<WriteRequest>(&mail)) {
    node_.step(now_, request->command(), open_->effects);
  } else if (const auto* letter = std::get_if<PeerLetter>(&mail)) {
    node_.step(now_, letter->call, open_->effects);
    if (std::visit(IsOnlyRead{}, letter->call.request)) {
      peer_bytes_under_way_.fetch_sub(letter->bytes, std::memory_order_relaxed);
      mail = std::monostate{};
    }
  } else if (const auto* returned = std::get_if<PeerReturn>(&mail)) {
    node_.step(now_, *returned, open_->effects);
    if (std::visit(IsOnlyRead{}, returned->answer)) {
      mail = std::monostate{};
    }
  } else if (const auto* errand = std::get_if<Errand>(&mail)) {
    std::visit([this](const auto& wanted) { this->run(wanted); }, *errand);
  } else if (const auto* done = std::get_if<CommitDone>(&mail)) {
    commit_done(done->outcome);
  } else {
    stopping_ = true;
  }
}

void NodeThread::run(const LeaveErrand& errand) {
  leavers_.push_back(errand.ticket);
  if (leave_until_ != Instant::never()) {
    return;
  }
  leave_until_ = now_.instant + kLeaveTimeout;
  batches_before_leaving_ = committing_ == nullptr ? 1 : 2;
  node_.leave(now_, open_->effects);
}

void NodeThread::run(const RemoveErrand& errand) {
  switch (node_.remove_member(now_, errand.node_id, open_->effects)) {
    case RemoveOutcome::removed:
      return reply(errand.ticket, Done{});
    case RemoveOutcome::unknown:
      return reply(errand.ticket,
                   Refused{.code = Errc::not_found,
                           .detail = "no member of this id is listed: see /members/?all=true"});
    case RemoveOutcome::alive:
      return reply(
          errand.ticket,
          Refused{.code = Errc::id_in_use,
                  .detail = "this member is alive, or may be: let it leave itself, or stop "
                            "it and wait until it is listed as failed"});
  }
}

void NodeThread::run(const DamageErrand& errand) {
  node_.found_damage(now_, errand.path, open_->effects);
}

void NodeThread::run(const ReadErrand& errand) {
  node_.read_elsewhere(now_, errand.ticket, errand.path, open_->effects);
}

void NodeThread::run(const PulseErrand& errand) {
  errand.answer();
}

/// Answers at once: errands need no commit.
void NodeThread::reply(Ticket ticket, PeerAnswer answer) {
  PeerReply reply{.ticket = ticket, .envelope = {}, .answer = std::move(answer)};
  parts_.sink.deliver_to_peers({&reply, 1});
}

void NodeThread::leave_if_done() {
  const bool done = batches_before_leaving_ == 0 && node_.may_stop();
  if (leavers_.empty() || (!done && now_.instant < leave_until_)) {
    return;
  }
  for (const Ticket ticket : std::exchange(leavers_, {})) {
    if (done) {
      reply(ticket, Done{});
    } else {
      reply(ticket, Refused{.code = Errc::overloaded,
                            .detail = "no other member took all that this node owed in time"});
    }
  }
  leave_until_ = Instant::never();
  if (!std::exchange(told_left_, true) && parts_.left) {
    parts_.left();
  }
}

void NodeThread::commit_done(const Result<void>& outcome) {
  KVS_CHECK(committing_ != nullptr, "a commit ended that was never begun");
  Batch& batch = *std::exchange(committing_, nullptr);
  if (outcome) {
    node_.committed(now_, open_->effects);
    finish(batch);
    return;
  }
  // What was decided since rests on writes that are void: refuse it too, in order.
  const Errc why = harmless(outcome.error().code) ? outcome.error().code : Errc::io_error;
  node_.commit_failed(now_, open_->effects);
  refuse_batch(batch, why);
  finish(batch);
  refuse_batch(*open_, why);
  let_go(open_->effects);
  open_->effects.clear();
}

void NodeThread::refuse_batch(Batch& batch, Errc why) {
  refuse(batch.effects.replies, harmless(why).value_or(WriteStatus::io_error));
  parts_.sink.deliver(batch.effects.replies);
  refuse(batch.effects.peer_replies, why);
  parts_.sink.deliver_to_peers(batch.effects.peer_replies);
}

/// Sends off what rests on nothing in its batch.
void NodeThread::let_go(Effects& effects) {
  if (!effects.sends.empty()) {
    parts_.calls.send(std::move(effects.sends));
    effects.sends.clear();
  }
  if (!effects.answers.empty()) {
    parts_.sink.deliver_to_peers(effects.answers);
    effects.answers.clear();
  }
  if (!effects.watched.empty()) {
    watch_board_.add(effects.watched);
  }
  trace(effects);
  effects.trace.clear();
}

void NodeThread::finish(Batch& batch) {
  batches_before_leaving_ -= batches_before_leaving_ > 0 ? 1 : 0;
  std::size_t bytes = 0;
  std::size_t peer_bytes = 0;
  for (const std::vector<Mail>& letters : batch.letters) {
    for (const Mail& mail : letters) {
      if (const auto* request = std::get_if<WriteRequest>(&mail)) {
        bytes += request->bytes();
      } else if (const auto* letter = std::get_if<PeerLetter>(&mail)) {
        peer_bytes += letter->bytes;
      }
    }
  }
  bytes_under_way_.fetch_sub(bytes, std::memory_order_relaxed);
  peer_bytes_under_way_.fetch_sub(peer_bytes, std::memory_order_relaxed);
  batch.effects.clear();
  batch.letters.clear();
}

/// Closes the open batch. If there is nothing to make durable and nobody waits for that, it is
/// committed by that.
void NodeThread::hand_over() {
  Effects& effects = open_->effects;
  node_.close_batch(now_, effects);
  if (effects.nothing_to_store() && effects.replies.empty() && effects.peer_replies.empty()) {
    node_.committed(now_, effects);
    let_go(effects);
    publish_node();
    finish(*open_);
    return;
  }
  let_go(effects);
  publish_node();
  committing_ = open_;
  open_ = open_ == &batches_[0] ? &batches_[1] : &batches_[0];
  {
    const std::lock_guard lock(commit_mutex_);
    to_commit_ = committing_;
  }
  commit_wanted_.notify_one();
}

void NodeThread::trace(const Effects& effects) {
  for (const Trace& event : effects.trace) {
    log_trace(event, parts_.log);
  }
}

void NodeThread::publish_node() {
  if (standings_due_ <= now_.instant) {
    refresh_standings();
  }
  const NodeStatus status = node_.status();
  watch_board_.set_expiry_clock(node_.expiry_clock(), now_.instant);
  may_lack_records_.store(status.may_lack_records, std::memory_order_release);
  const std::lock_guard lock(status_mutex_);
  status_.node = status;
  status_.view = node_.view();
}

/// Standings compare what every member knows, which costs the more the more members there are.
void NodeThread::refresh_standings() {
  constexpr Duration kInterval = Duration::from_ms(100);
  std::vector<PeerStanding> standings = node_.standings();
  const auto members = static_cast<std::int64_t>(standings.size());
  standings_due_ = now_.instant + kInterval + Duration::from_ms(members);
  const std::lock_guard lock(status_mutex_);
  status_.standings.swap(standings);
}

void NodeThread::run_committer() {
  while (true) {
    Batch* batch = nullptr;
    if (!wait_for_batch(batch)) {
      probe();
      continue;
    }
    if (batch == nullptr) {
      return;
    }
    Result<void> outcome;
    if (!batch->effects.nothing_to_store()) {
      outcome = parts_.committer.commit(batch->effects);
    }
    require_harmless(outcome);
    account(*batch, outcome);
    if (outcome) {
      parts_.sink.deliver(batch->effects.replies);
      parts_.sink.deliver_to_peers(batch->effects.peer_replies);
    }
    mailbox_.post(CommitDone{std::move(outcome)});
  }
}

bool NodeThread::wait_for_batch(Batch*& batch) {
  constexpr std::chrono::milliseconds kProbeInterval(500);
  const auto ready = [this] {
    return to_commit_ != nullptr || no_more_commits_;
  };
  std::unique_lock lock(commit_mutex_);
  if (!last_commit_failed_) {
    commit_wanted_.wait(lock, ready);
  } else if (!commit_wanted_.wait_for(lock, kProbeInterval, ready)) {
    return false;
  }
  batch = std::exchange(to_commit_, nullptr);
  return true;
}

void NodeThread::probe() {
  const Result<void> outcome = parts_.committer.commit(Effects{});
  require_harmless(outcome);
  remember(outcome);
}

void NodeThread::require_harmless(const Result<void>& outcome) const {
  if (!outcome && !harmless(outcome.error().code)) {
    parts_.fatal(outcome.error());
  }
}

void NodeThread::remember(const Result<void>& outcome) {
  last_commit_failed_ = !outcome;
  const std::lock_guard lock(status_mutex_);
  status_.last_failure = outcome ? std::nullopt : std::optional(outcome.error().code);
}

void NodeThread::account(const Batch& batch, const Result<void>& outcome) {
  remember(outcome);
  const Instant now = monotonic_now();
  const std::lock_guard lock(status_mutex_);
  ++status_.batches;
  status_.batches_failed += outcome ? 0 : 1;
  status_.batch_writes.add(batch.effects.replies.size());
  for (const std::vector<Mail>& letters : batch.letters) {
    for (const Mail& mail : letters) {
      if (const auto* request = std::get_if<WriteRequest>(&mail)) {
        status_.write_micros.add(static_cast<std::uint64_t>((now - request->posted()).ns / 1000));
      }
    }
  }
}

}  // namespace kvs
