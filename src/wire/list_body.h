// The answer to a listing, made while it is sent.
//
// A page that fits the first slice of work goes out whole, with its length; a longer one is
// streamed. A page is of one moment, which its cursor keeps in the store; for a client that reads
// slowly a cursor older than kListCursorAge is replaced by a new one at the same place. A damaged
// record, or a disk that fails, within the first slice is answered with its
// error; later it breaks the stream off without its end, so that the client notices.
#pragma once

#include <functional>
#include <memory>

#include "base/time.h"
#include "core/store_view.h"
#include "wire/api.h"
#include "wire/request_handler.h"

namespace kvs {

inline constexpr Duration kListCursorAge = Duration::from_seconds(30);

/// What a listing reads.
struct ListSource {
  std::function<std::unique_ptr<RecordCursor>()> cursor;  // a new one, of the moment of the call
  std::function<void(Key key)> damaged = nullptr;  // told of a damaged record; may be missing
};

/// Appends the answer to `request`, or its head and gives the source of the rest: never `pending`.
/// What `request` points to need not outlive the call.
[[nodiscard]] Handled answer_listing(const AnswerTarget& target, const ListKeys& request,
                                     ListSource source, Instant now);

}  // namespace kvs
