// The simulated write-ahead log: entries to bytes and back.
//
// An entry is one batch: size, checksum of the size, checksum of the payload, payload. The log ends
// where an entry is incomplete: that is the torn tail of a write that never finished. An entry that
// is complete and does not check is damage, and the whole log is refused: the two are told apart
// because the size has a checksum of its own.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace kvs {

/// One key and its new stored bytes; none: the key goes.
using DiskWrite = std::pair<std::string, std::string>;

/// Appends one entry.
void append_entry(std::span<const DiskWrite> writes, std::string& log);

struct LogContents {
  std::vector<DiskWrite> writes;  // of all complete entries, in order
  std::size_t complete_bytes = 0;
};

/// Reads a log. Error: corrupt_data if a complete entry is damaged.
Result<LogContents> read_log(std::string_view log);

}  // namespace kvs
