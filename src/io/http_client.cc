#include "io/http_client.h"

#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"
#include "io/os.h"
#include "io/waiting.h"

namespace kvs {

namespace {

constexpr std::size_t kScratchBytes = std::size_t{64} * 1024;

std::unexpected<Error> failed(std::string what) {
  return fail(Errc::address_unusable, std::move(what));
}

}  // namespace

Error unreachable(const Address& node, const Error& why) {
  return {
      .code = Errc::address_unusable,
      .detail = fmt::format("no node can be reached at {}: {}; start one there, or name another "
                            "with --node HOST:PORT or KVS_NODE",
                            to_string(node), why.detail)};
}

Result<Answer> HttpClient::ask(const ClientCall& call) {
  std::string body;
  auto answer = ask(call, [&body](std::string_view part) -> Result<void> {
    body.append(part);
    return {};
  });
  if (answer && answer->head.fine()) {
    answer->body = std::move(body);
  }
  return answer;
}

Result<Answer> HttpClient::ask(const ClientCall& call, const TakeBody& take_body) {
  const bool kept = socket_.has_value();
  KVS_TRY(connect());
  auto answer = exchange(call, take_body);
  if (!answer && kept && answer.error().before_answer && call.method == "GET") {
    // The node may have closed a connection that was kept, before it saw the request.
    KVS_TRY(connect());
    answer = exchange(call, take_body);
  }
  if (!answer) {
    return std::unexpected(answer.error().error);
  }
  return *std::move(answer);
}

Result<void> HttpClient::connect() {
  if (socket_) {
    return {};
  }
  auto socket = ClientSocket::connect(options_.node, monotonic_now() + options_.connect_timeout,
                                      options_.interrupt);
  if (!socket) {
    return std::unexpected(unreachable(options_.node, socket.error()));
  }
  socket_ = *std::move(socket);
  reader_ = AnswerReader(kAnswerBytesMax);
  return {};
}

std::expected<Answer, HttpClient::Lost> HttpClient::exchange(const ClientCall& call,
                                                             const TakeBody& take_body) {
  std::string request;
  append_call(request, to_string(options_.node), call);
  Answer answer;
  auto done = send(request);
  if (done) {
    done = receive(answer, take_body);
  }
  if (!done) {
    socket_.reset();
    Lost lost = done.error();
    if (lost.error.code == Errc::address_unusable) {
      lost.error = broken_off(call, lost.error);
    }
    return std::unexpected(std::move(lost));
  }
  const bool keep = answer.head.keep_alive;
  reader_.next();
  if (!keep) {
    socket_.reset();
  }
  return answer;
}

ClientSocket& HttpClient::connection() {
  KVS_CHECK(socket_.has_value(), "an exchange begins with connect()");
  return *socket_;
}

std::expected<void, HttpClient::Lost> HttpClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = connection().send(bytes);
    if (!sent) {
      return {};  // there may still be an answer that says why
    }
    bytes.remove_prefix(*sent);
    if (*sent == 0) {
      if (const auto waited = wait(POLLOUT | POLLIN); !waited) {
        return std::unexpected(lost(waited.error()));
      }
      std::array<pollfd, 1> readable{{{.fd = connection().number(), .events = POLLIN}}};
      if (wait_for(readable, Instant{}, nullptr) == Woken::ready) {
        return {};  // answered before it took all: a refusal
      }
    }
  }
  return {};
}

std::expected<void, HttpClient::Lost> HttpClient::receive(Answer& answer,
                                                          const TakeBody& take_body) {
  std::vector<char> scratch(kScratchBytes);
  while (reader_.state() != AnswerReader::State::complete) {
    const auto got = connection().receive(scratch);
    if (!got) {
      return std::unexpected(lost(got.error()));
    }
    if (got->received == ClientSocket::Received::nothing_yet) {
      if (const auto waited = wait(POLLIN); !waited) {
        return std::unexpected(lost(waited.error()));
      }
      continue;
    }
    if (auto taken = take(*got, answer, take_body); !taken) {
      return taken;
    }
  }
  return {};
}

std::expected<void, HttpClient::Lost> HttpClient::take(const ClientSocket::Bytes& got,
                                                       Answer& answer, const TakeBody& take_body) {
  std::string_view bytes = got.bytes;
  const bool ended = got.received == ClientSocket::Received::ended;
  if (ended && reader_.untouched()) {
    return std::unexpected(lost(failed("it closed the connection").error()));
  }
  const auto state = ended ? reader_.end() : reader_.take(bytes);
  if (state == AnswerReader::State::failed) {
    return std::unexpected(Lost{.error = failed(reader_.error().detail).error()});
  }
  if (state == AnswerReader::State::in_head) {
    return {};
  }
  answer.head = reader_.head();
  const std::string part = reader_.take_body();
  if (!answer.head.fine()) {
    answer.body += part;
  } else if (!part.empty()) {
    if (auto taken = take_body(part); !taken) {
      return std::unexpected(Lost{.error = taken.error()});
    }
  }
  return {};
}

Result<void> HttpClient::wait(short events) {
  std::array<pollfd, 1> polled{{{.fd = connection().number(), .events = events}}};
  switch (wait_for(polled, monotonic_now() + options_.silence_timeout, options_.interrupt)) {
    case Woken::ready:
      return {};
    case Woken::interrupted:
      return failed("interrupted");
    case Woken::timed_out:
      return failed(
          fmt::format("nothing came for {} s (--timeout)", options_.silence_timeout.ms() / 1000));
  }
  return {};
}

HttpClient::Lost HttpClient::lost(Error error) const {
  return {.error = std::move(error), .before_answer = reader_.untouched()};
}

Error HttpClient::broken_off(const ClientCall& call, const Error& why) const {
  return {.code = Errc::address_unusable,
          .detail = fmt::format(
              "the node at {} did not answer: {}{}", to_string(options_.node), why.detail,
              call.method == "GET" ? ""
                                   : "; whether it did what was asked is not known: a read tells")};
}

}  // namespace kvs
