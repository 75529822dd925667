#include "io/peer_link.h"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/write.hpp>

#include "base/check.h"

namespace kvs {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// Nobody listens on a port that the kernel gave to this very socket, and yet it connects: to
/// itself.
bool is_to_itself(const tcp::socket& socket) {
  error_code error;
  const tcp::endpoint local = socket.local_endpoint(error);
  const tcp::endpoint remote = socket.remote_endpoint(error);
  return !error && local == remote;
}

}  // namespace

PeerLink::PeerLink(asio::io_context& context, LinkOwner& owner, std::span<char> scratch,
                   std::size_t answer_bytes_max)
    : socket_(context), owner_(owner), scratch_(scratch), reader_(answer_bytes_max) {}

void PeerLink::connect(const std::vector<tcp::endpoint>& endpoints) {
  asio::async_connect(socket_, endpoints,
                      [self = shared_from_this()](error_code error, const tcp::endpoint&) {
                        if (self->is_closed()) {
                          return;
                        }
                        if (error || is_to_itself(self->socket_)) {
                          return self->fail(LinkOwner::Fault::lost);
                        }
                        self->start();
                      });
}

void PeerLink::start() {
  error_code error;
  socket_.set_option(tcp::no_delay(true), error);
  socket_.non_blocking(true, error);
  if (error) {
    return fail(LinkOwner::Fault::lost);
  }
  state_ = State::open;
  await_bytes();
  if (asked_) {
    write();
  }
  owner_.connected(*this);
}

void PeerLink::ask(std::string request) {
  KVS_CHECK(!asked_, "a link takes one request at a time");
  request_ = std::move(request);
  asked_ = true;
  written_ = false;
  if (state_ == State::open) {
    write();
  }
}

void PeerLink::write() {
  asio::async_write(socket_, asio::buffer(request_),
                    [self = shared_from_this()](error_code error, std::size_t bytes) {
                      if (self->is_closed()) {
                        return;
                      }
                      self->owner_.count_sent(*self, bytes);
                      // If it failed there may still be an answer that says why: read on.
                      self->written_ = !error;
                    });
}

void PeerLink::await_bytes() {
  socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code error) {
    if (self->is_closed()) {
      return;
    }
    if (error) {
      return self->fail(LinkOwner::Fault::lost);
    }
    self->read();
  });
}

void PeerLink::read() {
  error_code error;
  const std::size_t bytes =
      socket_.read_some(asio::buffer(scratch_.data(), scratch_.size()), error);
  if (error == asio::error::would_block || error == asio::error::interrupted) {
    return await_bytes();
  }
  if (error) {
    return fail(LinkOwner::Fault::lost);
  }
  owner_.count_received(*this, bytes);
  take({scratch_.data(), bytes});
}

void PeerLink::take(std::string_view bytes) {
  if (!asked_) {
    return fail(LinkOwner::Fault::garbled);
  }
  switch (reader_.take(bytes)) {
    case PeerResponseReader::State::need_more:
      return await_bytes();
    case PeerResponseReader::State::failed:
      return fail(LinkOwner::Fault::garbled);
    case PeerResponseReader::State::complete:
      break;
  }
  const auto self = shared_from_this();
  const PeerResponse response = reader_.take_response();
  asked_ = false;
  if (written_ && response.keep_alive) {
    await_bytes();
  } else {
    close();
  }
  owner_.answered(*this, response);
}

void PeerLink::fail(LinkOwner::Fault fault) {
  const auto self = shared_from_this();
  close();
  owner_.broken(*this, fault);
}

void PeerLink::close() {
  state_ = State::closed;
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace kvs
