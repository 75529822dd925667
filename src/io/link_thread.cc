#include "io/link_thread.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "base/check.h"
#include "io/os.h"
#include "wire/peer_codec.h"

namespace kvs {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// How often idle connections and empty lines are looked at.
constexpr Duration kTidyInterval = Duration::from_seconds(1);

std::size_t index_of(Channel channel) {
  return static_cast<std::size_t>(channel);
}

/// The code that an answer other than 200 stands for; nothing if it is none that a node gives to a
/// call.
std::optional<Errc> refusal_of(unsigned status) {
  switch (status) {
    case 409:
      return Errc::cluster_mismatch;
    case 413:
      return Errc::value_too_large;
    case 501:
      return Errc::not_implemented;
    case 503:
      return Errc::overloaded;
    default:
      return std::nullopt;
  }
}

PeerReturn read_answer(CallId id, const PeerResponse& response, std::size_t frame_bytes_max) {
  PeerReturn returned;
  returned.id = id;
  if (const auto refusal = refusal_of(response.status)) {
    returned.answer = Refused{.code = *refusal, .detail = "the peer's door refused the call"};
    return returned;
  }
  constexpr unsigned kOk = 200;
  if (response.status == kOk) {
    auto decoded = decode_answer(response.body, {.frame_bytes_max = frame_bytes_max});
    if (decoded) {
      returned.envelope = decoded->envelope;
      returned.answer = std::move(decoded->message);
      return returned;
    }
  }
  returned.failure = PeerReturn::Failure::garbled;
  return returned;
}

}  // namespace

LinkThread::LinkThread(PeerLinksOptions options, PeerLinks::Returned returned)
    : options_(std::move(options)),
      returned_(std::move(returned)),
      context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      timer_(context_),
      names_(context_, options_.name_age_max) {}

LinkThread::~LinkThread() {
  stop();
}

void LinkThread::start() {
  await_due();
  thread_ = std::thread([this] {
    const auto guard = asio::make_work_guard(context_);
    context_.run();
  });
}

