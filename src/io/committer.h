// Where the batches of a node become durable: the store, or what a test puts in its place.
#pragma once

#include "base/result.h"
#include "core/effects.h"

namespace kvs {

class Committer {
 public:
  virtual ~Committer() = default;

  /// Makes records and state durable as one atomic batch; what is to leave afterwards is ignored.
  /// Called by one thread.
  ///
  /// Errors after which nothing of the batch is visible, now or after a restart, and a later commit
  /// may succeed: disk_full, overloaded (the disk cannot follow), corrupt_data (a damaged file
  /// stops the store from tidying up: reads go on, writes end until the folder is restored). Any
  /// other error: nobody can know what reached the disk, and the process must end without an
  /// answer; the next start finds out.
  virtual Result<void> commit(const Effects& effects) = 0;

 protected:
  Committer() = default;
  Committer(const Committer&) = default;
  Committer& operator=(const Committer&) = default;
};

}  // namespace kvs
