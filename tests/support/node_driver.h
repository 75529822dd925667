// A node and its store in one hand: commands go in, batches are committed or fail, crashes lose
// what was not committed.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/node.h"
#include "support/memory_store.h"

namespace kvs {

class NodeDriver {
 public:
  explicit NodeDriver(NodeOptions options = {}, std::uint64_t seed = 1)
      : options_(options), seed_(seed) {
    restart();
  }

  NodeDriver(const NodeDriver&) = delete;
  NodeDriver& operator=(const NodeDriver&) = delete;

  /// Ends the node and starts another on what was committed.
  void restart() {
    closed_.clear();
    open_ = {};
    ++seed_;
    node_ = std::make_unique<Node>(options_, recovered_, store_, seed_);
    node_->start(now(), open_.effects);
  }

  /// What the next restart() finds of the node's own state.
  Recovered& recovered() { return recovered_; }

  /// From the next restart() on.
  void set_mode(Mode mode) { options_.mode = mode; }

  WriteCommand command(WriteCommand::Kind kind, std::string_view key, std::string_view value = {},
                       const Condition& condition = {}) {
    texts_.push_back(std::make_unique<std::string>(key));
    const std::string& kept_key = *texts_.back();
    texts_.push_back(std::make_unique<std::string>(value));
    return {.ticket = Ticket{++tickets_},
            .kind = kind,
            .key = Key::from_store(kept_key),
            .value = *texts_.back(),
            .condition = condition};
  }

  /// Steps a PUT into the open batch; what the node would answer once it is committed.
  WriteOutcome put(std::string_view key, std::string_view value = "1",
                   const Condition& condition = {}) {
    return step(command(WriteCommand::Kind::put, key, value, condition));
  }

  WriteOutcome del(std::string_view key, const Condition& condition = {}) {
    return step(command(WriteCommand::Kind::del, key, {}, condition));
  }

  WriteOutcome step(const WriteCommand& command) {
    node_->step(now(), command, open_.effects);
    return open_.effects.replies.back().outcome;
  }

  /// Closes the open batch; its effects stay as they are until it is committed.
  const Effects& close() {
    node_->close_batch(now(), open_.effects);
    closed_.push_back(std::exchange(open_, {}));
    return closed_.back().effects;
  }

  /// Commits the oldest closed batch; its replies leave.
  std::vector<Reply> commit() {
    Effects effects = std::move(closed_.front().effects);
    closed_.pop_front();
    store_.commit(effects);
    for (const KnowledgeWrite& write : effects.knowledge) {
      recovered_.knowledge.set(write.origin, write.known);
    }
    recovered_.clock_reserve = effects.clock_reserve.value_or(recovered_.clock_reserve);
    recovered_.expiry_reserve = effects.expiry_reserve.value_or(recovered_.expiry_reserve);
    recovered_.identity = effects.identity ? effects.identity : recovered_.identity;
    node_->committed(now(), open_.effects);
    return std::move(effects.replies);
  }

  /// The oldest closed batch fails, and all that came after it with it.
  std::vector<Reply> fail(WriteStatus why) {
    std::vector<Reply> replies;
    closed_.push_back(std::exchange(open_, {}));
    for (Batch& batch : closed_) {
      refuse(batch.effects.replies, why);
      replies.insert(replies.end(), batch.effects.replies.begin(), batch.effects.replies.end());
    }
    closed_.clear();
    node_->commit_failed(now(), open_.effects);
    return replies;
  }

  /// close() and commit() of a batch of its own.
  std::vector<Reply> settle() {
    close();
    return commit();
  }

  Now now() const { return {.instant = {wall_.ms * 1'000'000}, .wall = wall_}; }

  WallTime& wall() { return wall_; }

  Effects& open_effects() { return open_.effects; }

  std::size_t closed_batches() const { return closed_.size(); }

  Node& node() { return *node_; }

  MemoryStore& store() { return store_; }

  [[nodiscard]] const MemoryStore& store() const { return store_; }

  const Recovered& recovered() const { return recovered_; }

 private:
  struct Batch {
    Effects effects;
  };

  NodeOptions options_;
  std::uint64_t seed_;
  std::uint64_t tickets_ = 0;
  WallTime wall_{1'000'000};
  MemoryStore store_;
  Recovered recovered_;
  std::unique_ptr<Node> node_;
  Batch open_;
  std::deque<Batch> closed_;
  std::vector<std::unique_ptr<std::string>> texts_;
};

}  // namespace kvs
