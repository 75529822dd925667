// The server's side of one HTTP/1.1 connection: bytes in, bytes out, deadlines as numbers. No
// socket, no clock: the door (or a simulator) moves the bytes and passes the time.
//
// Invariants: answers leave in the order of the requests (rule: wire/request_handler.h). Input and
// output are bounded for one connection and for all of a door together: above the bounds nothing is
// parsed, and what cannot wait is refused. After a framing error: one answer, then the end. An
// idle connection holds no buffers.
//
// After every call the owner looks at output(), state(), wants_input() and wants_turn().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.h"
#include "core/command.h"
#include "wire/connection_limits.h"
#include "wire/http.h"
#include "wire/request_handler.h"
#include "wire/request_reader.h"

namespace kvs {

/// What the connections of one door have in common. Outlives them. One thread.
struct ConnectionShared {
  RequestHandler& handler;
  ConnectionLimits limits;

  /// Bytes that all connections hold at present.
  std::size_t input_bytes = 0;
  std::size_t output_bytes = 0;

  // Reused memory; empty between calls.
  RequestHead head;
  std::string spare_output;
  std::string chunk;
};

class Connection {
 public:
  enum class State : std::uint8_t {
    open,
    closing,   // no further request; the output is still to be sent
    draining,  // all is sent: shut down the sending side, read and drop
    closed,    // close the socket, drop the object
  };

  /// `ticket` goes with every request of this connection.
  Connection(ConnectionShared& shared, Ticket ticket, Instant now);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// Takes the next bytes from the client; they need not outlive the call. Executes what is
  /// complete.
  void received(std::string_view bytes, Instant now);

  /// The client has ended its side. What it has asked is still answered.
  void received_end(Instant now);

  /// The transport has failed: closed, whatever is queued.
  void broken();

  /// This came of the oldest pending write, or of the oldest that the stream under way has posted.
  /// Call resume() after a batch of these.
  void complete(const WriteOutcome& outcome);

  /// The request that is pending alone has come to this. Call resume() likewise.
  void complete_call(const PeerReply& reply);

  /// Goes on with what had to wait: requests behind pending writes or a full output, a stream.
  void resume(Instant now);

  /// Answers what has begun, then closes; at once if nothing has.
  void start_shutdown(Instant now);

  /// Acts on deadlines that have passed. To be called when deadline() <= now; later does no harm.
  void tick(Instant now);

  /// The bytes to send next; invalidated by every other call.
  [[nodiscard]] std::string_view output() const {
    return std::string_view(output_).substr(output_sent_);
  }

  /// The first `bytes` of output() have been sent.
  void sent(std::size_t bytes, Instant now);

  /// False while the connection has more than it can work on: stop reading the socket.
  [[nodiscard]] bool wants_input() const;

  /// True if resume() would make progress although nothing happens outside: call it after the other
  /// connections had their turn.
  [[nodiscard]] bool wants_turn() const;

  /// True if only the door's output bound holds it back: resume() once output_bytes has fallen.
  [[nodiscard]] bool starved() const;

  /// True if a stream has nothing to send at present: resume() once it may have.
  [[nodiscard]] bool awaits_source() const { return stop_ == Stop::source; }

  [[nodiscard]] State state() const { return state_; }

  [[nodiscard]] Ticket ticket() const { return ticket_; }

  /// Writes, or the one other request, handed over and not answered.
  [[nodiscard]] std::uint32_t pending() const { return pending_; }

  /// True if complete_call() is what is to come, not complete().
  [[nodiscard]] bool pends_alone() const { return is_alone_; }

  /// When tick() will have something to do unless something happens before.
  [[nodiscard]] Instant deadline() const;

 private:
  /// Why nothing more is executed at present.
  enum class Stop : std::uint8_t {
    input,   // there is no whole request, or none is wanted
    order,   // pending writes come first, or those that a stream has posted
    output,  // the client does not read
    door,    // the clients of this door do not read
    quota,   // other connections have their turn
    source,  // the stream has nothing at present
  };

  /// What the client is expected to do, and until when.
  enum class Wait : std::uint8_t { nothing, request, head, body, end };

  /// The rule of ConnectionLimits::progress_timeout for one direction.
  struct Progress {
    Instant deadline = Instant::never();
    std::size_t bytes = 0;
  };

  void look_ahead();
  void work(Instant now);
  bool step(Instant now);
  bool pull(Instant now);
  [[nodiscard]] Instant source_due() const;
  bool read_and_execute(Instant now);
  bool admit_body();
  [[nodiscard]] bool may_execute() const;
  void execute(Instant now);
  void take(Handled handled, const AnswerTarget& target);
  [[nodiscard]] AnswerTarget target_for(const RequestHead& head);
  void refuse(const RequestReader::Step& refusal, const RequestHead* head);
  void answer_next_pending(const WriteOutcome& outcome);
  void begin_late_answer();
  void end_late_answer();
  void close_after_output();
  void drain(std::size_t bytes);
  void client_is_late(Instant now);
  void settle(Instant now);
  void arm(Instant now);
  [[nodiscard]] Wait client_is_to() const;
  void give_back_output();
  void count_memory();
  bool made_progress(Progress& progress, Instant now) const;

  [[nodiscard]] std::size_t queued() const { return output_.size() - output_sent_; }

  bool stop(Stop reason) {
    stop_ = reason;
    return false;
  }

  ConnectionShared* shared_;
  Ticket ticket_;
  RequestReader reader_;
  std::string output_;
  std::size_t output_sent_ = 0;
  std::string held_;  // an answer that waits for pending ones; then no more is executed
  std::unique_ptr<BodySource> source_;
  StreamFraming source_framing_ = StreamFraming::chunked;
  bool source_frames_ = false;                        // the source gives head and framing too
  bool source_waits_ = false;                         // for complete()
  Persistence last_pending_ = Persistence::implicit;  // of the youngest pending request
  State state_ = State::open;
  Stop stop_ = Stop::input;
  Wait wait_ = Wait::nothing;
  bool moved_on_ = true;  // since the last arm(), a request was taken or an answer went out
  bool peer_ended_ = false;
  bool shutting_down_ = false;
  bool is_alone_ = false;             // what is pending is not a write, but one other request
  bool is_alone_to_head_ = false;     // which was HEAD
  std::uint8_t alone_form_ = 0;       // Handled::form of it
  std::unique_ptr<Memo> alone_memo_;  // Handled::memo of it
  std::uint32_t pending_ = 0;
  std::size_t pending_bytes_ = 0;  // of all writes handed over since pending_ was 0
  std::size_t drained_bytes_ = 0;
  std::size_t counted_input_ = 0;  // what ConnectionShared knows of
  std::size_t counted_output_ = 0;
  Instant wait_deadline_ = Instant::never();
  std::size_t wait_bytes_ = 0;
  Progress sending_;
};

}  // namespace kvs
