// An export of any length, line by line, in memory for one line.
//
// What one answer gives is of one moment. Where an answer breaks off the walk goes on after the
// last line that it gave, with a later moment; so each key that was there throughout comes exactly
// once. What the node refuses for now is asked again, with the pauses that it names, until nothing
// has come for `patience`. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "io/http_client.h"
#include "io/interrupt.h"
#include "wire/client_calls.h"

namespace kvs {

struct ExportWalkOptions {
  ExportCall call;
  Duration patience{};             // none: the first failure ends the walk
  Interrupt* interrupt = nullptr;  // outlives the walk
};

struct Exported {
  std::uint64_t moments = 0;  // how many the lines are of
  bool partial = false;       // the node still fetches the cluster's data: something may be missing
};

class ExportWalk {
 public:
  /// Takes a line with its line break, which is good until it returns. May refuse it, which ends
  /// the walk.
  using TakeLine = std::function<Result<void>(std::string_view line)>;

  ExportWalk(HttpClient& client, ExportWalkOptions options);

  /// Once. Errors: those of the node, of HttpClient and of `take`.
  Result<Exported> run(const TakeLine& take);

 private:
  Result<void> ask(const TakeLine& take);
  Result<void> take_part(std::string_view part, const TakeLine& take);
  Result<void> take_line(std::string_view line, const TakeLine& take);
  /// Waits before the next attempt; the error, if there is to be none.
  Result<void> await_next_attempt(const Error& error);

  HttpClient& client_;
  ExportWalkOptions options_;
  Exported exported_;
  std::string begun_;      // of a line that is not whole yet
  std::string last_line_;  // that was taken
  bool at_end_ = false;
  bool has_lines_ = false;  // of this answer
  bool taker_refused_ = false;
  std::uint32_t pause_s_ = 0;  // named by the node
  Instant moved_{};            // when the last line came
};

}  // namespace kvs
