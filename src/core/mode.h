// What a node lets clients do.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/command.h"

namespace kvs {

enum class Mode : std::uint8_t { normal, read_only, syncing };

/// The name in /health: "normal", "read-only", "syncing".
std::string_view to_string(Mode mode);

/// Why a client's write is refused in this mode; nothing if it may pass. Reads always may, and
/// replication never asks.
std::optional<WriteStatus> write_refusal(Mode mode);

}  // namespace kvs
