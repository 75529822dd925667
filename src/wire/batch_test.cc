#include "wire/batch.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/json.h"

namespace kvs {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kUuid = "a1b2c3d4-e5f6-4890-9234-567890abcdef";

/// An operation with what it points to.
struct Read {
  BatchOperation::Kind kind{};
  std::string key;
  std::string value;
  Condition condition;
  GetConditions get;
  std::optional<Errc> refusal;
  Duration ttl;
};

struct Batch {
  std::vector<Read> operations;
  std::optional<Error> error;
};

Batch read(std::string_view body, std::string_view below = "", const ApiLimits& limits = {}) {
  EXPECT_TRUE(JsonChecker().check(body)) << body;
  BatchReader reader(below, body, limits);
  Batch batch;
  for (;;) {
    const auto next = reader.next();
    if (!next) {
      batch.error = next.error();
      return batch;
    }
    if (!*next) {
      return batch;
    }
    const BatchOperation& operation = **next;
    batch.operations.push_back(
        {.kind = operation.kind,
         .key = std::string(operation.key.text()),
         .value = std::string(operation.value),
         .condition = operation.condition,
         .get = operation.get,
         .refusal = operation.refusal ? std::optional(operation.refusal->code) : std::nullopt,
         .ttl = operation.ttl});
  }
}

/// The operations of a batch without an error.
std::vector<Read> operations(std::string_view array, std::string_view below = "",
                             const ApiLimits& limits = {}) {
  const Batch batch = read("{\"operations\":" + std::string(array) + "}", below, limits);
  EXPECT_FALSE(batch.error) << batch.error->detail;
  return batch.operations;
}

Error refused(std::string_view body) {
  const Batch batch = read(body);
  EXPECT_TRUE(batch.error) << body;
  return batch.error.value_or(Error{});
}

TEST(Batch, OperationsInTheirOrder) {
  using enum BatchOperation::Kind;
  const auto all = operations(
      R"([{"op":"put","path":"a/b","data":{"x" : [1, "}"]}}, {"path":"a","op":"delete"},
          {"op":"get","path":"\u00e4\/b"}])");
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].kind, put);
  EXPECT_EQ(all[0].key, "a/b");
  EXPECT_EQ(all[0].value, R"({"x" : [1, "}"]})") << "byte for byte";
  EXPECT_EQ(all[1].kind, del);
  EXPECT_EQ(all[1].key, "a");
  EXPECT_EQ(all[1].value, "");
  EXPECT_EQ(all[2].kind, get);
  EXPECT_EQ(all[2].key, "\xc3\xa4/b");
  EXPECT_TRUE(operations(" [ ] ").empty());
  EXPECT_EQ(operations(R"([{"data":null,"path":"a","op":"put"}])").at(0).value, "null");
}

TEST(Batch, PathsAreRelativeToThatOfTheRequest) {
  const auto all = operations(R"([{"op":"get","path":"b"},{"op":"get","path":"c/d"}])", "x/a");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].key, "x/a/b");
  EXPECT_EQ(all[1].key, "x/a/c/d");
}

TEST(Batch, Conditions) {
  using enum Condition::Kind;
  const std::string uuid = '"' + std::string(kUuid) + '"';
  const auto all = operations(R"([{"op":"put","path":"a","data":1,"if_match":)" + uuid +
                              R"(},{"op":"delete","path":"a","if_match":"*"},)"
                              R"({"op":"put","path":"a","data":1,"if_none_match":"*"},)"
                              R"({"op":"get","path":"a","if_match":"*","if_none_match":)" +
                              uuid + R"(},{"op":"get","path":"a","if_none_match":"*"}])");
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[0].condition.kind, if_match);
  EXPECT_EQ(all[0].condition.uuid, parse_uuid(kUuid));
  EXPECT_EQ(all[1].condition.kind, if_exists);
  EXPECT_EQ(all[2].condition.kind, if_absent);
  EXPECT_EQ(all[3].get.wanted.kind, if_exists);
  EXPECT_EQ(all[3].get.known.kind, if_match);
  EXPECT_EQ(all[3].get.known.uuid, parse_uuid(kUuid));
  EXPECT_EQ(all[4].get.known.kind, if_exists);
  EXPECT_EQ(all[4].get.wanted.kind, none);
}

