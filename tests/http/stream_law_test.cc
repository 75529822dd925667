// Laws over random streams: sound requests are read as they were meant, and no verdict depends on
// how the bytes were cut. Each round's seed is its number.
#include <gtest/gtest.h>

#include "http/request_generator.h"

namespace kvs::http_test {
namespace {

constexpr std::uint64_t kRounds = 4000;

Outcome run_in_random_steps(std::string_view input, Prng& prng) {
  MessageStream<RequestHead> stream;
  for (std::size_t end = 0; end < input.size();) {
    end = std::min<std::size_t>(input.size(), end + 1 + prng.below(40));
    stream.feed(input.substr(0, end));
  }
  return stream.outcome();
}

TEST(StreamLaw, SoundRequestsAreReadAsMeantHoweverTheyAreCut) {
  for (std::uint64_t seed = 0; seed < kRounds; ++seed) {
    Prng prng(seed);
    const GeneratedStream stream = make_stream(prng);
    const Outcome outcome = run_in_random_steps(stream.bytes, prng);
    ASSERT_EQ(outcome.ending, Ending::clean) << "seed " << seed << ": " << outcome.detail << "\n"
                                             << stream.bytes;
    ASSERT_TRUE(outcome.messages == stream.messages) << "seed " << seed << "\n" << stream.bytes;
  }
}

TEST(StreamLaw, TheVerdictOnDamagedStreamsDoesNotDependOnTheCuts) {
  int refused = 0;
  for (std::uint64_t seed = 0; seed < kRounds; ++seed) {
    Prng prng(seed);
    const std::string bytes = damaged(make_stream(prng).bytes, prng);
    const Outcome whole = run_whole<RequestHead>(bytes);
    refused += whole.ending == Ending::refused ? 1 : 0;
    ASSERT_TRUE(run_in_random_steps(bytes, prng) == whole) << "seed " << seed << "\n" << bytes;
    ASSERT_TRUE(run_in_steps<RequestHead>(bytes, 1) == whole) << "seed " << seed << "\n" << bytes;
  }
  EXPECT_GT(refused, static_cast<int>(kRounds / 4)) << "the damage does too little";
  EXPECT_LT(refused, static_cast<int>(kRounds)) << "the damage does too much";
}

}  // namespace
}  // namespace kvs::http_test
