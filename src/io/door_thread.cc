#include "io/door_thread.h"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <utility>

#include <boost/asio/post.hpp>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/check.h"
#include "io/door_ticket.h"
#include "io/os.h"

namespace kvs {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// Clients accepted, or turned away, before others have their turn.
constexpr int kAcceptsPerTurn = 64;

/// The end of both directions, or of the connection as a whole: epoll reports it unasked.
constexpr std::uint32_t kAlwaysReported = EPOLLERR | EPOLLHUP;

Descriptor reserve_descriptor() {
  return Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

Descriptor accept_one(int listener) {
  return Descriptor(::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

bool no_descriptor_left(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

}  // namespace

DoorThread::DoorThread(const Options& options, std::vector<Descriptor> listeners)
    : options_(options),
      context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      timer_(context_),
      epoll_(context_, ::epoll_create1(EPOLL_CLOEXEC)),
      reserve_(reserve_descriptor()) {
  for (Descriptor& listener : listeners) {
    listeners_.emplace_back(context_, listener.release());
  }
}

DoorThread::~DoorThread() {
  KVS_CHECK(!thread_.joinable(), "a door's thread must be joined");
}

void DoorThread::start(std::unique_ptr<RequestHandler> handler) {
  handler_ = std::move(handler);
  shared_ = std::make_unique<ConnectionShared>(ConnectionShared{.handler = *handler_,
                                                                .limits = options_.limits,
                                                                .input_bytes = 0,
                                                                .output_bytes = 0,
                                                                .head = {},
                                                                .spare_output = {},
                                                                .chunk = {}});
  resume_accepting();
  await_events();
  await_tick();
  thread_ = std::thread([this] {
    context_.run();
    handler_->hand_over();  // what was taken runs to its end, also when the loop was cut short
  });
}

void DoorThread::join() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

void DoorThread::start_shutdown() {
  asio::post(context_, [this] { shut_down(); });
}

void DoorThread::stop_now() {
  asio::post(context_, [this] {
    shut_down();
    drop_all();
  });
}

void DoorThread::post(std::function<void()> letter) {
  asio::post(context_, std::move(letter));
}

void DoorThread::wake_streams() {
  if (!wake_posted_.exchange(true)) {
    asio::post(context_, [this] { run_idle_streams(); });
  }
}

void DoorThread::post_replies(std::span<const Reply> replies) {
  post_mine(replies, inbox_);
}

void DoorThread::post_peer_replies(std::span<PeerReply> replies) {
  post_mine(replies, peer_inbox_);
}

template <class Kind>
void DoorThread::post_mine(std::span<Kind> replies, std::vector<std::remove_const_t<Kind>>& inbox) {
  const auto is_mine = [this](const Kind& reply) {
    return from_ticket(reply.ticket).thread == options_.index;
  };
  const auto first = std::ranges::find_if(replies, is_mine);
  if (first == replies.end()) {
    return;
  }
  bool was_empty = false;
  {
    const std::lock_guard lock(inbox_mutex_);
    was_empty = inbox_.empty() && peer_inbox_.empty();
    for (auto reply = first; reply != replies.end(); ++reply) {
      if (is_mine(*reply)) {
        inbox.push_back(std::move(*reply));
      }
    }
  }
  if (was_empty) {
    asio::post(context_, [this] { take_replies(); });
  }
}

void DoorThread::add_to(DoorCounters& sum) const {
  const std::uint64_t closed = closed_.get();  // first, so that open cannot become negative
  const std::uint64_t accepted = accepted_.get();
  sum.connections_open += accepted - closed;
  sum.connections_accepted += accepted;
  sum.connections_refused += refused_.get();
  sum.bytes_received += bytes_received_.get();
  sum.bytes_sent += bytes_sent_.get();
  sum.input_bytes += input_bytes_.get();
  sum.output_bytes += output_bytes_.get();
}

// Accepting

void DoorThread::resume_accepting() {
  if (accepting_ || shutting_down_) {
    return;
  }
  accepting_ = true;
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    await_client(i);
  }
}

void DoorThread::pause_accepting() {
  accepting_ = false;
  for (Socket& listener : listeners_) {
    error_code ignored;
    listener.cancel(ignored);
  }
}

void DoorThread::await_client(std::size_t listener) {
  listeners_[listener].async_wait(Socket::wait_read, [this, listener](error_code error) {
    if (!error && accepting_) {
      accept_from(listener);
    }
  });
}

void DoorThread::accept_from(std::size_t listener) {
  accept_all(listeners_[listener]);
  if (accepting_) {
    await_client(listener);
  }
}

void DoorThread::accept_all(Socket& listener) {
  const Instant now = monotonic_now();
  for (int n = 0; n < kAcceptsPerTurn; ++n) {
    Descriptor socket = accept_one(listener.native_handle());
    if (socket.open()) {
      welcome(std::move(socket), now);
    } else if (no_descriptor_left(errno)) {
      turn_away(listener);
      pause_accepting();
      return;
    } else if (would_block(errno)) {
      return;
    }
  }
}

/// Those who wait are told at once, instead of being left without an answer.
void DoorThread::turn_away(Socket& listener) {
  reserve_.close();
  for (int n = 0; n < kAcceptsPerTurn && accept_one(listener.native_handle()).open(); ++n) {
    refused_.add(1);
  }
  reserve_ = reserve_descriptor();
}

void DoorThread::welcome(Descriptor socket, Instant now) {
  const int on = 1;
  ::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  accepted_.add(1);
  if (free_slots_.empty()) {
    KVS_CHECK(slots_.size() < kDoorSlotsMax, "more connections than tickets");
    free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t number = free_slots_.back();
  free_slots_.pop_back();
  Slot& slot = slots_[number];
  const Ticket ticket =
      to_ticket({.thread = options_.index, .slot = number, .generation = slot.generation});
  slot.client = std::make_unique<Client>(std::move(socket), *shared_, ticket, now);
  plan(*slot.client);
}

// Connections

DoorThread::Client* DoorThread::find(Ticket ticket) {
  const DoorTicket parts = from_ticket(ticket);
  KVS_CHECK(parts.slot < slots_.size(), "a ticket that was never given out");
  const Slot& slot = slots_[parts.slot];
  return slot.generation == parts.generation ? slot.client.get() : nullptr;
}

void DoorThread::await_events() {
  epoll_.async_wait(Socket::wait_read, [this](error_code error) {
    if (!error) {
      handle_events();
      await_events();
    }
  });
}

void DoorThread::handle_events() {
  const int count =
      ::epoll_wait(epoll_.native_handle(), events_.data(), static_cast<int>(events_.size()), 0);
  const Instant now = monotonic_now();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    handle(Ticket{event.data.u64}, event.events, now);
  }
  end_turn();
}

/// What is not wanted any more is asked for no more only when it happens: that is rare, and a call.
void DoorThread::handle(Ticket ticket, std::uint32_t events, Instant now) {
  Client* const client = find(ticket);
  if (client == nullptr) {
    return;
  }
  if ((events & EPOLLOUT) != 0) {
    client->is_full = false;
  }
  if (client->connection.wants_input() && (events & (EPOLLIN | kAlwaysReported)) != 0) {
    read(*client, now);
  } else if ((events & kAlwaysReported) != 0) {
    client->connection.broken();
  }
  if (flush(*client, now) && (events & (EPOLLIN | EPOLLOUT) & ~wanted_events(*client)) != 0) {
    set_events(*client, wanted_events(*client));
  }
}

std::uint32_t DoorThread::wanted_events(const Client& client) {
  return kAlwaysReported | (client.connection.wants_input() ? EPOLLIN : 0U) |
         (client.is_full ? EPOLLOUT : 0U);
}

void DoorThread::set_events(Client& client, std::uint32_t events) {
  epoll_event event{.events = events,
                    .data = {.u64 = static_cast<std::uint64_t>(client.connection.ticket())}};
  const int change = client.awaited == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (::epoll_ctl(epoll_.native_handle(), change, client.socket.number(), &event) != 0) {
    client.connection.broken();
    give_turn(client);  // which drops it
  }
  client.awaited = events;
}

/// Takes what the socket has, up to the size of the scratch memory. Leaves a broken connection to
/// flush().
void DoorThread::read(Client& client, Instant now) {
  if (!client.connection.wants_input()) {
    return;
  }
  const ssize_t count = ::recv(client.socket.number(), scratch_.data(), scratch_.size(), 0);
  if (count > 0) {
    const auto bytes = static_cast<std::size_t>(count);
    bytes_received_.add(bytes);
    client.connection.received({scratch_.data(), bytes}, now);
  } else if (count == 0) {
    client.connection.received_end(now);
  } else if (!would_block(errno) && errno != EINTR) {
    client.connection.broken();
  }
}

/// Sends what there is to send and plans what comes next. False if that was the client's end.
bool DoorThread::flush(Client& client, Instant now) {
  if (!send_output(client, now)) {
    client.connection.broken();
  }
  const Connection::State state = client.connection.state();
  if (state == Connection::State::closed) {
    drop(client);
    return false;
  }
  if (state == Connection::State::draining && !client.shut) {
    client.shut = true;
    ::shutdown(client.socket.number(), SHUT_WR);
  }
  plan(client);
  return true;
}

/// False if the connection is broken.
bool DoorThread::send_output(Client& client, Instant now) {
  while (!client.is_full) {
    const std::string_view output = client.connection.output();
    if (output.empty()) {
      break;
    }
    const ssize_t count =
        ::send(client.socket.number(), output.data(), output.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      bytes_sent_.add(static_cast<std::size_t>(count));
      client.connection.sent(static_cast<std::size_t>(count), now);
    } else if (would_block(errno)) {
      client.is_full = true;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

void DoorThread::plan(Client& client) {
  if (client.connection.wants_turn()) {
    give_turn(client);
  } else if (client.connection.starved() && !client.is_starved) {
    client.is_starved = true;
    starved_.push_back(client.connection.ticket());
  }
  if (client.connection.awaits_source() && !client.is_idle) {
    client.is_idle = true;
    idle_.push_back(client.connection.ticket());
  }
  const std::uint32_t wanted = wanted_events(client);
  if ((wanted & ~client.awaited) != 0) {
    set_events(client, wanted);
  }
  feed_starved();
}

void DoorThread::give_turn(Client& client) {
  if (client.has_turn) {
    return;
  }
  client.has_turn = true;
  turns_.push_back(client.connection.ticket());
  if (!turns_posted_) {
    turns_posted_ = true;
    asio::post(context_, std::bind_front(&DoorThread::run_turns, this));
  }
}

void DoorThread::run_turns() {
  turns_posted_ = false;
  turns_now_.swap(turns_);
  const Instant now = monotonic_now();
  for (const Ticket ticket : turns_now_) {
    if (Client* const client = find(ticket)) {
      client->has_turn = false;
      client->connection.resume(now);
      flush(*client, now);
    }
  }
  turns_now_.clear();
  end_turn();
}

/// The writes of all connections that were served just now cross to the node together.
void DoorThread::end_turn() {
  if (handler_->has_gathered()) {
    handler_->hand_over();
  }
  input_bytes_.set(shared_->input_bytes);
  output_bytes_.set(shared_->output_bytes);
}

/// Those held back by the bound on all output go on once it has fallen.
void DoorThread::feed_starved() {
  if (starved_.empty() || shared_->output_bytes >= shared_->limits.door_output_bytes_max) {
    return;
  }
  for (const Ticket ticket : starved_) {
    if (Client* const client = find(ticket)) {
      client->is_starved = false;
      give_turn(*client);
    }
  }
  starved_.clear();
}

/// All of them: which of them the news concern the streams know best.
void DoorThread::run_idle_streams() {
  wake_posted_.store(false);  // first: what comes from now on wakes again
  idle_now_.swap(idle_);
  const Instant now = monotonic_now();
  for (const Ticket ticket : idle_now_) {
    if (Client* const client = find(ticket)) {
      client->is_idle = false;
      client->connection.resume(now);
      flush(*client, now);
    }
  }
  idle_now_.clear();
  end_turn();
}

void DoorThread::drop(Client& client) {
  const DoorTicket parts = from_ticket(client.connection.ticket());
  Slot& slot = slots_[parts.slot];
  if (client.is_idle) {
    std::erase(idle_, client.connection.ticket());
  }
  slot.client.reset();
  ++slot.generation;
  free_slots_.push_back(parts.slot);
  closed_.add(1);
  feed_starved();
  stop_if_empty();
}

void DoorThread::take_replies() {
  {
    const std::lock_guard lock(inbox_mutex_);
    replies_.swap(inbox_);
    peer_replies_.swap(peer_inbox_);
  }
  turns_posted_ = true;  // at the end of this function
  for (const Reply& reply : replies_) {
    if (Client* const client = find(reply.ticket)) {
      client->connection.complete(reply.outcome);
      give_turn(*client);
    }
  }
  for (const PeerReply& reply : peer_replies_) {
    if (Client* const client = find(reply.ticket)) {
      client->connection.complete_call(reply);
      give_turn(*client);
    }
  }
  replies_.clear();
  peer_replies_.clear();
  run_turns();
}

// Time and the end

void DoorThread::await_tick() {
  timer_.expires_after(std::chrono::seconds(1));
  timer_.async_wait([this](error_code error) {
    if (!error) {
      tick();
    }
  });
}

void DoorThread::tick() {
  const Instant now = monotonic_now();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Client* const client = slots_[i].client.get();
    if (client != nullptr && client->connection.deadline() <= now) {
      client->connection.tick(now);
      flush(*client, now);
    }
  }
  end_turn();
  resume_accepting();
  if (now >= cut_at_) {
    drop_all();
  }
  await_tick();
}

void DoorThread::shut_down() {
  if (shutting_down_) {
    return;
  }
  for (Socket& listener : listeners_) {
    accept_all(listener);
  }
  shutting_down_ = true;
  pause_accepting();
  listeners_.clear();
  const Instant now = monotonic_now();
  cut_at_ = now + options_.shutdown_timeout;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (Client* const client = slots_[i].client.get()) {
      read(*client, now);  // what has arrived before is still answered
      client->connection.start_shutdown(now);
      flush(*client, now);
    }
  }
  end_turn();
  stop_if_empty();
}

void DoorThread::drop_all() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (Client* const client = slots_[i].client.get()) {
      drop(*client);
    }
  }
  context_.stop();
}

void DoorThread::stop_if_empty() {
  if (shutting_down_ && free_slots_.size() == slots_.size()) {
    context_.stop();
  }
}

}  // namespace kvs
