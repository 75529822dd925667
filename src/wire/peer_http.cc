#include "wire/peer_http.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "wire/http_write.h"

namespace kvs {

namespace {

constexpr HttpLimits kLimits{.header_bytes = std::size_t{4} * 1024, .headers = 32};

}  // namespace

void append_peer_request(std::string_view path, std::string_view host, std::string_view body,
                         std::string& out) {
  put_request(out,
              {.method = "POST",
               .target = path,
               .host = host,
               .content_type = kPeerContentType,
               .fields = {}},
              body);
}

PeerResponseReader::State PeerResponseReader::take(std::string_view bytes) {
  if (bytes.empty() || state_ == State::failed) {
    return state_;
  }
  if (state_ == State::complete) {
    return fail_with(Errc::bad_request, "something follows the answer");
  }
  return in_body_ ? take_body(bytes) : take_head(bytes);
}

PeerResponse PeerResponseReader::take_response() {
  KVS_CHECK(state_ == State::complete, "there is no answer");
  state_ = State::need_more;
  in_body_ = false;
  head_.clear();
  return std::exchange(response_, {});
}

PeerResponseReader::State PeerResponseReader::fail_with(Errc code, std::string_view detail) {
  error_ = {.code = code, .detail = std::string(detail)};
  return state_ = State::failed;
}

PeerResponseReader::State PeerResponseReader::take_head(std::string_view bytes) {
  const std::size_t before = head_.size();
  head_.append(bytes.substr(0, kLimits.header_bytes - before));
  ResponseHead head;
  const ParseResult result = parse_response_head(head_, kLimits, scan_, head);
  if (result.failed()) {
    return fail_with(result.code, result.detail);
  }
  if (!result.complete()) {
    return state_;
  }
  if (check_head(head) == State::failed) {
    return state_;
  }
  in_body_ = true;
  return take_body(bytes.substr(result.consumed - before));
}

PeerResponseReader::State PeerResponseReader::check_head(const ResponseHead& head) {
  constexpr unsigned kFirstFinalStatus = 200;
  if (head.framing.minor_version != 1 || head.status < kFirstFinalStatus) {
    return fail_with(Errc::bad_request, "the answer is no final one of HTTP/1.1");
  }
  if (!head.framing.content_length) {
    return fail_with(Errc::length_required, "the answer does not say how long it is");
  }
  if (*head.framing.content_length > body_bytes_max_) {
    return fail_with(Errc::value_too_large, "the answer is too large");
  }
  response_.status = head.status;
  response_.keep_alive = head.framing.keep_alive;
  body_left_ = *head.framing.content_length;
  return state_;
}

PeerResponseReader::State PeerResponseReader::take_body(std::string_view bytes) {
  if (bytes.size() > body_left_) {
    return fail_with(Errc::bad_request, "something follows the answer");
  }
  response_.body.append(bytes);
  body_left_ -= bytes.size();
  if (body_left_ == 0) {
    state_ = State::complete;
  }
  return state_;
}

}  // namespace kvs
