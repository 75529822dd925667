// A batch of a shell: the effects of some steps, committed together.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/config.h"
#include "core/effects.h"
#include "sim/digest.h"
#include "sim/disk.h"

namespace kvs {

struct Batch {
  std::uint64_t number = 0;  // counts through the run
  Flush flush = Flush::sync;
  Effects effects;
  std::vector<std::shared_ptr<const void>> kept;  // peers' messages that the effects point into
};

/// How durable a batch has to be before its replies may leave.
[[nodiscard]] Flush flush_of(const Effects& effects, Durability durability);

/// Adds what a batch stores and replies to the hash of the run.
void mix_effects(const Effects& effects, Digest& digest);

}  // namespace kvs
