// A connection on which many calls are under way at once: requests go out as they are given,
// answers come back in the same order.
//
// Decides nothing: its owner waits (for many lanes at once), keeps the time, and remembers what was
// asked. Errors are address_unusable: the connection is no more. One thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <poll.h>

#include "base/result.h"
#include "io/client_socket.h"
#include "io/http_client.h"

namespace kvs {

class HttpLane {
 public:
  /// Takes an answer. False: enough, no further one on this connection.
  using TakeAnswer = std::function<bool(const Answer& answer)>;

  explicit HttpLane(ClientSocket socket) : socket_(std::move(socket)) {}

  /// Adds a request to those that are to be sent.
  void ask(std::string_view host, const ClientCall& call) { append_call(out_, host, call); }

  /// Bytes of requests that the kernel has not taken yet.
  [[nodiscard]] std::size_t unsent() const { return out_.size() - sent_; }

  /// To wait with.
  [[nodiscard]] pollfd wanted() const;

  /// Sends and receives what is possible now. An answer with which the node closes the connection
  /// is handed over before the error.
  Result<void> pump(const TakeAnswer& take);

 private:
  Result<void> send();
  void forget_sent();
  Result<void> receive(const TakeAnswer& take);

  static constexpr std::size_t kAnswerBytesMax = std::size_t{128} << 20U;
  static constexpr std::size_t kScratchBytes = std::size_t{64} * 1024;

  ClientSocket socket_;
  AnswerReader reader_{kAnswerBytesMax};
  std::string out_;
  std::size_t sent_ = 0;  // of out_
  std::vector<char> scratch_ = std::vector<char>(kScratchBytes);
};

}  // namespace kvs
