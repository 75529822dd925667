// What nodes say to each other, as values. Bytes: wire/peer; every message: docs/protocol.md.
//
// Nodes talk in calls: one request, one answer. Whoever calls gets exactly one return for each call
// (an answer, or why there is none), in any order. A message that was lost, repeated or delayed for
// long does no harm: records pass the one door, all else is news with a version.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "core/command.h"
#include "core/fingerprint.h"
#include "core/knowledge.h"
#include "core/member.h"
#include "core/record.h"

namespace kvs {

/// What stands around every request: who speaks to whom.
struct PeerEnvelope {
  std::uint64_t cluster = 0;  // hash of the cluster's name
  Instance sender{};
  std::uint64_t sender_run = 0;
  Instance receiver{};       // 0: whoever listens there
  std::int64_t wall_ms = 0;  // the sender's wall clock as it spoke

  bool operator==(const PeerEnvelope&) const = default;
};

/// A record on its way, with its path. `replaced` names older writes of the path that the sender
/// has seen replaced: whoever holds this version, or a newer one, reflects them too.
struct PeerRecord {
  std::string path;
  Record record;
  std::vector<Dot> replaced;

  bool operator==(const PeerRecord&) const = default;
};

/// A record's path and header.
struct PeerItem {
  std::string path;
  RecordHeader header;

  bool operator==(const PeerItem&) const = default;
};

// --- membership (core/members)

/// Are you there? With news, the sender's own row first.
struct Ping {
  std::vector<Member> news;

  bool operator==(const Ping&) const = default;
};

/// Answer to Ping, and to PingOther if the target answered.
struct Pong {
  std::vector<Member> news;

  bool operator==(const Pong&) const = default;
};

/// Ping `target` for me.
struct PingOther {
  Instance target{};
  std::string address;
  std::vector<Member> news;

  bool operator==(const PingOther&) const = default;
};

/// The target of a PingOther did not answer; the one that was asked is well.
struct NoPong {
  std::vector<Member> news;

  bool operator==(const NoPong&) const = default;
};

/// Let me in. The answer is MemberRows with all members, or Refused (id_in_use, cluster_mismatch).
struct Join {
  Member joiner;

  bool operator==(const Join&) const = default;
};

/// Compares member tables: a hash for each bucket of instances. The answer is MemberRows with the
/// rows of the buckets that differ, after which the caller sends its own in MemberRows.
struct CompareMembers {
  std::vector<std::uint64_t> bucket_hashes;

  bool operator==(const CompareMembers&) const = default;
};

struct MemberRows {
  std::vector<Member> rows;

  bool operator==(const MemberRows&) const = default;
};

// --- replication (core/outbox, core/sync)

/// A stretch of the ring of members (by ring position, both ends included) that the receiver
/// answers for.
struct RingStretch {
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  bool operator==(const RingStretch&) const = default;
};

/// Writes, just made. The receiver takes them, and hands those that changed it on to the members of
/// `stretch`, if there is one. Answer: Done, after they are durable.
struct Push {
  std::vector<PeerRecord> records;
  std::optional<RingStretch> stretch;

  bool operator==(const Push&) const = default;
};

/// Opens an exchange. Answer: Greeting.
struct Hello {
  StateDigest digest;
  std::vector<PeerRecord> latest;  // at most 15
  bool recount = false;            // the last exchange would have dropped too much: count first

  bool operator==(const Hello&) const = default;
};

struct Greeting {
  StateDigest digest;
  Mode mode = Mode::normal;
  std::optional<Knowledge> knowledge;  // the answerer's, if its hash is not the caller's
  std::vector<PeerRecord> latest;

  bool operator==(const Greeting&) const = default;
};

/// Everything that `knowledge` does not cover, from the journal. Answer: Delta.
struct AskDelta {
  Knowledge knowledge;

  bool operator==(const AskDelta&) const = default;
};

struct Delta {
  enum class Extent : std::uint8_t {
    whole,       // nothing else is missing
    part,        // ask again
    impossible,  // the journal does not reach back so far
  };

  Extent extent = Extent::impossible;
  std::vector<PeerRecord> records;

  bool operator==(const Delta&) const = default;
};

/// A range of paths from the end of the one before it (the first one's begin stands beside the
/// list) to `end`, which is not part of it; empty: to the end of all paths.
struct PathRange {
  enum class Kind : std::uint8_t {
    skip,         // nothing to say about it
    fingerprint,  // `fingerprint` is the sender's
    items,        // `items` are all that the sender holds in it, tombstones included
    hashes,       // asked only: `hashes` name all that the sender holds in it
    difference,  // answers `hashes`: `fingerprint` is the sender's, `items` those that it holds and
                 // that were not named, `hashes` those named of which it holds none
  };

