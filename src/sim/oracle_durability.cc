#include "sim/oracle_durability.h"

#include <fmt/format.h>

namespace kvs {

namespace {

/// What is wrong with what was found under the floor's key; empty: nothing.
std::string loss(const Write& floor, const Image& image, const History& history) {
  const auto it = image.records.find(floor.key);
  if (it == image.records.end()) {
    return fmt::format("{}: write {} is lost", floor.key, to_string(floor.version().uuid));
  }
  if (!it->second) {
    return history.rotten(floor.key) ? std::string{}
                                     : fmt::format("{}: damaged by nobody", floor.key);
  }
  const Version& found = it->second->header.version;
  return found < floor.version()
             ? fmt::format("{}: {} came back instead of {}", floor.key, to_string(found.uuid),
                           to_string(floor.version().uuid))
             : std::string{};
}

}  // namespace

void SurvivesKill::answered(const Operation&, const WriteOutcome& outcome) {
  if (succeeded(outcome.status)) {
    acknowledged_.raise(history().find(outcome.uuid));
  }
}

void SurvivesKill::crashed(Crash crash) {
  power_lost_ = power_lost_ || crash == Crash::power_loss;
}

void SurvivesKill::recovered(const Image& image) {
  if (std::exchange(power_lost_, false)) {
    acknowledged_.lower_to(history());  // P2 judges what may be missing now
  }
  for (const auto& [key, write] : acknowledged_.all()) {
    if (std::string what = loss(*write, image, history()); !what.empty()) {
      report(std::move(what));
    }
  }
}

void SurvivesPowerLoss::answered(const Operation& operation, const WriteOutcome& outcome) {
  const Write* write = succeeded(outcome.status) ? history().find(outcome.uuid) : nullptr;
  if (write == nullptr) {
    return;
  }
  if (durability_ == Durability::sync && !write->power_proof) {
    report(fmt::format("{}: acknowledged before it was synced", operation.key));
  }
  acknowledged_.push_back(write);
}

void SurvivesPowerLoss::crashed(Crash) {
  std::erase_if(acknowledged_, [&](const Write* write) {
    if (write->power_proof) {
      safe_.raise(write);
    }
    return write->power_proof;
  });
}

void SurvivesPowerLoss::recovered(const Image& image) {
  // What was found is in the table now, synced; what was not will not come back.
  std::erase_if(acknowledged_, [&](const Write* write) {
    if (write->fate == Fate::durable) {
      safe_.raise(write);
    }
    return true;
  });
  for (const auto& [key, write] : safe_.all()) {
    if (std::string what = loss(*write, image, history()); !what.empty()) {
      report(std::move(what));
    }
  }
}

}  // namespace kvs
