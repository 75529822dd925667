// What was written here of late, by dot: from it a peer that lacks little gets exactly that.
//
// Bounded in memory; the oldest entries go first. It holds references, not values, and is empty
// after a start. Driven by the node's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <vector>

#include "core/change.h"
#include "core/knowledge.h"
#include "core/peer_message.h"
#include "core/store_view.h"
#include "core/write_ref.h"

namespace kvs {

struct JournalOptions {
  std::size_t bytes_max = std::size_t{16} << 20U;
  std::size_t dots_max = 262'144;
  std::size_t answer_bytes = std::size_t{1} << 20U;  // an answer ends with the record that fills it
  std::size_t answer_records = 4096;
  std::size_t latest_bytes = std::size_t{64} << 10U;
};

class Journal {
 public:
  explicit Journal(const JournalOptions& options) : options_(options) {}

  /// Durable changes, in their order, and what K has learnt beside them. Drops leave no entry.
  void add(std::span<const Change> changes);

  /// All that `mine` covers and `theirs` does not. `mine` is the durable K; `store` may show more
  /// than it covers. A peer that takes every record of the answer with its dots covers, if it is
  /// `whole`, all of `mine`. Work is bounded by the answer's size, whatever `theirs` says.
  [[nodiscard]] Delta answer(const Knowledge& mine, const Knowledge& theirs,
                             const StoreView& store) const;

  /// At most `count` records that were written last, newest first, each path once; fewer if they
  /// would not fit in `latest_bytes`.
  [[nodiscard]] std::vector<PeerRecord> latest(std::size_t count, const StoreView& store) const;

  /// Memory taken, about.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  /// Dots that can be told.
  [[nodiscard]] std::size_t dots() const { return dots_; }

 private:
  using Places = std::map<std::uint64_t, std::uint64_t>;  // seq -> place

  void append(WriteRef ref);
  void point(Dot dot, std::uint64_t place);
  void unpoint(Dot dot, std::uint64_t place);
  void drop_oldest();
  [[nodiscard]] const WriteRef& at(std::uint64_t place) const;
  [[nodiscard]] bool may_reach(const DotRange& range) const;

  JournalOptions options_;
  std::deque<WriteRef> entries_;
  std::uint64_t first_ = 0;  // place of the oldest entry; places count from the start
  std::map<Origin, Places> index_;
  std::size_t bytes_ = 0;
  std::size_t dots_ = 0;
};

}  // namespace kvs
