#include "io/record_cache.h"

#include <algorithm>
#include <utility>

#include <xxhash.h>

namespace kvs {

namespace {

constexpr std::size_t kBucketsMin = 16;
constexpr std::uint64_t kLargeFraction = 4;  // of a shard: larger records are not worth the room

constexpr std::size_t kPrefetchMax = 32;     // at a time: of what fits into the first-level cache
constexpr std::size_t kPrefetchBytes = 256;  // of a block: its header, key, and a short value

std::uint64_t hash_of(std::string_view key) {
  return XXH3_64bits(key.data(), key.size());
}

std::uint64_t hash_of(Key key) {
  return hash_of(key.text());
}

}  // namespace

/// The link that points to the key's block, or the null link at the end of its chain.
RecordBlock** RecordCache::Shard::slot(Key key, std::uint64_t hash) {
  RecordBlock** link = bucket(hash);
  while (*link != nullptr && (*link)->key() != key) {
    link = &(*link)->next_in_bucket;
  }
  return link;
}

void RecordCache::Shard::add(RecordBlock* block, std::uint64_t hash) {
  block->next_in_bucket = std::exchange(*bucket(hash), block);
}

void RecordCache::Shard::remove(RecordBlock** slot) {
  RecordBlock* const block = *slot;
  *slot = block->next_in_bucket;
  stats.bytes -= block->footprint();
  --stats.records;
  block->drop_reference();
}

void RecordCache::Shard::grow() {
  std::vector<RecordBlock*> old(buckets.size() * 2, nullptr);
  stats.bytes += (old.size() - buckets.size()) * sizeof(RecordBlock*);
  old.swap(buckets);
  for (RecordBlock* block : old) {
    while (block != nullptr) {
      RecordBlock* const next = block->next_in_bucket;
      add(block, hash_of(block->key()));
      block = next;
    }
  }
}

void RecordCache::Shard::evict_down_to(std::uint64_t bytes_max) {
  // Two rounds of the hand: the first may only take the marks off.
  for (std::size_t step = 0; stats.bytes > bytes_max && step < 2 * buckets.size(); ++step) {
    hand = (hand + 1) & (buckets.size() - 1);
    RecordBlock** link = &buckets[hand];
    while (*link != nullptr) {
      if (std::exchange((*link)->read_lately, false)) {
        link = &(*link)->next_in_bucket;
      } else {
        remove(link);
        ++stats.evictions;
      }
    }
  }
}

RecordCache::RecordCache(std::uint64_t bytes_max) : shard_bytes_max_(bytes_max / kShards) {
  for (Shard& shard : shards_) {
    shard.buckets.resize(kBucketsMin);
    shard.stats.bytes = kBucketsMin * sizeof(RecordBlock*);
  }
}

RecordCache::~RecordCache() {
  for (Shard& shard : shards_) {
    for (RecordBlock*& bucket : shard.buckets) {
      while (bucket != nullptr) {
        shard.remove(&bucket);
      }
    }
  }
}

RecordCache::Lookup RecordCache::lookup(Key key) {
  const std::uint64_t hash = hash_of(key);
  Shard& shard = shard_of(hash);
  const std::lock_guard lock(shard.mutex);
  RecordBlock* const block = *shard.slot(key, hash);
  if (block == nullptr) {
    ++shard.stats.misses;
    return {.record = {}, .miss = {.hash = hash, .generation = shard.generation}};
  }
  ++shard.stats.hits;
  block->read_lately = true;
  return {.record = SharedRecord(block), .miss = {}};
}

void RecordCache::prefetch(std::span<const std::string_view> keys) {
  std::array<std::uint64_t, kPrefetchMax> hashes;  // NOLINT(*-member-init): filled below
  const std::size_t count = std::min(keys.size(), hashes.size());
  // All buckets are on their way before the first of them is read for its block.
  for (std::size_t i = 0; i < count; ++i) {
    hashes[i] = hash_of(keys[i]);
    Shard& shard = shard_of(hashes[i]);
    const std::lock_guard lock(shard.mutex);
    __builtin_prefetch(static_cast<const void*>(shard.bucket(hashes[i])));
  }
  for (const std::uint64_t hash : std::span(hashes).first(count)) {
    Shard& shard = shard_of(hash);
    const std::lock_guard lock(shard.mutex);
    if (const RecordBlock* const block = *shard.bucket(hash)) {
      const auto* const bytes = reinterpret_cast<const char*>(block);
      for (std::size_t offset = 0; offset < kPrefetchBytes; offset += kCacheLine) {
        __builtin_prefetch(bytes + offset);
      }
    }
  }
}

std::optional<RecordHeader> RecordCache::peek(Key key) {
  const std::uint64_t hash = hash_of(key);
  Shard& shard = shard_of(hash);
  const std::lock_guard lock(shard.mutex);
  const RecordBlock* const block = *shard.slot(key, hash);
  return block == nullptr ? std::nullopt : std::optional(block->header());
}

void RecordCache::fill(const Miss& miss, const SharedRecord& record) {
  Shard& shard = shard_of(miss.hash);
  const std::lock_guard lock(shard.mutex);
  const bool may_be_stale = shard.generation != miss.generation ||
                            std::ranges::find(shard.writing, miss.hash) != shard.writing.end();
  if (!may_be_stale && *shard.slot(record.key(), miss.hash) == nullptr) {
    insert(shard, miss.hash, record);
  }
}

void RecordCache::insert(Shard& shard, std::uint64_t hash, const SharedRecord& record) const {
  const std::uint64_t footprint = record.block()->footprint();
  if (footprint > shard_bytes_max_ / kLargeFraction) {
    return;
  }
  shard.evict_down_to(shard_bytes_max_ - footprint);
  if (shard.stats.records * 2 >= shard.buckets.size()) {
    shard.grow();
  }
  record.block()->add_reference();
  record.block()->read_lately = false;
  shard.add(record.block(), hash);
  shard.stats.bytes += footprint;
  ++shard.stats.records;
}

void RecordCache::begin_writes(std::span<const RecordWrite> writes) {
  for (const RecordWrite& write : writes) {
    const std::uint64_t hash = hash_of(write.key);
    Shard& shard = shard_of(hash);
    const std::lock_guard lock(shard.mutex);
    shard.writing.push_back(hash);
    RecordBlock** const slot = shard.slot(write.key, hash);
    if (*slot != nullptr) {
      shard.remove(slot);
    }
  }
}

void RecordCache::end_writes(std::span<const RecordWrite> writes, Outcome outcome) {
  for (const RecordWrite& write : writes) {
    const std::uint64_t hash = hash_of(write.key);
    Shard& shard = shard_of(hash);
    const bool shows = outcome == Outcome::written && write.kind == RecordWrite::Kind::store;
    const SharedRecord record = shows ? SharedRecord(write.key, write.record) : SharedRecord();
    const std::lock_guard lock(shard.mutex);
    ++shard.generation;
    shard.writing.erase(std::ranges::find(shard.writing, hash));
    // A batch may write a key twice: only the last one is what the database shows.
    if (record && std::ranges::find(shard.writing, hash) == shard.writing.end()) {
      insert(shard, hash, record);
    }
  }
}

RecordCache::Stats RecordCache::stats() const {
  Stats all;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    all.hits += shard.stats.hits;
    all.misses += shard.stats.misses;
    all.evictions += shard.stats.evictions;
    all.records += shard.stats.records;
    all.bytes += shard.stats.bytes;
  }
  return all;
}

}  // namespace kvs
