// The cluster's part of the node's figures: members, pushes, exchanges, ballots, calls to peers.
//
// What the rooms of the core count is taken as they tell it (core/node.h).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/node.h"
#include "wire/exposition.h"

namespace kvs {

/// How one other member stands; the `peer` label is its node_id.
struct PeerFigures {
  std::string node_id;
  std::optional<std::uint64_t> writes_behind;  // nothing: not known
  std::uint64_t writes_owed = 0;
  std::optional<bool> fingerprints_agree;  // nothing: either still counts them
  std::int64_t last_seen_ms = 0;           // Unix ms; 0: never
  std::int64_t clock_ahead_ms = 0;
  Duration round_trip;
};

/// Calls to peers on one channel.
struct ChannelFigures {
  std::uint64_t answered = 0;
  std::uint64_t refused = 0;  // no connection, or a lost one
  std::uint64_t timed_out = 0;
  std::uint64_t garbled = 0;
  std::uint64_t connections_open = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
};

struct ClusterFigures {
  NodeStatus node;
  std::array<std::uint64_t, 3> members{};    // alive, suspect, failed
  std::vector<PeerFigures> peers;            // no two of one node_id
  std::array<ChannelFigures, 3> channels{};  // by Channel
  std::uint64_t peer_calls_under_way_bytes = 0;
};

void put_cluster(Exposition& text, const ClusterFigures& figures);

}  // namespace kvs
