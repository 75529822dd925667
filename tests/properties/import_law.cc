// Records that come with their versions from outside of a cluster, as a push from nobody who is a
// member: whatever they meet, in whatever order, in parts and twice, the members end up equal, with
// the larger version of each key, and an empty cluster ends with just the other's records.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "properties/generators.h"
#include "support/cluster_driver.h"

namespace kvs {
namespace {

using Records = std::map<std::string, Record>;

Records records_of(ClusterDriver& cluster, std::size_t node) {
  Records records;
  for (const auto& [path, slot] : cluster.store(node).slots()) {
    records.emplace(path, slot.record);
  }
  return records;
}

std::string any_key() {
  return "k/" + std::to_string(*rc::gen::inRange(0, 8));
}

/// A write of a client at any of `nodes` nodes.
void write_something(ClusterDriver& cluster, std::size_t nodes) {
  const auto node = *rc::gen::inRange<std::size_t>(0, nodes);
  const std::string key = any_key();
  if (*rc::gen::weightedElement<bool>({{3, true}, {1, false}})) {
    cluster.put(node, key, std::to_string(*rc::gen::inRange(0, 100)));
  } else {
    cluster.del(node, key);
  }
  cluster.run(Duration::from_ms(*rc::gen::inRange(0, 50)));
}

/// What an export gives, in any order.
std::vector<PeerRecord> exported(ClusterDriver& cluster) {
  std::vector<PeerRecord> records;
  for (const auto& [path, record] : records_of(cluster, 0)) {
    records.push_back({.path = path, .record = record, .replaced = {}});
  }
  for (std::size_t i = records.size(); i > 1; --i) {
    std::swap(records[i - 1], records[*rc::gen::inRange<std::size_t>(0, i)]);
  }
  return records;
}

bool has_diverged(ClusterDriver& cluster) {
  return std::ranges::any_of(cluster.traces(), [](const Trace& trace) {
    return trace.kind == Trace::Kind::divergence || trace.kind == Trace::Kind::damage_found;
  });
}

void expect_equal(ClusterDriver& cluster) {
  for (std::size_t node = 1; node < 3; ++node) {
    RC_ASSERT(records_of(cluster, node) == records_of(cluster, 0));
    RC_ASSERT(cluster.node(node).replica().knowledge() == cluster.node(0).replica().knowledge());
  }
  RC_ASSERT(!has_diverged(cluster));
}

/// A cluster of two that has written this and that.
void fill(ClusterDriver& source) {
  source.run(Duration::from_seconds(3));
  const int writes = *rc::gen::inRange(1, 30);
  for (int i = 0; i < writes; ++i) {
    write_something(source, 2);
  }
  source.run(Duration::from_seconds(5));
}

TEST(law_import, AnEmptyClusterEndsWithJustTheOthersRecords) {
  EXPECT_TRUE(rc::check([] {
    ClusterDriver source(2, 1000);
    fill(source);
    ClusterDriver target(3);
    target.run(Duration::from_seconds(5));
    for (const PeerRecord& record : exported(source)) {
      target.import(*rc::gen::inRange<std::size_t>(0, 3), {record});
    }
    target.run(Duration::from_seconds(60));
    expect_equal(target);
    RC_ASSERT(records_of(target, 1) == records_of(source, 1));
    RC_ASSERT(target.node(2).status().digest.root == source.node(0).status().digest.root);
  }));
}

TEST(law_import, AClusterAtWorkEndsEqualWithTheLargerVersionOfEachKey) {
  EXPECT_TRUE(rc::check([] {
    ClusterDriver source(2, 1000);
    ClusterDriver target(3);
    source.run(Duration::from_seconds(3));
    target.run(Duration::from_seconds(5));
    Records newest;  // of what was imported
    for (int round = *rc::gen::inRange(1, 4); round > 0; --round) {
      fill(source);
      target.run(Duration::from_seconds(10));  // no stamp is ahead: the door refuses such lines
      const bool cut = *rc::gen::arbitrary<bool>();
      if (cut) {
        target.cut({2}, {0, 1});
      }
      for (const PeerRecord& record : exported(source)) {
        if (*rc::gen::arbitrary<bool>()) {
          write_something(target, 3);
        }
        for (int times = *rc::gen::inRange(1, 3); times > 0; --times) {
          target.import(*rc::gen::inRange<std::size_t>(0, 3), {record});
        }
        newest.insert_or_assign(record.path, record.record);
      }
      target.heal();
      target.run(Duration::from_seconds(1));
    }
    target.run(Duration::from_seconds(120));
    expect_equal(target);
    const Records held = records_of(target, 0);
    for (const auto& [path, record] : newest) {
      RC_ASSERT(held.contains(path));
      RC_ASSERT(held.at(path).header.version >= record.header.version);
    }
  }));
}

}  // namespace
}  // namespace kvs
