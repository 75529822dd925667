// The parts of a request for a watch that are texts: where it begins, and how long it waits.
#pragma once

#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "core/watcher.h"

namespace kvs {

/// A watch of `path`, which has no trailing slash: from `cursor` on, with everything if that is
/// kWatchCursorNone, or from now on if it is empty. Error: invalid_query.
[[nodiscard]] Result<WatchRequest> watch_from(std::string_view path, std::string_view cursor);

/// Whole seconds, 0 to 300. Error: invalid_query.
[[nodiscard]] Result<Duration> parse_wait(std::string_view value);

}  // namespace kvs
