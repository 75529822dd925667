// What the core has to tell an operator, in the log: severity and words for each kind of trace.
#pragma once

#include "core/effects.h"
#include "io/log.h"

namespace kvs {

/// Writes one line. Any thread.
void log_trace(const Trace& event, Log& log);

}  // namespace kvs
