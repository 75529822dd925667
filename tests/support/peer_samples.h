// Random peer messages of every kind, as the protocol allows them: what goes in comes out again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/prng.h"
#include "core/peer_message.h"

namespace kvs {

class PeerSamples {
 public:
  explicit PeerSamples(std::uint64_t seed) : prng_(seed) {}

  PeerEnvelope envelope() {
    return {.cluster = word(),
            .sender = Instance{word()},
            .sender_run = word(),
            .receiver = Instance{word()},
            .wall_ms = time()};
  }

  /// Any of the kinds of requests, as PeerRequest counts them.
  PeerRequest request(std::size_t index) {
    static_assert(std::variant_size_v<PeerRequest> == 14);
    switch (index) {
      case 0:
        return Ping{.news = members()};
      case 1:
        return PingOther{.target = Instance{word()}, .address = text(40), .news = members()};
      case 2:
        return Join{.joiner = member()};
      case 3:
        return CompareMembers{.bucket_hashes = list(20, [this] { return word(); })};
      case 4:
        return MemberRows{.rows = members()};
      case 5:
        return Push{.records = records(), .stretch = maybe([this] { return stretch(); })};
      case 6:
        return Hello{.digest = digest(), .latest = records(), .recount = prng_.chance(1, 2)};
      case 7:
        return AskDelta{.knowledge = knowledge()};
      case 8:
        return Compare{.run = word(), .begin = boundary(), .ranges = ranges()};
      case 9:
        return Fetch{.paths = paths()};
      case 10:
        return Settle{.run = word(), .records = records(), .drops = items()};
      case 11:
        return Finish{.run = word(), .knowledge = knowledge(), .drops = items()};
      case 12:
        return AskPage{.after = boundary(),
                       .oldest = {word()},
                       .bytes_max = static_cast<std::uint32_t>(word())};
      default:
        return AskVotes{.paths = paths(), .briefly = coin()};
    }
  }

  PeerRequest request() { return request(prng_.below(std::variant_size_v<PeerRequest>)); }

  /// Any of the kinds of answers, as PeerAnswer counts them.
  PeerAnswer answer(std::size_t index) {
    static_assert(std::variant_size_v<PeerAnswer> == 11);
    switch (index) {
      case 0:
        return Done{};
      case 1:
        return Refused{.code = static_cast<Errc>(prng_.below(kCodes)), .detail = text(60)};
      case 2:
        return Pong{.news = members()};
      case 3:
        return NoPong{.news = members()};
      case 4:
        return MemberRows{.rows = members()};
      case 5:
        return Greeting{.digest = digest(),
                        .mode = mode(),
                        .knowledge = maybe([this] { return knowledge(); }),
                        .latest = records()};
      case 6:
        return Delta{.extent = static_cast<Delta::Extent>(prng_.below(3)), .records = records()};
      case 7:
        return Compared{.begin = boundary(), .ranges = ranges()};
      case 8:
        return Fetched{.records = records(), .cut = coin(), .partial = coin()};
      case 9:
        return Page{.records = records(), .next = maybe([this] { return boundary(); })};
      default:
        return Votes{.votes = list(9, [this] { return vote(); })};
    }
  }

  PeerAnswer answer() { return answer(prng_.below(std::variant_size_v<PeerAnswer>)); }

  Member member() {
    return {.instance = Instance{word() | 1U},
            .node_id = text(20),
            .address = text(30),
            .joined_ms = time(),
            .started_ms = time(),
            .run = word(),
            .incarnation = number(),
            .state = static_cast<MemberState>(prng_.below(4)),
            .mode = mode(),
            .protocol = static_cast<std::uint16_t>(word()),
            .features = number(),
            .accuser = Instance{coin() ? word() : 0},
            .digest = digest()};
  }

  PeerRecord record() {
    PeerRecord record{.path = path(), .record = {.header = header(), .value = {}}, .replaced = {}};
    if (record.record.header.live()) {
      record.record.value = bytes(50);
    }
    record.replaced = list(coin() ? 0 : 9, [this] { return dot(); });
    return record;
  }

  RecordHeader header() {
    RecordHeader header{.version = {.stamp = {word()},
                                    .verdict = coin() ? Verdict{} : verdict(),
                                    .uuid = {.high = word(), .low = word()},
                                    .dot = dot()},
                        .kind = coin() ? RecordKind::value : RecordKind::tombstone};
    if (header.live() && coin()) {
      header.expires_ms = prng_.between(1, kExpiresMsMax);
      header.kind = coin() ? RecordKind::value : RecordKind::expired;
    }
    return header;
  }

