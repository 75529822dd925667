// What all oracles have in common: a name, the history to compare with, and where to complain.
//
// One oracle watches one promise of docs/consistency.md; docs/testing.md lists them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "sim/history.h"
#include "sim/observer.h"

namespace kvs {

class Oracle : public Observer {
 public:
  Oracle(std::string_view name, const History& history, Findings& findings)
      : name_(name), history_(history), findings_(findings) {}

 protected:
  void report(std::string what) { findings_.report(name_, std::move(what)); }

  [[nodiscard]] const History& history() const { return history_; }

 private:
  std::string_view name_;
  const History& history_;
  Findings& findings_;
};

/// The newest write of each key that somebody has seen: nothing older may be seen again.
class Floors {
 public:
  void raise(const Write* write);

  /// What a restart after loss of power did not find is no floor any longer.
  void lower_to(const History& history);

  /// nullptr: nothing was seen of this key.
  [[nodiscard]] const Write* of(std::string_view key) const;

  [[nodiscard]] const std::map<std::string_view, const Write*>& all() const { return floors_; }

 private:
  std::map<std::string_view, const Write*> floors_;  // views of the writes' keys
};

}  // namespace kvs
