// The answer to an export: every record below a path as of one moment, a line each
// (wire/record_line), made while it is sent.
//
// All cursors that the source gives are of one moment; a cursor older than kExportCursorAge is
// replaced by the next one at the same place, so that no memory is kept for a client that reads
// slowly. What a moment keeps on the disk is bounded by kExportTimeMax, after which the stream
// breaks off; so it does where a record is damaged, so that the client notices.
#pragma once

#include <functional>
#include <memory>

#include "base/time.h"
#include "core/store_view.h"
#include "wire/api.h"
#include "wire/request_handler.h"

namespace kvs {

inline constexpr Duration kExportCursorAge = Duration::from_seconds(30);
inline constexpr Duration kExportTimeMax = Duration::from_seconds(3600);

/// What an export reads.
struct ExportSource {
  std::function<std::unique_ptr<RecordCursor>()> cursor;  // all of the same moment
  std::function<void(Key key)> damaged = nullptr;  // told of a damaged record; may be missing
  WallTime expiry_clock;  // what has expired by it is exported as a deletion
};

/// Appends the head of the answer and gives the source of its body, or appends an error. What
/// `request` points to need not outlive the call.
[[nodiscard]] Handled answer_export(const AnswerTarget& target, const ExportRecords& request,
                                    ExportSource source, Instant now);

}  // namespace kvs
