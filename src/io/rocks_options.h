// How RocksDB is set up, with the reason for each choice that is not its default.
#pragma once

#include <cstdint>

#include <rocksdb/options.h>

namespace kvs {

/// Size of one memtable, and of the log that backs it.
inline constexpr std::uint64_t kWriteBufferBytes = 16ULL << 20U;

/// So many tables of memtables that became full begin a compaction.
inline constexpr int kTablesToCompact = 8;

/// Options for the one column family of a node. `block_cache_bytes` bounds its block cache.
[[nodiscard]] rocksdb::Options rocks_options(std::uint64_t block_cache_bytes);

/// Each thread counts what RocksDB does in it, every comparison of keys, for whoever asks it;
/// nobody here does. To be called before work with the database: costs nothing from the second time
/// on.
void stop_counting_in_this_thread();

}  // namespace kvs
