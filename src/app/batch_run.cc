#include "app/batch_run.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace kvs {

namespace {

/// An answer up to here goes out whole.
constexpr std::size_t kWholeBytesMax = 32U << 10U;

/// Reads in one turn: others of this door have theirs between.
constexpr std::size_t kGetsAtOnce = 64;

WriteCommand command_of(const BatchOperation& operation, Ticket ticket) {
  return {.ticket = ticket,
          .kind = operation.kind == BatchOperation::Kind::put ? WriteCommand::Kind::put
                                                              : WriteCommand::Kind::del,
          .key = operation.key,
          .value = operation.value,
          .condition = operation.condition,
          .ttl = operation.ttl};
}

}  // namespace

BatchRun::BatchRun(BulkParts parts, const ReceivedRequest& received, const AnswerTarget& target)
    : parts_(std::move(parts)), begun_(received.now), answer_(target, "application/json") {
  answer_.body() = R"({"results":[)";
}

BatchRun::~BatchRun() {
  parts_.bytes_held -= bytes_;
}

Result<std::unique_ptr<BatchRun>> BatchRun::make(BulkParts parts, const ReceivedRequest& received,
                                                 const AnswerTarget& target, BatchReader reader) {
  std::unique_ptr<BatchRun> run(new BatchRun(std::move(parts), received, target));
  for (;;) {
    const auto operation = KVS_TRY(reader.next());
    if (!operation) {
      return run;
    }
    run->add(*operation, received);
  }
}

void BatchRun::add(const BatchOperation& operation, const ReceivedRequest& received) {
  const std::size_t text_bytes = operation.key.text().size() + operation.value.size();
  if (operation.refusal) {
    steps_.emplace_back(*operation.refusal);
  } else if (operation.kind == BatchOperation::Kind::get) {
    steps_.emplace_back(
        Get{.path = std::string(operation.key.text()), .conditions = operation.get});
  } else {
    steps_.emplace_back(std::in_place_type<WriteRequest>, command_of(operation, received.ticket),
                        received.now);
  }
  writes_ = writes_ || operation.kind != BatchOperation::Kind::get;
  bytes_ += sizeof(Step) + text_bytes;
  parts_.bytes_held += sizeof(Step) + text_bytes;
}

BodySource::Status BatchRun::fill(std::string& out, std::size_t budget, Instant now) {
  if (outstanding_ == 0) {
    advance(budget);
  }
  if (at_end() && outstanding_ == 0) {
    answer_.body().append("]}");
    answer_.finish(out);
    parts_.counters.count(Route::batch, 200);
    parts_.counters.time(Route::batch, now - begun_);
    return Status::done;
  }
  if (answer_.begun() || answer_.body().size() > kWholeBytesMax) {
    answer_.send_some(out);
  }
  return outstanding_ > 0 ? Status::waiting : Status::more;
}

void BatchRun::advance(std::size_t budget) {
  std::size_t gets = 0;
  put_refusals();
  while (!at_end() && gets < kGetsAtOnce && answer_.body().size() < budget) {
    if (std::holds_alternative<WriteRequest>(steps_[next_])) {
      post_writes();
      return;
    }
    put_get(std::get<Get>(steps_[next_]));
    ++gets;
    put_refusals();
  }
}

/// Posts the writes up to the next read.
void BatchRun::post_writes() {
  std::vector<WriteRequest> requests;
  for (std::size_t i = next_; i < steps_.size() && requests.size() < kBatchWritesAtOnce; ++i) {
    if (auto* const write = std::get_if<WriteRequest>(&steps_[i])) {
      requests.push_back(std::move(*write));
    } else if (std::holds_alternative<Get>(steps_[i])) {
      break;
    }
  }
  outstanding_ = requests.size();
  parts_.node.post_all(requests);
}

void BatchRun::complete(const WriteOutcome& outcome) {
  KVS_CHECK(outstanding_ > 0, "a reply to no write of this batch");
  put_refusals();
  --outstanding_;
  append_write_result(next_result(), outcome);
  put_refusals();
}

/// What is refused has its result as soon as those before it have theirs.
void BatchRun::put_refusals() {
  while (!at_end() && std::holds_alternative<Error>(steps_[next_])) {
    const std::size_t refused = next_;
    append_error_result(next_result(), std::get<Error>(steps_[refused]));
  }
}

/// Where the next result is appended, behind its comma.
std::string& BatchRun::next_result() {
  if (next_++ > 0) {
    answer_.body().push_back(',');
  }
  return answer_.body();
}

void BatchRun::put_get(const Get& get) {
  const Key key = Key::from_store(get.path);
  const bool may_lack = parts_.node.may_lack_records();  // asked first: see there
  const Result<SharedRecord> found = parts_.store.get(key);
  std::string& out = next_result();
  if (!found) {
    if (found.error().code == Errc::corrupt_data) {
      parts_.damaged(key);
    }
    append_error_result(out, found.error());
  } else if (!*found && may_lack) {
    append_error_result(
        out, Error{.code = Errc::syncing,
                   .detail = "this node still fetches data, and has no record of this key: read it "
                             "by itself, or from another node"});
  } else if (!*found || !parts_.node.shows(found->header())) {
    append_no_value_result(out);
  } else {
    append_value_result(out, get.conditions, {.header = found->header(), .value = found->value()});
  }
}

}  // namespace kvs
