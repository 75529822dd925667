// Opening the database of a data folder: whole, with a torn tail, or damaged.
//
// What an unclean end leaves is told apart from damage by io/wal_check. Damage is never passed over
// in silence and nothing is thrown away: the logs are kept aside, what is sound in them is used,
// and the folder is marked until K has been emptied. docs/storage.md is normative.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <rocksdb/db.h>

#include "base/result.h"
#include "io/data_folder.h"
#include "io/wal_check.h"

namespace kvs {

/// What an operator should know of how the folder was found.
struct OpenReport {
  bool created = false;               // there was no data
  bool torn_tail = false;             // the log ended in a batch that nobody was told of: harmless
  bool knowledge_emptied = false;     // because of damage: everything is asked of the peers
  std::string damage;                 // what was wrong, one sentence; empty: nothing
  std::string damaged_copy;           // the folder that keeps the damaged logs; empty: none
  std::uint64_t operations_lost = 0;  // known to be missing, records and state; 0 may mean unknown
};

struct OpenedDatabase {
  std::unique_ptr<rocksdb::DB> database;
  OpenReport report;
};

/// What the logs of the folder are, as a start would see them. Changes nothing. Error: io_error.
Result<WalCheck> check_logs(const DataFolder& folder);

/// Errors: corrupt_data, disk_full, data_dir_unusable, io_error; each says what to do.
Result<OpenedDatabase> open_database(DataFolder& folder, std::uint64_t block_cache_bytes);

}  // namespace kvs
