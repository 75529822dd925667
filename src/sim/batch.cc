#include "sim/batch.h"

#include "base/mutant.h"

namespace kvs {

Flush flush_of(const Effects& effects, Durability durability) {
  const bool demanded =
      effects.identity || (effects.clock_reserve && !KVS_MUTATED(reserve_not_synced));
  return demanded || durability == Durability::sync ? Flush::sync : Flush::os;
}

void mix_effects(const Effects& effects, Digest& digest) {
  for (const RecordWrite& write : effects.writes) {
    const Version& version = write.record.header.version;
    digest.mix(write.key.text());
    digest.mix(write.record.value);
    digest.mix(version.stamp.bits);
    digest.mix(version.uuid.high ^ version.uuid.low);
    digest.mix(static_cast<std::uint64_t>(version.dot.origin) ^ version.dot.seq);
  }
  for (const KnowledgeWrite& write : effects.knowledge) {
    digest.mix(static_cast<std::uint64_t>(write.origin) ^ write.known.upto);
  }
  digest.mix(effects.clock_reserve.value_or(Stamp{}).bits);
  digest.mix(effects.identity.value_or(Identity{}).instance);
  for (const Reply& reply : effects.replies) {
    digest.mix(static_cast<std::uint64_t>(reply.ticket));
    digest.mix(static_cast<std::uint64_t>(reply.outcome.status));
  }
}

}  // namespace kvs
