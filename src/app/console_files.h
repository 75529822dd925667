// The files of the console, src/app/ui, as they are built into the program: it needs nothing
// beside itself to show them. cmake/console.cmake writes the source.
#pragma once

#include <span>
#include <string_view>

#include "wire/console_answer.h"

namespace kvs {

/// All of them, ordered by name.
[[nodiscard]] std::span<const ConsoleFile> console_files();

/// The file of that name; null if there is none. The page itself has no name.
[[nodiscard]] const ConsoleFile* find_console_file(std::string_view name);

}  // namespace kvs
