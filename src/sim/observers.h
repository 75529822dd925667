// All observers of a run, told in order.
#pragma once

#include <vector>

#include "sim/observer.h"

namespace kvs {

class Observers {
 public:
  /// The observer outlives this.
  void add(Observer& observer) { observers_.push_back(&observer); }

  /// Calls one of Observer's functions on each, e.g. `tell(&Observer::crashed, Crash::kill)`.
  template <class... Params, class... Args>
  void tell(void (Observer::*event)(Params...), const Args&... args) const {
    for (Observer* observer : observers_) {
      (observer->*event)(args...);
    }
  }

 private:
  std::vector<Observer*> observers_;
};

}  // namespace kvs
