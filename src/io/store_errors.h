// What RocksDB's statuses mean for a node. docs/storage.md, "Commits", is normative.
//
// Of a failed commit it must be known whether its batch may be in the log: one that a client was
// told is not written must not come back after a restart.
#pragma once

#include <rocksdb/status.h>

#include "base/result.h"

namespace kvs {

/// Of a failed read: corrupt_data or io_error.
[[nodiscard]] Error read_error(const rocksdb::Status& status);

/// Of a failed write. disk_full, overloaded and corrupt_data only if nothing of the batch can come
/// back; io_error if nobody can know: a sync that failed, for want of space too, may have left the
/// whole batch in the log.
[[nodiscard]] Error write_error(const rocksdb::Status& status);

}  // namespace kvs
