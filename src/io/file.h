// Small files as a whole: read one, create one. Errors are io_error and say what to do.
//
// Every function may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kvs {

/// The contents of the file at `path`; io_error also if it holds more than `bytes_max`. A pipe or a
/// device will do.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t bytes_max);

enum class FileCreation : std::uint8_t { created, existed };

/// Creates the file at `path` with `text` in it, whole or not at all, and durably. A file that is
/// there already stays as it is, also if another process makes it at the same moment.
[[nodiscard]] Result<FileCreation> create_file(const std::string& path, std::string_view text);

}  // namespace kvs
