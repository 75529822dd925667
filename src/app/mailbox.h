// A queue from many threads to one: the receiver takes everything at once, so that one wake-up
// serves a whole batch, and wakes without a letter when its time has come.
#pragma once

#include <chrono>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

#include "base/time.h"

namespace kvs {

template <class Mail>
class Mailbox {
 public:
  /// Adds one letter. Any thread.
  void post(Mail mail) {
    bool was_empty = false;
    {
      const std::lock_guard lock(mutex_);
      was_empty = letters_.empty();
      letters_.push_back(std::move(mail));
    }
    if (was_empty) {
      arrived_.notify_one();
    }
  }

  /// Adds letters in their order, with one wake-up; takes them out of `mail`.
  template <class Kind>
  void post_all(std::vector<Kind>& mail) {
    if (mail.empty()) {
      return;
    }
    bool was_empty = false;
    {
      const std::lock_guard lock(mutex_);
      was_empty = letters_.empty();
      letters_.insert(letters_.end(), std::move_iterator(mail.begin()),
                      std::move_iterator(mail.end()));
    }
    mail.clear();
    if (was_empty) {
      arrived_.notify_one();
    }
  }

  /// Waits until there is at least one letter, or until `deadline`, then swaps all letters into
  /// `letters`, oldest first. `letters` must be empty; its capacity is reused. One thread only.
  void wait_and_take(std::vector<Mail>& letters, Instant deadline = Instant::never()) {
    const auto has_letters = [this] {
      return !letters_.empty();
    };
    std::unique_lock lock(mutex_);
    if (deadline == Instant::never()) {
      arrived_.wait(lock, has_letters);
    } else {
      // The machine's monotonic clock, like Instant (io/os).
      using Time = std::chrono::steady_clock::time_point;
      arrived_.wait_until(lock, Time(std::chrono::nanoseconds(deadline.ns)), has_letters);
    }
    letters_.swap(letters);
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Mail> letters_;  // protected by mutex_
};

}  // namespace kvs
