// Ctrl-C (SIGINT) and SIGTERM as something to look at, for work that ends in good order.
//
// While an Interrupt lives, the first of these signals is noted instead of ending the process; from
// then on the next one ends it at once. One at a time, on the main thread, before any thread is
// begun.
#pragma once

#include <csignal>

#include "io/descriptor.h"

namespace kvs {

class Interrupt {
 public:
  Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  ~Interrupt();

  /// True from the first signal on.
  [[nodiscard]] bool happened();

  /// The signal that came; 0 if none has.
  [[nodiscard]] int signal() const { return signal_; }

  /// A descriptor that is readable once a signal has come; negative from then on.
  [[nodiscard]] int number() const { return signals_.number(); }

 private:
  void restore();

  Descriptor signals_;
  sigset_t before_{};
  int signal_ = 0;
};

}  // namespace kvs
