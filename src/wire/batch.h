// Many operations in one request (docs/api.md, Batches): the body of the request, operation by
// operation, and the result of each. Pure.
//
//   {"operations":[{"op":"put","path":"a/b","data":{"x":1},"if_match":"<uuid>"},
//                  {"op":"delete","path":"a/c"},{"op":"get","path":"a/d"}]}
//   {"results":[{"status":201,"uuid":"...","timestamp":1},{"status":204,"timestamp":1},
//               {"status":404,"error":{"code":"not_found","message":"..."}}]}
//
// What is wrong with the form of the body is an error of the whole; a path or a value that this
// node does not take is the result of its operation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "core/command.h"
#include "core/record.h"
#include "wire/api.h"
#include "wire/json_view.h"

namespace kvs {

/// What a get asks of the live version.
struct GetConditions {
  Condition wanted;  // none, if_exists or if_match
  Condition known;   // what the client has already: likewise
};

/// Views are good until the next operation is read.
struct BatchOperation {
  enum class Kind : std::uint8_t { put, del, get };

  Kind kind = Kind::get;
  Key key = Key::from_store({});  // whole, below the path of the request; empty if refused
  std::string_view value;         // of a put: the bytes as they were sent
  Duration ttl;                   // of a put: 0: it is to stay
  Condition condition;            // of a put or delete
  GetConditions get;              // of a get
  std::optional<Error> refusal;   // what this operation comes to, without being tried
};

/// Reads the operations of a body. One body a reader.
class BatchReader {
 public:
  /// `below` is the path that the operations' paths are relative to, without a slash at its end;
  /// empty: the root. `body` is a JSON text, as wire/json has found; both outlive the reader.
  BatchReader(std::string_view below, std::string_view body, const ApiLimits& limits);

  /// The next operation; nothing at the end. Errors: bad_request, value_too_large (more than
  /// kBatchOperationsMax); read no more after one.
  Result<std::optional<BatchOperation>> next();

 private:
  /// The members of one operation, as they stand in the text.
  struct Fields {
    std::optional<std::string_view> op;
    std::optional<std::string_view> path;
    std::optional<std::string_view> data;
    std::optional<std::string_view> ttl;
    std::optional<std::string_view> if_match;
    std::optional<std::string_view> if_none_match;
  };

  Result<void> begin();
  Result<void> end();
  Result<Fields> take_fields();
  [[nodiscard]] Result<BatchOperation> operation(const Fields& fields);
  [[nodiscard]] Result<void> take_conditions(const Fields& fields, BatchOperation& operation) const;
  Result<Condition> condition_of(std::string_view text) const;
  [[nodiscard]] std::optional<Error> refusal_of(BatchOperation& operation);
  [[nodiscard]] std::unexpected<Error> malformed(std::string_view why) const;

  JsonWalk walk_;
  ApiLimits limits_;
  std::string key_;  // starts with the path of the request
  std::size_t below_bytes_ = 0;
  std::size_t read_ = 0;
  bool begun_ = false;
  bool ended_ = false;
};

// Each of these appends one element of `results`, without the comma before it.

void append_write_result(std::string& out, const WriteOutcome& outcome);
void append_error_result(std::string& out, const Error& error);

/// What a get found; `record` is live.
void append_value_result(std::string& out, const GetConditions& conditions,
                         const RecordView& record);

/// What a get found where nothing is live.
void append_no_value_result(std::string& out);

}  // namespace kvs
