#include "wire/metrics_cluster.h"

namespace kvs {

namespace {

double seconds(std::int64_t ms) {
  return static_cast<double>(ms) / 1000;
}

void put_members(Exposition& text, const ClusterFigures& figures) {
  const MembersStats& stats = figures.node.members;
  text.gauge("kvs_members", "Members on the list, this node included, by state.");
  text.value(figures.members[0], label("state", "alive"));
  text.value(figures.members[1], label("state", "suspect"));
  text.value(figures.members[2], label("state", "failed"));
  text.counter("kvs_members_suspected_total", "Times that a member became suspect.")
      .value(stats.ledger.suspicions);
  text.counter("kvs_members_failed_total", "Times that a member was taken for failed.")
      .value(stats.ledger.failures);
  text.counter("kvs_refutations_total", "Times that this node was accused and refuted it.")
      .value(stats.ledger.refutations);
  text.counter("kvs_probes_total", "Members probed.").value(stats.detector.probes);
  text.counter("kvs_probes_unanswered_total", "Probes without an answer, directly or by others.")
      .value(stats.detector.probes_unanswered);
  text.gauge("kvs_isolated", "1 while this node reaches few of the others.")
      .value(stats.isolated ? 1 : 0);
  text.gauge("kvs_cluster_clock_ahead_seconds", "How far cluster time is ahead of this clock.")
      .value(seconds(figures.node.cluster_ahead_ms));
  text.gauge("kvs_clock_held_back", "1 while this clock is too far ahead to be believed.")
      .value(figures.node.stamps_held_back ? 1 : 0);
}

template <class Figure>
void for_each_peer(const ClusterFigures& figures, Figure figure) {
  for (const PeerFigures& peer : figures.peers) {
    figure(peer, label("peer", peer.node_id));
  }
}

void put_peers(Exposition& text, const ClusterFigures& figures) {
  text.gauge("kvs_peer_writes_behind",
             "Writes that this node has seen and the peer has not, at most; absent: not known.");
  for_each_peer(figures, [&](const PeerFigures& peer, const std::string& labels) {
    if (peer.writes_behind) {
      text.value(*peer.writes_behind, labels);
    }
  });
  text.gauge("kvs_peer_writes_owed", "Writes pushed or to be pushed that it has not confirmed.");
  for_each_peer(figures, [&](const PeerFigures& peer, const std::string& labels) {
    text.value(peer.writes_owed, labels);
  });
  text.gauge("kvs_peer_fingerprints_agree", "1 if it holds the same records; absent: not known.");
  for_each_peer(figures, [&](const PeerFigures& peer, const std::string& labels) {
    if (peer.fingerprints_agree) {
      text.value(*peer.fingerprints_agree ? 1 : 0, labels);
    }
  });
  text.gauge("kvs_peer_last_seen_timestamp_seconds",
             "Unix time at which it was heard of; 0: never.");
  for_each_peer(figures, [&](const PeerFigures& peer, const std::string& labels) {
    text.value(seconds(peer.last_seen_ms), labels);
  });
  text.gauge("kvs_peer_clock_ahead_seconds", "How far its clock is ahead of this node's.");
  for_each_peer(figures, [&](const PeerFigures& peer, const std::string& labels) {
    text.value(seconds(peer.clock_ahead_ms), labels);
  });
  text.gauge("kvs_peer_round_trip_seconds", "Of the last ping that returned; 0: none yet.");
  for_each_peer(figures, [&](const PeerFigures& peer, const std::string& labels) {
    text.value(static_cast<double>(peer.round_trip.ns) / 1e9, labels);
  });
}

void put_pushes(Exposition& text, const NodeStatus& node) {
  text.counter("kvs_push_frames_total", "Frames of writes sent to peers.")
      .value(node.outbox.frames);
  text.counter("kvs_push_records_total", "Records in them, each copy counted.")
      .value(node.outbox.records);
  text.counter("kvs_push_frames_failed_total", "Frames without a good answer.")
      .value(node.outbox.failed);
  text.counter("kvs_push_writes_dropped_total",
               "Writes left to exchanges: their frame failed, or there was no room.")
      .value(node.outbox.dropped);
  text.counter("kvs_push_writes_overflowed_total", "Of those: there was no room.")
      .value(node.outbox.overflowed);
  text.gauge("kvs_outbox_bytes", "Memory of writes that wait to be pushed.")
      .value(node.outbox.bytes);
}

void put_records(Exposition& text, const NodeStatus& node) {
  const ReplicaStats& stats = node.replica;
  text.counter("kvs_records_offered_total", "Peers' records by what became of them.");
  text.value(stats.taken, label("outcome", "stored"));
  text.value(stats.known, label("outcome", "known"));
  text.value(stats.older, label("outcome", "older"));
  text.value(stats.ties, label("outcome", "tied"));
  text.value(stats.deferred, label("outcome", "deferred"));
  text.gauge("kvs_unsettled_versions",
             "Tied versions, and those stamped too far ahead, at present.")
      .value(stats.unsettled);
  text.counter("kvs_records_dropped_total",
               "Records dropped because they were replaced or deleted elsewhere.");
  text.value(stats.dropped_live, label("kind", "live"));
  text.value(stats.dropped_tombstones, label("kind", "tombstone"));
  text.counter("kvs_tombstones_collected_total", "Tombstones forgotten.").value(stats.collected);
  text.counter("kvs_expired_total", "Values whose time to live has ended, as watchers are told.")
      .value(node.expired);
  text.counter("kvs_expired_values_freed_total", "Of those, values whose bytes were freed since.")
      .value(stats.freed);
  text.counter("kvs_damage_found_total", "Damage that made this node fetch everything again.")
      .value(node.damage_found);
  text.gauge("kvs_fill_complete", "1 once the first fill from the cluster is complete.")
      .value(node.identity.complete ? 1 : 0);
  text.gauge("kvs_fingerprints_counted", "0 while fingerprints are counted after a start.")
      .value(node.digest.counted ? 1 : 0);
  text.gauge("kvs_fingerprinted_records", "Records counted so far, tombstones included.")
      .value(node.digest.root.count);
  text.gauge("kvs_fingerprint_bytes", "Memory of the fingerprints.").value(node.tree_bytes);
  text.gauge("kvs_journal_bytes", "Memory of the journal.").value(node.journal_bytes);
  text.gauge("kvs_journal_writes", "Writes that it can tell peers.").value(node.journal_writes);
  text.counter("kvs_remote_reads_total", "Reads during the fill that were asked of other members.");
  text.value(node.remote_reads.found, label("outcome", "found"));
  text.value(node.remote_reads.absent, label("outcome", "absent"));
  text.value(node.remote_reads.failed, label("outcome", "failed"));
}

void put_exchanges(Exposition& text, const NodeStatus& node) {
  text.counter("kvs_exchanges_total", "Exchanges that this node began, by kind and end.");
  for (std::size_t i = 0; i < kSyncKinds; ++i) {
    const SyncStats::Sessions& sessions = node.sync.sessions[i];
    const std::string kind = label("kind", to_string(static_cast<SyncKind>(i)));
    text.value(sessions.equal, kind + ",end=\"equal\"");
    text.value(sessions.delta, kind + ",end=\"delta\"");
    text.value(sessions.ties, kind + ",end=\"ties\"");
    text.value(sessions.reconciled, kind + ",end=\"reconciled\"");
    text.value(sessions.failed, kind + ",end=\"failed\"");
  }
  text.counter("kvs_exchanges_failed_total", "Exchanges that broke off, by reason.");
  for (std::size_t i = 0; i < kSyncFailures; ++i) {
    text.value(node.sync.failed_for[i], label("reason", to_string(static_cast<SyncFailure>(i))));
  }
  text.gauge("kvs_exchange_under_way", "1 while this node has an exchange under way.")
      .value(node.sync.under_way ? 1 : 0);
  text.counter("kvs_exchange_calls_total", "Round trips of exchanges and fills begun here.")
      .value(node.sync.calls);
  text.counter("kvs_exchange_records_total", "Records that crossed in them, by direction.");
  text.value(node.sync.records_received, label("direction", "received"));
  text.value(node.sync.records_sent, label("direction", "sent"));
  text.counter("kvs_fill_pages_total", "Pages of records fetched by a new folder.")
      .value(node.sync.pages);
  text.counter("kvs_exchange_answers_total", "Questions of peers' exchanges and fills.")
      .value(node.sync_answers.asked);
  text.counter("kvs_exchange_answers_refused_total", "Of those: refused.")
      .value(node.sync_answers.refused);
  text.counter("kvs_exchange_answered_records_total", "Records that crossed in answers.");
  text.value(node.sync_answers.records_received, label("direction", "received"));
  text.value(node.sync_answers.records_sent, label("direction", "sent"));
  text.counter("kvs_divergences_total",
               "Exchanges in which nodes that had seen the same writes held different records.")
      .value(node.sync.divergences);
  text.counter("kvs_drops_doubted_total",
               "Exchanges stopped because they would have dropped many live records.")
      .value(node.sync.drops_doubted);
}

void put_ballots(Exposition& text, const NodeStatus& node) {
  text.gauge("kvs_ties_open", "Keys with tied versions that wait for a ballot.")
      .value(node.open_ties);
  text.counter("kvs_ties_total", "Ties met.").value(node.ballots.ties);
  text.counter("kvs_ties_turned_away_total", "Ties met while too many were open.")
      .value(node.ballots.turned_away);
  text.counter("kvs_ballots_total", "Keys that were voted on, each time.")
      .value(node.ballots.ballots);
  text.counter("kvs_ballots_settled_total", "Ties that this node settled, by what decided.");
  text.value(node.ballots.by_majority, label("by", "majority"));
  text.value(node.ballots.by_oldest, label("by", "oldest"));
  text.value(node.ballots.found, label("by", "found"));
  text.counter("kvs_ballots_without_end_total", "Ballots that have to be held again.")
      .value(node.ballots.without_end);
}

void put_calls(Exposition& text, const ClusterFigures& figures) {
  constexpr std::array<std::string_view, 3> kNames{"gossip", "push", "bulk"};
  const auto put_each = [&](auto figure) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      figure(figures.channels[i], label("channel", kNames[i]));
    }
  };
  text.counter("kvs_peer_calls_total", "Calls to peers, by channel and outcome.");
  put_each([&](const ChannelFigures& channel, const std::string& name) {
    text.value(channel.answered, name + ",outcome=\"answered\"");
    text.value(channel.refused, name + ",outcome=\"no_connection\"");
    text.value(channel.timed_out, name + ",outcome=\"timed_out\"");
    text.value(channel.garbled, name + ",outcome=\"garbled\"");
  });
  text.gauge("kvs_peer_connections_open", "Connections to peers, by channel.");
  put_each([&](const ChannelFigures& channel, const std::string& name) {
    text.value(channel.connections_open, name);
  });
  text.counter("kvs_peer_sent_bytes_total", "Bytes sent in calls to peers.");
  put_each([&](const ChannelFigures& channel, const std::string& name) {
    text.value(channel.bytes_sent, name);
  });
  text.counter("kvs_peer_received_bytes_total", "Bytes of peers' answers.");
  put_each([&](const ChannelFigures& channel, const std::string& name) {
    text.value(channel.bytes_received, name);
  });
  text.gauge("kvs_peer_calls_under_way_bytes", "Bytes of peers' calls that are not answered yet.")
      .value(figures.peer_calls_under_way_bytes);
}

}  // namespace

void put_cluster(Exposition& text, const ClusterFigures& figures) {
  put_members(text, figures);
  put_peers(text, figures);
  put_pushes(text, figures.node);
  put_records(text, figures.node);
  put_exchanges(text, figures.node);
  put_ballots(text, figures.node);
  put_calls(text, figures);
}

}  // namespace kvs
