// Cursors of watchers as text: the `id` of an event, for Last-Event-ID and `since`.
//
// base64url of a binary form (docs/api.md): K of what the client has seen, the place in the feed
// that made it, when, and a check that also binds it to its path. Opaque to clients, good on every
// node of the cluster. Bounded: a K that does not fit has the cursor "0", from which a stream
// starts anew.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/watch_feed.h"

namespace kvs {

/// The longest text: it fits into the line of a header, and with a path into a target.
inline constexpr std::size_t kWatchCursorTextMax = 6000;

/// The cursor of a client that has seen nothing, or more than a text holds.
inline constexpr std::string_view kWatchCursorNone = "0";

/// Appends the text of `cursor`, which was made for `path`.
void append_watch_cursor(const WatchCursor& cursor, std::string_view path, std::string& out);

/// Nothing if it is no text that append_watch_cursor() gives for this path, or kWatchCursorNone.
[[nodiscard]] std::optional<WatchCursor> parse_watch_cursor(std::string_view text,
                                                            std::string_view path);

}  // namespace kvs
