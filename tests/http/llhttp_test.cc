// Every request that a third party has labelled, whole and cut at every byte.
//
// Almost none of them carries a Host. So each is judged twice: as it is (HTTP/1.1 without Host:
// 400) and with a Host added, which is compared with the label. What we decide otherwise on purpose
// stands in tests/data/llhttp-requests/EXCEPTIONS.md with its reason.
#include <map>

#include <gtest/gtest.h>

#include "http/llhttp_cases.h"

namespace kvs::http_test {
namespace {

using Label = LlhttpCase::Label;

bool has_host(const std::string& input) {
  return input.find("\nHost:") != std::string::npos || input.find("\nHOST:") != std::string::npos;
}

/// `input` with a Host field in each HTTP/1.1 message, unless it has one somewhere.
std::string with_host(const std::string& input) {
  constexpr std::string_view kLineEnd = " HTTP/1.1\r\n";
  std::string out = input;
  if (has_host(input)) {
    return out;
  }
  for (std::size_t at = 0; (at = out.find(kLineEnd, at)) != std::string::npos;) {
    at += kLineEnd.size();
    out.insert(at, "Host: h\r\n");
  }
  return out;
}

/// The messages of `outcome` as far as the third party's log tells.
std::vector<Message> comparable(const Outcome& outcome) {
  std::vector<Message> messages;
  for (const Message& message : outcome.messages) {
    messages.push_back({.method = message.method,
                        .target = message.target,
                        .path = {},
                        .query = {},
                        .host = {},
                        .fields = message.fields,
                        .body = message.body});
    std::erase(messages.back().fields, std::pair<std::string, std::string>("Host", "h"));
  }
  return messages;
}

/// The verdict on `input`. A line is judged when it is complete, so if the input ends within a line
/// that line is completed first.
Outcome verdict(const LlhttpCase& test, const std::string& input) {
  Outcome outcome = run_whole<RequestHead>(input);
  const bool refusal_expected =
      test.label == Label::lenient || test.expected.ending == Ending::refused;
  if (outcome.ending == Ending::incomplete && refusal_expected) {
    outcome = run_whole<RequestHead>(input + "\r\n\r\n");
  }
  return outcome;
}

bool as_labelled(const LlhttpCase& test, const Outcome& ours) {
  switch (test.label) {
    case Label::lenient:
      return ours.ending == Ending::refused;
    case Label::upgrade: {
      const std::vector<Message> messages = comparable(ours);
      return messages.size() >= test.expected.messages.size() &&
             std::equal(test.expected.messages.begin(), test.expected.messages.end(),
                        messages.begin());
    }
    case Label::strict:
      break;
  }
  return ours.ending == test.expected.ending && comparable(ours) == test.expected.messages;
}

std::string describe(const LlhttpCase& test, const Outcome& ours) {
  const std::string label = test.label == Label::lenient   ? "only lenient parsers accept it"
                            : test.label == Label::upgrade ? "accepted, then another protocol"
                                                           : to_string(test.expected.ending);
  return test.place + " \"" + test.title + "\": label: " + label +
         "; ours: " + to_string(ours.ending) + " " + ours.detail + ", " +
         std::to_string(ours.messages.size()) + " messages of " +
         std::to_string(test.expected.messages.size());
}

TEST(Llhttp, EveryCaseIsJudgedAsLabelledOrIsAListedException) {
  std::map<std::string, Ending> exceptions;
  for (const LlhttpException& row : read_llhttp_exceptions()) {
    EXPECT_TRUE(exceptions.emplace(row.place, row.ours).second) << row.place << " listed twice";
  }
  std::map<Ending, int> counts;
  int used = 0;
  const std::vector<LlhttpCase> cases = read_llhttp_cases();
  for (const LlhttpCase& test : cases) {
    const Outcome ours = verdict(test, with_host(test.input));
    ++counts[ours.ending];
    const auto row = exceptions.find(test.place);
    if (row == exceptions.end()) {
      EXPECT_TRUE(as_labelled(test, ours)) << "unlisted: " << describe(test, ours);
      continue;
    }
    ++used;
    EXPECT_FALSE(as_labelled(test, ours)) << "no exception any more: " << describe(test, ours);
    EXPECT_EQ(to_string(ours.ending), to_string(row->second)) << describe(test, ours);
  }
  EXPECT_EQ(used, exceptions.size()) << "EXCEPTIONS.md lists a case that does not exist";
  EXPECT_EQ(cases.size(), 187U);
  std::printf("llhttp: %zu cases: %d accepted, %d refused, %d incomplete; %d exceptions\n",
              cases.size(), counts[Ending::clean], counts[Ending::refused],
              counts[Ending::incomplete], used);
}

TEST(Llhttp, WithoutHostNothingOfVersion11IsAccepted) {
  int refused = 0;
  for (const LlhttpCase& test : read_llhttp_cases()) {
    const std::string with = with_host(test.input);
    if (with == test.input || run_whole<RequestHead>(with).messages.empty()) {
      continue;
    }
    const Outcome ours = run_whole<RequestHead>(test.input);
    const std::size_t old_version_messages = test.input.starts_with("PUT /url HTTP/1.0") ? 1 : 0;
    EXPECT_EQ(ours.messages.size(), old_version_messages) << describe(test, ours);
    EXPECT_EQ(ours.ending, Ending::refused) << describe(test, ours);
    ++refused;
  }
  EXPECT_GE(refused, 40);
}

TEST(Llhttp, TheVerdictDoesNotDependOnTheCuts) {
  int cuts = 0;
  for (const LlhttpCase& test : read_llhttp_cases()) {
    for (const std::string& input : {test.input, with_host(test.input)}) {
      const Outcome whole = run_whole<RequestHead>(input);
      EXPECT_EQ(run_in_steps<RequestHead>(input, 1), whole) << describe(test, whole);
      for (std::size_t cut = 1; cut < input.size(); ++cut, ++cuts) {
        MessageStream<RequestHead> stream;
        stream.feed(std::string_view(input).substr(0, cut));
        stream.feed(input);
        ASSERT_EQ(stream.outcome(), whole) << "cut at " << cut << ": " << describe(test, whole);
      }
    }
  }
  std::printf("llhttp: %d cuts\n", cuts);
}

}  // namespace
}  // namespace kvs::http_test
