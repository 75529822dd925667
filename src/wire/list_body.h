// The answer to a listing, made while it is sent.
//
// A page that fits the first slice of work goes out whole, with its length; a longer one is
// streamed. A damaged record, or a disk that fails, within the first slice is answered with its
// error; later it breaks the stream off without its end, so that the client notices.
#pragma once

#include <memory>

#include "core/store_view.h"
#include "wire/api.h"
#include "wire/request_handler.h"

namespace kvs {

/// Appends the answer to `request`, or its head and gives the source of the rest: never `pending`.
/// What `request` points to need not outlive the call.
[[nodiscard]] Handled answer_listing(const AnswerTarget& target, const ListKeys& request,
                                     std::unique_ptr<RecordCursor> cursor);

}  // namespace kvs
