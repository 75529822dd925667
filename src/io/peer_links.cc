#include "io/peer_links.h"

#include <exception>
#include <string>
#include <utility>

#include "io/link_thread.h"

namespace kvs {

PeerLinks::PeerLinks(std::unique_ptr<LinkThread> thread) : thread_(std::move(thread)) {}

PeerLinks::~PeerLinks() {
  stop();
}

Result<std::unique_ptr<PeerLinks>> PeerLinks::open(const PeerLinksOptions& options,
                                                   Returned returned) {
  try {
    auto thread = std::make_unique<LinkThread>(options, std::move(returned));
    thread->start();
    return std::unique_ptr<PeerLinks>(new PeerLinks(std::move(thread)));
  } catch (const std::exception& error) {
    return fail(Errc::io_error,
                std::string("cannot start the event loop for peers: ").append(error.what()));
  }
}

void PeerLinks::send(std::vector<PeerSend>&& sends) {
  thread_->send(std::move(sends));
}

void PeerLinks::post(std::function<void()> letter) {
  thread_->post(std::move(letter));
}

void PeerLinks::stop() {
  thread_->stop();
}

LinkCounters PeerLinks::counters(Channel channel) const {
  return thread_->counters(channel);
}

}  // namespace kvs
