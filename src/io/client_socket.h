// A client's TCP connection: opened within a time limit, then non-blocking.
//
// Every error is address_unusable, with a sentence that says what happened. One thread.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "core/address.h"
#include "io/descriptor.h"
#include "io/interrupt.h"

namespace kvs {

class ClientSocket {
 public:
  /// Resolves the host, and tries one of its addresses after the other until `until`. Resolving
  /// itself takes as long as the system's resolver does.
  static Result<ClientSocket> connect(const Address& address, Instant until, Interrupt* interrupt);

  /// Sends what the kernel takes at once: how much that was.
  Result<std::size_t> send(std::string_view bytes) const;

  enum class Received : std::uint8_t { some, nothing_yet, ended };

  struct Bytes {
    Received received = Received::nothing_yet;
    std::string_view bytes;  // of `buffer`
  };

  /// Takes what has come, into `buffer`.
  Result<Bytes> receive(std::span<char> buffer) const;

  /// To wait with.
  [[nodiscard]] int number() const { return socket_.number(); }

 private:
  explicit ClientSocket(Descriptor socket) : socket_(std::move(socket)) {}

  Descriptor socket_;
};

}  // namespace kvs
