// Where clients have backups made: one at a time, on a thread of its own, so that neither doors nor
// the node nor its commits wait for it.
//
// Any thread may order. What came of an order is in the Ordered that was given with it by the time
// that its reply, Done or Refused with no more in it, is delivered. The destructor waits for a
// backup that is being made.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "app/exits.h"
#include "base/result.h"
#include "core/command.h"
#include "io/backup.h"
#include "io/log.h"
#include "io/store.h"

namespace kvs {

class BackupDesk {
 public:
  /// All of it outlives the desk.
  struct Parts {
    const Store& store;
    ReplySink& sink;
    Log& log;
    std::string folder;  // empty: none are made
    std::string node_id;
  };

  /// An order, and what came of it.
  struct Ordered {
    std::string name;
    std::optional<Result<Backup>> outcome;
  };

  explicit BackupDesk(Parts parts) : parts_(std::move(parts)) {}

  BackupDesk(const BackupDesk&) = delete;
  BackupDesk& operator=(const BackupDesk&) = delete;
  ~BackupDesk();

  /// Begins; one reply with the ticket follows. Errors: not_found: none are made here; overloaded:
  /// one is being made.
  Result<void> order(Ticket ticket, std::shared_ptr<Ordered> ordered);

 private:
  void make(Ticket ticket, Ordered& ordered);

  Parts parts_;
  std::atomic<bool> busy_ = false;
  std::thread thread_;  // touched by whoever made busy_ true, and by the destructor
};

}  // namespace kvs
