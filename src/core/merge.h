// Merging: which of two records of one path stays. Pure.
//
// The larger version wins. One exception: equal stamps, different uuids and no verdict on either is
// a tie, which nobody may decide alone; each node keeps the version that it held first until a
// ballot decides.
#pragma once

#include "core/record.h"

namespace kvs {

enum class MergeOutcome : std::uint8_t { keep, take, tie };

/// What a node that holds `mine` does with `theirs`.
[[nodiscard]] MergeOutcome merge(const Version& mine, const Version& theirs);

}  // namespace kvs
