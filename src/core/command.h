// What clients ask of a node, and what comes of it.
//
// Commands hold views: whoever hands one to the node keeps its bytes alive until the batch that its
// effects belong to has been committed or has failed.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "core/key.h"
#include "core/record.h"

namespace kvs {

/// Names a client that waits for an answer. Chosen by the door; opaque here.
enum class Ticket : std::uint64_t {};

/// When a write may take place. Checked on the node that answers, against its own state.
struct Condition {
  enum class Kind : std::uint8_t {
    none,       // always
    if_absent,  // If-None-Match: *
    if_exists,  // If-Match: *
    if_match,   // If-Match: "<uuid>": only over this live version
  };

  Kind kind = Kind::none;
  Uuid uuid;
};

/// A client's PUT or DELETE.
struct WriteCommand {
  enum class Kind : std::uint8_t { put, del };

  Ticket ticket{};
  Kind kind = Kind::put;
  Key key;
  std::string_view value;  // JSON text; empty for del
  Condition condition;
  Duration ttl;  // of a put: for how long the value is to be seen, in whole ms; 0: for ever
};

/// What came of a write. Only the first three changed anything.
enum class WriteStatus : std::uint8_t {
  created,   // put; the key had no live value
  replaced,  // put; it had one
  deleted,
  not_found,         // del; nothing live there
  version_mismatch,  // the condition does not hold
  read_only,
  syncing,
  disk_full,
  overloaded,
  shutting_down,
  corrupt_data,  // the condition cannot be checked: the stored record is damaged
  io_error,
  ttl_unsupported,  // a member could not read a record that expires
};

/// True if the write changed the store.
[[nodiscard]] constexpr bool succeeded(WriteStatus status) {
  return status <= WriteStatus::deleted;
}

/// True if what the key held decided the outcome.
[[nodiscard]] constexpr bool rests_on_state(WriteStatus status) {
  return status <= WriteStatus::version_mismatch;
}

struct WriteOutcome {
  WriteStatus status = WriteStatus::io_error;
  Uuid uuid;                    // of the new version, where the write succeeded
  Stamp stamp;                  // likewise
  std::int64_t expires_ms = 0;  // likewise; 0: never

  bool operator==(const WriteOutcome&) const = default;
};

}  // namespace kvs