  Knowledge knowledge() {
    Knowledge knowledge;
    for (std::uint64_t i = prng_.below(12); i > 0; --i) {
      const std::uint64_t first = 1 + number() / 2;
      knowledge.add({.origin = origin(), .first = first, .last = first + number() / 2});
    }
    return knowledge;
  }

  StateDigest digest() {
    return {.knowledge_hash = word(),
            .root = fingerprint(),
            .counted = coin(),
            .run = word(),
            .origin = Origin{coin() ? word() : 0},
            .seq = number(),
            .newest = {word()}};
  }

  /// A sound key of a few segments that often shares its beginning with others.
  std::string path() {
    std::string path = "tenants";
    for (std::uint64_t segments = 1 + prng_.below(3); segments > 0; --segments) {
      path += "/" + std::to_string(prng_.below(12)) + (coin() ? "\xc3\xbc" : "x");
    }
    return path;
  }

  /// Up to `size_max` bytes of any kind.
  std::string bytes(std::size_t size_max) {
    std::string bytes(prng_.below(size_max + 1), '\0');
    for (char& byte : bytes) {
      byte = static_cast<char>(prng_.next());
    }
    return bytes;
  }

  std::uint64_t word() { return prng_.next(); }

  /// Small ones are likelier.
  std::uint64_t number() { return prng_.next() >> prng_.below(64); }

 private:
  static constexpr std::uint64_t kCodes = static_cast<std::uint64_t>(Errc::address_unusable) + 1;

  bool coin() { return prng_.chance(1, 2); }

  template <class Make>
  std::vector<std::invoke_result_t<Make>> list(std::size_t size_max, Make make) {
    std::vector<std::invoke_result_t<Make>> list;
    for (std::uint64_t i = prng_.below(size_max + 1); i > 0; --i) {
      list.push_back(make());
    }
    return list;
  }

  template <class Make>
  std::optional<std::invoke_result_t<Make>> maybe(Make make) {
    std::optional<std::invoke_result_t<Make>> value;
    if (coin()) {
      value = make();
    }
    return value;
  }

  std::int64_t time() { return static_cast<std::int64_t>(number() - (1U << 20U)); }

  std::string text(std::size_t size_max) {
    std::string text(prng_.below(size_max + 1), 'a');
    for (char& c : text) {
      c = static_cast<char>('a' + prng_.below(26));
    }
    return text;
  }

  Mode mode() { return static_cast<Mode>(prng_.below(3)); }

  Origin origin() { return Origin{1 + prng_.below(4)}; }

  Dot dot() { return {.origin = origin(), .seq = number() | 1U}; }

  CastVote vote() {
    switch (prng_.below(3)) {
      case 0:
        return {};
      case 1:
        return header();
      default:
        return static_cast<ShortHash>(word());
    }
  }

  Verdict verdict() {
    return {.votes = static_cast<std::uint32_t>(1 + prng_.below(1000)),
            .oldest_join_ms = time(),
            .voters_hash = word()};
  }

  Fingerprint fingerprint() { return {.high = word(), .low = word(), .count = number()}; }

  RingStretch stretch() { return {.first = word(), .last = word()}; }

  std::string boundary() { return coin() ? path() : bytes(30); }

  std::vector<std::string> paths() {
    return list(20, [this] { return path(); });
  }

  std::vector<Member> members() {
    return list(5, [this] { return member(); });
  }

  std::vector<PeerRecord> records() {
    return list(12, [this] { return record(); });
  }

  std::vector<PeerItem> items() {
    return list(12, [this] { return PeerItem{.path = path(), .header = header()}; });
  }

  std::vector<PathRange> ranges() {
    return list(9, [this] {
      PathRange range;
      range.end = boundary();
      range.kind = static_cast<PathRange::Kind>(prng_.below(5));
      const bool difference = range.kind == PathRange::Kind::difference;
      if (difference || range.kind == PathRange::Kind::fingerprint) {
        range.fingerprint = fingerprint();
      }
      if (difference || range.kind == PathRange::Kind::hashes) {
        range.hashes = list(9, [this] { return static_cast<ShortHash>(word()); });
      }
      if (difference || range.kind == PathRange::Kind::items) {
        range.items = items();
      }
      return range;
    });
  }

  Prng prng_;
};

}  // namespace kvs
