// Ballots: how ties between versions are settled (docs/consistency.md, conflicts).
//
// Every node that meets a tie opens it here. The resolver of a path is the live member that comes
// first in its rendezvous hash; the next one steps in each further second that brings no verdict.
// Who alone has met many ties does not wait for that; who is asked for its vote leaves the ballot
// to the asker for a second.
// A resolver asks all live members which version they hold (many paths a message; one that still
// fetches the cluster's data answers that it has no vote), counts
// (core/verdict), gets the winner's value and hands out a ruling, which enters the store through
// core/replica. Votes for versions that the resolver has met come as short hashes; what it cannot
// tell by its hash it asks for whole. A wrong guess could only choose another of the tied values. A
// tie stays open until a durable change shows that it is settled, so a lost ruling is only late.
// Which value wins may depend on who could be asked; that all end equal does not.
//
// Invariants: an open tie either has a time at which it is due, or is in work (in a round, or among
// the questions that wait for a value). Everything is bounded by BallotOptions. Core thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "base/time.h"
#include "core/change.h"
#include "core/effects.h"
#include "core/mode.h"
#include "core/peer_message.h"
#include "core/store_view.h"
#include "core/verdict.h"
#include "core/view.h"

namespace kvs {

struct BallotOptions {
  Duration gather = Duration::from_ms(50);        // ties wait this long for company
  Duration step_in = Duration::from_seconds(1);   // between one resolver and the next
  Duration hurry = Duration::from_ms(50);         // the same if all of them hurry
  Duration deadline = Duration::from_seconds(2);  // of a call; each is tried twice
  Duration patience = Duration::from_seconds(5);  // for a ruling to become durable
  std::size_t open_max = 100'000;                 // ties; others wait until they are met again
  std::size_t keys_max = 4096;                    // a message
  std::size_t path_bytes_max = 1U << 20U;         // a message
  std::size_t votes_max = 131'072;                // a round: keys x voters
  std::size_t in_work_max = 16'384;               // keys
  std::size_t slice = 512;                        // questions considered a tick
  std::size_t kept_bytes_max = 8U << 20U;         // values of candidates
  std::size_t ruling_bytes_max = 4U << 20U;       // about this much is ruled at once
};

/// What is to be done about a tie.
struct Ruling {
  enum class Kind : std::uint8_t {
    majority,  // `winner` carries the verdict; core/replica gives it a new dot
    oldest,    // likewise
    found,     // somebody held a decided or newer version: `winner` is to be taken as it is
  };

  struct Candidate {
    RecordHeader header;
    std::uint32_t votes = 0;
  };

  Kind kind{};
  PeerRecord winner;
  std::vector<Candidate> candidates;  // for the log: every version that was met
};

/// The rule's name in logs and metrics.
[[nodiscard]] std::string_view to_string(Ruling::Kind kind);

/// For the log: the path, who wins by which rule, and the votes of each version.
[[nodiscard]] std::string describe(const Ruling& ruling);

/// Counters since the start.
struct BallotStats {
  std::uint64_t ties = 0;         // opened
  std::uint64_t turned_away = 0;  // met while too many were open
  std::uint64_t ballots = 0;      // paths that were voted on, each time
  std::uint64_t by_majority = 0;  // rulings
  std::uint64_t by_oldest = 0;    // rulings
  std::uint64_t found = 0;        // rulings
  std::uint64_t lost_values = 0;  // candidates whose value could not be had
  std::uint64_t without_end = 0;  // ballots that gave nothing and will be held again
};

class Ballots {
 public:
  /// `store` and `prng` outlive this.
  Ballots(const BallotOptions& options, const StoreView& store, Prng& prng);

  /// This node holds `mine` and met `theirs`, which ties with it. May be repeated.
  void opened(const Now& now, std::string_view path, const RecordHeader& mine,
              const PeerRecord& theirs);

  /// Nobody else was told of the ties that were met just now: they do not wait for members that
  /// come before this node. Others may have met some of them as well, and hurry too.
  void hurry(const Now& now);

  /// These changes are durable.
  void settled(std::span<const Change> changes);

  void set_view(std::shared_ptr<const View> view) { view_ = std::move(view); }

  /// A node that still fetches the cluster's data holds what it happened to fetch: it has no vote.
  /// Each says so itself, for what others know of its mode is a little old.
  void set_mode(Mode mode) { mode_ = mode; }

  /// Instant{} if there is work at hand.
  [[nodiscard]] Instant next_deadline() const;

  void tick(const Now& now, Effects& effects);

  /// A call of this room returned. Ids that it never gave out are ignored.
  void returned(const Now& now, const PeerReturn& result, Effects& effects);

  /// This node's votes, as committed; of a record that cannot be read, and of a node without a
  /// vote, there are none. A tie whose turn has not come here is left to the asker, once.
  [[nodiscard]] Votes answer(const Now& now, const AskVotes& question);

  /// The rulings since the last call. More may be waiting: see next_deadline.
  [[nodiscard]] std::vector<Ruling> take_rulings();

