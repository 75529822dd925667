#include "io/interrupt.h"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/check.h"

namespace kvs {

Interrupt::Interrupt() {
  sigset_t ours;
  sigemptyset(&ours);
  sigaddset(&ours, SIGINT);
  sigaddset(&ours, SIGTERM);
  KVS_CHECK(::pthread_sigmask(SIG_BLOCK, &ours, &before_) == 0, "signals cannot be masked");
  signals_ = Descriptor(::signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_.open()) {
    restore();  // without a descriptor to spare Ctrl-C ends the process, as it would without us
  }
}

Interrupt::~Interrupt() {
  restore();
}

bool Interrupt::happened() {
  signalfd_siginfo info{};
  if (signals_.open() && ::read(signals_.number(), &info, sizeof info) == sizeof info) {
    signal_ = static_cast<int>(info.ssi_signo);
    signals_.close();
    restore();
  }
  return signal_ != 0;
}

void Interrupt::restore() {
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace kvs
