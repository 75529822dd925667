// The answering side of an exchange: it keeps no state between two requests, but for what earlier
// nodes tell too soon.
//
// What a peer gives passes the one door; what it is told is committed state. A request of a session
// that began before this node's present run of exchanges (core/holdings) is refused.
#pragma once

#include <map>
#include <vector>

#include "core/effects.h"
#include "core/holdings.h"
#include "core/replica.h"

namespace kvs {

/// Newest records that a greeting carries.
inline constexpr std::size_t kLatestRecords = 15;

/// Counters since the start.
struct SyncAnswerStats {
  std::uint64_t asked = 0;
  std::uint64_t records_sent = 0;
  std::uint64_t records_received = 0;
  std::uint64_t refused = 0;
};

struct SyncAnswersOptions {
  std::size_t answer_bytes_max = std::size_t{1} << 20U;  // an answer ends with the record before

  /// Items that earlier nodes said are dead, before the end of their exchange, are kept up to so
  /// many. More stay, until an exchange finds them dead again.
  std::size_t told_dead_max = 50'000;
};

class SyncAnswers {
 public:
  /// Both outlive it.
  SyncAnswers(Holdings& holdings, Replica& replica, const SyncAnswersOptions& options = {})
      : holdings_(holdings), replica_(replica), options_(options) {}

  /// True for the requests that called() takes.
  [[nodiscard]] static bool answers(const PeerRequest& request);

  /// Answers at once, or after the batch is durable if it changes anything here.
  void called(const PeerCall& call, Mode mode, const Replica::Terms& terms, Effects& effects);

  [[nodiscard]] const SyncAnswerStats& stats() const { return stats_; }

 private:
  PeerAnswer answer(const Hello& hello, Mode mode, const Replica::Terms& terms, Effects& effects);
  PeerAnswer answer(const Compare& compare);
  PeerAnswer answer(const Fetch& fetch);
  PeerAnswer answer(const AskPage& ask);
  PeerAnswer answer(const Settle& settle, const Replica::Terms& terms, Effects& effects);
  PeerAnswer answer(const Finish& finish, const Replica::Terms& terms, Effects& effects);

  void take(const std::vector<PeerRecord>& records, const Replica::Terms& terms, Effects& effects);
  void keep_until_the_end(Instance peer, const std::vector<PeerItem>& dead);
  [[nodiscard]] PeerAnswer refusal(const Error& error);

  Holdings& holdings_;
  Replica& replica_;
  SyncAnswersOptions options_;
  std::map<Instance, std::vector<PeerItem>> told_dead_;  // by peers whose Finish is to come
  SyncAnswerStats stats_;
};

}  // namespace kvs
