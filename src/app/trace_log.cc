#include "app/trace_log.h"

#include <string_view>

namespace kvs {

namespace {

/// How a trace is told: its words, and the name of its text and number; none: not told.
struct Words {
  LogLevel level;
  std::string_view message;
  std::string_view text;
  std::string_view number;
};

// One line a kind: no branch of it does anything else.
// NOLINTNEXTLINE(readability-function-size)
Words words_for(Trace::Kind kind) {
  using enum Trace::Kind;
  using enum LogLevel;
  switch (kind) {
    case origin_taken:
      return {.level = debug, .message = "this run took an origin", .number = "origin"};
    case damaged_record_replaced:
      return {.level = warn, .message = "a client's write replaced a damaged record"};
    case clock_behind:
      return {.level = warn,
              .message = "stamps run ahead of this machine's clock: was it set back?",
              .number = "ahead_ms"};
    case damage_found:
      return {.level = error,
              .message = "damaged data was found: all records are fetched from peers again",
              .text = "path"};
    case bootstrap_began:
      return {.level = info,
              .message = "this node fetches the cluster's data; writes wait",
              .text = "donor"};
    case bootstrap_ended:
      return {.level = info,
              .message = "this node has fetched the recent data and serves writes",
              .number = "records"};
    case exchange_ended:
      return {.level = debug, .message = "an exchange ended", .text = "exchange"};
    case divergence:
      return {.level = error,
              .message = "nodes that had seen the same writes held different records: repaired",
              .text = "peer",
              .number = "paths"};
    case drops_doubted:
      return {.level = error,
              .message =
                  "an exchange would drop many live records: fingerprints are counted anew first",
              .text = "peer",
              .number = "records"};
    case conflict_settled:
      return {.level = info, .message = "a conflict was settled", .text = "verdict"};
    case member_joined:
      return {.level = info, .message = "a member joined", .text = "member"};
    case member_suspected:
      return {.level = debug, .message = "a member does not answer", .text = "member"};
    case member_failed:
      return {.level = warn, .message = "a member failed", .text = "member"};
    case member_back:
      return {.level = info, .message = "a member is back", .text = "member"};
    case member_left:
      return {.level = info, .message = "a member left", .text = "member"};
    case member_removed:
      return {.level = warn,
              .message = "a member was removed from the list: it failed long ago",
              .text = "member"};
    case join_refused:
      return {.level = error, .message = "the cluster does not let this node in", .text = "why"};
    case accused:
      return {.level = debug, .message = "somebody took this node for dead", .text = "who"};
    case isolated:
      return {.level = warn, .message = "this node reaches few of the others"};
    case identity_replaced:
      return {.level = warn,
              .message = "another process runs on a copy of this data folder",
              .text = "where"};
    case clock_far_off:
      return {.level = warn,
              .message =
                  "this machine's clock is far ahead of the other members': check its time service",
              .number = "ahead_ms"};
  }
  return {.level = debug, .message = "something happened", .text = "what", .number = "number"};
}

}  // namespace

void log_trace(const Trace& event, Log& log) {
  const Words words = words_for(event.kind);
  if (!words.text.empty() && !words.number.empty()) {
    log.write(words.level, words.message, {{words.text, event.text}, {words.number, event.number}});
  } else if (!words.text.empty()) {
    log.write(words.level, words.message, {{words.text, event.text}});
  } else if (!words.number.empty()) {
    log.write(words.level, words.message, {{words.number, event.number}});
  } else {
    log.write(words.level, words.message);
  }
}

}  // namespace kvs
