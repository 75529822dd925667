// RocksDB's view of bytes and ours, one as the other. Neither owns anything.
#pragma once

#include <string_view>

#include <rocksdb/slice.h>

namespace kvs {

[[nodiscard]] inline rocksdb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}

[[nodiscard]] inline std::string_view view(const rocksdb::Slice& bytes) {
  return {bytes.data(), bytes.size()};
}

}  // namespace kvs
