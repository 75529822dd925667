// Lost+found: live records that an exchange dropped, kept for a while so that people can look at
// them and write them again. docs/consistency.md tells when that happens.
//
// Entries lie among the node's own state, in the order of their paths. They go kLostKept after they
// came, by the node's clock, some with each commit. Written by the committing thread; any thread
// may list.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include "base/result.h"
#include "base/time.h"
#include "core/record.h"

namespace kvs {

inline constexpr Duration kLostKept = Duration::from_seconds(30LL * 24 * 3600);

struct LostRecord {
  std::string path;
  std::int64_t lost_ms = 0;  // Unix ms at which it was dropped
  Record record;
};

struct LostPage {
  std::vector<LostRecord> records;
  std::string next;  // list on after this; empty: that was all
};

/// Which part of them is wanted.
struct LostRange {
  std::string_view after;  // `next` of the page before; empty: from the first
  std::size_t limit = 0;
};

/// A page of at most `limit` entries, and of about 1 MiB. Entries that are damaged are left out.
/// Error: what the database says.
Result<LostPage> list_lost(rocksdb::DB& database, const LostRange& range);

/// Goes through all entries from time to time and removes the old ones.
class LostSweep {
 public:
  /// Looks at some entries if it is time to: those that are too old are deleted by `batch`. How
  /// many those are.
  std::uint64_t step(rocksdb::DB& database, WallTime wall, rocksdb::WriteBatch& batch);

  static constexpr std::size_t kEntriesAtOnce = 1000;
  static constexpr Duration kInterval = Duration::from_seconds(3600);

 private:
  std::string after_;  // of a sweep that is under way
  std::int64_t next_ms_ = 0;
};

/// How many entries there are.
std::uint64_t count_lost(rocksdb::DB& database);

}  // namespace kvs
