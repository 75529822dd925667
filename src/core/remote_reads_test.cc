#include "core/remote_reads.h"

#include <algorithm>
#include <iterator>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/call.h"
#include "support/memory_store.h"

namespace kvs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

PeerRecord live(std::string path, std::string value = "1") {
  static std::uint64_t seq = 0;
  PeerRecord record{.path = std::move(path), .record = {}, .replaced = {}};
  record.record.header.version.stamp = Stamp::from_ms(1000);
  record.record.header.version.dot = {.origin = Origin{9}, .seq = ++seq};
  record.record.value = std::move(value);
  return record;
}

/// This node is instance 1; others are 2, 3, ...
class RemoteReadsTest : public ::testing::Test {
 protected:
  Member& have(std::uint64_t instance, Mode mode = Mode::normal,
               MemberState state = MemberState::alive) {
    Member& member = view_.members.emplace_back();
    member.instance = Instance{instance};
    member.address = fmt::format("node{}:80", instance);
    member.mode = mode;
    member.state = state;
    return member;
  }

  void SetUp() override { have(1); }

  void show() {
    view_.self = Instance{1};
    reads_.set_view(std::make_shared<const View>(view_));
  }

  void ask(std::uint64_t ticket, std::string path) {
    reads_.ask(Ticket{ticket}, std::move(path), effects_);
  }

  std::vector<PeerSend> take_sends() { return std::exchange(effects_.sends, {}); }

  /// Those of this batch; what was found after what was not.
  std::vector<PeerReply> take_answers() {
    std::vector<PeerReply> answers = std::exchange(effects_.answers, {});
    std::ranges::move(std::exchange(effects_.peer_replies, {}), std::back_inserter(answers));
    return answers;
  }

  void give(const PeerSend& send, PeerAnswer answer) {
    reads_.returned({.id = send.id, .envelope = {}, .answer = std::move(answer)}, {}, effects_);
  }

  void lose(const PeerSend& send) {
    reads_.returned(
        {.id = send.id, .failure = PeerReturn::Failure::timed_out, .envelope = {}, .answer = {}},
        {}, effects_);
  }

  static const std::vector<std::string>& paths(const PeerSend& send) {
    return std::get<Fetch>(*send.request).paths;
  }

  /// The code of a refusal; nothing if the read was answered.
  static std::optional<Errc> refusal(const PeerReply& reply) {
    const auto* const refused = std::get_if<Refused>(&reply.answer);
    return refused == nullptr ? std::nullopt : std::optional(refused->code);
  }

  Prng prng_{1};
  MemoryStore store_;
  Replica replica_{Recovered{}, store_, prng_};
  RemoteReads reads_{replica_, prng_};
  View view_;
  Effects effects_;
};

TEST_F(RemoteReadsTest, ARecordOfAnotherMemberIsTheAnswer) {
  have(2);
  show();
  ask(7, "a");
  const std::vector<PeerSend> sends = take_sends();
  ASSERT_THAT(sends, SizeIs(1));
  EXPECT_EQ(caller_of(sends[0].id), Caller::reads);
  EXPECT_EQ(sends[0].address, "node2:80");
  EXPECT_EQ(sends[0].envelope.receiver, Instance{2});
  EXPECT_THAT(paths(sends[0]), ElementsAre("a"));
  EXPECT_THAT(take_answers(), IsEmpty());
  give(sends[0], Fetched{.records = {live("a", "42")}});
  const std::vector<PeerReply> answers = take_answers();
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(answers[0].ticket, Ticket{7});
  EXPECT_EQ(std::get<Fetched>(answers[0].answer).records.at(0).record.value, "42");
  EXPECT_EQ(reads_.stats().found, 1U);
}

TEST_F(RemoteReadsTest, WhatIsFoundIsStoredBeforeItIsAnswered) {
  have(2);
  show();
  ask(7, "a");
  const PeerSend send = take_sends().at(0);
  give(send, Fetched{.records = {live("a", "42")}});
  EXPECT_THAT(effects_.answers, IsEmpty());
  ASSERT_THAT(effects_.peer_replies, SizeIs(1));
  ASSERT_THAT(effects_.writes, SizeIs(1));
  EXPECT_EQ(effects_.writes[0].key.text(), "a");
  EXPECT_EQ(effects_.writes[0].record.value, "42");
}

