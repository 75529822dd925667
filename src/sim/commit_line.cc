#include "sim/commit_line.h"

#include <utility>

#include "base/mutant.h"
#include "base/probe.h"
#include "sim/scenario.h"

namespace kvs {

Duration CommitLine::disk_time(Duration mean) {
  return {draw_around(prng_, mean).ns * slowness_};
}

void CommitLine::add(Batch batch) {
  batches_.push_back(std::move(batch));
  if (batches_.size() > 1) {
    KVS_PROBE("shell: two batches were in flight");
  }
  commit_front();
}

void CommitLine::commit_front() {
  while (!committing_ && !batches_.empty()) {
    if (batches_.front().effects.nothing_to_store()) {
      owner_.shown(batches_.front());
      settle_front();
      continue;
    }
    committing_ = true;
    disk_.begin(batches_.front().effects);
    owner_.wake_in(disk_time(times_.write), Input::log_written);
  }
}

void CommitLine::log_written() {
  if (const auto written = disk_.write(); !written) {
    return fail(written.error().code);
  }
  if (batches_.front().flush == Flush::sync) {
    return owner_.wake_in(disk_time(times_.sync), Input::log_synced);
  }
  finish();
}

void CommitLine::log_synced() {
  if (const auto synced = disk_.sync(); !synced) {
    if (KVS_MUTATED(sync_error_retried)) {
      return owner_.wake_in(disk_time(times_.sync), Input::log_synced);
    }
    return doom(synced.error().code);
  }
  finish();
}

void CommitLine::finish() {
  disk_.apply();
  if (prng_.chance(times_.checkpoint_per_mille, 1000)) {
    disk_.checkpoint();
  }
  owner_.shown(batches_.front());
  if (times_.told > Duration{}) {
    untold_ = true;
    return owner_.wake_in(draw_around(prng_, times_.told), Input::commit_told);
  }
  commit_told();
}

void CommitLine::commit_told() {
  committing_ = false;
  untold_ = false;
  settle_front();
  commit_front();
}

void CommitLine::settle_front() {
  Batch batch = std::move(batches_.front());
  batches_.pop_front();
  owner_.settled(std::move(batch));
}

void CommitLine::fail(Errc why) {
  const bool known_void = why == Errc::disk_full || why == Errc::overloaded;
  if (!known_void) {
    return doom(why);
  }
  committing_ = false;
  owner_.voided(std::exchange(batches_, {}), why);
}

/// What the disk did not take back nobody can know.
void CommitLine::doom(Errc why) {
  owner_.doomed(std::exchange(batches_, {}), why);
}

void CommitLine::clear() {
  batches_.clear();
  committing_ = false;
  untold_ = false;
}

}  // namespace kvs
