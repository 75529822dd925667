// References to durable writes: what the journal and the outbox keep of a write until a peer is to
// be told of it.
//
// By then the path may hold a newer version: that one is told, and the dot of the write goes along
// as replaced. Invariant: a dot is told only beside a version that is not older than its write, so
// the K of whoever takes it covers only what its state reflects.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/change.h"
#include "core/peer_message.h"
#include "core/store_view.h"

namespace kvs {

struct WriteRef {
  std::string path;
  Dot dot;
  Stamp stamp;
  std::uint32_t votes = 0;    // of its verdict
  std::vector<Dot> replaced;  // older writes of the path that came with it
};

/// The write that `change` made or learnt of; there must be one (`after`, `learnt`).
[[nodiscard]] WriteRef ref_of(const Change& change);

/// True if a path that holds `current` reflects the write. False where stamp and votes leave it
/// open which of two writes is the newer.
[[nodiscard]] bool reflects(const Version& current, const WriteRef& ref);

/// Memory that a reference takes, about.
[[nodiscard]] std::size_t memory_of(const WriteRef& ref);

/// Bytes of a record in a message, about and never less.
[[nodiscard]] std::size_t message_bytes(const PeerRecord& record);

/// What the path of `ref` holds, if that reflects the write and can be read.
[[nodiscard]] std::optional<PeerRecord> current_record(const StoreView& store, const WriteRef& ref);

/// Turns references into records for one message: each path once, in its newest version.
class RecordGatherer {
 public:
  /// `store` outlives the gatherer; so do the references that are added, until take().
  explicit RecordGatherer(const StoreView& store) : store_(store) {}

  /// Adds what the path of `ref` holds, and `dot` (the reference's own, or one of its `replaced`)
  /// to the writes that go with it. False if the path holds nothing that reflects the write, or
  /// cannot be read: then nothing is added.
  bool add(const WriteRef& ref, Dot dot);

  [[nodiscard]] std::size_t count() const { return records_.size(); }

  /// The sum of message_bytes().
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  /// The records in the order in which their paths were first added. The gatherer is empty then.
  [[nodiscard]] std::vector<PeerRecord> take();

 private:
  const StoreView& store_;
  std::vector<PeerRecord> records_;
  std::unordered_map<std::string_view, std::size_t> index_;  // path -> place in records_
  std::size_t bytes_ = 0;
};

}  // namespace kvs
