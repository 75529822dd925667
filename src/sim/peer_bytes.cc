#include "sim/peer_bytes.h"

#include <numeric>

namespace kvs {

namespace {

constexpr std::size_t kEnvelope = 64;  // with the frame and its checksum
constexpr std::size_t kNumber = 8;
constexpr std::size_t kDot = 12;
constexpr std::size_t kFingerprint = 20;
constexpr std::size_t kVersion = 8 + 16 + kDot;
constexpr std::size_t kDigest = kNumber + kFingerprint + kNumber + kDot + kNumber + 1;

std::size_t size_of(const std::string& text) {
  return text.size() + 2;
}

std::size_t size_of(const Member& member) {
  return size_of(member.node_id) + size_of(member.address) + 7 * kNumber + 5 + kDigest;
}

std::size_t size_of(const PeerRecord& record) {
  return size_of(record.path) + size_of(record.record.value) + kVersion + 2 +
         record.replaced.size() * kDot;
}

std::size_t size_of(const PeerItem& item) {
  return size_of(item.path) + kVersion + 2;
}

std::size_t size_of(std::uint64_t) {
  return kNumber;
}

std::size_t size_of(const CastVote& vote) {
  return std::holds_alternative<RecordHeader>(vote) ? kVersion + 2
         : std::holds_alternative<ShortHash>(vote)  ? 1 + sizeof(ShortHash)
                                                    : 1;
}

std::size_t size_of(const Knowledge& knowledge) {
  std::size_t size = 2;
  for (const auto& [origin, known] : knowledge.origins()) {
    size += kNumber + 4 + known.beyond.size() * 6;
  }
  return size;
}

template <class T>
std::size_t size_of(const std::vector<T>& values);

std::size_t size_of(const PathRange& range) {
  const bool fingerprint =
      range.kind == PathRange::Kind::fingerprint || range.kind == PathRange::Kind::difference;
  return size_of(range.end) + 1 + (fingerprint ? kFingerprint : 0) + size_of(range.items) +
         range.hashes.size() * sizeof(ShortHash);
}

template <class T>
std::size_t size_of(const std::vector<T>& values) {
  return std::accumulate(values.begin(), values.end(), std::size_t{2},
                         [](std::size_t sum, const T& value) { return sum + size_of(value); });
}

struct Sizes {
  std::size_t operator()(const Ping& m) const { return size_of(m.news); }

  std::size_t operator()(const Pong& m) const { return size_of(m.news); }

  std::size_t operator()(const PingOther& m) const {
    return kNumber + size_of(m.address) + size_of(m.news);
  }

  std::size_t operator()(const NoPong& m) const { return size_of(m.news); }

  std::size_t operator()(const Join& m) const { return size_of(m.joiner); }

  std::size_t operator()(const CompareMembers& m) const { return size_of(m.bucket_hashes); }

  std::size_t operator()(const MemberRows& m) const { return size_of(m.rows); }

  std::size_t operator()(const Push& m) const {
    return size_of(m.records) + (m.stretch ? 2 * kNumber : 0);
  }

  std::size_t operator()(const Hello& m) const { return kDigest + size_of(m.latest); }

  std::size_t operator()(const Greeting& m) const {
    return kDigest + 2 + (m.knowledge ? size_of(*m.knowledge) : 0) + size_of(m.latest);
  }

  std::size_t operator()(const AskDelta& m) const { return size_of(m.knowledge); }

  std::size_t operator()(const Delta& m) const { return 1 + size_of(m.records); }

  std::size_t operator()(const Compare& m) const {
    return kNumber + size_of(m.begin) + size_of(m.ranges);
  }

  std::size_t operator()(const Compared& m) const { return size_of(m.begin) + size_of(m.ranges); }

  std::size_t operator()(const Fetch& m) const { return size_of(m.paths); }

  std::size_t operator()(const Fetched& m) const { return 1 + size_of(m.records); }

  std::size_t operator()(const Settle& m) const {
    return kNumber + size_of(m.records) + size_of(m.drops);
  }

  std::size_t operator()(const Finish& m) const {
    return kNumber + size_of(m.knowledge) + size_of(m.drops);
  }

  std::size_t operator()(const AskPage& m) const { return size_of(m.after) + kNumber + 4; }

  std::size_t operator()(const Page& m) const {
    return size_of(m.records) + (m.next ? size_of(*m.next) : 1);
  }

  std::size_t operator()(const AskVotes& m) const { return size_of(m.paths); }

  std::size_t operator()(const Votes& m) const { return size_of(m.votes); }

  std::size_t operator()(const Done&) const { return 0; }

  std::size_t operator()(const Refused& m) const { return 1 + size_of(m.detail); }
};

}  // namespace

std::size_t bytes_of(const PeerRequest& request) {
  return kEnvelope + std::visit(Sizes{}, request);
}

std::size_t bytes_of(const PeerAnswer& answer) {
  return kEnvelope + std::visit(Sizes{}, answer);
}

}  // namespace kvs
