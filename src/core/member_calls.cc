#include "core/member_calls.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace kvs {

CallId MemberCalls::send(Instant now, MemberCall call, Duration timeout, PeerRequest request,
                         Effects& effects) {
  const CallId id = make_call_id(Caller::members, next_++);
  call.sent = now;
  effects.sends.push_back({.id = id,
                           .address = call.address,
                           .channel = Channel::gossip,
                           .timeout = timeout,
                           .envelope = {},
                           .request = std::make_shared<const PeerRequest>(std::move(request))});
  calls_.emplace(id, std::move(call));
  return id;
}

std::optional<MemberCall> MemberCalls::take(CallId id) {
  const auto it = calls_.find(id);
  if (it == calls_.end()) {
    return std::nullopt;
  }
  MemberCall call = std::move(it->second);
  calls_.erase(it);
  return call;
}

std::size_t MemberCalls::count(MemberCall::Kind kind) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(calls_, [kind](const auto& item) { return item.second.kind == kind; }));
}

}  // namespace kvs
