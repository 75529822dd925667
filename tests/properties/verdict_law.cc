// A ballot's outcome depends on the votes, not on their order; of two ballots that disagreed the
// stronger stays, whoever compares them (docs/consistency.md).
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "core/merge.h"
#include "core/verdict.h"
#include "properties/generators.h"

namespace kvs {
namespace {

constexpr Stamp kTied{.bits = 1};

/// Up to seven voters, some equally old, with versions around the tied stamp.
rc::Gen<std::vector<Vote>> ballots() {
  const auto held = rc::gen::oneOf(
      rc::gen::just(std::optional<Version>()),
      rc::gen::map(versions(), [](const Version& version) { return std::optional(version); }));
  const auto drawn = rc::gen::mapcat(below(8), [held](std::uint64_t voters) {
    return rc::gen::container<std::vector<std::pair<std::uint64_t, std::optional<Version>>>>(
        voters, rc::gen::pair(below(3), held));
  });
  // At full size: the small ones that a run begins with are all empty.
  const auto made = rc::gen::map(drawn, [](const auto& parts) {
    std::vector<Vote> votes;
    for (const auto& [join, version] : parts) {
      Vote& vote = votes.emplace_back();
      vote.voter = {.instance = Instance{votes.size()},
                    .joined_ms = static_cast<std::int64_t>(join),
                    .node_id = join % 2 == 0 ? "a" : "b"};
      if (version) {
        vote.held = RecordHeader{.version = *version};
      }
    }
    return votes;
  });
  return rc::gen::resize(100, made);
}

/// The winner with its verdict, or the version that ended the ballot.
std::optional<Version> outcome(const std::vector<Vote>& votes) {
  const Tally tally = count_votes(kTied, votes);
  if (tally.found) {
    return tally.found->header.version;
  }
  if (tally.standings.empty()) {
    return std::nullopt;
  }
  Version winner = tally.standings.front().header.version;
  winner.verdict = tally.verdict_for(0);
  return winner;
}

/// The outcomes that decided the tie; a newer version leaves nothing to decide.
std::optional<Version> decision(const std::vector<Vote>& votes) {
  const std::optional<Version> version = outcome(votes);
  return version && version->stamp == kTied ? version : std::nullopt;
}

std::vector<Vote> shuffled(std::vector<Vote> votes, std::uint64_t seed) {
  std::ranges::shuffle(votes, std::mt19937_64(seed));
  return votes;
}

TEST(law_verdict, TheOrderOfVotesDoesNotMatter) {
  EXPECT_TRUE(rc::check([] {
    const std::vector<Vote> votes = *ballots();
    const Tally a = count_votes(kTied, votes);
    const Tally b = count_votes(kTied, shuffled(votes, *below(1000)));
    RC_ASSERT(outcome(votes) == outcome(shuffled(votes, *below(1000))));
    RC_ASSERT(a.base == b.base);
    RC_ASSERT(a.standings.size() == b.standings.size());
    for (std::size_t place = 0; place < a.standings.size(); ++place) {
      RC_ASSERT(a.standings[place].header == b.standings[place].header);
      RC_ASSERT(a.standings[place].holders == b.standings[place].holders);
      RC_ASSERT(a.rule_of(place) == b.rule_of(place));
    }
  }));
}

TEST(law_verdict, NobodyHasMoreVotesThanTheWinner) {
  EXPECT_TRUE(rc::check([] {
    const std::vector<Vote> votes = *ballots();
    const Tally tally = count_votes(kTied, votes);
    if (tally.standings.empty()) {
      return;
    }
    const auto count = [&votes](const Uuid& uuid) {
      return std::ranges::count_if(votes, [&uuid](const Vote& vote) {
        return vote.held && is_candidate(vote.held->version, kTied) &&
               vote.held->version.uuid == uuid;
      });
    };
    const auto most = count(tally.standings.front().header.version.uuid);
    RC_ASSERT(most == static_cast<std::ptrdiff_t>(tally.verdict_for(0).votes));
    for (const Vote& vote : votes) {
      if (vote.held && is_candidate(vote.held->version, kTied)) {
        RC_ASSERT(count(vote.held->version.uuid) <= most);
      }
    }
  }));
}

TEST(law_verdict, ADecisionTiesWithNothing) {
  EXPECT_TRUE(rc::check([] {
    const Version other = *versions();
    if (const std::optional<Version> mine = decision(*ballots())) {
      RC_ASSERT(is_decisive(*mine, kTied));
      RC_ASSERT(merge(other, *mine) != MergeOutcome::tie);
    }
  }));
}

TEST(law_verdict, OfTwoBallotsThatDisagreedBothSidesKeepTheSame) {
  EXPECT_TRUE(rc::check([] {
    const std::optional<Version> mine = decision(*ballots());
    const std::optional<Version> theirs = decision(*ballots());
    if (mine && theirs && *mine != *theirs) {
      const bool i_take = merge(*mine, *theirs) == MergeOutcome::take;
      const bool they_take = merge(*theirs, *mine) == MergeOutcome::take;
      RC_ASSERT(i_take != they_take);
      RC_ASSERT(i_take == (*theirs > *mine));
    }
  }));
}

}  // namespace
}  // namespace kvs
