// The replicating half of a node, without membership and time: a disk in memory and the rooms that
// exchanges go through. Batches are committed, or fail, when the test says so.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/expirer.h"
#include "core/holdings.h"
#include "core/reconciliation.h"
#include "core/replica.h"
#include "core/sync_answers.h"
#include "core/watch_feed.h"
#include "support/memory_store.h"

namespace kvs {

/// A store in memory whose cursors stay at their moment, whatever is committed meanwhile.
class MomentStore final : public StoreView {
 public:
  explicit MomentStore(const MemoryStore& store) : store_(store) {}

  [[nodiscard]] Result<std::optional<RecordHeader>> find(Key key) const override {
    return store_.find(key);
  }

  [[nodiscard]] Result<std::optional<Record>> get_record(Key key) const override {
    return store_.get_record(key);
  }

  [[nodiscard]] Result<std::vector<ExpiryEntry>> expiries(const ExpiryPlace& after,
                                                          std::size_t max) const override {
    return store_.expiries(after, max);
  }

  [[nodiscard]] std::unique_ptr<RecordCursor> cursor() const override {
    return std::make_unique<Moment>(store_);
  }

 private:
  class Moment final : public RecordCursor {
   public:
    explicit Moment(const MemoryStore& store) : copy_(store), cursor_(copy_.cursor()) {}

    void seek(std::string_view text) override { cursor_->seek(text); }

    void next() override { cursor_->next(); }

    [[nodiscard]] bool valid() const override { return cursor_->valid(); }

    [[nodiscard]] Result<void> status() const override { return cursor_->status(); }

    [[nodiscard]] Key key() const override { return cursor_->key(); }

    [[nodiscard]] Result<RecordView> record() const override { return cursor_->record(); }

   private:
    MemoryStore copy_;
    std::unique_ptr<RecordCursor> cursor_;
  };

  const MemoryStore& store_;
};

class ExchangeNode {
 public:
  std::uint64_t features = kFeatureShortHashes;  // as in its row

  /// `cursor_age_max`: of watchers (core/watch_feed). Zero where tombstones go at once.
  explicit ExchangeNode(std::uint64_t seed, Duration cursor_age_max = {})
      : instance_(Instance{seed}), prng_(seed), cursor_age_max_(cursor_age_max) {
    start();
  }

  /// Ends the process, with what was not committed, and starts another on what the disk holds.
  void restart() {
    recovered_.identity = Identity{.instance = 1};
    open_ = {};
    calls_.clear();
    start();
  }

  WriteOutcome put(WallTime wall, std::string_view path, std::string_view value = "1",
                   Duration ttl = {}) {
    return write(wall, {.kind = WriteCommand::Kind::put,
                        .key = Key::from_store(keep(path)),
                        .value = keep(value),
                        .condition = {},
                        .ttl = ttl});
  }

  /// It is this time by the node's clock.
  void look(WallTime wall) {
    wall_ = wall;
    expirer().look(now());
    follow_expirer();
  }

  /// Watchers are told of what has expired, and values are freed in the open batch.
  void expire() {
    tell_expired();
    for (const ExpiryEntry& entry : expirer().begin_freeing()) {
      replica().free_value(entry, open_);
      frees_ = true;
    }
  }

  Expirer& expirer() { return rooms_->expirer; }

  WriteOutcome del(WallTime wall, std::string_view path) {
    return write(wall, {.kind = WriteCommand::Kind::del, .key = Key::from_store(keep(path))});
  }

  Taken take(const PeerRecord& record, const Replica::Terms& terms = {}) {
    return replica().take_kept(record, terms, open_);
  }

  /// The end of an exchange, in the open batch.
  bool join(const Knowledge& theirs, const Replica::Terms& terms = {},
            const std::vector<PeerItem>& dead = {}) {
    return replica().join(theirs, dead, terms, open_);
  }

  /// Commits the open batch; what it changed.
  std::vector<Change> settle() {
    note_emptied();
    replica().close_batch(open_);
    open_.expiry_reserve = expirer().take_due_reserve();
    recovered_.expiry_reserve = open_.expiry_reserve.value_or(recovered_.expiry_reserve);
    store_.commit(open_);
    for (const KnowledgeWrite& write : open_.knowledge) {
      recovered_.knowledge.set(write.origin, write.known);
    }
    recovered_.clock_reserve = open_.clock_reserve.value_or(recovered_.clock_reserve);
    recovered_.root = open_.root ? open_.root : recovered_.root;
    std::vector<Change> changes = replica().committed();
    holdings().apply(changes);
    if (std::exchange(frees_, false)) {
      expirer().freed();
    }
    expirer().committed(changes);
    tell_watchers(changes);
    tell_expired();
    count();
    note_emptied();
    end_batch();
    return changes;
  }

  /// The open batch fails.
  void fail() {
    replica().close_batch(open_);
    replica().commit_failed();
    expirer().commit_failed();
    frees_ = false;
    end_batch();
  }

