// A listing of any length, entry by entry, in pages and in memory for one entry.
//
// Where an answer breaks off the walk goes on after the last entry that it gave, so each key that
// was there throughout comes exactly once. What the node refuses for now is asked again, with the
// pauses that it names, until nothing has come for `patience`. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "io/http_client.h"
#include "io/interrupt.h"
#include "wire/client_calls.h"
#include "wire/list_page_reader.h"

namespace kvs {

struct WalkOptions {
  ListCall call;  // its limit is the size of a page
  std::uint64_t entries_max = UINT64_MAX;
  Duration patience{};             // none: the first failure ends the walk
  Interrupt* interrupt = nullptr;  // outlives the walk
};

struct Walked {
  bool more = false;     // entries_max was reached, and there is more
  bool partial = false;  // the node still fetches the cluster's data: something may be missing
};

class ListWalk {
 public:
  /// Takes an entry, whose views are good until it returns. May refuse it, which ends the walk.
  using TakeEntry = std::function<Result<void>(const ListedEntry& entry)>;

  ListWalk(HttpClient& client, WalkOptions options);

  /// Once. Errors: those of the node, of HttpClient and of `take`.
  Result<Walked> run(const TakeEntry& take);

 private:
  Result<void> page(const TakeEntry& take);
  /// Waits before the next attempt; the error, if there is to be none.
  Result<void> await_next_attempt(const Error& error);

  HttpClient& client_;
  WalkOptions options_;
  Walked walked_;
  std::uint64_t entries_ = 0;
  bool at_end_ = false;
  bool taker_refused_ = false;
  std::uint32_t pause_s_ = 0;  // named by the node
  Instant moved_{};            // when the last entry came
};

}  // namespace kvs