TEST_F(RemoteReadsTest, WhatACompleteMemberDoesNotHoldIsAbsent) {
  have(2);
  show();
  ask(1, "a");
  give(take_sends().at(0), Fetched{});
  const std::vector<PeerReply> answers = take_answers();
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_THAT(std::get<Fetched>(answers[0].answer).records, IsEmpty());
  EXPECT_EQ(reads_.stats().absent, 1U);
}

TEST_F(RemoteReadsTest, WithoutAnybodyToAskTheReadIsRefusedAtOnce) {
  ask(1, "a");  // no view yet
  have(2, Mode::syncing);
  have(3, Mode::normal, MemberState::failed);
  show();
  ask(2, "a");
  const std::vector<PeerReply> answers = take_answers();
  ASSERT_THAT(answers, SizeIs(2));
  EXPECT_EQ(refusal(answers[0]), Errc::syncing);
  EXPECT_EQ(refusal(answers[1]), Errc::syncing);
  EXPECT_THAT(take_sends(), IsEmpty());
  EXPECT_EQ(reads_.stats().failed, 2U);
}

TEST_F(RemoteReadsTest, AnAbsenceAtAMemberThatIsNotCompleteSaysNothing) {
  have(2);
  have(3);
  show();
  ask(1, "a");
  const std::vector<PeerSend> first = take_sends();
  give(first.at(0), Fetched{.records = {}, .cut = false, .partial = true});
  const std::vector<PeerSend> second = take_sends();
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_NE(second[0].address, first[0].address);
  EXPECT_THAT(take_answers(), IsEmpty());
  give(second[0], Fetched{.records = {}, .cut = false, .partial = true});
  EXPECT_EQ(refusal(take_answers().at(0)), Errc::syncing);
}

TEST_F(RemoteReadsTest, AVersionAtAMemberThatIsNotCompleteIsAnAnswer) {
  have(2);
  show();
  ask(1, "a");
  give(take_sends().at(0), Fetched{.records = {live("a")}, .cut = false, .partial = true});
  EXPECT_EQ(refusal(take_answers().at(0)), std::nullopt);
}

TEST_F(RemoteReadsTest, AMemberThatFailsIsNotAskedAgainForTheSameRead) {
  have(2);
  have(3);
  have(4);
  have(5);
  show();
  ask(1, "a");
  std::set<std::string> asked;
  for (std::size_t i = 0; i < RemoteReadsOptions{}.attempts_max; ++i) {
    const std::vector<PeerSend> sends = take_sends();
    ASSERT_THAT(sends, SizeIs(1));
    EXPECT_TRUE(asked.insert(sends[0].address).second) << sends[0].address;
    EXPECT_THAT(take_answers(), IsEmpty());
    if (i == 0) {
      lose(sends[0]);
    } else {
      give(sends[0], Refused{.code = Errc::corrupt_data, .detail = ""});
    }
  }
  EXPECT_THAT(take_sends(), IsEmpty());
  EXPECT_EQ(refusal(take_answers().at(0)), Errc::syncing);
}

TEST_F(RemoteReadsTest, SuspectsAreAskedOnlyIfNobodyElseIsThere) {
  have(2, Mode::normal, MemberState::suspect);
  have(3);
  show();
  ask(1, "a");
  const std::vector<PeerSend> first = take_sends();
  EXPECT_EQ(first.at(0).address, "node3:80");
  lose(first[0]);
  EXPECT_EQ(take_sends().at(0).address, "node2:80");
}

TEST_F(RemoteReadsTest, ReadsGatherWhileCallsAreOut) {
  have(2);
  show();
  for (std::uint64_t i = 0; i < RemoteReadsOptions{}.calls_max + 2; ++i) {
    ask(i, fmt::format("k{}", i));
  }
  const std::vector<PeerSend> sends = take_sends();
  ASSERT_THAT(sends, SizeIs(RemoteReadsOptions{}.calls_max));
  give(sends[0], Fetched{.records = {live("k0")}});
  const std::vector<PeerSend> more = take_sends();
  ASSERT_THAT(more, SizeIs(1));
  EXPECT_THAT(paths(more[0]), ElementsAre("k4", "k5"));
  give(more[0], Fetched{.records = {live("k5")}});
  const std::vector<PeerReply> answers = take_answers();
  ASSERT_THAT(answers, SizeIs(3));
  EXPECT_EQ(answers[0].ticket, Ticket{4});
  EXPECT_THAT(std::get<Fetched>(answers[0].answer).records, IsEmpty());
  EXPECT_EQ(answers[2].ticket, Ticket{5});
  EXPECT_THAT(std::get<Fetched>(answers[2].answer).records, SizeIs(1));
}

