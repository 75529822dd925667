// The HTTP codec alone: ns a head, an answer, a chunked body. No sockets.
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>

#include "base/check.h"
#include "wire/http.h"
#include "wire/http_chunked.h"
#include "wire/http_write.h"

namespace {

constexpr std::string_view kShortGet = "GET /kv/a/b HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n";

constexpr std::string_view kPut =
    "PUT /kv/users/john/profile HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"
    "Content-Type: application/json\r\nIf-None-Match: *\r\nContent-Length: 100\r\n\r\n";

constexpr std::string_view kLongGet =
    "GET /kv/users/john/profile?meta=true HTTP/1.1\r\n"
    "Host: kvs.example.com:8080\r\n"
    "Connection: keep-alive\r\n"
    "Cache-Control: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126 "
    "Safari/537.36\r\n"
    "Accept: application/json,text/plain;q=0.9,*/*;q=0.8\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
    "If-None-Match: \"a1b2c3d4-e5f6-4890-9234-567890abcdef\"\r\n"
    "X-Request-Id: 7f3c9a52-0d6e-4d3c-9a52-1b2c3d4e5f60\r\n"
    "Origin: https://app.example.com\r\n\r\n";

void parse_request(benchmark::State& state, std::string_view input) {
  kvs::RequestHead head;
  for (auto _ : state) {
    kvs::HeadScan scan;
    benchmark::DoNotOptimize(input.data());
    const kvs::ParseResult result = kvs::parse_request_head(input, {}, scan, head);
    KVS_CHECK(result.complete(), result.detail);
    benchmark::DoNotOptimize(head);
  }
  state.SetLabel(std::to_string(input.size()) + " bytes");
}

/// The same, arriving byte by byte.
void trickle_request(benchmark::State& state, std::string_view input) {
  kvs::RequestHead head;
  for (auto _ : state) {
    kvs::HeadScan scan;
    for (std::size_t size = 1; size <= input.size(); ++size) {
      benchmark::DoNotOptimize(kvs::parse_request_head(input.substr(0, size), {}, scan, head));
    }
  }
}

void write_answer(benchmark::State& state) {
  const std::string body(100, 'x');
  const kvs::HeaderField fields[] = {
      {.name = "ETag", .value = "\"a1b2c3d4-e5f6-4890-9234-567890abcdef\""},
      {.name = "X-KVS-Timestamp", .value = "1672531200000"}};
  std::string out;
  for (auto _ : state) {
    out.clear();
    kvs::put_response(out, {.status = 200, .content_type = "application/json", .fields = fields},
                      body);
    benchmark::DoNotOptimize(out);
  }
}

void decode_chunks(benchmark::State& state) {
  std::string wire;
  for (int i = 0; i < 16; ++i) {
    kvs::put_chunk(wire, std::string(4096, 'x'));
  }
  kvs::put_last_chunk(wire);
  std::string body;
  for (auto _ : state) {
    body.clear();
    kvs::ChunkedDecoder decoder(1 << 20);
    KVS_CHECK(decoder.decode(wire, body).complete(), "chunked body");
    benchmark::DoNotOptimize(body);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(wire.size() * state.iterations()));
}

BENCHMARK_CAPTURE(parse_request, short_get, kShortGet);
BENCHMARK_CAPTURE(parse_request, put, kPut);
BENCHMARK_CAPTURE(parse_request, get_with_10_fields, kLongGet);
BENCHMARK_CAPTURE(trickle_request, get_with_10_fields, kLongGet);
BENCHMARK(write_answer);
BENCHMARK(decode_chunks);

}  // namespace
