#include "sim/earlier_speech.h"

#include <gtest/gtest.h>

namespace kvs {

namespace {

PeerItem item(std::string path, RecordKind kind) {
  return {.path = std::move(path), .header = {.version = {}, .kind = kind}};
}

PeerSend finish(std::vector<PeerItem> drops) {
  return {.id = CallId{7},
          .address = "n1:80",
          .channel = Channel::bulk,
          .timeout = Duration::from_seconds(1),
          .envelope = {},
          .request = std::make_shared<const PeerRequest>(
              Finish{.run = 3, .knowledge = {}, .drops = std::move(drops)})};
}

PeerReturn answered(PeerAnswer answer) {
  return {.id = CallId{7}, .envelope = {}, .answer = std::move(answer)};
}

TEST(EarlierSpeech, LiveRecordsThatAreDeadAreToldBeforeTheEnd) {
  EarlierSpeech speech;
  const PeerSend first =
      speech.said(finish({item("a", RecordKind::value), item("b", RecordKind::tombstone)}));
  const auto& settle = std::get<Settle>(*first.request);
  EXPECT_EQ(settle.run, 3U);
  ASSERT_EQ(settle.drops.size(), 1U);
  EXPECT_EQ(settle.drops[0].path, "a");
  const auto next = speech.next(answered(Done{}));
  ASSERT_TRUE(next);
  const auto& end = std::get<Finish>(*next->request);
  EXPECT_EQ(end.run, 3U);
  ASSERT_EQ(end.drops.size(), 1U);
  EXPECT_EQ(end.drops[0].path, "b");
  EXPECT_FALSE(speech.next(answered(Done{}))) << "that was the end";
}

TEST(EarlierSpeech, WhatFailsIsFollowedByNothing) {
  EarlierSpeech speech;
  static_cast<void>(speech.said(finish({item("a", RecordKind::value)})));
  EXPECT_FALSE(speech.next(answered(Refused{})));
  EXPECT_FALSE(speech.next(answered(Done{})));
}

TEST(EarlierSpeech, AllElseIsSaidAsItIs) {
  EarlierSpeech speech;
  const PeerSend send = finish({item("b", RecordKind::tombstone)});
  EXPECT_EQ(speech.said(send).request, send.request);
  EXPECT_FALSE(speech.next(answered(Done{})));
}

}  // namespace

}  // namespace kvs
