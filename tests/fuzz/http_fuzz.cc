// Any bytes, whole or in pieces, give the same verdict, and nothing is read or consumed beyond
// them.
//
// The first byte of the input steers: how the rest is cut, and whether it is requests or responses.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "wire/http.h"
#include "wire/http_chunked.h"
#include "wire/url.h"

namespace kvs {
namespace {

constexpr HttpLimits kLimits{.header_bytes = 600, .target_bytes = 200, .headers = 12};
constexpr std::uint64_t kBodyBytesMax = 1000;

/// What came of one stream: enough of every message to tell two outcomes apart.
struct Outcome {
  std::string seen;
  ParseResult::Status status = ParseResult::Status::need_more;
  Errc code{};
  std::size_t consumed = 0;

  bool operator==(const Outcome&) const = default;
};

void describe(const RequestHead& head, std::string& seen) {
  seen.append(head.method_name).append(" ").append(head.path);
  seen.append(head.query ? "?" : "").append(head.query.value_or("")).append("\n");
  seen.append(head.host).append("\n");
  for (const HeaderField& field : head.fields.all()) {
    seen.append(field.name).append(":").append(field.value).append("\n");
  }
}

void describe(const ResponseHead& head, std::string& seen) {
  seen.append(std::to_string(head.status)).append("\n");
  for (const HeaderField& field : head.fields.all()) {
    seen.append(field.name).append(":").append(field.value).append("\n");
  }
}

ParseResult parse_head(std::string_view input, HeadScan& scan, RequestHead& head) {
  return parse_request_head(input, kLimits, scan, head);
}

ParseResult parse_head(std::string_view input, HeadScan& scan, ResponseHead& head) {
  return parse_response_head(input, kLimits, scan, head);
}

/// Feeds `input` in steps of `step` bytes to a connection that reads messages one after another.
template <class Head>
class Reader {
 public:
  Outcome run(std::string_view input, std::size_t step) {
    for (std::size_t end = 0; end < input.size() && !failed();) {
      end = std::min(input.size(), end + step);
      while (!failed() && advance(input.substr(0, end))) {
      }
    }
    return outcome_;
  }

 private:
  [[nodiscard]] bool failed() const { return outcome_.status == ParseResult::Status::error; }

  /// True if something was finished and more may follow in `input`.
  bool advance(std::string_view input) {
    const std::string_view rest = input.substr(outcome_.consumed);
    if (in_chunks_) {
      return take_chunks(rest);
    }
    if (body_left_ > 0) {
      const std::size_t count = std::min<std::size_t>(body_left_, rest.size());
      body_left_ -= count;
      outcome_.consumed += count;
      return body_left_ == 0;
    }
    const ParseResult result = parse_head(rest, scan_, head_);
    note(result, rest);
    if (result.complete()) {
      KVS_CHECK(result.consumed > 0, "an empty head");
      describe(head_, outcome_.seen);
      in_chunks_ = head_.framing.chunked;
      body_left_ = head_.framing.content_length.value_or(0);
    }
    return result.complete();
  }

  bool take_chunks(std::string_view rest) {
    const ParseResult result = decoder_.decode(rest, outcome_.seen);
    note(result, rest);
    if (result.complete()) {
      in_chunks_ = false;
      decoder_ = ChunkedDecoder(kBodyBytesMax);
    }
    return result.complete();
  }

  void note(const ParseResult& result, std::string_view rest) {
    KVS_CHECK(result.consumed <= rest.size(), "consumed more than there is");
    KVS_CHECK(!result.failed() || !result.detail.empty(), "an error without a word");
    outcome_.consumed += result.consumed;
    outcome_.status = result.failed() ? result.status : ParseResult::Status::need_more;
    outcome_.code = result.code;
  }

  Outcome outcome_;
  Head head_;
  HeadScan scan_;
  ChunkedDecoder decoder_{kBodyBytesMax};
  std::uint64_t body_left_ = 0;
  bool in_chunks_ = false;
};

template <class Head>
void check_stream(std::string_view input, std::size_t step) {
  const Outcome whole = Reader<Head>().run(input, input.size());
  const Outcome pieces = Reader<Head>().run(input, step);
  KVS_CHECK(whole == pieces, "the verdict depends on the cuts");
}

void check_target(std::string_view text) {
  std::string decoded;
  if (percent_decode(text, decoded)) {
    std::string encoded;
    percent_encode(decoded, encoded);
    std::string again;
    KVS_CHECK(percent_decode(encoded, again) && again == decoded, "encoding does not round-trip");
  }
  QueryReader query(text);
  for (std::size_t pairs = 0;; ++pairs) {
    KVS_CHECK(pairs <= text.size(), "more pairs than bytes");
    const Result<std::optional<QueryReader::Pair>> pair = query.next();
    if (!pair || !*pair) {
      break;
    }
  }
}

}  // namespace
}  // namespace kvs

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const unsigned steer = data[0];
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t step = 1 + steer / 4;
  switch (steer % 4) {
    case 3:
      kvs::check_target(input);
      break;
    case 2:
      kvs::check_stream<kvs::ResponseHead>(input, step);
      break;
    default:
      kvs::check_stream<kvs::RequestHead>(input, step);
  }
  return 0;
}
