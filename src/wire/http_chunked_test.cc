#include "wire/http_chunked.h"

#include <gtest/gtest.h>

namespace kvs {
namespace {

constexpr std::uint64_t kMax = 1000;

struct Decoded {
  ParseResult result;
  std::string body;
};

/// Fed in pieces of `step` bytes until it ends.
Decoded decode(std::string_view input, std::size_t step = 1000) {
  ChunkedDecoder decoder(kMax);
  Decoded decoded;
  std::size_t consumed = 0;
  for (std::size_t at = 0; at < input.size(); at += step) {
    decoded.result = decoder.decode(input.substr(at, step), decoded.body);
    consumed += decoded.result.consumed;
    if (decoded.result.status != ParseResult::Status::need_more) {
      break;
    }
    EXPECT_EQ(decoded.result.consumed, input.substr(at, step).size());
  }
  decoded.result.consumed = consumed;
  return decoded;
}

void expect_body(std::string_view input, std::string_view body) {
  for (std::size_t step = 1; step <= input.size(); ++step) {
    const Decoded decoded = decode(std::string(input) + "GET", step);
    EXPECT_TRUE(decoded.result.complete()) << input << " " << decoded.result.detail;
    EXPECT_EQ(decoded.result.consumed, input.size()) << input;
    EXPECT_EQ(decoded.body, body) << input;
  }
}

void expect_error(std::string_view input, Errc code = Errc::bad_request) {
  for (std::size_t step = 1; step <= input.size(); ++step) {
    const Decoded decoded = decode(input, step);
    EXPECT_TRUE(decoded.result.failed()) << input;
    EXPECT_EQ(to_string(decoded.result.code), to_string(code)) << input;
  }
}

TEST(ChunkedDecoder, Bodies) {
  expect_body("0\r\n\r\n", "");
  expect_body("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world");
  expect_body("A\r\n0123456789\r\n000\r\n\r\n", "0123456789");
  expect_body("a\r\n0\r\n\r\n6789a\r\n0\r\n\r\n", "0\r\n\r\n6789a");
  expect_body("00000000000000a\r\n0123456789\r\n0\r\n\r\n", "0123456789");
}

TEST(ChunkedDecoder, ExtensionsAreIgnored) {
  expect_body("1;a\r\nx\r\n0;b=c;d=\"e;\\\"\\\\ f\t\"\r\n\r\n", "x");
  expect_body("1;a=\"\";b\r\nx\r\n0\r\n\r\n", "x");
}

TEST(ChunkedDecoder, MalformedExtensions) {
  for (const std::string_view extension :
       {";", ";;a", ";=b", ";a=", ";a=b=c", ";a=\"b", ";a=\"b\"c", ";a b", "; a", ";a ", " ;a",
        ";a=\"\x01\"", ";a=\"\\\x01\"", ";a\x80", ";a\n", ";a=\n", ";a\rb"}) {
    expect_error("1" + std::string(extension) + "\r\nx\r\n0\r\n\r\n");
  }
}

TEST(ChunkedDecoder, MalformedSizes) {
  for (const std::string_view size : {"", "g", "-1", "+1", "0x1", " 1", "1 ", "1\t", "1\n", "1\rx",
                                      "\r\n1", "0000000000000001", "10000000000000000", "1h"}) {
    expect_error(std::string(size) + "\r\nx\r\n0\r\n\r\n");
  }
}

TEST(ChunkedDecoder, ChunksEndWithCrLf) {
  expect_error("1\r\nxy\r\n0\r\n\r\n");
  expect_error("1\r\nx\n0\r\n\r\n");
  expect_error("1\r\nx0\r\n\r\n");
  expect_error("1\r\nx\r0\r\n\r\n");
  expect_error("1\nx\r\n0\r\n\r\n");
  expect_error("0\r\n\n");
  expect_error("0\r\n\rX");
}

TEST(ChunkedDecoder, TheBodyIsBoundedBeforeItArrives) {
  expect_error("3e9\r\n", Errc::value_too_large);
  expect_error("fffffffffffffff\r\n", Errc::value_too_large);
  expect_error("1\r\nx\r\n3e8\r\n", Errc::value_too_large);
  const std::string full = "3e8\r\n" + std::string(1000, 'x') + "\r\n0\r\n\r\n";
  EXPECT_TRUE(decode(full).result.complete());
  ChunkedDecoder none(0);
  std::string body;
  EXPECT_TRUE(none.decode("0\r\n\r\n", body).complete());
}

TEST(ChunkedDecoder, ExtensionsAndTrailersAreBounded) {
  expect_error("1;" + std::string(1100, 'a'), Errc::headers_too_large);
  std::string many;
  for (int i = 0; i < 600; ++i) {
    many += "1;a\r\nx\r\n";
  }
  EXPECT_EQ(decode(many, 7).result.code, Errc::headers_too_large);
  EXPECT_EQ(decode("0\r\nX: " + std::string(5000, 'a'), 9).result.code, Errc::headers_too_large);
}

TEST(ChunkedDecoder, TrailersAreCheckedAndDropped) {
  expect_body("1\r\nx\r\n0\r\nX-Sum: 1\r\nVary: *\r\n\r\n", "x");
  for (const std::string_view line : {"X", ": a", "X : a", " X: a", "X: a\r\n b", "X: \x01"}) {
    expect_error("0\r\n" + std::string(line) + "\r\n\r\n");
  }
  expect_error("0\r\nX: a\n\r\n");
  for (const std::string_view name :
       {"Content-Length", "transfer-encoding", "HOST", "Content-Type", "If-Match", "If-None-Match",
        "Connection", "Trailer", "Authorization", "Expect", "TE"}) {
    expect_error("0\r\n" + std::string(name) + ": 1\r\n\r\n");
  }
}

TEST(ChunkedDecoder, NothingIsTakenAfterTheEnd) {
  ChunkedDecoder decoder(kMax);
  std::string body;
  EXPECT_EQ(decoder.decode("0\r\n\r\nGET", body).consumed, 5U);
  const ParseResult again = decoder.decode("GET", body);
  EXPECT_TRUE(again.complete());
  EXPECT_EQ(again.consumed, 0U);
}

TEST(ChunkedDecoder, AppendsToWhatIsThere) {
  ChunkedDecoder decoder(kMax);
  std::string body = "a";
  EXPECT_TRUE(decoder.decode("1\r\nb\r\n0\r\n\r\n", body).complete());
  EXPECT_EQ(body, "ab");
}

}  // namespace
}  // namespace kvs