  void count() {
    while (holdings().wants_to_count()) {
      holdings().count_some();
    }
  }

  /// Lets this node answer into the open batch. The answer stays valid until the batch ends.
  PeerAnswer answer(PeerRequest request, const Replica::Terms& terms = {}) {
    calls_.push_back(std::make_unique<PeerCall>(PeerCall{.request = std::move(request)}));
    rooms_->answers.called(*calls_.back(), Mode::normal, terms, open_);
    auto& replies = open_.answers.empty() ? open_.peer_replies : open_.answers;
    PeerAnswer answer = std::move(replies.back().answer);
    replies.pop_back();
    return answer;
  }

  /// The header held under a path, as committed.
  [[nodiscard]] std::optional<RecordHeader> held(std::string_view path) const {
    return store_.find(Key::from_store(path)).value_or(std::nullopt);
  }

  /// Everything held, as committed; damaged records are left out.
  [[nodiscard]] std::map<std::string, RecordHeader> headers() const {
    std::map<std::string, RecordHeader> headers;
    for (const auto& [path, slot] : store_.slots()) {
      if (!slot.damage) {
        headers.emplace(path, slot.record.header);
      }
    }
    return headers;
  }

  [[nodiscard]] PeerRecord record(const std::string& path) const {
    return {.path = path, .record = store_.slots().at(path).record, .replaced = {}};
  }

  [[nodiscard]] Instance instance() const { return instance_; }

  Replica& replica() { return rooms_->replica; }

  [[nodiscard]] const Knowledge& known() const { return rooms_->replica.durable_knowledge(); }

  Holdings& holdings() { return rooms_->holdings; }

  MemoryStore& store() { return store_; }

  /// What watchers go by.
  [[nodiscard]] const WatchFeed& feed() {
    note_emptied();
    return *feed_;
  }

  Recovered& recovered() { return recovered_; }

  Effects& open() { return open_; }

  /// Text that stays alive until the batch ends.
  std::string_view keep(std::string_view text) { return open_.kept.emplace_back(text); }

 private:
  struct Rooms {
    Rooms(const Recovered& recovered, const StoreView& store, Prng& prng)
        : replica(recovered, store, prng),
          holdings(replica, store, prng),
          answers(holdings, replica),
          expirer(store, Duration::from_ms(20)) {}

    Replica replica;
    Holdings holdings;
    SyncAnswers answers;
    Expirer expirer;
  };

  void start() {
    rooms_ = std::make_unique<Rooms>(recovered_, store_, prng_);
    const std::uint64_t run = (static_cast<std::uint64_t>(instance_) << 20U) + (++starts_ << 10U);
    WatchFeed::Start start{.run = run,
                           .known = recovered_.knowledge,
                           .expired = recovered_.expiry_reserve,
                           .options = {},
                           .bounds = {}};
    start.options.patience = Duration::from_ms(50);
    start.options.cursor_age_max = cursor_age_max_;
    start.bounds.news_max = 200;
    start.bounds.checkpoint_news = 3;
    feed_ = std::make_unique<WatchFeed>(moments_, std::move(start));
    emptied_told_ = 0;
    frees_ = false;
    expirer().start(now(), recovered_.expiry_reserve);
    follow_expirer();
    if (expirer().in_use()) {
      feed_->add(std::make_shared<const WatchNews>(WatchNews{.expired = expirer().told()}));
    }
    count();
  }

  [[nodiscard]] Now now() const {
    return {.instant = Instant{} + Duration::from_ms(wall_.ms), .wall = wall_};
  }

  void follow_expirer() {
    replica().set_expiry(expirer().clock(), expirer().told());
    feed_->set_expiry_clock(expirer().clock());
  }

  void tell_expired() {
    std::vector<Change> changes = expirer().tell(replica().first_pending_expiry());
    for (const std::string& path : expirer().take_damaged()) {
      holdings().found_damage(path);
    }
    note_emptied();
    follow_expirer();
    if (!changes.empty()) {
      feed_->add(std::make_shared<const WatchNews>(WatchNews{.changes = std::move(changes),
                                                             .knowledge = {},
                                                             .emptied = false,
                                                             .whole = holdings().whole(),
                                                             .expired = expirer().told()}));
    }
  }

  void tell_watchers(const std::vector<Change>& changes) {
    feed_->add(std::make_shared<const WatchNews>(
        WatchNews{.changes = changes,
                  .knowledge = replica().take_committed_knowledge(),
                  .emptied = false,
                  .whole = holdings().whole(),
                  .expired = expirer().in_use() ? expirer().told() : ExpiryPlace{}}));
  }

  void note_emptied() {
    if (std::exchange(emptied_told_, replica().emptied()) != replica().emptied()) {
      feed_->add(std::make_shared<const WatchNews>(
          WatchNews{.changes = {}, .knowledge = {}, .emptied = true, .whole = false}));
    }
  }

