#include "app/node_thread.h"

#include <array>
#include <thread>

#include <gtest/gtest.h>

#include "io/os.h"
#include "io/store.h"
#include "support/memory_store.h"
#include "support/recording_sinks.h"
#include "support/temporary_folder.h"

namespace kvs {
namespace {

using testing::RecordingSinks;

WriteRequest put_request(std::uint64_t ticket, std::string_view key, std::string_view value,
                         Condition condition = {}) {
  return {WriteCommand{.ticket = Ticket{ticket},
                       .kind = WriteCommand::Kind::put,
                       .key = Key::from_store(key),
                       .value = value,
                       .condition = condition},
          monotonic_now()};
}

class NodeThreadTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }

  void TearDown() override { close(); }

  void open() {
    store_ =
        Store::open({.data_dir = folder_.path() + "/data", .durability = Durability::os}).value();
    node_ = std::make_unique<NodeThread>(NodeOptions{}, store_->recovered(),
                                         NodeThread::Parts{.records = *store_,
                                                           .committer = *store_,
                                                           .sink = sinks_,
                                                           .calls = sinks_,
                                                           .log = *log_,
                                                           .fatal = [](const Error& error) {
                                                             ADD_FAILURE() << error.detail;
                                                           }});
    ASSERT_TRUE(node_->start());
  }

  void close() {
    node_->stop();
    node_.reset();
    store_.reset();
  }

  void put(std::uint64_t ticket, std::string_view key, std::string_view value,
           Condition condition = {}) {
    node_->post(put_request(ticket, key, value, condition));
  }

  TemporaryFolder folder_;
  std::unique_ptr<Log> log_ = Log::silent();
  RecordingSinks sinks_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<NodeThread> node_;
};

TEST_F(NodeThreadTest, AnswersInOrderAndOnlyWhatIsStored) {
  constexpr std::uint64_t kWrites = 2000;
  for (std::uint64_t i = 0; i < kWrites; ++i) {
    put(i, "key/" + std::to_string(i % 100), std::to_string(i));
  }
  const std::vector<Reply> replies = sinks_.replies().wait_for(kWrites);
  for (std::uint64_t i = 0; i < kWrites; ++i) {
    EXPECT_EQ(replies[i].ticket, Ticket{i});
    EXPECT_EQ(replies[i].outcome.status, i < 100 ? WriteStatus::created : WriteStatus::replaced);
    if (i > 0) {
      EXPECT_LT(replies[i - 1].outcome.stamp, replies[i].outcome.stamp);
    }
  }
  const SharedRecord last = store_->get(Key::from_store("key/99")).value();
  EXPECT_EQ(last.value(), "1999");
  EXPECT_EQ(last.header().version.uuid, replies.back().outcome.uuid);
}

TEST_F(NodeThreadTest, ConditionsSeeWritesThatAreStillUnderWay) {
  put(1, "a", "1", {.kind = Condition::Kind::if_absent});
  put(2, "a", "2", {.kind = Condition::Kind::if_absent});
  const std::vector<Reply> replies = sinks_.replies().wait_for(2);
  EXPECT_EQ(replies[0].outcome.status, WriteStatus::created);
  EXPECT_EQ(replies[1].outcome.status, WriteStatus::version_mismatch);
}

TEST_F(NodeThreadTest, StopAnswersEverythingPostedBefore) {
  constexpr std::uint64_t kWrites = 500;
  for (std::uint64_t i = 0; i < kWrites; ++i) {
    put(i, "k", "1");
  }
  node_->stop();
  EXPECT_EQ(sinks_.replies().wait_for(kWrites).size(), kWrites);
  EXPECT_EQ(node_->status().bytes_under_way, 0U);
  node_.reset();
  store_.reset();
  open();
}

TEST_F(NodeThreadTest, IdentityAndStampsSurviveARestart) {
  const Identity identity = node_->status().node.identity;
  EXPECT_NE(identity.instance, 0U);
  put(1, "a", "1");
  const Stamp before = sinks_.replies().wait_for(1)[0].outcome.stamp;
  close();
  open();
  EXPECT_EQ(node_->status().node.identity, identity);
  put(2, "a", "2");
  EXPECT_GT(sinks_.replies().wait_for(2)[1].outcome.stamp, before);
}

TEST_F(NodeThreadTest, CountsBatchesAndLatencies) {
  for (std::uint64_t i = 0; i < 10; ++i) {
    put(i, "k", "1");
  }
  sinks_.replies().wait_for(10);
  const NodeThreadStatus status = node_->status();
  EXPECT_EQ(status.batch_writes.sum, 10U);
  EXPECT_EQ(status.write_micros.total, 10U);
  EXPECT_EQ(status.batches, status.batch_writes.total);
  EXPECT_EQ(status.batches_failed, 0U);
}

/// Commits to memory, when the test lets it and as the test says.
class ScriptedCommitter final : public Committer {
 public:
  explicit ScriptedCommitter(MemoryStore& store) : store_(store) {}

