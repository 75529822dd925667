// Any bytes, however they are cut and whatever the clock says, leave a connection within its bounds
// and its output a sequence of whole answers; and the cuts do not change it.
//
// The first two bytes of the input steer: the size of the pieces, and how often time passes.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "support/echo_handler.h"
#include "wire/connection.h"

namespace kvs {
namespace {

constexpr std::size_t kBigAnswerMax = 4'000;

/// As EchoHandler, but no input can ask for an answer without bounds.
class BoundedHandler : public testing::EchoHandler {
 public:
  BoundedHandler() { record = false; }

  Handled handle(const ReceivedRequest& request, const AnswerTarget& target) override {
    const std::uint64_t number = testing::number_at_end(request.head.path);
    if (number > kBigAnswerMax) {
      refuse(Errc::bad_request, "too big for this test", target);
      return {};
    }
    return EchoHandler::handle(request, target);
  }
};

ConnectionLimits small_limits() {
  ConnectionLimits limits;
  limits.http = {.header_bytes = 600, .target_bytes = 200, .headers = 12};
  limits.pending_max = 4;
  limits.output_high_water = 2'000;
  limits.output_low_water = 500;
  limits.requests_per_turn = 3;
  return limits;
}

class Talk {
 public:
  std::string run(std::string_view input, std::size_t step, Duration pause) {
    while (!input.empty() && connection_.state() == Connection::State::open) {
      const std::string piece(input.substr(0, step));
      input.remove_prefix(piece.size());
      connection_.received(piece, now_);
      settle();
      now_ = now_ + pause;
      if (connection_.deadline() <= now_) {
        connection_.tick(now_);
        settle();
      }
    }
    connection_.received_end(now_);
    settle();
    KVS_CHECK(connection_.state() == Connection::State::closed, "the client has ended");
    KVS_CHECK(shared_.input_bytes == 0 && shared_.output_bytes == 0, "memory is given back");
    return std::move(got_);
  }

 private:
  /// The node answers, the client reads, until nothing moves.
  void settle() {
    bool moved = true;
    while (moved) {
      moved = false;
      KVS_CHECK(connection_.pending() <= shared_.limits.pending_max, "pending writes");
      KVS_CHECK(connection_.output().size() <= 3 * kBigAnswerMax, "queued output");
      for (; completed_ < handler_.posted.size(); moved = true) {
        ++completed_;
        if (connection_.pends_alone()) {
          connection_.complete_call({});
        } else {
          connection_.complete({.status = WriteStatus::created, .uuid = {}, .stamp = {}});
        }
      }
      if (const std::size_t queued = connection_.output().size(); queued > 0) {
        got_.append(connection_.output());
        connection_.sent(queued, now_);
        moved = true;
      }
      if (moved || connection_.wants_turn()) {
        connection_.resume(now_);
        moved = true;
      }
      moved = moved && connection_.state() != Connection::State::closed;
    }
  }

  BoundedHandler handler_;
  ConnectionShared shared_{.handler = handler_,
                           .limits = small_limits(),
                           .input_bytes = 0,
                           .output_bytes = 0,
                           .head = {},
                           .spare_output = {},
                           .chunk = {}};
  Instant now_ = Instant{} + Duration::from_seconds(1);
  Connection connection_{shared_, Ticket{1}, now_};
  std::string got_;
  std::size_t completed_ = 0;
};

void check(std::string_view input) {
  const std::size_t step = 1 + static_cast<unsigned char>(input[0]) % 32;
  const std::int64_t pause_ms = 100 * (static_cast<unsigned char>(input[1]) % 64);
  input.remove_prefix(2);
  const std::string whole = Talk().run(input, SIZE_MAX, {});
  // 100 Continue is sent only to a client that waits for it: that depends on the cuts.
  if (input.find("100-") == std::string_view::npos) {
    KVS_CHECK(Talk().run(input, step, {}) == whole, "the cuts changed the answers");
  }
  (void)Talk().run(input, step, Duration::from_ms(pause_ms));
}

}  // namespace
}  // namespace kvs

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size >= 2) {
    kvs::check({reinterpret_cast<const char*>(data), size});
  }
  return 0;
}
