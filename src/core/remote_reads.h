// Reads of what this node may lack: while its first fill from the cluster is not complete, clients
// get the answer of a member that holds everything.
//
// Reads gather while calls are out, and cross in frames of many paths. A read that a member cannot
// decide (no answer, or it is not complete itself and holds nothing under the path) is asked of the
// next one. What is found is stored here before it is answered, so that no later read shows an
// older version. Memory is bounded by RemoteReadsOptions. Driven by the node's thread; deadlines
// are those of the calls.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/prng.h"
#include "core/effects.h"
#include "core/replica.h"
#include "core/view.h"

namespace kvs {

/// Counters since the start.
struct RemoteReadsStats {
  std::uint64_t found = 0;   // a version, live or deleted
  std::uint64_t absent = 0;  // a complete member holds nothing
  std::uint64_t failed = 0;  // nobody could tell
};

struct RemoteReadsOptions {
  std::size_t reads_max = 4096;
  std::size_t calls_max = 4;
  std::size_t paths_per_call = 64;
  std::size_t attempts_max = 3;
  Duration call_timeout = Duration::from_seconds(2);
};

class RemoteReads {
 public:
  /// Both outlive it.
  RemoteReads(Replica& replica, Prng& prng, const RemoteReadsOptions& options = {})
      : replica_(replica), prng_(prng), options_(options) {}

  void set_view(std::shared_ptr<const View> view) { view_ = std::move(view); }

  /// Exactly one reply with this ticket follows, now or later: Fetched with the record, live or
  /// deleted, or without one if there is none; Refused with syncing or overloaded if nobody can
  /// tell now.
  void ask(Ticket ticket, std::string path, Effects& effects);

  /// A call of this room returned.
  void returned(const PeerReturn& returned, const Replica::Terms& terms, Effects& effects);

  [[nodiscard]] const RemoteReadsStats& stats() const { return stats_; }

 private:
  struct Read {
    Ticket ticket{};
    std::string path;
    std::vector<Instance> tried;
  };

  struct Call {
    Instance peer{};
    std::vector<Read> reads;
  };

  [[nodiscard]] const Member* choose_donor(const Read& read);
  void send_some(Effects& effects);
  void sort_out(Call& call, const Fetched& answer, const Replica::Terms& terms, Effects& effects);
  void try_another(Instance peer, Read read, Effects& effects);
  void found(const Read& read, const PeerRecord& record, const Replica::Terms& terms,
             Effects& effects);
  void answer(const Read& read, PeerAnswer with, Effects& effects);
  void refuse(const Read& read, Errc code, Effects& effects);

  Replica& replica_;
  Prng& prng_;
  RemoteReadsOptions options_;
  std::shared_ptr<const View> view_;
  std::deque<Read> waiting_;
  std::map<CallId, Call> calls_;
  std::size_t asked_ = 0;  // reads in calls
  std::uint64_t last_call_ = 0;
  RemoteReadsStats stats_;
};

}  // namespace kvs
