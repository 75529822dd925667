// Whatever the cuts, the client's pace, the node's pace and the turns: the same answers in the same
// order, within bounds. The oracle writes the answers down while it makes up the requests.
#include <algorithm>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "support/echo_handler.h"
#include "wire/connection.h"

namespace kvs {
namespace {

struct Conversation {
  std::string requests;
  std::string answers;
  std::size_t writes = 0;
  bool ends = false;  // with the last answer
};

void say(std::string& out, unsigned status, std::string_view body, Persistence persistence) {
  put_response(
      out, {.status = status, .persistence = persistence, .content_type = {}, .fields = {}}, body);
}

std::string chunked(std::string_view body, Prng& prng) {
  std::string out;
  while (!body.empty()) {
    const std::size_t size = 1 + prng.below(body.size());
    put_chunk(out, body.substr(0, size));
    body.remove_prefix(size);
  }
  put_last_chunk(out);
  return out;
}

PeerReply numbered_reply(std::int64_t number) {
  PeerReply reply;
  reply.envelope.wall_ms = number;
  return reply;
}

/// Makes up conversations of the kinds of requests that testing::EchoHandler knows.
class Author {
 public:
  explicit Author(Prng& prng) : prng_(prng) {}

  Conversation write(std::size_t requests) {
    for (std::size_t n = 0; n < requests && !story_.ends; ++n) {
      add_request();
    }
    return std::move(story_);
  }

 private:
  void add_request() {
    const bool close = prng_.chance(1, 40);
    story_.ends = close;
    fields_ = close ? "Host: x\r\nConnection: close\r\n" : "Host: x\r\n";
    persistence_ = close ? Persistence::close : Persistence::implicit;
    switch (prng_.below(10)) {
      case 0:
      case 1:
      case 2:
        return add_write("/kv/a");
      case 3:
        return add_write("/refused");
      case 4:
        return add_stream();
      case 5:
        return add_nonsense();
      case 6:
        return add_big();
      case 7:
        return add_call();
      case 8:
        return add_posts();
      default:
        return add_get();
    }
  }

  void add_get() {
    request("GET /a");
    say(story_.answers, 200, "GET /a ", persistence_);
  }

  void add_call() {
    request("GET /call");
    say(story_.answers, 202, std::to_string(++story_.writes), persistence_);
  }

  void add_posts() {
    const std::uint64_t count = prng_.below(20);
    request("POST /posts/" + std::to_string(count));
    std::string numbers;
    for (std::uint64_t n = 0; n < count; ++n) {
      numbers.append(n == 0 ? "" : " ").append(std::to_string(++story_.writes));
    }
    say(story_.answers, 200, numbers, persistence_);
  }

  void add_big() {
    const std::uint64_t size = prng_.below(3'000);
    request("GET /big/" + std::to_string(size));
    say(story_.answers, 200, std::string(size, 'x'), persistence_);
  }

  void add_write(const std::string& target) {
    const std::string body(prng_.below(200), 'v');
    if (prng_.chance(1, 3)) {
      fields_ += "Transfer-Encoding: chunked\r\n";
      request("PUT " + target, chunked(body, prng_));
    } else {
      fields_ += "Content-Length: " + std::to_string(body.size()) + "\r\n";
      request("PUT " + target, body);
    }
    if (target == "/refused") {
      say(story_.answers, 400, "PUT /refused " + body, persistence_);
    } else {
      say(story_.answers, 201, std::to_string(++story_.writes), persistence_);
    }
  }

  void add_stream() {
    const std::uint64_t pieces = prng_.below(50);
    request("GET /stream/" + std::to_string(pieces));
    put_stream_head(story_.answers,
                    {.status = 200, .persistence = persistence_, .content_type = {}, .fields = {}},
                    StreamFraming::chunked);
    std::string body;
    (void)testing::Pieces(pieces, BodySource::Status::done).fill(body, SIZE_MAX, {});
    put_chunk(story_.answers, body);
    put_last_chunk(story_.answers);
  }

  /// Rarely, since it ends the story.
  void add_nonsense() {
    if (!prng_.chance(1, 10)) {
      return add_get();
    }
    story_.ends = true;
    story_.requests += "GET /a HTTP/1.1\r\n\r\n";
    say(story_.answers, 400, "no Host", Persistence::close);
  }

  void request(std::string_view line, std::string_view body = {}) {
    story_.requests.append(line)
        .append(" HTTP/1.1\r\n")
        .append(fields_)
        .append("\r\n")
        .append(body);
  }

  Prng& prng_;
  Conversation story_;
  std::string fields_;
  Persistence persistence_ = Persistence::implicit;
};

/// The world around one connection, at random paces.
class World {
 public:
  World(Prng& prng, const ConnectionLimits& limits)
      : prng_(prng),
        shared_{.handler = handler_,
                .limits = limits,
                .input_bytes = 0,
                .output_bytes = 0,
                .head = {},
                .spare_output = {},
                .chunk = {}},
        connection_(shared_, Ticket{1}, now_) {
    handler_.record = false;
  }