  WriteOutcome write(WallTime wall, const WriteCommand& command) {
    replica().write(wall, command, open_);
    return open_.replies.back().outcome;
  }

  void end_batch() {
    open_ = {};
    calls_.clear();
  }

  Instance instance_;
  Prng prng_;
  Duration cursor_age_max_;
  MemoryStore store_;
  MomentStore moments_{store_};
  Recovered recovered_;
  std::unique_ptr<Rooms> rooms_;
  std::unique_ptr<WatchFeed> feed_;
  WallTime wall_;
  bool frees_ = false;  // the open batch does
  std::uint64_t starts_ = 0;
  std::uint64_t emptied_told_ = 0;
  Effects open_;
  std::vector<std::unique_ptr<PeerCall>> calls_;  // whose bytes the open batch may point to
};

/// One exchange that `from` began with `to`, message by message, as core/sync conducts it.
class ExchangeSession {
 public:
  enum class State : std::uint8_t { going, complete, broken };

  ExchangeSession(ExchangeNode& from, ExchangeNode& to)
      : from_(&from), to_(&to), own_run_(from.holdings().run()), mine_(from.known()) {}

  /// Lets the next thing happen: a request arrives, or its answer does. What it changes is in the
  /// open batch of `from` or `to`; an answer counts once that is committed: see awaits_commit().
  State step(const Replica::Terms& terms) {
    if (from_->holdings().run() != own_run_) {
      return state_ = State::broken;
    }
    if (!answer_) {
      return send(terms);
    }
    const PeerAnswer& answer = answers_.emplace_back(*std::exchange(answer_, std::nullopt));
    return take(answer, coming_from(*to_, terms));
  }

  /// True while an answer waits that rests on the open batch of `to`.
  [[nodiscard]] bool awaits_commit() const {
    return answer_ && std::holds_alternative<Done>(*answer_);
  }

  /// The batch of `to` failed, and with it what it was to answer.
  void refuse() { answer_ = Refused{.code = Errc::io_error, .detail = {}}; }

  [[nodiscard]] State state() const { return state_; }

  [[nodiscard]] ExchangeNode* from() const { return from_; }

  [[nodiscard]] ExchangeNode* to() const { return to_; }

  [[nodiscard]] const ReconciliationFigures& figures() const { return reconciliation_->figures(); }

  /// Every request and answer so far.
  std::vector<PeerRequest> requests;
  std::vector<PeerAnswer> replies;

 private:
  static Replica::Terms coming_from(const ExchangeNode& node, Replica::Terms terms) {
    terms.from = node.instance();
    return terms;
  }

  State send(const Replica::Terms& terms) {
    if (!reconciliation_) {
      requests.emplace_back(Hello{.digest = from_->holdings().digest(), .latest = {}});
    } else {
      auto next = reconciliation_->next();
      if (!next && next.error().code == Errc::corrupt_data) {
        from_->holdings().found_damage(next.error().detail);
      }
      if (!next || !*next) {
        return state_ = next ? State::complete : State::broken;
      }
      requests.push_back(**next);
    }
    answer_ = to_->answer(requests.back(), coming_from(*from_, terms));
    replies.push_back(*answer_);
    return state_;
  }

  State take(const PeerAnswer& answer, const Replica::Terms& terms) {
    if (const auto* greeting = std::get_if<Greeting>(&answer); greeting && !reconciliation_) {
      from_->replica().observe(std::min(greeting->digest.newest, terms.newest_allowed));
      reconciliation_.emplace(
          Reconciliation::Parts{.source = from_->holdings().source(), .replica = from_->replica()},
          Reconciliation::Start{.peer_run = greeting->digest.run,
                                .mine = mine_,
                                .theirs = greeting->knowledge.value_or(mine_),
                                .peer_features = to_->features,
                                .drops_confirmed = true});
      return state_;
    }
    if (!reconciliation_) {
      return state_ = State::broken;
    }
    const auto taken = reconciliation_->answered(answer, terms, from_->open());
    if (!taken && taken.error().code == Errc::corrupt_data) {
      from_->holdings().found_damage(taken.error().detail);
    }
    if (!taken) {
      return state_ = State::broken;
    }
    return state_ = reconciliation_->complete() ? State::complete : State::going;
  }

  ExchangeNode* from_;
  ExchangeNode* to_;
  std::uint64_t own_run_;
  Knowledge mine_;
  std::optional<PeerAnswer> answer_;
  std::deque<PeerAnswer> answers_;  // taken ones: open batches may point to their bytes
  std::optional<Reconciliation> reconciliation_;
  State state_ = State::going;
};

/// An exchange that nothing disturbs, every batch committed at once; its last state.
inline ExchangeSession::State run_exchange(ExchangeSession& session,
                                           const Replica::Terms& terms = {}) {
  while (session.state() == ExchangeSession::State::going) {
    session.step(terms);
    session.to()->settle();
    session.from()->settle();
  }
  return session.state();
}

}  // namespace kvs
