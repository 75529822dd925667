// Pushes: what this node wrote, and what it answers for handing on, goes to peers at once.
//
// A queue holds references to writes, bounded in memory, and a lane for each peer that is sent
// them; all lanes of a queue share it, each with its own place. A lane has one frame on its way:
// what gathers meanwhile forms the next. Records are read from the store as a frame is built, once
// for lanes at the same place. Nothing waits for a peer and nothing is sent twice to one that
// failed: what is lost or overflows, anti-entropy finds. Answers are waited for not much longer
// than they usually take, so that a frame that was lost soon goes to another delegate.
//
// Up to `direct_members_max` members every peer has a lane; with more, every part of the ring
// (core/ring), and whoever is there first and answers gets the frames. Driven by the node's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "base/time.h"
#include "core/change.h"
#include "core/effects.h"
#include "core/patience.h"
#include "core/peer_message.h"
#include "core/ring.h"
#include "core/store_view.h"
#include "core/view.h"
#include "core/write_ref.h"

namespace kvs {

struct OutboxOptions {
  std::size_t direct_members_max = 16;
  std::size_t parts = 8;
  std::size_t frame_bytes = std::size_t{256} << 10U;  // a frame ends with the record that fills it
  std::size_t queue_bytes_max = std::size_t{2} << 20U;
  std::size_t queues_max = 32;
  Duration timeout_min = Duration::from_seconds(1);
  Duration timeout_max = Duration::from_seconds(10);
  Duration pause = Duration::from_seconds(1);  // of a peer that failed, unless it is heard of
};

/// Counters since the start, but for `bytes`.
struct OutboxStats {
  std::size_t bytes = 0;  // of references, about
  std::uint64_t frames = 0;
  std::uint64_t records = 0;     // sent, each copy counted
  std::uint64_t failed = 0;      // frames without a good answer
  std::uint64_t dropped = 0;     // writes that a lane did not deliver: failed or overflowed
  std::uint64_t overflowed = 0;  // of those: for want of room
};

/// How many writes a peer has not confirmed yet, or the part of the ring that it stands for.
struct PeerLag {
  Instance peer{};
  std::uint64_t writes = 0;
};

class Outbox {
 public:
  /// `store` outlives the outbox.
  Outbox(const OutboxOptions& options, const StoreView& store)
      : options_(options), store_(store), patience_(options.timeout_min, options.timeout_max) {}

  /// Members have changed, or what is known of them. A peer that is not live any more loses its
  /// lane; a new one gets what is written from now on.
  void set_view(std::shared_ptr<const View> view);

  /// Durable changes, in their order. Of these, client writes and verdicts go to all.
  void add(std::span<const Change> changes);

  /// `changes` are those that a push with this stretch made, now durable: the ones of cause push go
  /// on to the members of the stretch.
  void forward(const RingStretch& stretch, std::span<const Change> changes);

  /// Sends what is owed wherever no frame is on its way.
  void flush(const Now& now, Effects& effects);

  /// What came of a push; sends on. Returns the peer if its connection was refused: probe it.
  std::optional<Instance> returned(const Now& now, const PeerReturn& back, Effects& effects);

  /// The peer is there: if it was paused, it is due at once.
  void peer_heard(Instance peer);

  /// True if a frame for this peer was lost since this was last asked: it lacks what was written,
  /// and none of it is on its way.
  bool take_missed(Instance peer) { return missed_.erase(peer) > 0; }

  [[nodiscard]] Instant next_deadline() const;

  void tick(const Now& now, Effects& effects);

  /// True while any write waits to be sent, or a frame for its answer.
  [[nodiscard]] bool owes_anything() const;

  [[nodiscard]] OutboxStats stats() const;

  /// The peers that are behind, by instance.
  [[nodiscard]] std::vector<PeerLag> lags() const;

 private:
  struct Flight {
    CallId call{};
    Instance target{};
    std::uint64_t begin = 0;  // the lane's place before it
    Instant sent;
  };

  struct Lane {
    RingPart part;
    std::uint64_t next = 0;  // place of the first reference not yet sent
    std::optional<Flight> flight;

    /// Place of the first reference that may still be needed.
    [[nodiscard]] std::uint64_t owed() const;
  };

  /// References [begin, end) as records. Without a stretch.
  struct Frame {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::size_t count = 0;
    std::size_t bytes = 0;
    std::shared_ptr<const PeerRequest> request;
  };

  struct Queue {
    std::optional<RingStretch> stretch;  // that came with the writes; nothing: they are our own
    std::deque<WriteRef> refs;
    std::uint64_t first = 0;  // place of the oldest reference; places count from the start
    std::size_t bytes = 0;
    std::vector<Lane> lanes;
    std::deque<Frame> frames;  // the newest ones, for lanes that come to the same place

    [[nodiscard]] std::uint64_t end() const { return first + refs.size(); }
  };

  struct StretchOrder {
    bool operator()(const RingStretch& a, const RingStretch& b) const;
  };

  [[nodiscard]] bool direct() const { return ring_.size() <= options_.direct_members_max; }

  void lay_lanes(Queue& queue) const;
  void free_lost_lanes(Queue& queue);
  void append(Queue& queue, const Change& change);
  void drop_oldest(Queue& queue);
  static void trim(Queue& queue);
  Queue* forward_queue(const RingStretch& stretch);

  void flush_queue(const Now& now, Queue& queue, Effects& effects);
  bool send_next(const Now& now, Queue& queue, Lane& lane, Effects& effects);
  [[nodiscard]] Duration timeout_of(const Frame& frame) const;
  const Frame& frame_at(Queue& queue, std::uint64_t begin);
  [[nodiscard]] Frame build(const Queue& queue, std::uint64_t begin) const;
  [[nodiscard]] std::shared_ptr<const PeerRequest> addressed(const Queue& queue, const Lane& lane,
                                                             const Frame& frame) const;
  [[nodiscard]] const Member* target_of(const RingPart& part) const;
  static Lane* lane_of(Queue& queue, CallId call);
  void give_up(const Queue& queue, Lane& lane, const Flight& flight, const Now& now);

  OutboxOptions options_;
  const StoreView& store_;
  std::shared_ptr<const View> view_;
  std::vector<Instance> roster_;  // live members, by instance, this node included
  Ring ring_;
  Queue own_;
  std::map<RingStretch, Queue, StretchOrder> forwards_;
  std::map<Instance, Instant> paused_;  // until when
  std::set<Instance> missed_;           // members that a frame did not reach
  std::uint64_t calls_ = 0;
  Patience patience_;
  OutboxStats stats_;
};

}  // namespace kvs
