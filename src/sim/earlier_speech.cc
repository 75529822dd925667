#include "sim/earlier_speech.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

namespace kvs {

PeerSend EarlierSpeech::said(const PeerSend& send) {
  const auto* const meant = std::get_if<Finish>(send.request.get());
  if (meant == nullptr) {
    return send;
  }
  Settle early{.run = meant->run, .records = {}, .drops = {}};
  Finish late{.run = meant->run, .knowledge = meant->knowledge, .drops = {}};
  std::ranges::partition_copy(meant->drops, std::back_inserter(early.drops),
                              std::back_inserter(late.drops),
                              [](const PeerItem& dead) { return dead.header.live(); });
  if (early.drops.empty()) {
    return send;
  }
  PeerSend first = send;
  first.request = std::make_shared<const PeerRequest>(std::move(early));
  PeerSend& end = ends_.insert_or_assign(send.id, send).first->second;
  end.request = std::make_shared<const PeerRequest>(std::move(late));
  return first;
}

std::optional<PeerSend> EarlierSpeech::next(const PeerReturn& returned) {
  auto end = ends_.extract(returned.id);
  const bool heard = returned.failure == PeerReturn::Failure::none &&
                     std::holds_alternative<Done>(returned.answer);
  return end && heard ? std::optional(std::move(end.mapped())) : std::nullopt;
}

}  // namespace kvs
