#include "core/suspicion.h"

#include <algorithm>
#include <cmath>

#include "base/mutant.h"
#include "base/probe.h"

namespace kvs {

namespace {

constexpr double kIntervals = 4;
constexpr std::int64_t kMostByLeast = 6;
constexpr std::size_t kConfirmations = 2;

}  // namespace

SuspicionTimes suspicion_times(std::size_t members, Duration probe_interval) {
  const double scale = std::max(1.0, std::log10(static_cast<double>(members) + 1));
  const auto least_ns =
      static_cast<std::int64_t>(kIntervals * scale * static_cast<double>(probe_interval.ns));
  // Neither this node nor the suspect confirms.
  const bool too_few = members < kConfirmations + 2;
  return {.least = {least_ns},
          .most = {kMostByLeast * least_ns},
          .confirmations = too_few ? 0 : kConfirmations};
}

Duration suspicion_timeout(const SuspicionTimes& times, std::size_t confirmations) {
  if (confirmations >= times.confirmations) {
    return times.least;
  }
  const double part = std::log(static_cast<double>(confirmations) + 1) /
                      std::log(static_cast<double>(times.confirmations) + 1);
  const auto span = static_cast<double>((times.most - times.least).ns);
  return times.most - Duration{static_cast<std::int64_t>(part * span)};
}

bool Suspicions::accuse(Instant now, Instance suspect, Instance accuser,
                        const SuspicionTimes& times) {
  const auto [it, first] =
      suspects_.try_emplace(suspect, Suspicion{.start = now,
                                               .times = times,
                                               .accusers = {accuser},
                                               .deadline = now + suspicion_timeout(times, 0)});
  next_known_ = next_known_ && !first;
  if (first) {
    return true;
  }
  std::vector<Instance>& accusers = it->second.accusers;
  const bool enough = accusers.size() > it->second.times.confirmations;
  const bool known = std::ranges::find(accusers, accuser) != accusers.end() &&
                     !KVS_MUTATED(accuser_confirms_itself);
  if (enough || known) {
    return false;
  }
  KVS_PROBE("suspicion: another member confirms it");
  accusers.push_back(accuser);
  next_known_ = false;
  it->second.deadline = it->second.start + suspicion_timeout(it->second.times, accusers.size() - 1);
  return true;
}

std::vector<Instance> Suspicions::take_expired(Instant now) {
  std::vector<Instance> expired;
  if (next_deadline() > now) {
    return expired;
  }
  for (const auto& [suspect, suspicion] : suspects_) {
    if (suspicion.deadline <= now) {
      expired.push_back(suspect);
    }
  }
  for (const Instance suspect : expired) {
    end(suspect);
  }
  return expired;
}

Instant Suspicions::next_deadline() const {
  if (!next_known_) {
    next_ = Instant::never();
    for (const auto& [suspect, suspicion] : suspects_) {
      next_ = std::min(next_, suspicion.deadline);
    }
    next_known_ = true;
  }
  return next_;
}

}  // namespace kvs
