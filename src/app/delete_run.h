// A recursive delete under way: a source that walks the keys below a path and posts the delete of
// each, in slices. On its door's thread.
//
// What is deleted are the keys of the moment at which it began, which one cursor shows throughout:
// each with its version as condition, so that a value which is written meanwhile stays. At most
// kWindow deletes are under way, and memory does not grow with the number of keys. If the client
// goes away, nothing more is posted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/batch_run.h"
#include "wire/api.h"
#include "wire/long_answer.h"
#include "wire/request_handler.h"

namespace kvs {

class DeleteRun final : public BodySource {
 public:
  DeleteRun(BulkParts parts, const DeleteBelow& request, const ReceivedRequest& received,
            const AnswerTarget& target);

  Status fill(std::string& out, std::size_t budget, Instant now) override;
  void complete(const WriteOutcome& outcome) override;

 private:
  void look_further();
  /// Posts the delete of what is under the cursor, if it is to go. The bytes of its value.
  Result<std::size_t> take_record(std::vector<WriteRequest>& deletes);
  [[nodiscard]] bool below() const;
  [[nodiscard]] bool may_post() const;

  void tell(std::string& out);
  void finish(std::string& out, Instant now);

  BulkParts parts_;
  Ticket ticket_;
  DeleteBelow::Report report_;
  Instant begun_;
  std::string prefix_;  // with its slash; empty: everything
  std::unique_ptr<RecordCursor> cursor_;
  LongAnswer answer_;
  std::optional<Error> error_;   // the first
  std::size_t outstanding_ = 0;  // deletes posted without an outcome
  std::uint64_t deleted_ = 0;
  std::uint64_t kept_ = 0;  // written anew meanwhile
  std::uint64_t told_ = 0;  // of deleted_ and kept_
  bool at_end_ = false;     // there is nothing more to post
};

}  // namespace kvs
