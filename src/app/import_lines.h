// The lines of a POST /import as the records of a push. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/config.h"
#include "core/mode.h"
#include "core/peer_message.h"

namespace kvs {

/// What a node takes at present.
struct ImportTerms {
  const Config& config;
  Mode mode = Mode::normal;
  bool takes_expiry = true;     // every member reads records that expire
  std::int64_t cluster_ms = 0;  // cluster time
};

/// The records of all lines, or why none is taken, with the number of the line. A record whose
/// stamp is so far ahead that the core might put it off is refused as `overloaded`, to be sent
/// again: nobody else would offer it anew. Further errors: ttl_unsupported, read_only, syncing;
/// invalid_json, invalid_key, key_too_large, value_too_large, bad_request.
[[nodiscard]] Result<std::vector<PeerRecord>> read_import(std::string_view lines,
                                                          const ImportTerms& terms);

}  // namespace kvs
