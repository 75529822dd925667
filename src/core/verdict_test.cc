#include "core/verdict.h"

#include <string>

#include <gtest/gtest.h>

namespace kvs {
namespace {

constexpr Stamp kTied{.bits = 500};

RecordHeader candidate(std::uint64_t uuid) {
  return {.version = {.stamp = kTied,
                      .verdict = {},
                      .uuid = {.high = 0, .low = uuid},
                      .dot = {.origin = Origin{uuid}, .seq = 1}}};
}

RecordHeader decided(std::uint64_t uuid, std::uint32_t votes) {
  RecordHeader header = candidate(uuid);
  header.version.verdict = {.votes = votes, .oldest_join_ms = 1, .voters_hash = 1};
  return header;
}

RecordHeader stamped(std::uint64_t bits) {
  RecordHeader header = candidate(9);
  header.version.stamp.bits = bits;
  return header;
}

/// The `age`-th oldest member; the oldest is 1.
Voter voter(std::uint64_t age) {
  return {.instance = Instance{100 - age},
          .joined_ms = static_cast<std::int64_t>(1000 + age),
          .node_id = "node"};
}

/// Votes as the drawing in the header gives them, the oldest member's first. A letter is a
/// candidate, `-` nothing, `!` a decided version of A, `+` a newer one, `<` an older one.
std::vector<Vote> ballot(std::string_view drawn) {
  std::vector<Vote> votes;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    Vote vote{.voter = voter(i + 1), .held = {}};
    switch (drawn[i]) {
      case '-':
        break;
      case '!':
        vote.held = decided('A', 2);
        break;
      case '+':
        vote.held = stamped(kTied.bits + 1);
        break;
      case '<':
        vote.held = stamped(kTied.bits - 1);
        break;
      default:
        vote.held = candidate(static_cast<std::uint64_t>(drawn[i]));
    }
    votes.push_back(vote);
  }
  return votes;
}

/// The candidates in the order in which they stand, and how each came there: `A2m` is A with two
/// votes, by majority.
std::string standings(const Tally& tally) {
  std::string text;
  for (std::size_t place = 0; place < tally.standings.size(); ++place) {
    const Standing& standing = tally.standings[place];
    text += static_cast<char>(standing.header.version.uuid.low);
    text += std::to_string(standing.holders.size());
    text += tally.rule_of(place) == Rule::majority ? "m " : "o ";
  }
  return text;
}

TEST(Verdict, MostVotesWin) {
  EXPECT_EQ(standings(count_votes(kTied, ballot("BAAAB"))), "A3m B2m ");
}

TEST(Verdict, EqualVotesGoToTheOldestVoter) {
  EXPECT_EQ(standings(count_votes(kTied, ballot("BAAB-"))), "B2o A2m ");
  EXPECT_EQ(standings(count_votes(kTied, ballot("AB"))), "A1o B1m ");
}

TEST(Verdict, TheOldestVoterCountsOnlyAmongThoseWithEqualVotes) {
  EXPECT_EQ(standings(count_votes(kTied, ballot("CAABB"))), "A2o B2m C1m ");
}

TEST(Verdict, OlderVersionsAndAbsentRecordsHaveNoVote) {
  const Tally tally = count_votes(kTied, ballot("-<AB-"));
  EXPECT_EQ(standings(tally), "A1o B1m ");
  EXPECT_EQ(tally.base.oldest_join_ms, voter(3).joined_ms);
}

TEST(Verdict, NobodyVoted) {
  const Tally tally = count_votes(kTied, ballot("-<-"));
  EXPECT_TRUE(tally.standings.empty());
  EXPECT_FALSE(tally.found);
  EXPECT_FALSE(count_votes(kTied, {}).found);
}

TEST(Verdict, ADecidedVersionEndsTheBallot) {
  const Tally tally = count_votes(kTied, ballot("BB!B!"));
  ASSERT_TRUE(tally.found);
  EXPECT_EQ(tally.found->header, decided('A', 2));
  EXPECT_EQ(tally.found->holders, (std::vector{voter(3).instance, voter(5).instance}));
  EXPECT_EQ(standings(tally), "B3m ");
}

TEST(Verdict, TheLargestOfSeveralDecisiveVersionsIsFound) {
  std::vector<Vote> votes = ballot("!+A");
  EXPECT_EQ(count_votes(kTied, votes).found->header, stamped(kTied.bits + 1));
  votes[1].held = decided('B', 3);
  EXPECT_EQ(count_votes(kTied, votes).found->header, decided('B', 3));
  votes[1].held = decided('B', 1);
  EXPECT_EQ(count_votes(kTied, votes).found->header, decided('A', 2));
}

TEST(Verdict, VotesGoByUuid) {
  std::vector<Vote> votes = ballot("AAB");
  votes[1].held->kind = RecordKind::tombstone;
  EXPECT_EQ(standings(count_votes(kTied, votes)), "A2m B1m ");
}

TEST(Verdict, TellsHowStrongTheBallotWas) {
  const Tally tally = count_votes(kTied, ballot("BAA"));
  EXPECT_EQ(tally.verdict_for(0).votes, 2U);
  EXPECT_EQ(tally.verdict_for(1).votes, 1U);
  EXPECT_EQ(tally.verdict_for(0).oldest_join_ms, voter(1).joined_ms);
  EXPECT_EQ(tally.verdict_for(0).voters_hash, tally.verdict_for(1).voters_hash);
}

TEST(Verdict, TheHashNamesTheVoters) {
  const std::uint64_t hash = count_votes(kTied, ballot("BAA")).base.voters_hash;
  EXPECT_EQ(count_votes(kTied, ballot("AAB")).base.voters_hash, hash);
  EXPECT_NE(count_votes(kTied, ballot("BA-")).base.voters_hash, hash);
  EXPECT_NE(count_votes(kTied, ballot("BAAA")).base.voters_hash, hash);
}

TEST(Verdict, SeniorityIsJoinThenIdThenInstance) {
  const Voter base{.instance = Instance{5}, .joined_ms = 10, .node_id = "m"};
  Voter other = base;
  EXPECT_FALSE(older(base, other));
  other.instance = Instance{6};
  EXPECT_TRUE(older(base, other));
  other.node_id = "a";
  EXPECT_TRUE(older(other, base));
  other.joined_ms = 11;
  EXPECT_TRUE(older(base, other));
  EXPECT_FALSE(older(other, base));
}

}  // namespace
}  // namespace kvs
