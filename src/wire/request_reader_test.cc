#include "wire/request_reader.h"

#include <gtest/gtest.h>

namespace kvs {
namespace {

using Status = RequestReader::Status;

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kPut = "PUT /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
constexpr std::string_view kChunked =
    "PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";

class RequestReaderTest : public ::testing::Test {
 protected:
  RequestReader::Step next() {
    RequestReader::Step step = reader_.next({}, head_);
    if (step.status == Status::head) {
      reader_.accept_body(1'000);
      step = reader_.next({}, head_);
    }
    return step;
  }

  RequestReader reader_;
  RequestHead head_;
};

TEST_F(RequestReaderTest, ReadsOneAfterTheOtherWithoutCopying) {
  const std::string bytes = std::string(kPut) + std::string(kGet);
  reader_.lend(bytes);
  ASSERT_EQ(next().status, Status::request);
  EXPECT_EQ(head_.path, "/b");
  EXPECT_EQ(reader_.body(), "abc");
  EXPECT_EQ(reader_.body().data(), bytes.data() + kPut.size() - 3) << "a view of what was lent";
  reader_.consume();
  ASSERT_EQ(next().status, Status::request);
  EXPECT_EQ(head_.path, "/a");
  EXPECT_EQ(reader_.body(), "");
  reader_.consume();
  EXPECT_EQ(next().status, Status::need_more);
  reader_.keep();
  EXPECT_TRUE(reader_.empty());
  EXPECT_EQ(reader_.bytes(), 0U);
}

TEST_F(RequestReaderTest, RequestThatIsNotConsumedComesAgain) {
  for (const std::string_view request : {kPut, kChunked}) {
    {
      const std::string bytes = std::string(request) + std::string(kGet);
      reader_.lend(bytes);
      ASSERT_EQ(next().status, Status::request);
      reader_.keep();
    }
    for (int turn = 0; turn < 2; ++turn) {
      reader_.lend({});
      head_ = {};
      ASSERT_EQ(next().status, Status::request);
      EXPECT_EQ(head_.method, Method::put);
      EXPECT_EQ(reader_.body(), "abc");
      reader_.keep();
    }
    reader_.lend({});
    reader_.consume();
    ASSERT_EQ(next().status, Status::request) << "what came behind it";
    EXPECT_EQ(head_.path, "/a");
    reader_.clear();
  }
}

TEST_F(RequestReaderTest, DecodedBytesAreDropped) {
  reader_.lend("PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(reader_.next({}, head_).status, Status::head);
  reader_.accept_body(1'000'000);
  reader_.keep();
  const std::string chunk = "400\r\n" + std::string(1'024, 'x') + "\r\n";
  for (int n = 0; n < 500; ++n) {
    reader_.lend(chunk);
    ASSERT_EQ(reader_.next({}, head_).status, Status::need_more);
    reader_.keep();
  }
  EXPECT_TRUE(reader_.in_body());
  EXPECT_LE(reader_.bytes(), 2 * 500 * 1'024 + 8'192U);
}

TEST_F(RequestReaderTest, ContinueIsWantedUntilTheBodyBegins) {
  const std::string head =
      "PUT /b HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
  reader_.lend(head);
  EXPECT_EQ(next().status, Status::need_more);
  EXPECT_TRUE(reader_.wants_continue());
  reader_.keep();
  reader_.lend("a");
  EXPECT_EQ(next().status, Status::need_more);
  EXPECT_FALSE(reader_.wants_continue());
  reader_.keep();
}

TEST_F(RequestReaderTest, ErrorsSayWhy) {
  reader_.lend("GET /a HTTP/1.1\r\n\r\n");
  const RequestReader::Step step = next();
  EXPECT_EQ(step.status, Status::error);
  EXPECT_EQ(step.code, Errc::bad_request);
  EXPECT_EQ(step.detail, "no Host");
}

}  // namespace
}  // namespace kvs