  Result<void> commit(const Effects& effects) override {
    std::unique_lock lock(mutex_);
    ++begun_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !held_; });
    if (failure_) {
      return fail(*failure_, "the test says so");
    }
    store_.commit(effects);
    return {};
  }

  void hold() { set(held_, true); }

  void release() { set(held_, false); }

  /// What every commit from now on gives; nothing: success.
  void fail_with(std::optional<Errc> failure) { set(failure_, failure); }

  [[nodiscard]] int begun() {
    const std::lock_guard lock(mutex_);
    return begun_;
  }

  void wait_for(int begun) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return begun_ >= begun; });
  }

 private:
  template <class Value>
  void set(Value& field, Value value) {
    const std::lock_guard lock(mutex_);
    field = value;
    changed_.notify_all();
  }

  MemoryStore& store_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int begun_ = 0;
  bool held_ = false;
  std::optional<Errc> failure_;
};

/// The node's threads over a store that fails when the test says so.
class ScriptedNodeTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(node_.start()); }

  void put(std::uint64_t ticket, std::string_view key, Condition condition = {}) {
    node_.post(put_request(ticket, key, "1", condition));
  }

  /// As many calls, their tickets counted from `first`.
  void call(std::uint64_t first, std::uint64_t count, const PeerRequest& request) {
    std::vector<PeerLetter> calls;
    for (std::uint64_t i = 0; i < count; ++i) {
      calls.push_back({.call = {.ticket = Ticket{first + i}, .envelope = {}, .request = request},
                       .bytes = 1000});
    }
    node_.post_all(calls);
  }

  /// Waits until a write is being committed, which the test has to release.
  void stall() {
    committer_.hold();
    const int begun = committer_.begun();
    put(1000, "stalled");
    committer_.wait_for(begun + 1);
  }

  RecordingSinks sinks_;
  std::unique_ptr<Log> log_ = Log::silent();
  MemoryStore store_;
  ScriptedCommitter committer_{store_};
  testing::Arrivals<Errc> fatal_;
  testing::Arrivals<std::size_t> left_;  // how many errands had been answered then
  NodeThread node_{NodeOptions{}, Recovered{},
                   NodeThread::Parts{
                       .records = store_,
                       .committer = committer_,
                       .sink = sinks_,
                       .calls = sinks_,
                       .log = *log_,
                       .fatal = [this](const Error& error) { fatal_.add(std::vector{error.code}); },
                       .left =
                           [this] {
                             left_.add(std::vector{sinks_.peer_replies().size()});
                           }}};
};

TEST_F(ScriptedNodeTest, AFullDiskRefusesTheBatchAndWhatRestsOnIt) {
  stall();
  put(1, "a", {.kind = Condition::Kind::if_absent});
  put(2, "stalled", {.kind = Condition::Kind::if_absent});
  committer_.fail_with(Errc::disk_full);
  committer_.release();
  const std::vector<Reply> replies = sinks_.replies().wait_for(3);
  EXPECT_EQ(replies[0].ticket, Ticket{1000});
  for (const Reply& reply : replies) {
    EXPECT_EQ(reply.outcome.status, WriteStatus::disk_full);
  }
  committer_.fail_with(std::nullopt);
  put(3, "stalled", {.kind = Condition::Kind::if_absent});
  EXPECT_EQ(sinks_.replies().wait_for(4)[3].outcome.status, WriteStatus::created);
  EXPECT_EQ(fatal_.size(), 0U);
  EXPECT_GE(node_.status().batches_failed, 1U);
  node_.stop();
  EXPECT_EQ(node_.status().bytes_under_way, 0U);
}

TEST_F(ScriptedNodeTest, HealthComesBackAlthoughNobodyWrites) {
  committer_.fail_with(Errc::disk_full);
  put(1, "a");
  EXPECT_EQ(sinks_.replies().wait_for(1)[0].outcome.status, WriteStatus::disk_full);
  EXPECT_EQ(node_.status().last_failure, Errc::disk_full);
  const int begun = committer_.begun();
  committer_.wait_for(begun + 1);  // still full
  EXPECT_EQ(node_.status().last_failure, Errc::disk_full);
  committer_.fail_with(std::nullopt);
  committer_.wait_for(committer_.begun() + 1);
  put(2, "a");  // whose answer comes after what the look at the disk found was published
  sinks_.replies().wait_for(2);
  EXPECT_EQ(node_.status().last_failure, std::nullopt);
  node_.stop();
}

TEST_F(ScriptedNodeTest, AnErrorThatLeavesDoubtIsFatal) {
  committer_.fail_with(Errc::io_error);
  put(1, "a");
  EXPECT_EQ(fatal_.wait_for(1)[0], Errc::io_error);
  EXPECT_EQ(sinks_.replies().wait_for(1)[0].outcome.status, WriteStatus::io_error);
  committer_.fail_with(std::nullopt);
  node_.stop();
}

