// The records read and written last, in memory: path to record, bounded by bytes.
//
// Sharded by the hash of the key, each shard under its own lock; evicted by CLOCK. Invariant: what
// the cache gives out is never older than what the database showed to anybody before. Two rules
// keep it:
//   - a key that is being written is not in the cache from before the database's write until after
//     it, so every reader asks the database;
//   - what a reader found in the database is taken only if no write of that shard began or ended
//     since it missed here, and never replaces an entry.
// Absent keys are not cached: the database's filters answer for them.
// Threads: begin_writes/end_writes on one thread, the rest on any.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "core/effects.h"
#include "io/shared_record.h"

namespace kvs {

class RecordCache {
 public:
  /// `bytes_max` covers all that the cache takes from the allocator.
  explicit RecordCache(std::uint64_t bytes_max);
  ~RecordCache();
  RecordCache(const RecordCache&) = delete;
  RecordCache& operator=(const RecordCache&) = delete;

  /// Where a reader missed, and when.
  struct Miss {
    std::uint64_t hash = 0;
    std::uint64_t generation = 0;
  };

  /// The record, or the miss to hand to fill().
  struct Lookup {
    SharedRecord record;
    Miss miss;
  };

  [[nodiscard]] Lookup lookup(Key key);

  /// Has the processor fetch what lookup() of these keys will read, without waiting for it. A text
  /// that is no key does no harm.
  void prefetch(std::span<const std::string_view> keys);

  /// The header only. Neither counts as a read nor as a miss.
  [[nodiscard]] std::optional<RecordHeader> peek(Key key);

  /// Takes what the database gave after `miss`, unless it may be stale by now.
  void fill(const Miss& miss, const SharedRecord& record);

  /// Before the database's write: forgets the keys, and refuses fills for them.
  void begin_writes(std::span<const RecordWrite> writes);

  enum class Outcome : std::uint8_t { written, failed };

  /// After it: takes the new records if they were written. `writes` as given to begin_writes.
  void end_writes(std::span<const RecordWrite> writes, Outcome outcome);

  struct Stats {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t evictions = 0;
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
  };

  [[nodiscard]] Stats stats() const;

 private:
  static constexpr std::size_t kShardBits = 6;
  static constexpr std::size_t kShards = std::size_t{1} << kShardBits;
  static constexpr std::size_t kCacheLine = 64;

  struct alignas(kCacheLine) Shard {
    mutable std::mutex mutex;
    // All below is protected by mutex.
    std::vector<RecordBlock*> buckets;   // a power of two of them; chained
    std::vector<std::uint64_t> writing;  // hashes of keys under way
    std::size_t hand = 0;                // of the clock: a bucket
    std::uint64_t generation = 0;        // of the writes ended here
    Stats stats;

    [[nodiscard]] RecordBlock** bucket(std::uint64_t hash) {
      return &buckets[(hash >> kShardBits) & (buckets.size() - 1)];
    }

    [[nodiscard]] RecordBlock** slot(Key key, std::uint64_t hash);
    void add(RecordBlock* block, std::uint64_t hash);
    void remove(RecordBlock** slot);
    void grow();
    void evict_down_to(std::uint64_t bytes_max);
  };

  Shard& shard_of(std::uint64_t hash) { return shards_[hash & (kShards - 1)]; }

  void insert(Shard& shard, std::uint64_t hash, const SharedRecord& record) const;

  std::uint64_t shard_bytes_max_;
  std::array<Shard, kShards> shards_;
};

}  // namespace kvs
