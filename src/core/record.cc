#include "core/record.h"

namespace kvs {

std::strong_ordering Version::operator<=>(const Version& other) const {
  if (const auto order = stamp <=> other.stamp; order != 0) {
    return order;
  }
  if (const auto order = verdict.votes <=> other.verdict.votes; order != 0) {
    return order;
  }
  // The verdict of the older voters wins: an earlier join is the larger version.
  if (const auto order = other.verdict.oldest_join_ms <=> verdict.oldest_join_ms; order != 0) {
    return order;
  }
  if (const auto order = verdict.voters_hash <=> other.verdict.voters_hash; order != 0) {
    return order;
  }
  if (const auto order = uuid <=> other.uuid; order != 0) {
    return order;
  }
  return dot <=> other.dot;
}

}  // namespace kvs
