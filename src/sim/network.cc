#include "sim/network.h"

#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/probe.h"

namespace kvs {

namespace {

constexpr std::size_t kOldMax = 64;

/// The number in "n7:80"; nothing if the address is another's.
std::optional<std::uint32_t> machine_of(std::string_view address) {
  std::uint32_t machine = 0;
  const char* end = address.data() + address.size();
  if (!address.starts_with('n')) {
    return std::nullopt;
  }
  const auto [rest, error] = std::from_chars(address.data() + 1, end, machine);
  const bool whole = error == std::errc{} && std::string_view(rest, end) == ":80";
  return whole ? std::optional(machine) : std::nullopt;
}

}  // namespace

Network::Network(World& world, std::uint64_t seed, std::uint32_t machines)
    : world_(world),
      prng_(seed),
      machines_(machines),
      peers_(machines),
      links_(std::size_t{machines} * machines) {}

std::string Network::address_of(std::uint32_t machine) {
  return fmt::format("n{}:80", machine);
}

Duration Network::draw_latency(const Link& link) {
  const std::int64_t drawn = prng_.between(latency_.least.ns, latency_.most.ns);
  return {drawn * link.factor * (strikes(faults_.straggler_rate) ? 20 : 1)};
}

void Network::wake(Duration delay, std::uint32_t machine, Input input, Number subject) {
  world_.schedule(
      delay, {.target = Target::process, .input = input, .subject = subject, .machine = machine});
}

void Network::count(Channel channel, std::size_t bytes) {
  Traffic& traffic = traffic_.at(static_cast<std::size_t>(channel));
  ++traffic.messages;
  traffic.bytes += bytes;
}

// --- requests

void Network::send(std::uint32_t from, const PeerSend& send) {
  const Number number = ++last_;
  Call& call = calls_[number];
  call.from = from;
  call.to = machines_;
  call.channel = send.channel;
  call.result.id = send.id;
  wake(send.timeout, from, Input::call_times_out, number);
  const auto to = machine_of(send.address);
  if (!to || *to >= machines_) {
    return fail(number, PeerReturn::Failure::refused_connection);
  }
  call.to = *to;
  transmit(number, send);
}

void Network::transmit(Number number, const PeerSend& send) {
  const Call& call = calls_.at(number);
  const Link& way = link(call.from, call.to);
  Carrier::Request carried = carrier_.carry(send);
  count(send.channel, carried.bytes);
  if (meter_ != nullptr) {
    meter_->request_leaves(call.from, call.to, send);
  }
  Parcel parcel{.call = number,
                .to = call.to,
                .envelope = carried.envelope,
                .request = std::move(carried.request)};
  if (way.cut || strikes(faults_.loss_rate)) {
    KVS_PROBE("network: a request was lost");
    return;
  }
  if (strikes(faults_.corrupt_rate)) {
    KVS_PROBE("network: a request was garbled");
    carrier_.garble(send);
    return fail(number, PeerReturn::Failure::garbled);
  }
  if (strikes(faults_.duplicate_rate)) {
    KVS_PROBE("network: a request arrived twice");
    Parcel twin = parcel;
    twin.call = 0;
    post(std::move(twin), draw_latency(way));
  }
  keep_for_replay(parcel);
  if (strikes(faults_.replay_rate)) {
    KVS_PROBE("network: an old request arrived again");
    const Parcel& old = old_[prng_.below(old_.size())];
    post(old, draw_latency(way));
  }
  const bool reset = strikes(faults_.reset_rate);
  if (reset) {
    KVS_PROBE("network: a connection broke in the middle of a call");
    fail(number, PeerReturn::Failure::refused_connection);
  }
  if (!reset || prng_.chance(1, 2)) {
    post(std::move(parcel), draw_latency(way));
  }
}

void Network::call_from_outside(std::uint32_t to, const PeerEnvelope& envelope,
                                PeerRequest request) {
  post({.call = 0,
        .to = to,
        .delivered = false,
        .envelope = envelope,
        .request = std::make_shared<const PeerRequest>(std::move(request))},
       draw_latency({}));
}

void Network::post(Parcel parcel, Duration delay) {
  const Number number = ++last_;
  wake(delay, parcel.to, Input::call_arrives, number);
  parcels_.emplace(number, std::move(parcel));
}

/// Keeps a sample of all requests of the run, none of which anybody waits for.
void Network::keep_for_replay(const Parcel& parcel) {
  if (faults_.replay_rate == 0) {
    return;
  }
  Parcel kept = parcel;
  kept.call = 0;
  if (old_.size() < kOldMax) {
    old_.push_back(std::move(kept));
  } else if (prng_.chance(1, 16)) {
    old_[prng_.below(kOldMax)] = std::move(kept);
  }
}

void Network::arrive(Number number) {
  const auto it = parcels_.find(number);
  if (it == parcels_.end()) {
    return;
  }
  Parcel& parcel = it->second;
  if (!peers_.at(parcel.to)->listens()) {
    fail(parcel.call, PeerReturn::Failure::refused_connection);
    parcels_.erase(it);
    return;
  }
  parcel.delivered = true;
  const auto request = std::exchange(parcel.request, nullptr);
  peers_.at(parcel.to)->called(
      {.ticket = Ticket{number}, .envelope = parcel.envelope, .request = *request});
}

// --- answers

void Network::answer(PeerReply reply) {
  const auto parcel = parcels_.extract(static_cast<Number>(reply.ticket));
  if (!parcel) {
    return;
  }
  const auto it = calls_.find(parcel.mapped().call);
  if (it == calls_.end()) {
    KVS_PROBE("network: an answer for which nobody waits");
    return;
  }
  Call& call = it->second;
  if (meter_ != nullptr) {
    meter_->answer_leaves(call.to, call.from, reply);
  }
  Carrier::Answer carried = carrier_.carry(std::move(reply));
  count(call.channel, carried.bytes);
  const Link& way = link(call.to, call.from);
  if (way.cut || strikes(faults_.loss_rate)) {
    KVS_PROBE("network: an answer was lost");
    return;
  }
  if (strikes(faults_.corrupt_rate)) {
    carrier_.garble(carried);
    return fail(it->first, PeerReturn::Failure::garbled);
  }
  call.result.envelope = carried.envelope;
  call.result.answer = std::move(carried.answer);
  wake(draw_latency(way), call.from, Input::return_arrives, it->first);
}

/// The caller will hear that the call failed, if it hears anything.
void Network::fail(Number call, PeerReturn::Failure failure) {
  const auto it = calls_.find(call);
  if (it == calls_.end()) {
    return;
  }
  it->second.result.failure = failure;
  const bool known = it->second.to < machines_;
  const Link way = known ? link(it->second.to, it->second.from) : Link{};
  if (!way.cut) {
    wake(draw_latency(way), it->second.from, Input::return_arrives, call);
  }
}

void Network::finish(Number call, PeerReturn::Failure failure) {
  auto entry = calls_.extract(call);
  if (!entry) {
    return;
  }
  PeerReturn result = std::move(entry.mapped().result);
  if (failure != PeerReturn::Failure::none) {
    result.failure = failure;
  }
  if (result.failure != PeerReturn::Failure::none) {
    result.answer = {};
    result.envelope = {};
  }
  peers_.at(entry.mapped().from)->returned(std::move(result));
}

void Network::handle(const Wake& wake) {
  if (wake.input == Input::call_arrives) {
    return arrive(wake.subject);
  }
  const bool late = wake.input == Input::call_times_out;
  finish(wake.subject, late ? PeerReturn::Failure::timed_out : PeerReturn::Failure::none);
}

void Network::died(std::uint32_t machine, Death death) {
  std::erase_if(calls_, [&](const auto& entry) { return entry.second.from == machine; });
  std::map<Number, Number> broken;  // calls, in the order of their parcels
  std::erase_if(parcels_, [&](const auto& entry) {
    const bool held = entry.second.delivered && entry.second.to == machine;
    if (held && death == Death::process) {
      broken.emplace(entry.first, entry.second.call);
    }
    return held;
  });
  for (const auto& [number, call] : broken) {
    fail(call, PeerReturn::Failure::refused_connection);
  }
}

void Network::heal() {
  faults_ = {};
  links_.assign(links_.size(), {});
}

}  // namespace kvs
