// What a durable batch changed under one path: told to whoever keeps something derived from records
// (fingerprints, journal, outbox).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/record.h"

namespace kvs {

struct Change {
  enum class Cause : std::uint8_t {
    client,    // a write that this node accepted
    push,      // a peer's push: goes on to those that this node answers for
    exchange,  // learnt in an exchange: goes nowhere
    verdict,   // this node settled a tie
    expiry,    // the time of `after` is over: nothing else has changed (only in WatchNews)
  };

  std::string path;
  std::optional<RecordHeader> before;
  std::optional<RecordHeader> after;  // nothing: the record was dropped
  Cause cause = Cause::client;
  bool over_damage = false;   // a record was there that nobody could read: `before` is not it
  std::vector<Dot> replaced;  // older writes of the path that came with it: K covers them too

  /// A peer's write that changed no record, because what is held is newer or the same, and of which
  /// K has learnt something: its dot, or those in `replaced`.
  std::optional<Version> learnt;

  /// The time of `after` was over when it came: nobody is told of that later.
  bool overdue = false;
};

}  // namespace kvs
