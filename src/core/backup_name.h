// Names of backups: what a client may send that becomes the name of a folder. Pure.
//
// Whoever reaches the port may ask for a backup, so a name must never lead out of the folder of
// backups, hide there, or be taken for an option by a shell's tools.
#pragma once

#include <cstddef>
#include <string_view>

namespace kvs {

inline constexpr std::size_t kBackupNameBytesMax = 64;

/// True for 1 to 64 letters and digits of ASCII, `.`, `_` and `-`, of which a letter or digit comes
/// first.
[[nodiscard]] bool is_backup_name(std::string_view text);

}  // namespace kvs