TEST(Batch, ABadKeyOrALargeValueIsItsOwnMatter) {
  const ApiLimits limits{.key_bytes_max = 5, .value_bytes_max = 4};
  const auto all = operations(
      R"([{"op":"put","path":"a//b","data":1},{"op":"get","path":""},{"op":"get","path":"a/"},)"
      R"({"op":"delete","path":"abcdef"},{"op":"put","path":"a","data":"123"},)"
      R"({"op":"put","path":"a","data":[12]},{"op":"get","path":"abcde"}])",
      "", limits);
  ASSERT_EQ(all.size(), 7U);
  EXPECT_EQ(all[0].refusal, Errc::invalid_key);
  EXPECT_EQ(all[1].refusal, Errc::invalid_key);
  EXPECT_EQ(all[2].refusal, Errc::invalid_key);
  EXPECT_EQ(all[3].refusal, Errc::key_too_large);
  EXPECT_EQ(all[4].refusal, Errc::value_too_large);
  EXPECT_EQ(all[5].refusal, std::nullopt);
  EXPECT_EQ(all[6].refusal, std::nullopt);
  EXPECT_EQ(operations(R"([{"op":"get","path":"b"}])", "abcde", limits).at(0).refusal,
            Errc::key_too_large)
      << "the whole key counts";
  EXPECT_EQ(operations(R"([{"op":"get","path":"/b"}])", "a").at(0).refusal, Errc::invalid_key);
}

TEST(Batch, AMalformedOneIsRefusedWhole) {
  for (const char* body :
       {"1", "[]", "{}", R"({"operations":1})", R"({"operations":{}})", R"({"other":[]})",
        R"({"operations":[],"more":1})", R"({"more":1,"operations":[]})"}) {
    EXPECT_EQ(refused(body).code, Errc::bad_request) << body;
  }
  for (const char* operation :
       {"1", "[]", "{}", R"({"op":"get"})", R"({"path":"a"})", R"({"op":"gett","path":"a"})",
        R"({"op":1,"path":"a"})", R"({"op":"get","path":1})", R"({"op":"put","path":"a"})",
        R"({"op":"get","path":"a","data":1})", R"({"op":"delete","path":"a","data":1})",
        R"({"op":"put","path":"a","data":1,"if_mach":"*"})",
        R"({"op":"put","path":"a","data":1,"if_match":"x"})",
        R"({"op":"put","path":"a","data":1,"if_match":1})",
        R"({"op":"put","path":"a","data":1,)"
        R"("if_none_match":"a1b2c3d4-e5f6-4890-9234-567890abcdef"})",
        R"({"op":"put","path":"a","data":1,"if_match":"*","if_none_match":"*"})"}) {
    const Error error = refused(R"({"operations":[{"op":"get","path":"a"},)" +
                                std::string(operation) + R"(,{"op":"get","path":"a"}]})");
    EXPECT_EQ(error.code, Errc::bad_request) << operation;
    EXPECT_THAT(error.detail, HasSubstr("operations[1]")) << operation;
  }
}

TEST(Batch, TheNumberOfOperationsIsBounded) {
  std::string array = "[";
  for (std::size_t n = 0; n < kBatchOperationsMax; ++n) {
    array += R"({"op":"get","path":"a"},)";
  }
  std::string more = array + R"({"op":"get","path":"a"}])";
  array.back() = ']';
  EXPECT_EQ(operations(array).size(), kBatchOperationsMax);
  EXPECT_EQ(refused("{\"operations\":" + more + "}").code, Errc::value_too_large);
}

