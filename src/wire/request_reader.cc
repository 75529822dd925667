#include "wire/request_reader.h"

#include "base/check.h"

namespace kvs {

namespace {

/// A prefix of so many handled bytes is worth moving the rest.
constexpr std::size_t kMoveBytes = 4096;

}  // namespace

void RequestReader::lend(std::string_view bytes) {
  KVS_DCHECK(lent_.empty(), "lend() before keep()");
  head_is_parsed_ = false;
  if (kept_.empty()) {
    lent_ = bytes;
  } else {
    kept_.append(bytes);
  }
}

RequestReader::Step RequestReader::next(const HttpLimits& limits, RequestHead& head) {
  if (phase_ == Phase::head) {
    return read_head(limits, head);
  }
  if (phase_ == Phase::body) {
    const Step step = read_body();
    if (step.status != Status::request) {
      return step;
    }
    phase_ = Phase::request;
  }
  if (!head_is_parsed_) {
    HeadScan scan;
    const ParseResult again =
        parse_request_head(window().substr(0, head_bytes_), limits, scan, head);
    KVS_CHECK(again.complete(), "a parsed head does not parse again");
    head_is_parsed_ = true;
  }
  return {.status = Status::request};
}

RequestReader::Step RequestReader::read_head(const HttpLimits& limits, RequestHead& head) {
  const std::string_view input = window();
  const ParseResult result = parse_request_head(input, limits, scan_, head);
  if (result.failed()) {
    return {.status = Status::error, .code = result.code, .detail = result.detail};
  }
  if (!result.complete()) {
    return {};
  }
  head_is_parsed_ = true;
  head_bytes_ = end_ = result.consumed;
  chunked_follows_ = head.framing.chunked;
  const std::uint64_t length = head.framing.content_length.value_or(0);
  if (!chunked_follows_ && length == 0) {
    phase_ = Phase::request;
    return {.status = Status::request};
  }
  end_ += chunked_follows_ ? 0 : static_cast<std::size_t>(length);
  phase_ = Phase::body;
  wants_continue_ = head.expect_continue && input.size() == head_bytes_;
  return {.status = Status::head};
}

void RequestReader::accept_body(std::uint64_t bytes_max) {
  if (chunked_follows_) {
    chunked_ = std::make_unique<ChunkedBody>(ChunkedDecoder(bytes_max));
    chunked_follows_ = false;
  }
}

RequestReader::Step RequestReader::read_body() {
  const std::string_view input = window();
  wants_continue_ = wants_continue_ && input.size() == head_bytes_;
  if (!chunked_) {
    return {.status = input.size() >= end_ ? Status::request : Status::need_more};
  }
  const ParseResult result = chunked_->decoder.decode(input.substr(end_), chunked_->text);
  end_ += result.consumed;
  if (result.failed()) {
    return {.status = Status::error, .code = result.code, .detail = result.detail};
  }
  return {.status = result.complete() ? Status::request : Status::need_more};
}

std::string_view RequestReader::body() const {
  KVS_DCHECK(phase_ == Phase::request, "no request has been read");
  return chunked_ ? std::string_view(chunked_->text)
                  : window().substr(head_bytes_, end_ - head_bytes_);
}

void RequestReader::consume() {
  KVS_DCHECK(phase_ == Phase::request, "no request has been read");
  if (lent_.empty()) {
    kept_begin_ += end_;
  } else {
    lent_.remove_prefix(end_);
  }
  chunked_.reset();
  phase_ = Phase::head;
  head_is_parsed_ = false;
  wants_continue_ = false;
}

void RequestReader::keep() {
  if (!lent_.empty()) {
    kept_.assign(lent_);
    kept_begin_ = 0;
    lent_ = {};
  } else if (kept_begin_ == kept_.size()) {
    free_memory(kept_);
    kept_begin_ = 0;
  } else if (kept_begin_ >= kMoveBytes && kept_begin_ >= kept_.size() / 2) {
    kept_.erase(0, kept_begin_);
    kept_begin_ = 0;
  }
  drop_decoded();
}

void RequestReader::clear() {
  free_memory(kept_);
  *this = RequestReader();
}

/// Chunked bytes are of no use once they are decoded; the head still is.
void RequestReader::drop_decoded() {
  if (chunked_ && end_ > head_bytes_) {
    kept_.erase(kept_begin_ + head_bytes_, end_ - head_bytes_);
    end_ = head_bytes_;
  }
}

std::size_t RequestReader::bytes() const {
  return heap_bytes(kept_) + (chunked_ ? sizeof(ChunkedBody) + heap_bytes(chunked_->text) : 0);
}

}  // namespace kvs