TEST_F(ScriptedNodeTest, CallsAreAnsweredWhileTheDiskStalls) {
  stall();
  call(1, 100, Ping{});
  const std::vector<PeerReply> replies = sinks_.peer_replies().wait_for(100);
  for (std::uint64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(replies[i].ticket, Ticket{1 + i});
  }
  EXPECT_EQ(sinks_.replies().size(), 0U);
  committer_.release();
  sinks_.replies().wait_for(1);
  node_.stop();
  EXPECT_EQ(node_.status().peer_bytes_under_way, 0U);
}

TEST_F(ScriptedNodeTest, CallsWithRecordsCountUntilTheirBatchIsDone) {
  stall();
  call(1, 100'000, Push{});
  EXPECT_TRUE(node_.overloaded_by_peers());
  EXPECT_FALSE(node_.overloaded());
  committer_.release();
  node_.stop();
  EXPECT_EQ(sinks_.peer_replies().wait_for(100'000).size(), 100'000U);
  EXPECT_FALSE(node_.overloaded_by_peers());
  EXPECT_EQ(node_.status().peer_bytes_under_way, 0U);
}

TEST_F(ScriptedNodeTest, ReturnsOfCallsThatNobodyMadeDoNoHarm) {
  std::vector<PeerReturn> returns(3);
  returns[1].answer = Page{};
  returns[2].failure = PeerReturn::Failure::timed_out;
  node_.post_all(returns);
  EXPECT_TRUE(returns.empty());
  put(1, "a");
  EXPECT_EQ(sinks_.replies().wait_for(1)[0].outcome.status, WriteStatus::created);
  node_.stop();
}

TEST_F(ScriptedNodeTest, LeavesOnceWhatWasWrittenBeforeIsDurable) {
  stall();
  put(1, "a");
  node_.post(LeaveErrand{.ticket = Ticket{7}});
  node_.post(LeaveErrand{.ticket = Ticket{8}});
  put(2, "b");
  call(9, 1, Ping{});
  EXPECT_EQ(sinks_.peer_replies().wait_for(1)[0].ticket, Ticket{9});
  EXPECT_EQ(left_.size(), 0U);
  committer_.release();
  const std::vector<PeerReply> replies = sinks_.peer_replies().wait_for(3);
  for (const std::size_t i : {1U, 2U}) {
    EXPECT_EQ(replies[i].ticket, Ticket{6 + i});
    EXPECT_TRUE(std::holds_alternative<Done>(replies[i].answer));
  }
  EXPECT_EQ(left_.wait_for(1)[0], 3U);
  const std::vector<Reply> writes = sinks_.replies().wait_for(3);
  EXPECT_EQ(writes[1].outcome.status, WriteStatus::created);
  EXPECT_EQ(writes[2].outcome.status, WriteStatus::shutting_down);
  node_.post(LeaveErrand{.ticket = Ticket{10}});
  EXPECT_EQ(sinks_.peer_replies().wait_for(4)[3].ticket, Ticket{10});
  node_.stop();
  EXPECT_EQ(left_.size(), 1U);
}

TEST_F(ScriptedNodeTest, RemovesNobodyWhoIsUnknownOrAlive) {
  node_.post(RemoveErrand{.ticket = Ticket{1}, .node_id = "nobody"});
  node_.post(RemoveErrand{.ticket = Ticket{2}, .node_id = node_.status().view->own().node_id});
  const std::vector<PeerReply> replies = sinks_.peer_replies().wait_for(2);
  EXPECT_EQ(std::get<Refused>(replies[0].answer).code, Errc::not_found);
  EXPECT_EQ(std::get<Refused>(replies[1].answer).code, Errc::id_in_use);
  node_.stop();
}

TEST_F(ScriptedNodeTest, AReaderThatMetDamageTellsTheNode) {
  put(1, "a");
  sinks_.replies().wait_for(1);
  node_.post(DamageErrand{.path = "a"});
  put(2, "b");
  sinks_.replies().wait_for(2);
  node_.stop();
  EXPECT_EQ(node_.status().node.damage_found, 1U);
}

TEST_F(ScriptedNodeTest, AnswersAPulseInItsTurn) {
  testing::Arrivals<std::thread::id> answers;
  node_.post(PulseErrand{.answer = [&] {
    answers.add(std::array{std::this_thread::get_id()});
  }});
  EXPECT_NE(answers.wait_for(1)[0], std::this_thread::get_id());
  node_.stop();
}

TEST_F(ScriptedNodeTest, PublishesItself) {
  const auto view = node_.status().view;
  ASSERT_NE(view, nullptr);
  EXPECT_EQ(static_cast<std::uint64_t>(view->self), node_.status().node.identity.instance);
  EXPECT_EQ(view->own().instance, view->self);
  node_.stop();
}

}  // namespace
}  // namespace kvs
