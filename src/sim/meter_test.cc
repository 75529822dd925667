#include "sim/meter.h"

#include <string>

#include <gtest/gtest.h>

#include "wire/peer_codec.h"

namespace kvs {
namespace {

PeerSend push_of(std::string value) {
  Push push;
  push.records.push_back(
      {.path = "a",
       .record = {.header = {.version = {.dot = {.origin = Origin{1}, .seq = 1}}},
                  .value = std::move(value)},
       .replaced = {}});
  return {.address = "n1:80", .request = std::make_shared<const PeerRequest>(std::move(push))};
}

TEST(Meter, WeighsTheFrameWithItsHead) {
  const PeerSend send = push_of("1");
  const std::size_t frame = encode(send.envelope, *send.request, {}).size();
  const std::string head =
      "POST /internal/v1/push HTTP/1.1\r\nHost: n1:80\r\nContent-Type: application/x-kvs\r\n"
      "Content-Length: " +
      std::to_string(frame) + "\r\n\r\n";
  EXPECT_EQ(bytes_on_wire(send, Compression::as_nodes_do), frame + head.size());
}

TEST(Meter, CompressesAsNodesDo) {
  const PeerSend send = push_of(std::string(100'000, 'x'));
  EXPECT_GT(bytes_on_wire(send, Compression::none), 100'000U);
  EXPECT_LT(bytes_on_wire(send, Compression::as_nodes_do), 2000U);
}

TEST(Meter, WhatOneSendsTheOtherReceives) {
  Meter meter(2, Compression::none);
  meter.request_leaves(0, 1, push_of("1"));
  meter.answer_leaves(1, 0, {.answer = Done{}});
  EXPECT_EQ(meter.nodes()[0].calls, 1U);
  EXPECT_EQ(meter.nodes()[0].sent, meter.nodes()[1].received);
  EXPECT_EQ(meter.nodes()[0].received, meter.nodes()[1].sent);
  EXPECT_EQ(meter.total(), meter.nodes()[0].sent + meter.nodes()[1].sent);
  EXPECT_EQ(meter.by_request().at(PeerRequest(Push{}).index()), meter.nodes()[0].sent);
  EXPECT_EQ(meter.by_answer().at(PeerAnswer(Done{}).index()), meter.nodes()[1].sent);
}

}  // namespace
}  // namespace kvs
