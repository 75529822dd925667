// A run of the simulator told by hand to one oracle, without a world: what it would have seen.
//
// By default everything that is told is right (stamps increase, dots are dense, outcomes are as
// given); a test tells one thing wrong and expects a violation.
#pragma once

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/history.h"
#include "sim/observers.h"

namespace kvs {

/// How a write is told, where it differs from the ordinary.
struct Telling {
  WriteStatus status = WriteStatus::created;
  Operation::Kind kind = Operation::Kind::put;
  Condition condition;
  std::optional<Stamp> stamp;
  std::optional<Dot> dot;
  std::optional<Errc> read_fault;
  Mode mode = Mode::normal;
};

/// A write that was told.
struct Told {
  const Operation* operation = nullptr;
  WriteOutcome outcome;
  Record record;  // where it succeeded
};

template <class OracleType>
class HandmadeRun {
 public:
  template <class... Args>
  explicit HandmadeRun(const Args&... args) : oracle_(args..., history_, findings_) {
    observers_.add(history_);
    observers_.add(oracle_);
  }

  /// A client asks.
  const Operation& ask(const std::string& key, const Telling& telling = {}) {
    const Operation& operation =
        operations_.add({.kind = telling.kind,
                         .key = key,
                         .value = telling.kind == Operation::Kind::put ? "1" : "",
                         .condition = telling.condition});
    observers_.tell(&Observer::asked, operation);
    return operation;
  }

  /// A client asks and the node decides, in the open batch.
  Told decide(const std::string& key, const Telling& telling = {}) {
    return decide(ask(key, telling), telling);
  }

  /// The node decides what was asked with the same telling, in the open batch.
  Told decide(const Operation& operation, const Telling& telling) {
    Told told{.operation = &operation, .outcome = {.status = telling.status}, .record = {}};
    if (succeeded(telling.status)) {
      fill(told, telling);
    }
    observers_.tell(&Observer::decided, Decision{.operation = operation,
                                                 .batch = batch_.number,
                                                 .mode = telling.mode,
                                                 .read_fault = telling.read_fault,
                                                 .outcome = told.outcome});
    if (succeeded(telling.status)) {
      // The operation outlives the batch, and so does its copy here.
      const Record& kept = kept_.emplace_back(told.record);
      batch_.effects.writes.push_back(
          {.key = Key::from_store(operation.key), .record = kept.view()});
    }
    return told;
  }

  /// The open batch writes this K.
  void knows(const KnowledgeWrite& knowledge) { batch_.effects.knowledge.push_back(knowledge); }

  /// Closes the open batch, and opens the next.
  Batch close(Flush flush = Flush::sync) {
    batch_.flush = flush;
    observers_.tell(&Observer::closed, batch_);
    return std::exchange(batch_, Batch{.number = batch_.number + 1, .effects = {}});
  }

  void commit(const Batch& batch) { observers_.tell(&Observer::durable, batch); }

  void fail_batch(const Batch& batch, Errc why) { observers_.tell(&Observer::failed, batch, why); }

  void answer(const Told& told) { answer(told, told.outcome); }

  void answer(const Told& told, const WriteOutcome& outcome) {
    observers_.tell(&Observer::answered, *told.operation, outcome);
  }

  /// Decided, committed and acknowledged, all as it should be.
  Told write(const std::string& key, const Telling& telling = {}, Flush flush = Flush::sync) {
    Told told = decide(key, telling);
    commit(close(flush));
    answer(told);
    return told;
  }

  void read(const std::string& key, const Result<std::optional<Record>>& record,
            std::optional<Errc> fault = {}) {
    const Operation& operation = operations_.add({.kind = Operation::Kind::get, .key = key});
    observers_.tell(&Observer::got,
                    Reading{.operation = operation, .record = record, .read_fault = fault});
  }

  void list(std::initializer_list<Told> shown) {
    Result<std::vector<std::pair<std::string, RecordHeader>>> records{};
    for (const Told& told : shown) {
      records->emplace_back(told.operation->key, told.record.header);
    }
    const Operation& operation = operations_.add({.kind = Operation::Kind::list});
    observers_.tell(&Observer::listed,
                    Listing{.operation = operation, .records = records, .read_fault = {}});
  }

  /// A folder that holds these writes, and a K that covers just them.
  static Image image(std::initializer_list<Told> held) {
    Image image{.records = {}, .state = {}};
    for (const Told& told : held) {
      image.records.insert_or_assign(told.operation->key, told.record);
      image.state.knowledge.add(told.record.header.version.dot);
    }
    return image;
  }

  void crash(Crash crash) { observers_.tell(&Observer::crashed, crash); }

  void recover(const Image& image) { observers_.tell(&Observer::recovered, image); }

  void end(const Image& image) { observers_.tell(&Observer::ended, image); }

  [[nodiscard]] const Observers& observers() const { return observers_; }

  /// True if the oracle complained.
  [[nodiscard]] bool violated() const { return !findings_.empty(); }

 private:
  void fill(Told& told, const Telling& telling) {
    ++count_;
    told.outcome.uuid = {.high = 1, .low = count_};
    told.outcome.stamp = telling.stamp.value_or(Stamp::from_ms(static_cast<std::int64_t>(count_)));
    told.record = {.header = {.version = {.stamp = told.outcome.stamp,
                                          .verdict = {},
                                          .uuid = told.outcome.uuid,
                                          .dot = telling.dot.value_or(
                                              Dot{.origin = Origin{5}, .seq = count_})},
                              .kind = telling.kind == Operation::Kind::put ? RecordKind::value
                                                                           : RecordKind::tombstone},
                   .value = telling.kind == Operation::Kind::put ? "1" : ""};
  }

  Findings findings_;
  History history_;
  OracleType oracle_;
  Observers observers_;
  Operations operations_;
  std::deque<Record> kept_;
  Batch batch_{.number = 1, .effects = {}};
  std::uint64_t count_ = 0;
};

}  // namespace kvs
