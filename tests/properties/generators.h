// Generators for the laws. Numbers come from small ranges, so that equal ones meet.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <rapidcheck.h>

#include "core/knowledge.h"
#include "core/record.h"

namespace kvs {

/// Uniform in [0, bound).
inline rc::Gen<std::uint64_t> below(std::uint64_t bound) {
  return rc::gen::inRange<std::uint64_t>(0, bound);
}

inline rc::Gen<Verdict> verdicts() {
  return rc::gen::map(rc::gen::tuple(below(3), below(3), below(2)), [](const auto& parts) {
    const auto& [votes, join, hash] = parts;
    return votes == 0 ? Verdict{}
                      : Verdict{.votes = static_cast<std::uint32_t>(votes),
                                .oldest_join_ms = static_cast<std::int64_t>(join),
                                .voters_hash = hash};
  });
}

/// A uuid names one write, so it goes with one dot.
inline rc::Gen<Version> versions() {
  return rc::gen::map(rc::gen::tuple(below(3), verdicts(), below(4)), [](const auto& parts) {
    const auto& [stamp, verdict, write] = parts;
    return Version{.stamp = {stamp},
                   .verdict = verdict,
                   .uuid = {.high = write / 2, .low = write % 2},
                   .dot = {.origin = Origin{write + 1}, .seq = 1}};
  });
}

inline rc::Gen<Dot> dots() {
  return rc::gen::map(
      rc::gen::pair(below(3), rc::gen::inRange<std::uint64_t>(1, 12)),
      [](const auto& parts) { return Dot{.origin = Origin{parts.first}, .seq = parts.second}; });
}

inline rc::Gen<std::set<Dot>> dot_sets() {
  return rc::gen::container<std::set<Dot>>(dots());
}

inline Knowledge knowledge_of(const std::set<Dot>& dots) {
  Knowledge knowledge;
  for (const Dot& dot : dots) {
    knowledge.add(dot);
  }
  return knowledge;
}

/// Texts over the bytes at which paths go wrong; often keys, often not.
inline rc::Gen<std::string> path_texts() {
  return rc::gen::resize(
      10, rc::gen::container<std::string>(rc::gen::elementOf(std::string("aab//.-0!"))));
}

}  // namespace kvs
