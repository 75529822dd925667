// A batch under way: a source that posts its writes, makes its reads, and gives the result of each
// operation in its place. On its door's thread.
//
// Operations take place in their order: a read waits for the writes before it. Writes that stand
// together are posted together, kBatchWritesAtOnce at most, so that one batch does not hold the
// node's thread up. What a client that goes away has not had posted does not happen.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "app/figures.h"
#include "app/node_thread.h"
#include "app/write_request.h"
#include "io/store.h"
#include "wire/batch.h"
#include "wire/long_answer.h"
#include "wire/request_handler.h"

namespace kvs {

inline constexpr std::size_t kBatchWritesAtOnce = 1024;

/// What runs of many operations use. All of it outlives them.
struct BulkParts {
  const Store& store;
  NodeThread& node;
  RequestCounters& counters;
  std::size_t& bytes_held;               // by the runs of this door
  std::function<void(Key key)> damaged;  // told of a damaged record
};

class BatchRun final : public BodySource {
 public:
  /// Reads the whole batch; nothing has happened yet. Errors: those of BatchReader.
  static Result<std::unique_ptr<BatchRun>> make(BulkParts parts, const ReceivedRequest& received,
                                                const AnswerTarget& target, BatchReader reader);
  BatchRun(const BatchRun&) = delete;
  BatchRun& operator=(const BatchRun&) = delete;
  ~BatchRun() override;

  /// True if it writes, if only keys that are refused.
  [[nodiscard]] bool writes() const { return writes_; }

  Status fill(std::string& out, std::size_t budget, Instant now) override;
  void complete(const WriteOutcome& outcome) override;

 private:
  struct Get {
    std::string path;
    GetConditions conditions;
  };

  /// A write that was posted has left its request empty.
  using Step = std::variant<WriteRequest, Get, Error>;

  BatchRun(BulkParts parts, const ReceivedRequest& received, const AnswerTarget& target);
  void add(const BatchOperation& operation, const ReceivedRequest& received);
  /// Gives the results of what can be done at once, until about `budget` bytes are there.
  void advance(std::size_t budget);
  void post_writes();
  void put_refusals();
  void put_get(const Get& get);
  std::string& next_result();

  [[nodiscard]] bool at_end() const { return next_ == steps_.size(); }

  BulkParts parts_;
  Instant begun_;
  LongAnswer answer_;
  std::vector<Step> steps_;
  std::size_t next_ = 0;         // the first without a result
  std::size_t outstanding_ = 0;  // writes posted without a result
  std::size_t bytes_ = 0;        // that the steps hold
  bool writes_ = false;
};

}  // namespace kvs
