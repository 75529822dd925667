// Standard input or a file as a whole, for commands that take a value from either.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace kvs {

/// What the file `name` holds; `-` or nothing is standard input, until its end. Errors: io_error;
/// value_too_large above `bytes_max`.
[[nodiscard]] Result<std::string> read_all(const std::string& name, std::size_t bytes_max);

}  // namespace kvs
