// What a Connection asks of whoever answers its requests. No I/O, no clock.
//
// The requests of one connection are executed in order, and answered in order without reply slots:
// writes may be handed over while earlier writes of the same connection are still pending, since
// the node answers them first in, first out; every other request waits until nothing is pending.
// A request that the node answers in its own time (a peer's call) is pending alone: nothing after
// it is handed over before its answer. So it is with a stream, which may post writes itself.
//
// One handler serves all connections of one door, on that door's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/result.h"
#include "base/time.h"
#include "core/command.h"
#include "core/peer_message.h"
#include "wire/http.h"
#include "wire/http_write.h"

namespace kvs {

/// A complete request. Its views are valid only during the call that passes it.
struct ReceivedRequest {
  const RequestHead& head;
  std::string_view body;  // decoded
  Ticket ticket;          // names the connection, not the request: late replies come in order
  Instant now;            // of this turn of the loop
};

/// What a handler keeps of a request that is pending alone, to answer it by.
class Memo {
 public:
  Memo() = default;
  Memo(const Memo&) = delete;
  Memo& operator=(const Memo&) = delete;
  virtual ~Memo() = default;
};

/// Where the data of an answer comes from.
enum class AnswerSource : std::uint8_t {
  here,
  proxy,    // another member, because this node still fetches data
  partial,  // here, which is not all yet, because this node still fetches data
};

/// Where an answer is appended to, and how.
struct AnswerTarget {
  std::string& out;
  Persistence persistence{};       // for Response::persistence
  StreamFraming stream_framing{};  // for put_stream_head, if the answer is streamed
  bool head_only = false;          // the request was HEAD: put_response_to_head
  std::uint8_t form = 0;           // of an answer to what was pending alone: Handled::form
  const Memo* memo = nullptr;      // likewise: Handled::memo
  AnswerSource source = AnswerSource::here;
};

/// A body that is made while it is sent: pulled only when the output is nearly drained, so that a
/// client which does not read costs no memory.
class BodySource {
 public:
  enum class Status : std::uint8_t {
    more,     // call again; what was appended may be nothing
    waiting,  // call again once complete() was called
    idle,     // nothing to append before the source is woken, or wake_at()
    done,     // what was appended is the end
    failed,   // the connection is closed without the end of the body, so the client notices
  };

  BodySource() = default;
  BodySource(const BodySource&) = delete;
  BodySource& operator=(const BodySource&) = delete;
  virtual ~BodySource() = default;

  /// Appends about `budget` bytes of the body, in bounded time. More is allowed, but is held in
  /// memory.
  virtual Status fill(std::string& out, std::size_t budget, Instant now) = 0;

  /// The oldest write that this source has posted for its connection has come to this. Called only
  /// before the source is done; a client that goes away ends the source, not what it has posted.
  virtual void complete(const WriteOutcome& /*outcome*/) {
    KVS_CHECK(false, "a reply to a source that posts nothing");
  }

  /// Of an idle source: when to call fill() although nobody woke it.
  [[nodiscard]] virtual Instant wake_at() const { return Instant::never(); }

  /// The node is about to stop: a source that might go on for ever comes to its end.
  virtual void end_soon() {}
};

/// What a handler did with a request.
struct Handled {
  enum class Kind : std::uint8_t {
    answered,       // the complete answer was appended
    pending,        // a write was posted; RequestHandler::complete will append the answer
    pending_alone,  // something else was posted; complete_call will append the answer
    streaming,      // put_stream_head was appended; `source` gives the body (dropped for HEAD)
    framing,        // `source` gives the whole answer, head and framing included; never to HEAD
  };

  Kind kind = Kind::answered;
  std::unique_ptr<BodySource> source;
  std::uint8_t form = 0;  // if pending alone: a number that is given back with the reply
  std::unique_ptr<Memo> memo = nullptr;  // likewise, if more is needed
};

class RequestHandler {
 public:
  RequestHandler() = default;
  RequestHandler(const RequestHandler&) = delete;
  RequestHandler& operator=(const RequestHandler&) = delete;
  virtual ~RequestHandler() = default;

  /// GETs of these keys, as they stand in the targets (wire/lookahead.h), are likely to be handed
  /// over next: what they need may be fetched meanwhile. No promise. Must be cheap.
  virtual void expect_reads(std::span<const std::string_view> /*keys*/) {}

  /// True if the request may be handed over while earlier writes of its connection are pending:
  /// handle() either posts it to the node or refuses it, and its answer does not depend on whether
  /// those writes have happened yet. Must be cheap.
  [[nodiscard]] virtual bool is_write(const RequestHead& head) const = 0;

  /// The largest body that is read for this request; a larger one is refused with value_too_large.
  /// Asked only if the head announces a body.
  [[nodiscard]] virtual std::uint64_t body_bytes_max(const RequestHead& head) const = 0;

  /// Executes a request. May answer while writes are pending; the connection keeps the order. Only
  /// what is_write() denies may be pending alone.
  virtual Handled handle(const ReceivedRequest& request, const AnswerTarget& target) = 0;

  /// True if something that handle() took is still with the handler: the door calls hand_over()
  /// once it has served what was ready, so that one turn's writes cross to the node together.
  [[nodiscard]] virtual bool has_gathered() const { return false; }

  virtual void hand_over() {}

  /// Appends the answer to the oldest pending write of a connection. Never HEAD, never streamed.
  virtual void complete(const WriteOutcome& outcome, const AnswerTarget& target) = 0;

  /// Appends the answer to the request of a connection that is pending alone.
  virtual void complete_call(const PeerReply& reply, const AnswerTarget& target) = 0;

  /// Appends the answer to a request that the connection refuses: malformed, too large, too slow.
  virtual void refuse(Errc code, std::string_view message, const AnswerTarget& target) = 0;
};

}  // namespace kvs
