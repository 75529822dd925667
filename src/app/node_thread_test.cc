#include "app/node_thread.h"

#include <gtest/gtest.h>

#include "io/os.h"
#include "support/temporary_folder.h"

namespace kvs {
namespace {

/// Collects replies and lets the test wait for a number of them.
class Collector final : public ReplySink {
 public:
  void deliver(std::span<const Reply> replies) override {
    const std::lock_guard lock(mutex_);
    replies_.insert(replies_.end(), replies.begin(), replies.end());
    arrived_.notify_all();
  }

  std::vector<Reply> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return replies_.size() >= count; });
    return replies_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Reply> replies_;
};

class NodeThreadTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }

  void TearDown() override { close(); }

  void open() {
    store_ =
        Store::open({.data_dir = folder_.path() + "/data", .durability = Durability::os}).value();
    node_ = std::make_unique<NodeThread>(
        NodeOptions{}, store_->recovered(),
        NodeThread::Parts{
            .store = *store_, .sink = collector_, .log = *log_, .fatal = [](const Error& error) {
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
    node_->post(WriteRequest({.ticket = Ticket{ticket},
                              .kind = WriteCommand::Kind::put,
                              .key = Key::from_store(key),
                              .value = value,
                              .condition = condition},
                             monotonic_now()));
  }

  TemporaryFolder folder_;
  std::unique_ptr<Log> log_ = Log::silent();
  Collector collector_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<NodeThread> node_;
};

TEST_F(NodeThreadTest, AnswersInOrderAndOnlyWhatIsStored) {
  constexpr std::uint64_t kWrites = 2000;
  for (std::uint64_t i = 0; i < kWrites; ++i) {
    put(i, "key/" + std::to_string(i % 100), std::to_string(i));
  }
  const std::vector<Reply> replies = collector_.wait_for(kWrites);
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
  const std::vector<Reply> replies = collector_.wait_for(2);
  EXPECT_EQ(replies[0].outcome.status, WriteStatus::created);
  EXPECT_EQ(replies[1].outcome.status, WriteStatus::version_mismatch);
}

TEST_F(NodeThreadTest, StopAnswersEverythingPostedBefore) {
  constexpr std::uint64_t kWrites = 500;
  for (std::uint64_t i = 0; i < kWrites; ++i) {
    put(i, "k", "1");
  }
  node_->stop();
  EXPECT_EQ(collector_.wait_for(kWrites).size(), kWrites);
  EXPECT_EQ(node_->status().bytes_under_way, 0U);
  node_.reset();
  store_.reset();
  open();
}

TEST_F(NodeThreadTest, IdentityAndStampsSurviveARestart) {
  const Identity identity = node_->status().node.identity;
  EXPECT_NE(identity.instance, 0U);
  put(1, "a", "1");
  const Stamp before = collector_.wait_for(1)[0].outcome.stamp;
  close();
  open();
  EXPECT_EQ(node_->status().node.identity, identity);
  put(2, "a", "2");
  EXPECT_GT(collector_.wait_for(2)[1].outcome.stamp, before);
}

TEST_F(NodeThreadTest, CountsBatchesAndLatencies) {
  for (std::uint64_t i = 0; i < 10; ++i) {
    put(i, "k", "1");
  }
  collector_.wait_for(10);
  const NodeThreadStatus status = node_->status();
  EXPECT_EQ(status.batch_writes.sum, 10U);
  EXPECT_EQ(status.write_micros.total, 10U);
  EXPECT_EQ(status.batches, status.batch_writes.total);
  EXPECT_EQ(status.batches_failed, 0U);
}

}  // namespace
}  // namespace kvs
