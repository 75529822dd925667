#include "app/node_options.h"

#include "core/address.h"
#include "wire/peer_version.h"

namespace kvs {

NodeOptions node_options(const Config& config, const std::string& address) {
  NodeOptions options;
  options.mode = config.read_only ? Mode::read_only : Mode::normal;
  options.clock_skew_ms_max = config.max_clock_skew.ms();
  options.tombstone_min_age = config.tombstone_min_age;
  options.members.node_id = config.node_id;
  options.members.address = address;
  options.members.cluster_name = config.cluster_name;
  options.members.protocol = peer_protocol();
  options.members.features = kFeatureZstd | kFeatureShortHashes | kFeatureExpiry;
  options.members.probe_interval = config.probe_interval;
  options.members.probe_timeout = config.probe_timeout;
  options.members.gossip_interval_min = config.gossip_interval_min;
  options.members.gossip_interval_max = config.gossip_interval_max;
  for (const Address& seed : config.seed_nodes) {
    if (to_string(seed) != address) {
      options.members.seeds.push_back(to_string(seed));
    }
  }
  options.sync.sync_interval = config.sync_interval;
  options.sync.catchup_interval = config.catchup_interval;
  options.sync.throttle_delay = config.throttle_delay;
  options.sync.fetch_delay = config.fetch_delay;
  options.sync.bootstrap_max_age = config.bootstrap_max_age;
  return options;
}

}  // namespace kvs
