// Records, versions and what is known of them, to bytes of the peer protocol and back.
//
// Taken values are sound: paths are keys, seqs and origins are not 0, a verdict has votes, a
// tombstone has no value, K is canonical. Values are not read as JSON here: the node that took the
// write from a client has checked it, and a value that one node holds must not be refused by
// another.
#pragma once

#include <optional>
#include <vector>

#include "core/fingerprint.h"
#include "core/knowledge.h"
#include "core/peer_message.h"
#include "wire/peer_bytes.h"

namespace kvs {

/// The fewest bytes of one element in a list.
inline constexpr std::size_t kPeerItemBytesMin = 28;
inline constexpr std::size_t kPeerPathBytesMin = 2;

void put_record(PeerWriter& writer, const PeerRecord& record);
void put_records(PeerWriter& writer, const std::vector<PeerRecord>& records);
[[nodiscard]] PeerRecord take_record(PeerReader& reader);
[[nodiscard]] std::vector<PeerRecord> take_records(PeerReader& reader);

void put_items(PeerWriter& writer, const std::vector<PeerItem>& items);
[[nodiscard]] std::vector<PeerItem> take_items(PeerReader& reader);

/// A vote: nothing, a header or a short hash.
void put_vote(PeerWriter& writer, const CastVote& vote);
[[nodiscard]] CastVote take_vote(PeerReader& reader);

void put_fingerprint(PeerWriter& writer, const Fingerprint& fingerprint);
[[nodiscard]] Fingerprint take_fingerprint(PeerReader& reader);

void put_knowledge(PeerWriter& writer, const Knowledge& knowledge);
[[nodiscard]] Knowledge take_knowledge(PeerReader& reader);

void put_ranges(PeerWriter& writer, const std::vector<PathRange>& ranges);
[[nodiscard]] std::vector<PathRange> take_ranges(PeerReader& reader);

}  // namespace kvs
