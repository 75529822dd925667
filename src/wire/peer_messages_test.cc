#include "wire/peer_messages.h"

#include <array>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "support/peer_samples.h"

namespace kvs {
namespace {

constexpr std::size_t kMemory = 1'000'000;

constexpr std::array<std::uint8_t, 14> kRequests{0x01, 0x02, 0x03, 0x04, 0x05, 0x10, 0x20,
                                                 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x30};
constexpr std::array<std::uint8_t, 11> kAnswers{0x80, 0x81, 0x82, 0x83, 0x84, 0xa0,
                                                0xa1, 0xa2, 0xa3, 0xa6, 0xb0};

template <class Message>
std::string body_of(const Message& message) {
  std::string bytes;
  PeerWriter writer(bytes);
  put_body(writer, message);
  return bytes;
}

// Nodes of different versions meet in one cluster: these numbers never change.
TEST(PeerMessages, TheNumbersOfTheKindsAreFrozen) {
  PeerSamples samples(1);
  for (std::size_t i = 0; i < kRequests.size(); ++i) {
    EXPECT_EQ(kind_of(samples.request(i)), kRequests[i]) << i;
  }
  for (std::size_t i = 0; i < kAnswers.size(); ++i) {
    EXPECT_EQ(kind_of(samples.answer(i)), kAnswers[i]) << i;
  }
}

TEST(PeerMessages, BodiesAreReadToTheirEnd) {
  PeerSamples samples(2);
  for (int round = 0; round < 10; ++round) {
    for (std::size_t i = 0; i < kRequests.size(); ++i) {
      const PeerRequest request = samples.request(i);
      const std::string body = body_of(request);
      PeerReader reader(body, kMemory);
      EXPECT_TRUE(take_request(kRequests[i], reader) == request) << i;
      EXPECT_TRUE(reader.ok() && reader.rest().empty()) << i << reader.fault();
    }
    for (std::size_t i = 0; i < kAnswers.size(); ++i) {
      const PeerAnswer answer = samples.answer(i);
      const std::string body = body_of(answer);
      PeerReader reader(body, kMemory);
      EXPECT_TRUE(take_answer(kAnswers[i], reader) == answer) << i;
      EXPECT_TRUE(reader.ok() && reader.rest().empty()) << i << reader.fault();
    }
  }
}

TEST(PeerMessages, NoOtherNumberIsAKind) {
  std::size_t requests = 0;
  std::size_t answers = 0;
  for (unsigned kind = 0; kind <= 0xff; ++kind) {
    PeerReader request("", 0);
    requests += take_request(static_cast<std::uint8_t>(kind), request).has_value() ? 1U : 0U;
    PeerReader answer("", 0);
    answers += take_answer(static_cast<std::uint8_t>(kind), answer).has_value() ? 1U : 0U;
  }
  EXPECT_EQ(requests, kRequests.size());
  EXPECT_EQ(answers, kAnswers.size());
}

TEST(PeerMessages, EmptyMessagesAreSmall) {
  EXPECT_EQ(body_of(PeerAnswer(Done{})), "");
  EXPECT_EQ(body_of(PeerRequest(Ping{})), std::string(1, '\0'));
  EXPECT_EQ(body_of(PeerRequest(Push{})), std::string(2, '\0'));
  EXPECT_EQ(body_of(PeerAnswer(Page{})), std::string(2, '\0'));
}

// Earlier nodes put items there, and take a Settle without the list for damage.
TEST(PeerMessages, ASettleEndsWithItsListOfDrops) {
  const Settle sent{.run = 7, .records = {}, .drops = {}};
  EXPECT_EQ(body_of(PeerRequest(sent)), std::string("\7\0\0\0\0\0\0\0\0\0", 10));

  std::string body;
  PeerWriter writer(body);
  writer.put_word(7);
  writer.put_number(0);
  writer.put_number(1);
  writer.put_path("a");
  writer.put_byte(0);
  for (const std::uint64_t word : {1U, 2U, 3U, 4U}) {  // stamp, uuid, origin
    writer.put_word(word);
  }
  writer.put_number(5);
  PeerReader reader(body, kMemory);
  const auto read = take_request(0x24, reader);
  ASSERT_TRUE(read && reader.ok()) << reader.fault();
  const auto& settle = std::get<Settle>(*read);
  ASSERT_EQ(settle.drops.size(), 1U);
  EXPECT_EQ(settle.drops[0].path, "a");
  EXPECT_EQ(settle.drops[0].header.version.dot, (Dot{.origin = Origin{4}, .seq = 5}));
}

// Earlier nodes send no flag after the paths, and skip it.
TEST(PeerMessages, AQuestionForVotesMayEndWithItsPaths) {
  std::string body = body_of(PeerRequest(AskVotes{.paths = {"a"}, .briefly = true}));
  EXPECT_EQ(body, std::string("\1\0\1a\1", 5));
  body.pop_back();
  PeerReader reader(body, kMemory);
  const auto read = take_request(0x30, reader);
  ASSERT_TRUE(read && reader.ok()) << reader.fault();
  EXPECT_EQ(std::get<AskVotes>(*read), AskVotes{.paths = {"a"}});
  body += '\2';
  PeerReader strange(body, kMemory);
  static_cast<void>(take_request(0x30, strange));
  EXPECT_FALSE(strange.ok());
}

TEST(PeerMessages, NumbersHaveTheLimitsOfTheirFields) {
  std::string body;
  PeerWriter writer(body);
  writer.put_path("a");
  writer.put_word(1);
  writer.put_number(std::uint64_t{1} << 32U);
  PeerReader reader(body, kMemory);
  static_cast<void>(take_request(0x26, reader));
  EXPECT_FALSE(reader.ok());
  PeerReader extent("\x03", kMemory);
  static_cast<void>(take_answer(0xa1, extent));
  EXPECT_FALSE(extent.ok());
}

}  // namespace
}  // namespace kvs
