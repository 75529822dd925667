#include "io/http_lane.h"

namespace kvs {

namespace {

std::unexpected<Error> failed(std::string_view what) {
  return fail(Errc::address_unusable, std::string(what));
}

}  // namespace

pollfd HttpLane::wanted() const {
  const bool writes = unsent() > 0;
  return {.fd = socket_.number(), .events = static_cast<short>(POLLIN | (writes ? POLLOUT : 0))};
}

Result<void> HttpLane::pump(const TakeAnswer& take) {
  auto sent = send();
  KVS_TRY(receive(take));  // what came says more than that no more can be sent
  return sent;
}

Result<void> HttpLane::send() {
  while (unsent() > 0) {
    const std::size_t count = KVS_TRY(socket_.send(std::string_view(out_).substr(sent_)));
    if (count == 0) {
      forget_sent();
      return {};
    }
    sent_ += count;
  }
  out_.clear();
  sent_ = 0;
  return {};
}

void HttpLane::forget_sent() {
  constexpr std::size_t kWorthIt = std::size_t{256} * 1024;
  if (sent_ >= kWorthIt) {
    out_.erase(0, sent_);
    sent_ = 0;
  }
}

Result<void> HttpLane::receive(const TakeAnswer& take) {
  const ClientSocket::Bytes got = KVS_TRY(socket_.receive(scratch_));
  if (got.received == ClientSocket::Received::ended && reader_.untouched()) {
    return failed("the node closed the connection");
  }
  std::string_view bytes = got.bytes;
  auto state = got.received == ClientSocket::Received::ended ? reader_.end() : reader_.state();
  while (!bytes.empty() || state == AnswerReader::State::complete) {
    if (state != AnswerReader::State::complete) {
      state = reader_.take(bytes);
    }
    if (state != AnswerReader::State::complete) {
      break;
    }
    const Answer answer{.head = reader_.head(), .body = reader_.take_body()};
    reader_.next();
    state = reader_.state();
    if (!take(answer)) {
      return failed("no further answers are wanted");
    }
    if (!answer.head.keep_alive) {
      return failed("the node closed the connection");
    }
  }
  if (state == AnswerReader::State::failed) {
    return failed(reader_.error().detail);
  }
  return {};
}

}  // namespace kvs