  std::string end;
  Kind kind = Kind::skip;
  Fingerprint fingerprint;
  std::vector<PeerItem> items;
  std::vector<ShortHash> hashes;

  bool operator==(const PathRange&) const = default;
};

/// Which of these ranges differ? Answer: Compared. `run` is the receiver's, as its digest told: a
/// session does not outlive a restart.
struct Compare {
  std::uint64_t run = 0;
  std::string begin;
  std::vector<PathRange> ranges;

  bool operator==(const Compare&) const = default;
};

/// As many of the ranges, from the first on, as one message bears: the rest is asked again.
struct Compared {
  std::string begin;
  std::vector<PathRange> ranges;

  bool operator==(const Compared&) const = default;
};

/// Give me what you hold under these paths. Answer: Fetched.
struct Fetch {
  std::vector<std::string> paths;

  bool operator==(const Fetch&) const = default;
};

struct Fetched {
  std::vector<PeerRecord> records;  // in the order of the paths; absent ones are left out
  bool cut = false;                 // the answer was full: ask again for the rest
  bool partial = false;             // the answerer has not got all data: absent says nothing

  bool operator==(const Fetched&) const = default;
};

/// Writes that an exchange found the receiver to lack. Answer: Done, after it is durable.
struct Settle {
  std::uint64_t run = 0;
  std::vector<PeerRecord> records;
  std::vector<PeerItem> drops;  // from earlier nodes only: as those of the Finish that follows

  bool operator==(const Settle&) const = default;
};

/// The exchange is complete: join this K (the caller's at the start) and, with it, drop these items
/// as far as they are still held, which were replaced, deleted or collected elsewhere. Answer:
/// Done, after it is durable.
struct Finish {
  std::uint64_t run = 0;
  Knowledge knowledge;
  std::vector<PeerItem> drops;

  bool operator==(const Finish&) const = default;
};

/// Records after a path in path order, none stamped before `oldest`. Answer: Page.
struct AskPage {
  std::string after;
  Stamp oldest;
  std::uint32_t bytes_max = 0;

  bool operator==(const AskPage&) const = default;
};

struct Page {
  std::vector<PeerRecord> records;
  std::optional<std::string> next;  // ask again after this path; nothing: that was all

  bool operator==(const Page&) const = default;
};

// --- conflicts (core/ballot)

/// Which version of these paths do you hold? Answer: Votes. Asked `briefly`, versions that may be
/// among the tied ones are named by their short hashes.
struct AskVotes {
  std::vector<std::string> paths;
  bool briefly = false;

  bool operator==(const AskVotes&) const = default;
};

/// What is held under a path: nothing, or a version, whole or by its short hash.
using CastVote = std::variant<std::monostate, RecordHeader, ShortHash>;

struct Votes {
  std::vector<CastVote> votes;  // in the order of the paths

  bool operator==(const Votes&) const = default;
};

// --- all

struct Done {
  bool operator==(const Done&) const = default;
};

struct Refused {
  Errc code{};
  std::string detail;

  bool operator==(const Refused&) const = default;
};

using PeerRequest = std::variant<Ping, PingOther, Join, CompareMembers, MemberRows, Push, Hello,
                                 AskDelta, Compare, Fetch, Settle, Finish, AskPage, AskVotes>;

using PeerAnswer = std::variant<Done, Refused, Pong, NoPong, MemberRows, Greeting, Delta, Compared,
                                Fetched, Page, Votes>;

/// Which connections a call travels on: bulk must not delay the failure detector.
enum class Channel : std::uint8_t { gossip, push, bulk };

/// A call that the core wants made. Exactly one PeerReturn with its id follows.
struct PeerSend {
  CallId id{};
  std::string address;  // host:port
  Channel channel = Channel::gossip;
  Duration timeout;
  PeerEnvelope envelope;  // filled in by core/node
  std::shared_ptr<const PeerRequest> request;
};

/// What came of a call.
struct PeerReturn {
  enum class Failure : std::uint8_t {
    none,
    refused_connection,  // nobody listens there, or the connection was reset: probe at once
    timed_out,
    garbled,  // the answer made no sense
  };

  CallId id{};
  Failure failure = Failure::none;
  PeerEnvelope envelope;  // of the answer, if there is one
  PeerAnswer answer;      // Refused, if the peer said so
};

/// A call that a peer made. Exactly one PeerReply with its ticket follows, at some time.
struct PeerCall {
  Ticket ticket{};
  PeerEnvelope envelope;
  PeerRequest request;
};

struct PeerReply {
  Ticket ticket{};
  PeerEnvelope envelope;  // filled in by core/node
  PeerAnswer answer;
};

}  // namespace kvs
