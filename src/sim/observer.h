// What can be seen of a run, and who looks: the history, the oracles, the printed trace.
//
// Observers change nothing in the world. Each event reaches them in the order in which they were
// added, so the history, which is first, has it when the oracles look.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/mode.h"
#include "core/node.h"
#include "sim/batch.h"
#include "sim/disk.h"
#include "sim/operation.h"

namespace kvs {

/// One step of the node.
struct Decision {
  const Operation& operation;
  std::uint64_t batch = 0;
  Mode mode = Mode::normal;
  std::optional<Errc> read_fault;       // injected while the node decided
  std::optional<WriteOutcome> outcome;  // of the reply; nothing: the node did not reply
};

/// The record that was read; nullptr: there is none, or it could not be read.
[[nodiscard]] inline const Record* record_in(const Result<std::optional<Record>>& read) {
  if (!read) {
    return nullptr;
  }
  const std::optional<Record>& record = *read;
  return record ? &*record : nullptr;
}

/// What a GET was answered.
struct Reading {
  const Operation& operation;
  const Result<std::optional<Record>>& record;  // tombstones included
  std::optional<Errc> read_fault;
  bool expired = false;  // the client was told that there is nothing, because its time is over

  [[nodiscard]] const Record* found() const { return record_in(record); }
};

/// What a listing of everything was answered: the live records.
struct Listing {
  const Operation& operation;
  const Result<std::vector<std::pair<std::string, RecordHeader>>>& records;
  std::optional<Errc> read_fault;
};

enum class Crash : std::uint8_t { kill, power_loss };

class Observer {
 public:
  Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  Observer(Observer&&) = delete;
  Observer& operator=(Observer&&) = delete;
  virtual ~Observer() = default;

  virtual void asked(const Operation&) {}  // a client sends

  virtual void decided(const Decision&) {}  // the node has stepped

  virtual void closed(const Batch&) {}  // the batch is complete

  virtual void durable(const Batch&) {}  // the disk has committed it

  virtual void failed(const Batch&, Errc) {}  // it never will, or nobody knows

  virtual void answered(const Operation&, const WriteOutcome&) {}  // the reply has left

  virtual void got(const Reading&) {}

  virtual void listed(const Listing&) {}

  virtual void idle(const Knowledge&, const Disk&) {}  // the node's K while nothing is in flight

  virtual void crashed(Crash) {}  // everything in memory is gone

  virtual void recovered(const Image&) {}  // the process runs on what it found

  virtual void unopened(Errc) {}  // it found something and refused to run

  virtual void damage_unnoticed() {}  // it ran although its files were damaged

  virtual void rotted(std::string_view) {}  // the record under this key was damaged

  virtual void space_gone() {}

  virtual void space_back() {}

  virtual void healed() {}  // no fault from now on

  virtual void ended(const Image&) {}  // after a last orderly restart
};

/// What oracles have against a run.
struct Violation {
  std::string oracle;
  std::string what;
};

/// Collects violations; a run stops at the first.
class Findings {
 public:
  void report(std::string_view oracle, std::string what) {
    violations_.push_back({.oracle = std::string(oracle), .what = std::move(what)});
  }

  [[nodiscard]] bool empty() const { return violations_.empty(); }

  [[nodiscard]] const std::vector<Violation>& all() const { return violations_; }

 private:
  std::vector<Violation> violations_;
};

}  // namespace kvs