  /// What the client got when nothing moves any more.
  std::string run(std::string_view requests) {
    for (int quiet = 0; quiet < 200; ++quiet) {
      if (step(requests)) {
        quiet = 0;
      }
      EXPECT_LE(connection_.pending(), shared_.limits.pending_max);
      EXPECT_LE(connection_.output().size(),
                shared_.limits.output_high_water + 4'000 + shared_.limits.output_low_water);
    }
    EXPECT_EQ(connection_.pending(), 0U);
    return std::move(got_);
  }

  [[nodiscard]] Connection::State state() const { return connection_.state(); }

 private:
  bool step(std::string_view& requests) {
    now_ = now_ + Duration::from_ms(1);
    switch (prng_.below(4)) {
      case 0:
        return receive(requests);
      case 1:
        return take();
      case 2:
        return complete();
      default:
        return turn();
    }
  }

  bool receive(std::string_view& requests) {
    if (!connection_.wants_input() || requests.empty()) {
      return false;
    }
    const std::size_t most =
        prng_.chance(1, 2) ? requests.size() : std::min<std::size_t>(requests.size(), 20);
    const std::size_t size = 1 + prng_.below(most);
    // A copy of just that size: reading beyond it is an error that sanitizers see.
    const std::string bytes(requests.substr(0, size));
    requests.remove_prefix(size);
    connection_.received(bytes, now_);
    return true;
  }

  bool take() {
    const std::size_t queued = connection_.output().size();
    if (queued == 0) {
      return false;
    }
    const std::size_t size = 1 + prng_.below(queued);
    got_.append(connection_.output().substr(0, size));
    connection_.sent(size, now_);
    return true;
  }

  bool complete() {
    const std::size_t owed = handler_.posted.size() - completed_;
    if (owed == 0) {
      return false;
    }
    if (connection_.pends_alone()) {
      connection_.complete_call(numbered_reply(static_cast<std::int64_t>(++completed_)));
      connection_.resume(now_);
      return true;
    }
    for (std::uint64_t n = 1 + prng_.below(owed); n > 0; --n) {
      connection_.complete({.status = WriteStatus::created,
                            .uuid = {},
                            .stamp = Stamp::from_ms(static_cast<std::int64_t>(++completed_))});
    }
    connection_.resume(now_);
    return true;
  }

  bool turn() {
    const bool wanted = connection_.wants_turn();
    if (wanted || prng_.chance(1, 4)) {
      connection_.resume(now_);
    }
    return wanted;
  }

  Prng& prng_;
  testing::EchoHandler handler_;
  ConnectionShared shared_;
  Instant now_ = Instant{} + Duration::from_seconds(1);
  Connection connection_;
  std::string got_;
  std::size_t completed_ = 0;
};

ConnectionLimits random_limits(Prng& prng) {
  ConnectionLimits limits;
  limits.pending_max = static_cast<std::uint32_t>(1 + prng.below(10));
  limits.pending_bytes_max = 200 + prng.below(1'000);
  limits.output_low_water = 1'000 + prng.below(1'000);
  limits.output_high_water = limits.output_low_water + prng.below(5'000);
  limits.requests_per_turn = static_cast<std::uint32_t>(1 + prng.below(10));
  return limits;
}

/// Chunk boundaries depend on the client's pace; the bytes within do not. Joins the chunks of every
/// stream into one.
std::string with_joined_chunks(std::string_view answers) {
  static constexpr std::string_view kMark = "Transfer-Encoding: chunked\r\n\r\n";
  std::string out;
  for (std::size_t at = answers.find(kMark); at != std::string_view::npos;
       at = answers.find(kMark)) {
    out.append(answers.substr(0, at + kMark.size()));
    answers.remove_prefix(at + kMark.size());
    ChunkedDecoder decoder(1'000'000);
    std::string body;
    const ParseResult result = decoder.decode(answers, body);
    EXPECT_TRUE(result.complete()) << result.detail;
    answers.remove_prefix(result.consumed);
    out.append(body);
  }
  return out.append(answers);
}

TEST(ConnectionLaws, AnswersDependOnTheRequestsAlone) {
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    Prng prng(seed);
    const Conversation story = Author(prng).write(1 + prng.below(40));
    const ConnectionLimits limits = random_limits(prng);
    World world(prng, limits);
    const std::string got = world.run(story.requests + (story.ends ? "GET /never" : ""));
    ASSERT_EQ(with_joined_chunks(got), with_joined_chunks(story.answers)) << "seed " << seed;
    ASSERT_EQ(world.state(), story.ends ? Connection::State::draining : Connection::State::open)
        << "seed " << seed;
  }
}

}  // namespace
}  // namespace kvs
