// Do all members hold the same data? What one snapshot of the node knows of it, in figures and in
// words (GET /cluster/convergence).
//
// Pure. It compares what members told last with what this node holds: as of when, each row says.
// What is returned points into the snapshot, which has to outlive it.
#pragma once

#include "app/node_thread.h"
#include "wire/api.h"

namespace kvs {

/// Whether two nodes hold the same records; nothing while either still counts them.
[[nodiscard]] std::optional<bool> fingerprints_agree(const StateDigest& theirs,
                                                     const StateDigest& mine);

/// The members of the snapshot, failed ones too, ordered by id. `wall` is now.
[[nodiscard]] ConvergenceView convergence(const NodeThreadStatus& status, WallTime wall);

}  // namespace kvs
