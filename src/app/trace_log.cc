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
      return {debug, "this run took an origin", {}, "origin"};
    case damaged_record_replaced:
      return {warn, "a client's write replaced a damaged record", {}, {}};
    case clock_behind:
      return {warn, "stamps run ahead of this machine's clock: was it set back?", {}, "ahead_ms"};
    case damage_found:
      return {
          error, "damaged data was found: all records are fetched from peers again", "path", {}};
    case bootstrap_began:
      return {info, "this node fetches the cluster's data; writes wait", "donor", {}};
    case bootstrap_ended:
      return {info, "this node has fetched the recent data and serves writes", {}, "records"};
    case exchange_ended:
      return {debug, "an exchange ended", "exchange", {}};
    case divergence:
      return {error, "nodes that had seen the same writes held different records: repaired", "peer",
              "paths"};
    case drops_doubted:
      return {error,
              "an exchange would drop many live records: fingerprints are counted anew first",
              "peer", "records"};
    case conflict_settled:
      return {info, "a conflict was settled", "verdict", {}};
    case member_joined:
      return {info, "a member joined", "member", {}};
    case member_suspected:
      return {debug, "a member does not answer", "member", {}};
    case member_failed:
      return {warn, "a member failed", "member", {}};
    case member_back:
      return {info, "a member is back", "member", {}};
    case member_left:
      return {info, "a member left", "member", {}};
    case member_removed:
      return {warn, "a member was removed from the list: it failed long ago", "member", {}};
    case join_refused:
      return {error, "the cluster does not let this node in", "why", {}};
    case accused:
      return {debug, "somebody took this node for dead", "who", {}};
    case isolated:
      return {warn, "this node reaches few of the others", {}, {}};
    case identity_replaced:
      return {warn, "another process runs on a copy of this data folder", "where", {}};
    case clock_far_off:
      return {warn,
              "this machine's clock is far ahead of the other members': check its time service",
              {},
              "ahead_ms"};
  }
  return {debug, "something happened", "what", "number"};
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
