// What leaves a node's threads, collected for a test that waits for it.
#pragma once

#include <condition_variable>
#include <iterator>
#include <mutex>
#include <span>
#include <vector>

#include "app/exits.h"

namespace kvs::testing {

/// A list that one thread fills and another waits for. Waiting is without bound: the test's own
/// time limit ends it.
template <class Item>
class Arrivals {
 public:
  template <class Range>
  void add(Range&& items) {
    const std::lock_guard lock(mutex_);
    items_.insert(items_.end(), std::begin(items), std::end(items));
    arrived_.notify_all();
  }

  /// All that came, once there are at least `count`.
  std::vector<Item> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return items_.size() >= count; });
    return items_;
  }

  [[nodiscard]] std::size_t size() {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Item> items_;
};

class RecordingSinks final : public ReplySink, public CallSink {
 public:
  void deliver(std::span<const Reply> replies) override { replies_.add(replies); }

  void deliver_to_peers(std::span<PeerReply> replies) override { peer_replies_.add(replies); }

  void send(std::vector<PeerSend>&& sends) override { sends_.add(sends); }

  Arrivals<Reply>& replies() { return replies_; }

  Arrivals<PeerReply>& peer_replies() { return peer_replies_; }

  Arrivals<PeerSend>& sends() { return sends_; }

 private:
  Arrivals<Reply> replies_;
  Arrivals<PeerReply> peer_replies_;
  Arrivals<PeerSend> sends_;
};

}  // namespace kvs::testing
