#include "wire/connection.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/check.h"
#include "wire/lookahead.h"

namespace kvs {

namespace {

/// Buffers up to here are reused for other connections.
constexpr std::size_t kSpareBytesMax = ConnectionLimits::kMiB;

/// Sent output beyond this is dropped before the rest is sent.
constexpr std::size_t kSentBytesMax = 64 * ConnectionLimits::kKiB;

/// A request that announces no body has none (RFC 9112, 6.3). That makes no sense for a PUT.
bool needs_length(const RequestHead& head) {
  return head.method == Method::put && !head.framing.content_length && !head.framing.chunked;
}

}  // namespace

Connection::Connection(ConnectionShared& shared, Ticket ticket, Instant now)
    : shared_(&shared), ticket_(ticket) {
  arm(now);
}

Connection::~Connection() {
  shared_->input_bytes -= counted_input_;
  shared_->output_bytes -= counted_output_;
}

void Connection::received(std::string_view bytes, Instant now) {
  if (state_ == State::draining) {
    drain(bytes.size());
  }
  if (state_ != State::open) {
    return;
  }
  wait_bytes_ += bytes.size();
  reader_.lend(bytes);
  if (!reader_.in_body()) {
    look_ahead();
  }
  work(now);
  if (state_ == State::open && shared_->input_bytes > shared_->limits.door_input_bytes_max &&
      counted_input_ > 0 && !source_) {
    refuse({.code = Errc::overloaded, .detail = "too much unfinished input; try again later"},
           nullptr);
    settle(now);
  }
}

/// Lets the handler fetch what several requests will read, while the first of them is parsed.
void Connection::look_ahead() {
  std::array<std::string_view, kLookaheadMax> keys;
  const std::size_t count = keys_ahead(reader_.unread(), keys);
  if (count > 0) {
    shared_->handler.expect_reads(std::span(keys).first(count));
  }
}

void Connection::received_end(Instant now) {
  peer_ended_ = true;
  if (state_ == State::draining) {
    state_ = State::closed;
  }
  if (stop_ == Stop::source) {  // nobody is left to tell anything
    source_.reset();
    close_after_output();
  }
  settle(now);
}

void Connection::broken() {
  state_ = State::closed;
  settle({});
}

void Connection::complete(const WriteOutcome& outcome) {
  if (state_ == State::closed) {
    return;
  }
  if (source_) {
    source_->complete(outcome);
    source_waits_ = false;
    return;
  }
  KVS_CHECK(pending_ > 0 && !is_alone_, "a reply without a pending write");
  begin_late_answer();
  answer_next_pending(outcome);
  end_late_answer();
}

void Connection::complete_call(const PeerReply& reply) {
  KVS_CHECK(pending_ == 1 && is_alone_, "a reply without a pending call");
  if (state_ == State::closed) {
    return;
  }
  begin_late_answer();
  pending_ = 0;
  is_alone_ = false;
  shared_->handler.complete_call(reply, {.out = output_,
                                         .persistence = last_pending_,
                                         .stream_framing = StreamFraming::chunked,
                                         .head_only = is_alone_to_head_,
                                         .form = alone_form_,
                                         .memo = alone_memo_.get()});
  alone_memo_.reset();
  moved_on_ = true;
  end_late_answer();
}

void Connection::begin_late_answer() {
  if (output_.empty()) {
    output_.swap(shared_->spare_output);
  }
}

void Connection::end_late_answer() {
  if (pending_ == 0) {
    pending_bytes_ = 0;
    output_.append(std::exchange(held_, {}));
  }
}

void Connection::answer_next_pending(const WriteOutcome& outcome) {
  --pending_;
  const Persistence persistence = pending_ == 0 ? last_pending_ : Persistence::implicit;
  shared_->handler.complete(outcome, {.out = output_,
                                      .persistence = persistence,
                                      .stream_framing = StreamFraming::chunked,
                                      .head_only = false});
  moved_on_ = true;
}

void Connection::resume(Instant now) {
  if (state_ == State::closed) {
    return;
  }
  reader_.lend({});
  work(now);
}

void Connection::start_shutdown(Instant now) {
  shutting_down_ = true;
  if (state_ == State::open) {
    if (pending_ > 0 && held_.empty()) {
      last_pending_ = Persistence::close;
    }
    if (wait_ == Wait::request) {
      state_ = State::closed;
    } else if (pending_ > 0 || source_ || reader_.empty()) {
      close_after_output();
    }
  }
  if (source_) {
    source_->end_soon();
    stop_ = stop_ == Stop::source ? Stop::quota : stop_;
  }
  settle(now);
}

void Connection::tick(Instant now) {
  if (state_ == State::closed) {
    return;
  }
  if (now >= sending_.deadline && !made_progress(sending_, now)) {
    state_ = State::closed;
  } else if (now >= wait_deadline_) {
    client_is_late(now);
  }
  if (now >= source_due()) {
    return resume(now);
  }
  settle(now);
}

/// When a stream wants its turn although nothing happens.
Instant Connection::source_due() const {
  return source_ && stop_ == Stop::source ? source_->wake_at() : Instant::never();
}

/// What the client was to do has not happened in its time.
void Connection::client_is_late(Instant now) {
  switch (wait_) {
    case Wait::nothing:
      break;
    case Wait::request:
    case Wait::end:
      state_ = State::closed;
      break;
    case Wait::head:
      refuse({.code = Errc::request_timeout, .detail = "the header block took too long"}, nullptr);
      break;
    case Wait::body:
      if (wait_bytes_ >= shared_->limits.progress_bytes_min) {
        wait_bytes_ = 0;
        wait_deadline_ = now + shared_->limits.progress_timeout;
      } else {
        refuse({.code = Errc::request_timeout, .detail = "the body came too slowly"}, nullptr);
      }
      break;
  }
}

bool Connection::made_progress(Progress& progress, Instant now) const {
  if (progress.bytes < shared_->limits.progress_bytes_min) {
    return false;
  }
  progress = {.deadline = now + shared_->limits.progress_timeout, .bytes = 0};
  return true;
}

void Connection::sent(std::size_t bytes, Instant now) {
  KVS_CHECK(bytes <= queued(), "more was sent than there is");
  output_sent_ += bytes;
  sending_.bytes += bytes;
  if (queued() == 0) {
    output_.clear();
    output_sent_ = 0;
    moved_on_ = true;
  } else if (output_sent_ >= kSentBytesMax && output_sent_ >= output_.size() / 2) {
    output_.erase(0, output_sent_);
    output_sent_ = 0;
  }
  settle(now);
}

bool Connection::wants_input() const {
  return state_ == State::draining ||
         (state_ == State::open && !peer_ended_ &&
          (stop_ == Stop::input || (stop_ == Stop::source && reader_.empty())));
}

bool Connection::wants_turn() const {
  switch (stop_) {
    case Stop::input:
    case Stop::order:
    case Stop::source:
      return false;
    case Stop::output:
      return queued() < shared_->limits.output_low_water;
    case Stop::door:
      return shared_->output_bytes < shared_->limits.door_output_bytes_max;
    case Stop::quota:
      return true;
  }
  return false;
}

bool Connection::starved() const {
  return stop_ == Stop::door;
}

Instant Connection::deadline() const {
  return std::min({wait_deadline_, sending_.deadline, source_due()});
}

void Connection::work(Instant now) {
  if (output_.empty()) {
    output_.swap(shared_->spare_output);
  }
  stop_ = Stop::quota;
  for (std::uint32_t n = 0; n < shared_->limits.requests_per_turn && step(now); ++n) {
  }
  reader_.keep();
  settle(now);
}

/// One request, or one piece of a stream. False if there is nothing more to do in this turn.
bool Connection::step(Instant now) {
  const ConnectionLimits& limits = shared_->limits;
  if (state_ != State::open && !source_) {
    return stop(Stop::input);
  }
  if (!held_.empty() || (source_ && (pending_ > 0 || source_waits_))) {
    return stop(Stop::order);
  }
  if (queued() >= (source_ ? limits.output_low_water : limits.output_high_water)) {
    return stop(Stop::output);
  }
  if (shared_->output_bytes >= limits.door_output_bytes_max) {
    return stop(Stop::door);
  }
  return source_ ? pull(now) : read_and_execute(now);
}

bool Connection::pull(Instant now) {
  std::string& chunk = shared_->chunk;
  chunk.clear();
  const BodySource::Status status = source_->fill(chunk, shared_->limits.output_low_water, now);
  const bool nothing = chunk.empty();
  const bool chunked = source_framing_ == StreamFraming::chunked && !source_frames_;
  if (chunked) {
    put_chunk(output_, chunk);
  } else {
    output_.append(chunk);
  }
  if (chunk.capacity() > kSpareBytesMax) {
    free_memory(chunk);
  }
  source_waits_ = status == BodySource::Status::waiting;
  if (status == BodySource::Status::more && nothing) {
    return stop(Stop::quota);  // it looked at much and found nothing: others have theirs
  }
  if (status == BodySource::Status::more || source_waits_) {
    return true;
  }
  if (status == BodySource::Status::idle) {
    return stop(Stop::source);
  }
  source_.reset();
  if (status == BodySource::Status::failed) {
    close_after_output();
  } else if (chunked) {
    put_last_chunk(output_);
  }
  return true;
}

bool Connection::read_and_execute(Instant now) {
  RequestHead& head = shared_->head;
  RequestReader::Step read = reader_.next(shared_->limits.http, head);
  if (read.status == RequestReader::Status::head) {
    if (!admit_body()) {
      return stop(Stop::input);
    }
    read = reader_.next(shared_->limits.http, head);
  }
  if (read.status == RequestReader::Status::error) {
    refuse(read, nullptr);
    return stop(Stop::input);
  }
  if (read.status == RequestReader::Status::need_more) {
    if (reader_.wants_continue() && pending_ == 0) {
      put_continue(output_);
      reader_.continued();
    }
    return stop(Stop::input);
  }
  if (!may_execute()) {
    return stop(Stop::order);
  }
  execute(now);
  return true;
}

/// Judges the body that a head announces, before it is read.
bool Connection::admit_body() {
  const RequestHead& head = shared_->head;
  const std::uint64_t bytes_max = shared_->handler.body_bytes_max(head);
  if (head.framing.content_length.value_or(0) > bytes_max) {
    refuse({.code = Errc::value_too_large, .detail = "the body is too large"}, &head);
    return false;
  }
  reader_.accept_body(bytes_max);
  return true;
}

/// The order rule: see wire/request_handler.h.
bool Connection::may_execute() const {
  const RequestHead& head = shared_->head;
  const ConnectionLimits& limits = shared_->limits;
  return pending_ == 0 || (!is_alone_ && last_pending_ == Persistence::implicit &&
                           head.framing.minor_version == 1 && pending_ < limits.pending_max &&
                           pending_bytes_ + reader_.body().size() <= limits.pending_bytes_max &&
                           shared_->handler.is_write(head));
}

void Connection::execute(Instant now) {
  const RequestHead& head = shared_->head;
  moved_on_ = true;
  if (needs_length(head)) {
    refuse({.code = Errc::length_required, .detail = "PUT needs a Content-Length"}, &head);
    return;
  }
  const AnswerTarget target = target_for(head);
  const std::size_t before = target.out.size();
  Handled handled = shared_->handler.handle(
      {.head = head, .body = reader_.body(), .ticket = ticket_, .now = now}, target);
  const bool pends =
      handled.kind == Handled::Kind::pending || handled.kind == Handled::Kind::pending_alone;
  const bool comes_later = pends || handled.kind == Handled::Kind::framing;
  KVS_CHECK(comes_later == (target.out.size() == before),
            "an answer must be appended at once or be pending");
  if (pends) {
    pending_bytes_ += reader_.body().size();
  }
  reader_.consume();
  take(std::move(handled), target);
}

/// Remembers what the answer to the request just handled means for the next ones.
void Connection::take(Handled handled, const AnswerTarget& target) {
  bool ends = target.persistence == Persistence::close;
  if (handled.kind == Handled::Kind::pending_alone) {
    KVS_CHECK(pending_ == 0, "pending alone beside others");
    is_alone_ = true;
    is_alone_to_head_ = target.head_only;
    alone_form_ = handled.form;
    alone_memo_ = std::move(handled.memo);
  }
  if (handled.kind == Handled::Kind::pending || handled.kind == Handled::Kind::pending_alone) {
    ++pending_;
    last_pending_ = target.persistence;
  } else if (handled.kind == Handled::Kind::streaming || handled.kind == Handled::Kind::framing) {
    ends = ends || target.stream_framing == StreamFraming::until_close;
    source_framing_ = target.stream_framing;
    source_frames_ = handled.kind == Handled::Kind::framing;
    source_ = target.head_only ? nullptr : std::move(handled.source);
    KVS_CHECK((target.head_only && !source_frames_) || source_, "a stream without a source");
  }
  if (ends) {
    close_after_output();
  }
}

AnswerTarget Connection::target_for(const RequestHead& head) {
  return {.out = pending_ == 0 ? output_ : held_,
          .persistence = shutting_down_ ? Persistence::close : persistence_for(head.framing),
          .stream_framing =
              head.framing.minor_version == 0 ? StreamFraming::until_close : StreamFraming::chunked,
          .head_only = head.method == Method::head};
}

/// Answers a request that is not to be executed; nothing after it will be. `head` may be missing.
void Connection::refuse(const RequestReader::Step& refusal, const RequestHead* head) {
  shared_->handler.refuse(refusal.code, refusal.detail,
                          {.out = pending_ == 0 ? output_ : held_,
                           .persistence = Persistence::close,
                           .stream_framing = StreamFraming::until_close,
                           .head_only = head != nullptr && head->method == Method::head});
  close_after_output();
}

/// No further request is read.
void Connection::close_after_output() {
  state_ = State::closing;
  if (!source_) {
    stop_ = Stop::input;
  }
  reader_.clear();
}

void Connection::drain(std::size_t bytes) {
  drained_bytes_ += bytes;
  if (drained_bytes_ > shared_->limits.linger_bytes_max) {
    state_ = State::closed;
    arm({});
  }
}

/// Brings state, deadlines and memory up to date after anything has happened.
void Connection::settle(Instant now) {
  if (state_ == State::open && peer_ended_ && stop_ == Stop::input && !source_) {
    close_after_output();
  }
  if (state_ == State::closing && pending_ == 0 && !source_ && queued() == 0) {
    state_ = peer_ended_ ? State::closed : State::draining;
  }
  if (state_ == State::closed) {
    reader_.clear();
    source_.reset();
    free_memory(output_);
    free_memory(held_);
    output_sent_ = 0;
    stop_ = Stop::input;
  }
  give_back_output();
  arm(now);
  count_memory();
}

void Connection::arm(Instant now) {
  const ConnectionLimits& limits = shared_->limits;
  if (queued() == 0) {
    sending_ = {};
  } else if (sending_.deadline == Instant::never()) {
    sending_ = {.deadline = now + limits.progress_timeout, .bytes = 0};
  }
  const Wait wait = client_is_to();
  if (wait == wait_ && !moved_on_) {
    return;
  }
  wait_ = wait;
  moved_on_ = false;
  wait_bytes_ = 0;
  switch (wait) {
    case Wait::nothing:
      wait_deadline_ = Instant::never();
      break;
    case Wait::request:
      wait_deadline_ = now + limits.idle_timeout;
      break;
    case Wait::head:
      wait_deadline_ = now + limits.head_timeout;
      break;
    case Wait::body:
      wait_deadline_ = now + limits.progress_timeout;
      break;
    case Wait::end:
      wait_deadline_ = now + limits.linger_timeout;
      break;
  }
}

Connection::Wait Connection::client_is_to() const {
  if (state_ == State::draining) {
    return Wait::end;
  }
  if (state_ != State::open || stop_ != Stop::input || source_) {
    return Wait::nothing;
  }
  if (reader_.in_body()) {
    return Wait::body;
  }
  if (!reader_.empty()) {
    return Wait::head;
  }
  return pending_ == 0 && queued() == 0 ? Wait::request : Wait::nothing;
}

/// An empty buffer goes back to where other connections find it.
void Connection::give_back_output() {
  if (!output_.empty() || heap_bytes(output_) == 0) {
    return;
  }
  if (output_.capacity() > shared_->spare_output.capacity() &&
      output_.capacity() <= kSpareBytesMax) {
    output_.swap(shared_->spare_output);
  }
  free_memory(output_);
}

void Connection::count_memory() {
  const std::size_t input = reader_.bytes();
  const std::size_t output = heap_bytes(output_) + heap_bytes(held_);
  shared_->input_bytes += input - counted_input_;
  shared_->output_bytes += output - counted_output_;
  counted_input_ = input;
  counted_output_ = output;
}

}  // namespace kvs
