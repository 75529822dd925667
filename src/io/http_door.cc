#include "io/http_door.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "io/door_thread.h"
#include "io/door_ticket.h"
#include "io/listener.h"
#include "io/os.h"

namespace kvs {

HttpDoor::HttpDoor(std::uint16_t port) : port_(port) {}

HttpDoor::~HttpDoor() {
  stop_now();
  join();
}

Result<std::unique_ptr<HttpDoor>> HttpDoor::open(const DoorOptions& options) {
  const std::size_t wanted = options.threads > 0 ? options.threads : usable_cores();
  const std::size_t threads = std::clamp<std::size_t>(wanted, 1, kDoorThreadsMax);
  Listeners listeners =
      KVS_TRY(open_listeners({.host = options.host, .port = options.port, .groups = threads}));
  std::unique_ptr<HttpDoor> door(new HttpDoor(listeners.port));
  try {
    for (std::size_t i = 0; i < threads; ++i) {
      door->threads_.push_back(std::make_unique<DoorThread>(
          DoorThread::Options{
              .index = i, .limits = options.limits, .shutdown_timeout = options.shutdown_timeout},
          std::move(listeners.groups[i])));
    }
  } catch (const std::exception& error) {
    return fail(Errc::address_unusable,
                std::string("cannot start an event loop: ").append(error.what()));
  }
  return door;
}

void HttpDoor::start(const HandlerFactory& make_handler) {
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    threads_[i]->start(make_handler(i));
  }
}

void HttpDoor::post_replies(std::span<const Reply> replies) {
  for (const std::unique_ptr<DoorThread>& thread : threads_) {
    thread->post_replies(replies);
  }
}

void HttpDoor::post_peer_replies(std::span<PeerReply> replies) {
  for (const std::unique_ptr<DoorThread>& thread : threads_) {
    thread->post_peer_replies(replies);
  }
}

void HttpDoor::start_shutdown() {
  for (const std::unique_ptr<DoorThread>& thread : threads_) {
    thread->start_shutdown();
  }
}

void HttpDoor::post(std::size_t thread, std::function<void()> letter) {
  threads_[thread]->post(std::move(letter));
}

void HttpDoor::wake_streams() {
  for (const std::unique_ptr<DoorThread>& thread : threads_) {
    thread->wake_streams();
  }
}

void HttpDoor::stop_now() {
  for (const std::unique_ptr<DoorThread>& thread : threads_) {
    thread->stop_now();
  }
}

void HttpDoor::join() {
  for (const std::unique_ptr<DoorThread>& thread : threads_) {
    thread->join();
  }
}

DoorCounters HttpDoor::counters() const {
  DoorCounters sum;
  for (const std::unique_ptr<DoorThread>& thread : threads_) {
    thread->add_to(sum);
  }
  return sum;
}

}  // namespace kvs