void LinkThread::stop() {
  context_.stop();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void LinkThread::send(std::vector<PeerSend>&& sends) {
  bool was_empty = false;
  {
    const std::lock_guard lock(inbox_mutex_);
    was_empty = inbox_.empty();
    if (was_empty) {
      inbox_ = std::move(sends);
    } else {
      inbox_.insert(inbox_.end(), std::move_iterator(sends.begin()),
                    std::move_iterator(sends.end()));
    }
  }
  sends.clear();
  if (was_empty) {
    asio::post(context_, [this] { take_sends(); });
  }
}

void LinkThread::post(std::function<void()> letter) {
  asio::post(context_, std::move(letter));
}

LinkCounters LinkThread::counters(Channel channel) const {
  const Counters& from = counters_[index_of(channel)];
  const std::uint64_t closed = from.closed.load();  // first, so that open cannot become negative
  const std::uint64_t opened = from.opened.load();
  return {.answered = from.answered.load(),
          .refused = from.refused.load(),
          .timed_out = from.timed_out.load(),
          .garbled = from.garbled.load(),
          .repeated = from.repeated.load(),
          .connections_opened = opened,
          .connections_open = opened - closed,
          .bytes_sent = from.bytes_sent.load(),
          .bytes_received = from.bytes_received.load()};
}

// Calls

void LinkThread::take_sends() {
  std::vector<PeerSend> sends;
  {
    const std::lock_guard lock(inbox_mutex_);
    sends.swap(inbox_);
  }
  const Instant now = monotonic_now();
  for (PeerSend& send : sends) {
    begin(std::move(send), now);
  }
}

void LinkThread::begin(PeerSend&& send, Instant now) {
  Line* const line = line_of(send);
  if (line == nullptr) {
    return fail_without_call(send, PeerReturn::Failure::refused_connection);
  }
  if (line->waiting.size() >= options_.waiting_max) {
    return fail_without_call(send, PeerReturn::Failure::timed_out);
  }
  const CallNumber number = ++last_call_;
  const Instant deadline = now + send.timeout;
  Call& call = calls_[number];
  call.send = std::move(send);
  call.line = line;
  call.deadline = deadline;
  set_due(number, call, deadline);
  line->waiting.push_back(number);
  serve(*line);
}

/// Null if the address is none.
LinkThread::Line* LinkThread::line_of(const PeerSend& send) {
  const std::pair key(send.address, send.channel);
  const auto known = lines_.find(key);
  if (known != lines_.end()) {
    return &known->second;
  }
  auto address = parse_address(send.address);
  if (!address) {
    return nullptr;
  }
  Line& line = lines_[key];
  line.text = send.address;
  line.address = *std::move(address);
  line.channel = send.channel;
  return &line;
}

/// Gives connections to calls that wait in `line`, as long as there are any.
void LinkThread::serve(Line& line) {
  while (!line.waiting.empty()) {
    const CallNumber number = line.waiting.front();
    Seat* const seat = seat_for(line, calls_.at(number));
    if (seat == nullptr) {
      return;
    }
    line.waiting.pop_front();
    put_on(*seat, number);
  }
}

void LinkThread::put_on(Seat& seat, CallNumber number) {
  Call& call = calls_.at(number);
  call.seat = &seat;
  seat.call = number;
  const PeerSend& send = call.send;
  const WireOptions options =
      options_.wire_options_of ? options_.wire_options_of(send.envelope.receiver) : WireOptions{};
  std::string request;
  append_peer_request(path_of(*send.request), seat.line->text,
                      encode(send.envelope, *send.request, options), request);
  seat.link->ask(std::move(request));
  if (!seat.is_connected) {
    set_due(number, call, std::min(call.deadline, monotonic_now() + options_.connect_timeout));
  }
}

/// Once more, before all others of its line, on a fresh connection.
void LinkThread::repeat(CallNumber number) {
  Call& call = calls_.at(number);
  call.is_repeated = true;
  call.seat = nullptr;
  counters_[index_of(call.send.channel)].repeated.fetch_add(1);
  call.line->waiting.push_front(number);
}

void LinkThread::end_call(CallNumber number, PeerReturn&& returned) {
  const auto found = calls_.find(number);
  const Call& call = found->second;
  due_.erase({call.due, number});
  if (call.seat != nullptr) {
    call.seat->call.reset();
  } else {
    std::erase(call.line->waiting, number);
  }
  count(call.send.channel, returned.failure);
  calls_.erase(found);
  give_back(std::move(returned));
}

void LinkThread::fail_call(CallNumber number, PeerReturn::Failure failure) {
  PeerReturn returned;
  returned.id = calls_.at(number).send.id;
  returned.failure = failure;
  end_call(number, std::move(returned));
}

void LinkThread::fail_without_call(const PeerSend& send, PeerReturn::Failure failure) {
  PeerReturn returned;
  returned.id = send.id;
  returned.failure = failure;
  count(send.channel, failure);
  give_back(std::move(returned));
}

void LinkThread::count(Channel channel, PeerReturn::Failure failure) {
  Counters& counters = counters_[index_of(channel)];
  switch (failure) {
    case PeerReturn::Failure::none:
      counters.answered.fetch_add(1);
      break;
    case PeerReturn::Failure::refused_connection:
      counters.refused.fetch_add(1);
      break;
    case PeerReturn::Failure::timed_out:
      counters.timed_out.fetch_add(1);
      break;
    case PeerReturn::Failure::garbled:
      counters.garbled.fetch_add(1);
      break;
  }
}

/// What ends in one go of the loop goes back together.
void LinkThread::give_back(PeerReturn&& returned) {
  if (returns_.empty()) {
    asio::post(context_, [this] {
      std::vector<PeerReturn> returns;
      returns.swap(returns_);
      returned_(returns);
    });
  }
  returns_.push_back(std::move(returned));
}

// Connections

/// Null if the call has to wait.
LinkThread::Seat* LinkThread::seat_for(Line& line, const Call& call) {
  if (!call.is_repeated) {
    if (Seat* const seat = idle_seat(&line)) {
      return seat;
    }
  }
  if (line.seats >= options_.connections_per_peer_max) {
    Seat* const idle = idle_seat(&line);  // kept, so as doubtful as the one that was closed
    if (idle == nullptr) {
      return nullptr;
    }
    close_seat(*idle);
  }
  if (seats_.size() >= options_.connections_max) {
    Seat* const oldest = idle_seat(nullptr);
    if (oldest == nullptr) {
      starved_.insert(&line);
      return nullptr;
    }
    close_seat(*oldest);
  }
  return open_seat(line);
}

/// The one of `line` that was used last; of all, if there is no line, the one idle for longest.
LinkThread::Seat* LinkThread::idle_seat(Line* line) {
  Seat* best = nullptr;
  for (auto& [link, seat] : seats_) {
    if (seat.call || !seat.is_connected || (line != nullptr && seat.line != line)) {
      continue;
    }
    const bool is_better =
        best == nullptr ||
        (line != nullptr ? seat.idle_since > best->idle_since : seat.idle_since < best->idle_since);
    if (is_better) {
      best = &seat;
    }
  }
  return best;
}

LinkThread::Seat* LinkThread::open_seat(Line& line) {
  const auto link = std::make_shared<PeerLink>(context_, static_cast<LinkOwner&>(*this), scratch_,
                                               options_.frame_bytes_max);
  Seat& seat = seats_[link.get()];
  seat.link = link;
  seat.line = &line;
  ++line.seats;
  counters_[index_of(line.channel)].opened.fetch_add(1);
  // Posted, so that nothing ends while it is being begun.
  asio::post(context_, [this, link, address = line.address] {
    names_.resolve(address, [this, link](const PeerNames::Endpoints& endpoints) {
      if (link->is_closed()) {
        return;
      }
      if (endpoints.empty()) {
        link->close();
        return broken(*link, Fault::lost);
      }
      link->connect(endpoints);
    });
  });
  return &seat;
}

/// Forgets a connection that has closed.
void LinkThread::remove_seat(Seat& seat) {
  --seat.line->seats;
  counters_[index_of(seat.line->channel)].closed.fetch_add(1);
  seats_.erase(seat.link.get());
}

void LinkThread::close_seat(Seat& seat) {
  seat.link->close();
  remove_seat(seat);
}

/// A connection became free or closed: others may have waited for that.
void LinkThread::serve_starved() {
  while (!starved_.empty()) {
    Line* const line = *starved_.begin();
    starved_.erase(starved_.begin());
    serve(*line);
    if (starved_.contains(line)) {
      return;
    }
  }
}

// What happens on links

void LinkThread::connected(PeerLink& link) {
  Seat& seat = seats_.at(&link);
  seat.is_connected = true;
  if (seat.call) {
    Call& call = calls_.at(*seat.call);
    set_due(*seat.call, call, call.deadline);
    return;
  }
  seat.idle_since = monotonic_now();
  serve(*seat.line);
}

void LinkThread::answered(PeerLink& link, const PeerResponse& response) {
  Seat& seat = seats_.at(&link);
  KVS_CHECK(seat.call.has_value(), "an answer without a call");
  const CallNumber number = *seat.call;
  end_call(number, read_answer(calls_.at(number).send.id, response, options_.frame_bytes_max));
  Line& line = *seat.line;
  if (link.is_closed()) {
    remove_seat(seat);
  } else {
    seat.has_answered = true;
    seat.idle_since = monotonic_now();
  }
  serve(line);
  serve_starved();
}

void LinkThread::broken(PeerLink& link, Fault fault) {
  Seat& seat = seats_.at(&link);
  Line& line = *seat.line;
  if (seat.call) {
    const CallNumber number = *seat.call;
    const bool was_kept = seat.has_answered && !link.answer_started();
    if (fault == Fault::lost && was_kept && !calls_.at(number).is_repeated) {
      seat.call.reset();
      repeat(number);
    } else {
      fail_call(number, fault == Fault::lost ? PeerReturn::Failure::refused_connection
                                             : PeerReturn::Failure::garbled);
    }
  }
  remove_seat(seat);
  serve(line);
  serve_starved();
}

void LinkThread::count_sent(const PeerLink& link, std::size_t bytes) {
  counters_of(link).bytes_sent.fetch_add(bytes);
}

void LinkThread::count_received(const PeerLink& link, std::size_t bytes) {
  counters_of(link).bytes_received.fetch_add(bytes);
}

LinkThread::Counters& LinkThread::counters_of(const PeerLink& link) {
  return counters_[index_of(seats_.at(&link).line->channel)];
}

// Time

void LinkThread::set_due(CallNumber number, Call& call, Instant due) {
  due_.erase({call.due, number});
  call.due = due;
  due_.emplace(due, number);
  if (due < awaited_) {
    await_due();
  }
}

/// Sets the timer for the first deadline, if it runs longer now.
void LinkThread::await_due() {
  const Instant tidy = monotonic_now() + kTidyInterval;
  const Instant first = due_.empty() ? tidy : std::min(tidy, due_.begin()->first);
  if (awaited_ <= first) {
    return;
  }
  awaited_ = first;
  using Time = std::chrono::steady_clock::time_point;  // the clock of Instant (io/os)
  timer_.expires_at(Time(std::chrono::nanoseconds(first.ns)));
  timer_.async_wait([this](error_code error) {
    if (!error) {
      act_on_time();
    }
  });
}

void LinkThread::act_on_time() {
  awaited_ = Instant::never();
  const Instant now = monotonic_now();
  while (!due_.empty() && due_.begin()->first <= now) {
    const CallNumber number = due_.begin()->second;
    Seat* const seat = calls_.at(number).seat;
    Line* const line = calls_.at(number).line;
    fail_call(number, PeerReturn::Failure::timed_out);
    if (seat != nullptr) {
      close_seat(*seat);
    }
    serve(*line);
  }
  tidy(now);
  serve_starved();
  await_due();
}

void LinkThread::tidy(Instant now) {
  for (auto next = seats_.begin(); next != seats_.end();) {
    Seat& seat = (next++)->second;
    if (!seat.call && seat.is_connected && now - seat.idle_since >= options_.idle_timeout) {
      close_seat(seat);
    }
  }
  std::erase_if(lines_, [this](const auto& entry) {
    const Line& line = entry.second;
    return line.seats == 0 && line.waiting.empty() && !starved_.contains(&line);
  });
}

}  // namespace kvs
