#include "core/holdings.h"

#include <utility>

#include "base/probe.h"

namespace kvs {

namespace {

constexpr std::size_t kCountedAtOnce = 1000;
constexpr std::size_t kDamagedPathsMax = 10'000;

}  // namespace

Holdings::Holdings(Replica& replica, const StoreView& store, Prng& prng,
                   const HoldingsOptions& options)
    : replica_(replica),
      store_(store),
      prng_(prng),
      tree_(store, options.blocks),
      journal_(options.journal),
      ranges_(options.ranges),
      run_(prng.next() | 1U),
      counted_after_(replica.emptied()) {
  tree_.hold_against(replica.knowledge());
}

void Holdings::apply(std::span<const Change> batch) {
  if (replica_.take_overflow_end()) {
    run_ = prng_.next() | 1U;
  }
  const std::uint64_t damaged = tree_.stats().damaged;
  tree_.apply(batch);
  journal_.add(batch);
  for (const Change& change : batch) {
    if (change.over_damage && tree_.built() && tree_.recount(change.path)) {
      KVS_PROBE("holdings: a damaged record is gone");
      damaged_.erase(change.path);
      checked_ = false;  // the sum is whole again: keep it
    }
  }
  if (tree_.stats().damaged > damaged) {
    found_damage({});
  }
}

bool Holdings::wants_to_count() const {
  return (!checked_ || !suspects_.empty()) && !replica_.committing();
}

void Holdings::count_some() {
  if (!wants_to_count()) {
    return;
  }
  if (!suspects_.empty()) {
    // Until now the sums hid what is missing, and an exchange may have joined K on them.
    KVS_PROBE("holdings: a damaged record is left out of the sums late");
    leave_out_suspects();
    replica_.forget_knowledge();
  }
  if (checked_) {
    return;
  }
  const std::uint64_t damaged = tree_.stats().damaged;
  if (!tree_.built() && !tree_.build_some(kCountedAtOnce)) {
    return;
  }
  if (tree_.stats().damaged > damaged) {
    KVS_PROBE("holdings: counting met a damaged record");
    found_damage({});
  }
  if (!tree_.built()) {
    return;
  }
  checked_ = true;
  if (!replica_.counted(tree_.root())) {
    KVS_PROBE("holdings: the count is not what was stored");
    found_damage({});
  }
}

bool Holdings::found_damage(std::string_view path) {
  if (!path.empty() && damaged_.contains(path)) {
    return false;
  }
  if (!path.empty() && damaged_.size() < kDamagedPathsMax) {
    damaged_.emplace(path);
  }
  ++damage_count_;
  found_.emplace_back(path);
  replica_.forget_knowledge(path);
  if (!path.empty()) {
    suspects_.emplace_back(path);
    if (!replica_.committing()) {
      leave_out_suspects();
    }
  }
  return true;
}

void Holdings::leave_out_suspects() {
  for (const std::string& path : std::exchange(suspects_, {})) {
    if (!tree_.recount(path)) {
      recount();
    }
  }
}

void Holdings::recount() {
  tree_.rebuild();
  counted_after_ = replica_.emptied();
  checked_ = false;
}

StateDigest Holdings::digest() const {
  const Dot last = replica_.last_durable_dot();
  return {.knowledge_hash = replica_.durable_hash(),
          .root = tree_.root(),
          .counted = tree_.built(),
          .run = run(),
          .origin = last.origin,
          .seq = last.seq,
          .newest = replica_.last_stamp()};
}

}  // namespace kvs
