// A head of HTTP parsed from text, for tests of either side.
#pragma once

#include <string_view>
#include <vector>

#include "wire/http.h"

namespace kvs {

template <class Head>
struct ParsedHead {
  ParseResult result;
  Head head;
  std::vector<char> input;  // what the views point into; its size is exact, for the sanitizer
};

/// `parse_head` is parse_request_head or parse_response_head.
template <class Head>
ParsedHead<Head> parse_text(std::string_view text, const HttpLimits& limits,
                            ParseResult (*parse_head)(std::string_view, const HttpLimits&,
                                                      HeadScan&, Head&)) {
  ParsedHead<Head> parsed;
  parsed.input.assign(text.begin(), text.end());
  const std::string_view input(parsed.input.data(), parsed.input.size());
  HeadScan scan;
  parsed.result = parse_head(input, limits, scan, parsed.head);
  return parsed;
}

}  // namespace kvs
