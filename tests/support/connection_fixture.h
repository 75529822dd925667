// One connection with testing::EchoHandler behind it, and the client, the node and the clock played
// by the test.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "support/echo_handler.h"
#include "wire/connection.h"

namespace kvs::testing {

inline constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
inline constexpr std::string_view kPut =
    "PUT /kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
inline constexpr std::string_view kRefusedPut =
    "PUT /refused HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";

inline std::string get(std::string_view target, std::string_view fields = "") {
  return std::string("GET ")
      .append(target)
      .append(" HTTP/1.1\r\nHost: x\r\n")
      .append(fields)
      .append("\r\n");
}

inline std::string repeat(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t n = 0; n < times; ++n) {
    all.append(text);
  }
  return all;
}

/// An answer as EchoHandler writes it.
inline std::string answer(std::string_view body, unsigned status = 200,
                          Persistence persistence = Persistence::implicit) {
  std::string out;
  put_response(
      out, {.status = status, .persistence = persistence, .content_type = {}, .fields = {}}, body);
  return out;
}

inline std::string written(int number, Persistence persistence = Persistence::implicit) {
  return answer(std::to_string(number), 201, persistence);
}

inline const std::string kGot = answer("GET /a ");

class ConnectionTest : public ::testing::Test {
 protected:
  void open() { connection_ = std::make_unique<Connection>(shared_, Ticket{7}, now_); }

  Connection& connection() {
    if (!connection_) {
      open();
    }
    return *connection_;
  }

  void receive(std::string_view bytes) { connection().received(bytes, now_); }

  /// The client takes everything there is, and the connection has all the turns it wants.
  std::string take() {
    std::string taken;
    for (;;) {
      const std::string_view output = connection().output();
      taken.append(output);
      connection().sent(output.size(), now_);
      if (!connection().wants_turn()) {
        return taken;
      }
      connection().resume(now_);
    }
  }

  std::string exchange(std::string_view bytes) {
    receive(bytes);
    return take();
  }

  /// The node answers `count` writes: the first of all with "1", and so on.
  void complete(int count = 1) {
    for (int n = 0; n < count; ++n) {
      connection().complete(
          {.status = WriteStatus::created, .uuid = {}, .stamp = Stamp::from_ms(++completed_)});
    }
    connection().resume(now_);
  }

  /// The node answers the call that is pending alone.
  void complete_call() {
    PeerReply reply;
    reply.envelope.wall_ms = ++completed_;
    connection().complete_call(reply);
    connection().resume(now_);
  }

  void pass(Duration time) {
    now_ = now_ + time;
    if (connection().deadline() <= now_) {
      connection().tick(now_);
    }
  }

  [[nodiscard]] Connection::State state() { return connection().state(); }

  EchoHandler handler_;
  ConnectionShared shared_{.handler = handler_,
                           .limits = {},
                           .input_bytes = 0,
                           .output_bytes = 0,
                           .head = {},
                           .spare_output = {},
                           .chunk = {}};
  Instant now_ = Instant{} + Duration::from_seconds(1000);
  int completed_ = 0;
  std::unique_ptr<Connection> connection_;
};

}  // namespace kvs::testing