TEST_F(RemoteReadsTest, TwoReadsOfOnePathAreBothAnswered) {
  have(2);
  show();
  for (std::uint64_t i = 0; i < RemoteReadsOptions{}.calls_max; ++i) {
    ask(i, "other");
  }
  ask(10, "a");
  ask(11, "a");
  const std::vector<PeerSend> sends = take_sends();
  give(sends.at(0), Fetched{});
  take_answers();
  give(take_sends().at(0), Fetched{.records = {live("a"), live("a")}});
  const std::vector<PeerReply> answers = take_answers();
  ASSERT_THAT(answers, SizeIs(2));
  for (const PeerReply& reply : answers) {
    EXPECT_THAT(std::get<Fetched>(reply.answer).records, SizeIs(1));
  }
}

TEST_F(RemoteReadsTest, WhatACutAnswerLeavesOutIsAskedAgain) {
  have(2);
  show();
  for (std::uint64_t i = 0; i < RemoteReadsOptions{}.calls_max; ++i) {
    ask(i, "other");
  }
  ask(10, "a");
  ask(11, "b");
  ask(12, "c");
  give(take_sends().at(0), Fetched{});
  take_answers();
  give(take_sends().at(0), Fetched{.records = {live("b")}, .cut = true});
  std::vector<PeerReply> answers = take_answers();
  ASSERT_THAT(answers, SizeIs(2));  // a is absent, b is there
  EXPECT_EQ(answers[0].ticket, Ticket{10});
  const std::vector<PeerSend> again = take_sends();
  EXPECT_THAT(paths(again.at(0)), ElementsAre("c"));
  give(again[0], Fetched{.records = {live("c")}});
  EXPECT_EQ(take_answers().at(0).ticket, Ticket{12});
}

TEST_F(RemoteReadsTest, AnAnswerThatIsCutBeforeItsFirstRecordCountsAsAFailure) {
  have(2);
  show();
  ask(1, "a");
  give(take_sends().at(0), Fetched{.records = {}, .cut = true});
  EXPECT_EQ(refusal(take_answers().at(0)), Errc::syncing);
}

TEST_F(RemoteReadsTest, AnAnswerWithOtherPathsDecidesNothingWrong) {
  have(2);
  show();
  ask(1, "a");
  give(take_sends().at(0), Fetched{.records = {live("z")}});
  const std::vector<PeerReply> answers = take_answers();
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_THAT(std::get<Fetched>(answers[0].answer).records, IsEmpty());
}

TEST_F(RemoteReadsTest, ReadsAreBounded) {
  have(2);
  show();
  for (std::uint64_t i = 0; i < RemoteReadsOptions{}.reads_max; ++i) {
    ask(i, "a");
  }
  EXPECT_THAT(take_answers(), IsEmpty());
  ask(RemoteReadsOptions{}.reads_max, "a");
  EXPECT_EQ(refusal(take_answers().at(0)), Errc::overloaded);
  lose(take_sends().at(0));  // one call with one read
  EXPECT_THAT(take_answers(), SizeIs(1));
  ask(1, "b");
  EXPECT_THAT(take_answers(), IsEmpty());
}

TEST_F(RemoteReadsTest, AStrangeOrSecondReturnIsIgnored) {
  have(2);
  show();
  ask(1, "a");
  const std::vector<PeerSend> sends = take_sends();
  give(sends.at(0), Fetched{});
  take_answers();
  give(sends[0], Fetched{});
  give({.id = make_call_id(Caller::reads, 99),
        .address = {},
        .timeout = {},
        .envelope = {},
        .request = nullptr},
       Fetched{});
  EXPECT_THAT(take_answers(), IsEmpty());
}

}  // namespace
}  // namespace kvs