  [[nodiscard]] std::size_t open_ties() const { return ties_.size(); }

  [[nodiscard]] const BallotStats& stats() const { return stats_; }

 private:
  [[nodiscard]] bool has_vote() const;

  struct Tie {
    Stamp stamp;
    RecordHeader mine;
    RecordHeader theirs;
    std::optional<Record> kept;      // theirs, if there was room
    std::int64_t rank = 0;           // of this node, as it was met
    bool waits_turn = true;          // neither asked about here nor left to somebody who asks
    Instant due = Instant::never();  // never: in work
  };

  using Ties = std::map<std::string, Tie, std::less<>>;

  using Held = std::optional<RecordHeader>;

  /// A voter of a round, and its answer.
  struct Asked {
    Voter voter;  // its id lies in the round's view
    std::string address;
    std::optional<std::vector<Held>> votes;
    std::vector<std::size_t> unclear;  // places of paths that are asked about once more, whole
    bool again = true;                 // may be asked once more
    bool missing = false;              // what was unclear stayed so
  };

  struct Round {
    std::shared_ptr<const View> view;
    std::shared_ptr<const PeerRequest> request;
    std::vector<Asked> asked;
    std::size_t waiting = 0;  // answers that are still out

    [[nodiscard]] const std::vector<std::string>& paths() const {
      return std::get<AskVotes>(*request).paths;
    }
  };

  /// A path whose votes are counted: which version is wanted, and from which of its holders.
  struct Question {
    std::string path;
    Stamp tied;
    Tally tally;
    std::size_t place = 0;   // in tally.standings; meaningless if a version was found
    std::size_t first = 0;   // random: from which holder on they are asked
    std::size_t holder = 0;  // how many were asked

    [[nodiscard]] const Standing& wanted() const {
      return tally.found ? *tally.found : tally.standings[place];
    }
  };

  /// Questions whose values one member holds; at most one call is out.
  struct Supplier {
    std::deque<Question> waiting;
    std::vector<Question> asked;  // in the order in which they were asked
    std::shared_ptr<const PeerRequest> request;
    bool again = true;
  };

  /// What a call was about.
  struct Call {
    std::uint64_t round = 0;  // 0: a fetch
    std::size_t voter = 0;
    Instance supplier{};
  };

  // ballot.cc: ties
  [[nodiscard]] std::size_t rank_of(std::string_view path) const;
  void schedule(Ties::value_type& entry, Instant due);
  void close(Ties::iterator at);
  /// Takes a path out of work; if it is still the same tie, it is due again then.
  void put_off(std::string_view path, Stamp tied, Instant due);
  void leave_to_asker(const Now& now, std::string_view path);

  // ballot.cc: rounds
  void begin_round(const Now& now, Effects& effects);
  [[nodiscard]] std::vector<std::string> gather(const Now& now, std::size_t voters);
  void ask(std::uint64_t number, std::size_t voter, Effects& effects);
  void take_votes(const Round& round, Asked& asked, const Votes& answer) const;
  [[nodiscard]] Held version_named(std::string_view path, ShortHash hash) const;
  void voted(const Now& now, const PeerReturn& result, const Call& call, Effects& effects);
  void count(const Now& now, const Round& round);
  void raise_question(const Now& now, Question question, const Round& round);
  void send(std::string_view address, std::shared_ptr<const PeerRequest> request, const Call& call,
            Effects& effects);

  // ballot_values.cc
  void consider(const Now& now, Question question);
  [[nodiscard]] std::optional<Record> value_here(const Question& question, const Tie& tie) const;
  [[nodiscard]] const Member* next_holder(Question& question) const;
  void rule(const Now& now, const Question& question, PeerRecord winner);
  [[nodiscard]] std::vector<Ruling::Candidate> candidates_of(const Question& question) const;
  void fetch_values(Effects& effects);
  [[nodiscard]] bool fetch_from(Instance holder, const Supplier& supplier, Effects& effects);
  void fetched(const Now& now, const PeerReturn& result, const Call& call, Effects& effects);
  void sort_out(const Now& now, Supplier& supplier, const Fetched& answer);
  void received(const Now& now, Question question, const PeerRecord* record);

  const BallotOptions options_;
  const StoreView& store_;
  Prng& prng_;
  std::shared_ptr<const View> view_;
  Mode mode_ = Mode::normal;  // this node's
  Ties ties_;
  std::set<std::pair<Instant, std::string_view>> due_;  // views of the keys of ties_
  std::size_t kept_bytes_ = 0;

  std::map<std::uint64_t, Round> rounds_;  // by number
  std::map<CallId, Call> calls_;
  std::deque<Question> questions_;  // counted, to be considered
  std::map<Instance, Supplier> suppliers_;
  std::size_t in_work_ = 0;  // keys in rounds, questions and suppliers
  std::uint64_t last_round_ = 0;
  std::uint64_t last_call_ = 0;

  std::vector<Ruling> rulings_;
  std::size_t ruling_bytes_ = 0;
  BallotStats stats_;
};

}  // namespace kvs
