#include "io/lane_pool.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "io/os.h"

namespace kvs {

struct LanePool::Lane {
  std::unique_ptr<HttpLane> http;  // null: not open
  std::deque<Waiting> waiting;
  Instant heard{};  // when it last answered, or began to have something to answer
};

LanePool::LanePool(LanePoolOptions options, LaneOwner& owner)
    : options_(std::move(options)), owner_(owner), host_(to_string(options_.node)) {
  for (std::size_t i = 0; i < options_.connections; ++i) {
    lanes_.push_back(std::make_unique<Lane>());
  }
}

LanePool::~LanePool() = default;

Result<void> LanePool::open() {
  for (const auto& lane : lanes_) {
    if (!lane->http) {
      auto socket = ClientSocket::connect(options_.node, monotonic_now() + options_.connect_timeout,
                                          options_.interrupt);
      if (!socket) {
        return std::unexpected(unreachable(options_.node, socket.error()));
      }
      lane->http = std::make_unique<HttpLane>(*std::move(socket));
    }
  }
  broken_.reset();
  return {};
}

LanePool::Lane* LanePool::roomiest() const {
  Lane* best = nullptr;
  for (const auto& lane : lanes_) {
    const bool room = lane->http && lane->waiting.size() < options_.depth &&
                      lane->http->unsent() < options_.bytes_max;
    if (room && (best == nullptr || lane->waiting.size() < best->waiting.size())) {
      best = lane.get();
    }
  }
  return best;
}

bool LanePool::has_room() const {
  return roomiest() != nullptr;
}

void LanePool::ask(CallNumber number, const ClientCall& call) {
  Lane* const lane = roomiest();
  KVS_CHECK(lane != nullptr, "no connection has room");
  const Instant now = monotonic_now();
  if (lane->waiting.empty()) {
    lane->heard = now;
  }
  lane->http->ask(host_, call);
  lane->waiting.push_back({.number = number, .asked = now});
  ++under_way_;
}

Woken LanePool::turn(Instant until, pollfd extra) {
  std::vector<pollfd> polled;
  for (const auto& lane : lanes_) {
    polled.push_back(lane->http ? lane->http->wanted() : pollfd{.fd = -1});
    if (lane->http && !lane->waiting.empty()) {
      until = std::min(until, lane->heard + options_.silence_timeout);
    }
  }
  polled.push_back(extra);
  const Woken woken = wait_for(polled, until, options_.interrupt);
  if (woken == Woken::interrupted) {
    options_.interrupt = nullptr;
  }
  const Instant now = monotonic_now();
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    Lane& lane = *lanes_[i];
    if (!lane.http) {
      continue;
    }
    if (woken == Woken::ready && polled[i].revents != 0) {
      pump(lane, now);
    } else if (!lane.waiting.empty() && now - lane.heard >= options_.silence_timeout) {
      close(lane, {.code = Errc::address_unusable,
                   .detail = fmt::format("the node at {} says nothing for {} s (--timeout)", host_,
                                         options_.silence_timeout.ms() / 1000)});
    }
  }
  return woken;
}

void LanePool::pump(Lane& lane, Instant now) {
  const auto pumped = lane.http->pump([this, &lane, now](const Answer& answer) {
    if (lane.waiting.empty()) {
      return false;  // an answer to nothing, such as 408
    }
    const Waiting call = lane.waiting.front();
    lane.waiting.pop_front();
    --under_way_;
    lane.heard = now;
    owner_.answered(call.number, answer, call.asked);
    return true;
  });
  if (!pumped) {
    close(lane, {.code = Errc::address_unusable,
                 .detail = fmt::format("the node at {}: {}", host_, pumped.error().detail)});
  }
}

void LanePool::close(Lane& lane, const Error& why) {
  lane.http.reset();
  broken_ = why;
  const std::deque<Waiting> calls = std::exchange(lane.waiting, {});
  under_way_ -= calls.size();
  for (const Waiting& call : calls) {
    owner_.lost(call.number, why);
  }
}

}  // namespace kvs
