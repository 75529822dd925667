// Everything that a step of the core wants done, as data, in the order in which it may happen.
//
// One reused struct of lists: a step appends, the shell carries out and clears. Steps may share one
// Effects; together they are one batch.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "core/command.h"
#include "core/expiry.h"
#include "core/fingerprint.h"
#include "core/knowledge.h"
#include "core/peer_message.h"
#include "core/record.h"

namespace kvs {

struct WatchNews;

/// A change under one key.
struct RecordWrite {
  enum class Kind : std::uint8_t {
    store,  // `record` replaces what is there
    drop,   // what is there, `record.header`, goes: it was replaced or deleted elsewhere
    lose,   // as drop, for a live record: the store keeps its bytes in lost+found
  };

  Key key;
  RecordView record;  // without the value unless it is stored
  Kind kind = Kind::store;
};

/// The new state of K for one origin.
struct KnowledgeWrite {
  Origin origin{};
  OriginKnowledge known;
};

/// Who this data folder is: written when it is new, and when it is complete.
struct Identity {
  std::uint64_t instance = 0;  // random, one a data folder, never 0
  std::int64_t joined_ms = 0;  // Unix ms at which it was made: its seniority
  bool complete = true;        // false: the cluster's data has not been fetched yet

  bool operator==(const Identity&) const = default;
};

struct Reply {
  Ticket ticket{};
  WriteOutcome outcome;
};

/// Something an operator may want to read in the log. Never acted upon.
struct Trace {
  enum class Kind : std::uint8_t {
    origin_taken,             // number: the origin
    damaged_record_replaced,  // a client overwrote a record that could not be read
    clock_behind,             // number: how many ms stamps run ahead of the wall clock
    damage_found,             // text: the path, if it is one record; K was emptied
    bootstrap_began,          // text: the donor's node_id
    bootstrap_ended,          // number: records fetched
    exchange_ended,           // text: kind, peer and outcome
    divergence,               // text: the peer; number: paths whose live records differed
    drops_doubted,            // text: the peer; number: live records that would have gone
    conflict_settled,         // text: path, versions, votes, rule
    member_joined,            // text: node_id and address
    member_suspected,         // text: node_id
    member_failed,            // text: node_id
    member_back,              // text: node_id
    member_left,              // text: node_id
    member_removed,           // text: node_id
    join_refused,             // text: why
    accused,                  // text: who takes this node for dead; refuted
    isolated,                 // this node reaches few others: it accuses nobody
    identity_replaced,        // another process runs on a copy of this data folder
    clock_far_off,            // number: ms by which this clock is off the cluster's
  };

  Kind kind{};
  std::uint64_t number = 0;
  std::string text;
};

struct Effects {
  // 1. Written first, as one atomic batch: records and the state that covers them.
  std::vector<RecordWrite> writes;  // appended to only by core/replica
  std::vector<KnowledgeWrite> knowledge;
  std::optional<Stamp> clock_reserve;  // demands that this batch be synced, whatever the durability
  std::optional<Identity> identity;    // likewise
  std::optional<Fingerprint> root;     // of all records, this batch included; damage shows by it

  /// What has expired by this time stays hidden after a restart.
  std::optional<WallTime> expiry_reserve;

  /// Entries that leave the index of what expires, after `writes` were done.
  std::vector<ExpiryPlace> expired;

  /// The other members, as of now: whom to look for after a restart, and without whose knowledge no
  /// tombstone goes.
  std::optional<std::vector<Member>> roster;

  /// This node's clock as the batch was closed: what goes to lost+found is dated by it.
  WallTime closed_at{};

  /// Bytes that `writes` point to and nobody else keeps. A list: most batches keep none, and an
  /// empty one allocates nothing.
  std::list<std::string> kept;

  // 2. Sent only after all of 1 is durable, in this order. If 1 fails, none is sent as it stands.
  std::vector<Reply> replies;
  std::vector<PeerReply> peer_replies;

  // Any time: they rest on nothing in this batch.
  std::vector<PeerSend> sends;
  std::vector<PeerReply> answers;
  std::vector<Trace> trace;
  std::vector<std::shared_ptr<const WatchNews>>
      watched;  // for watchers (core/watch_feed), in order

  /// True if there is nothing to make durable.
  [[nodiscard]] bool nothing_to_store() const {
    return writes.empty() && knowledge.empty() && !clock_reserve && !identity && !roster &&
           expired.empty() && !expiry_reserve;
  }

  void clear();
};

}  // namespace kvs
