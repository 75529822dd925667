// How RocksDB is set up, with the reason for each choice that is not its default.
#pragma once

#include <cstdint>

#include <rocksdb/options.h>

namespace kvs {

/// Size of one memtable, and of the log that backs it.
inline constexpr std::uint64_t kWriteBufferBytes = 16ULL << 20U;

/// Options for the one column family of a node. `block_cache_bytes` bounds its block cache.
[[nodiscard]] rocksdb::Options rocks_options(std::uint64_t block_cache_bytes);

}  // namespace kvs
