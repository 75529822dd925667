// A blocking client of one node: one call at a time, with time limits, on a connection that is kept
// and opened anew where need be.
//
// Answers of every status are answers. Errors are address_unusable: the node cannot be reached,
// says nothing for too long, breaks off, or is no node; the sentence says what to do. Where an
// Interrupt was given and happened, calls end early with an error, too. One thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "core/address.h"
#include "io/client_socket.h"
#include "io/interrupt.h"
#include "wire/answer_reader.h"
#include "wire/client_calls.h"

namespace kvs {

struct HttpClientOptions {
  Address node;
  Duration connect_timeout = Duration::from_seconds(5);
  Duration silence_timeout = Duration::from_seconds(30);  // nothing is sent or comes for so long
  Interrupt* interrupt = nullptr;                         // outlives the client
};

struct Answer {
  AnswerHead head;
  std::string body;
};

/// "no node can be reached at ...: WHY; ..." for people.
[[nodiscard]] Error unreachable(const Address& node, const Error& why);

class HttpClient {
 public:
  /// Takes the next part of a body. May refuse it, which ends the call with that error.
  using TakeBody = std::function<Result<void>(std::string_view part)>;

  explicit HttpClient(HttpClientOptions options) : options_(std::move(options)) {}

  Result<Answer> ask(const ClientCall& call);

  /// The body of a status 2xx goes to `take_body` as it comes; any other is in the answer.
  Result<Answer> ask(const ClientCall& call, const TakeBody& take_body);

  [[nodiscard]] const Address& node() const { return options_.node; }

 private:
  /// The connection does not answer; whether the call may be sent again on a new one.
  struct Lost {
    Error error;
    bool before_answer = false;
  };

  Result<void> connect();

  /// After connect().
  ClientSocket& connection();

  std::expected<Answer, Lost> exchange(const ClientCall& call, const TakeBody& take_body);
  std::expected<void, Lost> send(std::string_view bytes);
  std::expected<void, Lost> receive(Answer& answer, const TakeBody& take_body);
  std::expected<void, Lost> take(const ClientSocket::Bytes& got, Answer& answer,
                                 const TakeBody& take_body);
  Result<void> wait(short events);
  [[nodiscard]] Lost lost(Error error) const;
  [[nodiscard]] Error broken_off(const ClientCall& call, const Error& why) const;

  HttpClientOptions options_;
  std::optional<ClientSocket> socket_;
  AnswerReader reader_{kAnswerBytesMax};

  static constexpr std::size_t kAnswerBytesMax = std::size_t{1} << 50U;  // streamed: no bound
};

}  // namespace kvs
