#include "core/pending.h"

#include <utility>

#include "base/check.h"
#include "base/mutant.h"
#include "base/probe.h"

namespace kvs {

void Pending::add(Key key, const Held& held) {
  auto it = entries_.find(key.text());
  if (it == entries_.end()) {
    it = entries_.emplace(std::string(key.text()), Entry{}).first;
  }
  it->second = {.held = held, .batch = open_batch_};
  open_.push_back(it->first);
}

const Pending::Held* Pending::find(Key key) const {
  const auto it = entries_.find(key.text());
  return it == entries_.end() ? nullptr : &it->second.held;
}

void Pending::close_batch() {
  if (KVS_MUTATED(pending_dropped_at_close)) {
    entries_.clear();
  }
  closed_.push_back(std::exchange(open_, {}));
  ++open_batch_;
}

void Pending::commit_oldest() {
  KVS_CHECK(!closed_.empty(), "a batch was committed that was never closed");
  const std::uint64_t batch = open_batch_ - closed_.size();
  for (const std::string& key : closed_.front()) {
    const auto it = entries_.find(key);
    // A later batch may have written the key again, or this batch twice.
    if (it == entries_.end()) {
      continue;
    }
    if (it->second.batch == batch || KVS_MUTATED(pending_dropped_by_older_batch)) {
      entries_.erase(it);
    } else {
      KVS_PROBE("pending: a later batch wrote the committed key again");
    }
  }
  closed_.pop_front();
}

void Pending::clear() {
  if (!KVS_MUTATED(pending_kept_after_failure)) {
    entries_.clear();
  }
  open_.clear();
  closed_.clear();
}

}  // namespace kvs
