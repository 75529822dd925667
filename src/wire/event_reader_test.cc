#include "wire/event_reader.h"

#include <vector>

#include <gtest/gtest.h>

namespace kvs {
namespace {

std::vector<std::string> read(std::string_view text, std::size_t piece) {
  EventReader reader;
  std::vector<std::string> events;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    EXPECT_TRUE(reader.take(text.substr(at, piece)));
    while (const auto event = reader.next()) {
      events.push_back(event->kind + '|' + event->id + '|' + event->data);
    }
  }
  return events;
}

TEST(EventReader, EventsHoweverTheBytesAreCut) {
  constexpr std::string_view kText =
      ":\n\nretry: 5\n\nevent: put\nid: c1\ndata: {\"a\":1}\n\n"
      "event:delete\r\ndata: x\r\ndata:  y\r\ndata\r\n\r\n: end\nid: c2\rdata: z\r\rdata: cut\n";
  const std::vector<std::string> expected{"put|c1|{\"a\":1}", "delete|c1|x\n y\n", "|c2|z"};
  for (std::size_t piece = 1; piece <= kText.size(); ++piece) {
    EXPECT_EQ(read(kText, piece), expected) << piece;
  }
}

TEST(EventReader, AnEventHasABound) {
  EventReader reader;
  const std::string part = "data: " + std::string(std::size_t{1} << 20U, 'x') + '\n';
  bool refused = false;
  for (int i = 0; i < 100 && !refused; ++i) {
    refused = !reader.take(part);
    EXPECT_FALSE(reader.next());
  }
  EXPECT_TRUE(refused);
}

}  // namespace
}  // namespace kvs