TEST(Batch, ResultsAreThoseOfTheSingleRequests) {
  const Uuid uuid = parse_uuid(kUuid).value();
  const Stamp stamp = Stamp::from_ms(1'672'531'200'000);
  const auto result = [&](WriteStatus status) {
    std::string out;
    append_write_result(out, {.status = status, .uuid = uuid, .stamp = stamp});
    EXPECT_TRUE(JsonChecker().check(out)) << out;
    return out;
  };
  EXPECT_EQ(
      result(WriteStatus::created),
      R"({"status":201,"uuid":"a1b2c3d4-e5f6-4890-9234-567890abcdef","timestamp":1672531200000})");
  EXPECT_THAT(result(WriteStatus::replaced), HasSubstr(R"({"status":200,"uuid":")"));
  EXPECT_EQ(result(WriteStatus::deleted), R"({"status":204,"timestamp":1672531200000})");
  EXPECT_THAT(result(WriteStatus::not_found),
              HasSubstr(R"({"status":404,"error":{"code":"not_found","message":")"));
  EXPECT_THAT(result(WriteStatus::version_mismatch), HasSubstr(R"("status":412)"));
  EXPECT_THAT(result(WriteStatus::disk_full), HasSubstr(R"("status":507)"));
}

TEST(Batch, AGetShowsWhatItsConditionsLetIt) {
  RecordView record;
  record.header.version.uuid = parse_uuid(kUuid).value();
  record.header.version.stamp = Stamp::from_ms(7);
  record.value = "[1, 2]";
  const auto result = [&](const GetConditions& conditions) {
    std::string out;
    append_value_result(out, conditions, record);
    return out;
  };
  const Condition any{.kind = Condition::Kind::if_exists, .uuid = {}};
  const Condition same{.kind = Condition::Kind::if_match, .uuid = record.header.version.uuid};
  const Condition other{.kind = Condition::Kind::if_match, .uuid = {}};
  const std::string shown =
      R"({"status":200,"uuid":"a1b2c3d4-e5f6-4890-9234-567890abcdef","timestamp":7,"data":[1, 2]})";
  EXPECT_EQ(result({}), shown);
  EXPECT_EQ(result({.wanted = any, .known = {}}), shown);
  EXPECT_EQ(result({.wanted = same, .known = other}), shown);
  EXPECT_THAT(result({.wanted = other, .known = {}}), HasSubstr(R"("status":412)"));
  const std::string known =
      R"({"status":304,"uuid":"a1b2c3d4-e5f6-4890-9234-567890abcdef","timestamp":7})";
  EXPECT_EQ(result({.wanted = {}, .known = same}), known);
  EXPECT_EQ(result({.wanted = {}, .known = any}), known);
}

TEST(Batch, APutMayHaveATimeToLive) {
  const auto read = operations(R"([{"op":"put","path":"a","data":1,"ttl":60},)"
                               R"({"op":"put","path":"b","data":1}])");
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].ttl, Duration::from_seconds(60));
  EXPECT_EQ(read[1].ttl, Duration{});
}

TEST(Batch, WhatIsNoTimeToLive) {
  const auto error = [](std::string_view operation) {
    const Batch batch = read("{\"operations\":[" + std::string(operation) + "]}");
    return batch.error ? std::optional(batch.error->code) : std::nullopt;
  };
  for (const char* ttl : {"0", "-1", "1.5", "1e3", "\"60\"", "null", "315360001"}) {
    EXPECT_EQ(error(R"({"op":"put","path":"a","data":1,"ttl":)" + std::string(ttl) + "}"),
              Errc::bad_request)
        << ttl;
  }
  EXPECT_EQ(error(R"({"op":"delete","path":"a","ttl":60})"), Errc::bad_request);
  EXPECT_EQ(error(R"({"op":"get","path":"a","ttl":60})"), Errc::bad_request);
}

TEST(Batch, ResultsTellWhenAValueExpires) {
  std::string out;
  append_write_result(
      out,
      {.status = WriteStatus::created, .uuid = {}, .stamp = Stamp::from_ms(5), .expires_ms = 1005});
  EXPECT_THAT(out, HasSubstr(R"("timestamp":5,"expires":1005})"));
  out.clear();
  RecordView record;
  record.header.expires_ms = 1005;
  record.value = "7";
  append_value_result(out, {}, record);
  EXPECT_THAT(out, HasSubstr(R"("expires":1005,"data":7})"));
  out.clear();
  append_write_result(out, {.status = WriteStatus::ttl_unsupported, .uuid = {}, .stamp = {}});
  EXPECT_THAT(out, HasSubstr(R"({"status":503,"error":{"code":"ttl_unsupported")"));
}

}  // namespace
}  // namespace kvs
