// `kvs del --recursive PATH`: deletes all keys below a path, and tells meanwhile how many.
#pragma once

#include <string>

#include "app/client.h"

namespace kvs {

struct DeleteBelowOptions {
  ClientOptions client;
  std::string path;
  bool everything = false;  // the root is meant
};

/// Gives the exit code.
[[nodiscard]] int delete_below(const DeleteBelowOptions& options);

}  // namespace kvs
