#include "core/verdict.h"

#include <algorithm>
#include <string>
#include <tuple>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/bytes.h"
#include "base/mutant.h"

namespace kvs {

namespace {

/// A vote that names a version; what it points to is the caller's.
struct Cast {
  const Voter* voter;
  const RecordHeader* held;
};

std::uint64_t hash_of_voters(std::span<const Cast> voted) {
  std::vector<Instance> instances;
  instances.reserve(voted.size());
  for (const Cast& vote : voted) {
    instances.push_back(vote.voter->instance);
  }
  std::ranges::sort(instances);
  std::string bytes;
  for (const Instance instance : instances) {
    put_le(bytes, static_cast<std::uint64_t>(instance));
  }
  return XXH3_64bits(bytes.data(), bytes.size());
}

/// All votes that name a version, the oldest voter's first.
std::vector<Cast> by_age(std::span<const Vote> votes) {
  std::vector<Cast> sorted;
  for (const Vote& vote : votes) {
    if (vote.held) {
      sorted.push_back({.voter = &vote.voter, .held = &*vote.held});
    }
  }
  std::ranges::sort(sorted, [](const Cast& a, const Cast& b) { return older(*a.voter, *b.voter); });
  return sorted;
}

std::optional<Standing> find_decisive(Stamp tied, std::span<const Cast> votes) {
  std::optional<Standing> found;
  for (const Cast& vote : votes) {
    const Version& version = vote.held->version;
    if (!is_decisive(version, tied) || (found && version < found->header.version)) {
      continue;
    }
    if (!found || version > found->header.version) {
      found = Standing{.header = *vote.held, .holders = {}};
    }
    found->holders.push_back(vote.voter->instance);
  }
  return found;
}

}  // namespace

bool is_decisive(const Version& version, Stamp tied) {
  return version.stamp > tied || (version.stamp == tied && version.verdict.given());
}

bool is_candidate(const Version& version, Stamp tied) {
  return version.stamp == tied && !version.verdict.given();
}

bool older(const Voter& a, const Voter& b) {
  if (KVS_MUTATED(verdict_prefers_young) && a.joined_ms != b.joined_ms) {
    return a.joined_ms > b.joined_ms;
  }
  return std::tie(a.joined_ms, a.node_id, a.instance) <
         std::tie(b.joined_ms, b.node_id, b.instance);
}

Rule Tally::rule_of(std::size_t place) const {
  const bool equalled = place + 1 < standings.size() &&
                        standings[place + 1].holders.size() == standings[place].holders.size();
  return equalled ? Rule::oldest : Rule::majority;
}

Verdict Tally::verdict_for(std::size_t place) const {
  Verdict verdict = base;
  verdict.votes = static_cast<std::uint32_t>(standings[place].holders.size());
  return verdict;
}

Tally count_votes(Stamp tied, std::span<const Vote> votes) {
  const std::vector<Cast> sorted = by_age(votes);
  Tally tally;
  tally.found = find_decisive(tied, sorted);
  std::vector<Cast> voted;
  for (const Cast& vote : sorted) {
    if (!is_candidate(vote.held->version, tied)) {
      continue;
    }
    voted.push_back(vote);
    auto it = std::ranges::find(tally.standings, vote.held->version.uuid,
                                [](const Standing& s) { return s.header.version.uuid; });
    if (it == tally.standings.end()) {
      it = tally.standings.insert(it, Standing{.header = *vote.held, .holders = {}});
    }
    it->holders.push_back(vote.voter->instance);
  }
  if (voted.empty()) {
    return tally;
  }
  tally.base = {.votes = 0,
                .oldest_join_ms = voted.front().voter->joined_ms,
                .voters_hash = hash_of_voters(voted)};
  // Candidates stand in the order of their oldest voters; among equal votes that order stays.
  if (!KVS_MUTATED(verdict_ignores_majority)) {
    const auto count = [](const Standing& s) {
      return s.holders.size();
    };
    for (auto it = tally.standings.begin(); it != tally.standings.end(); ++it) {
      const auto place = std::ranges::upper_bound(tally.standings.begin(), it, count(*it),
                                                  std::greater<>(), count);
      std::rotate(place, it, it + 1);
    }
  }
  return tally;
}

}  // namespace kvs
