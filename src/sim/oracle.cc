#include "sim/oracle.h"

namespace kvs {

void Floors::raise(const Write* write) {
  if (write == nullptr) {
    return;
  }
  const Write*& floor = floors_[write->key];
  if (floor == nullptr || floor->version() < write->version()) {
    floor = write;
  }
}

void Floors::lower_to(const History& history) {
  for (auto it = floors_.begin(); it != floors_.end();) {
    if (it->second->fate == Fate::gone) {
      it->second = history.stored(it->first);
    }
    it = it->second == nullptr ? floors_.erase(it) : std::next(it);
  }
}

const Write* Floors::of(std::string_view key) const {
  const auto it = floors_.find(key);
  return it == floors_.end() ? nullptr : it->second;
}

}  // namespace kvs
