#include "core/remote_reads.h"

#include <algorithm>
#include <utility>

#include "base/probe.h"
#include "core/call.h"

namespace kvs {

namespace {

std::string_view sentence_for(Errc code) {
  return code == Errc::overloaded
             ? "too many reads wait for other nodes: try again"
             : "this node still fetches data, and no member that has it all could be asked: read "
               "from another, or try again";
}

}  // namespace

void RemoteReads::ask(Ticket ticket, std::string path, Effects& effects) {
  Read read{.ticket = ticket, .path = std::move(path), .tried = {}};
  if (waiting_.size() + asked_ >= options_.reads_max) {
    KVS_PROBE("remote_reads: too many reads wait");
    return refuse(read, Errc::overloaded, effects);
  }
  waiting_.push_back(std::move(read));
  send_some(effects);
}

/// A member that has not failed this read yet and may hold everything; suspects last.
const Member* RemoteReads::choose_donor(const Read& read) {
  if (view_ == nullptr || read.tried.size() >= options_.attempts_max) {
    return nullptr;
  }
  std::vector<const Member*> donors = view_->peers();
  std::erase_if(donors, [&](const Member* peer) {
    return peer->mode == Mode::syncing ||
           std::ranges::find(read.tried, peer->instance) != read.tried.end();
  });
  const auto is_alive = [](const Member* peer) {
    return peer->state == MemberState::alive;
  };
  if (std::ranges::any_of(donors, is_alive)) {
    std::erase_if(donors, [&](const Member* peer) { return !is_alive(peer); });
  }
  return donors.empty() ? nullptr : donors[prng_.below(donors.size())];
}

void RemoteReads::send_some(Effects& effects) {
  while (!waiting_.empty() && calls_.size() < options_.calls_max) {
    const Member* const donor = choose_donor(waiting_.front());
    if (donor == nullptr) {
      refuse(waiting_.front(), Errc::syncing, effects);
      waiting_.pop_front();
      continue;
    }
    Call call{.peer = donor->instance, .reads = {}};
    Fetch fetch;
    while (!waiting_.empty() && call.reads.size() < options_.paths_per_call &&
           std::ranges::find(waiting_.front().tried, donor->instance) ==
               waiting_.front().tried.end()) {
      fetch.paths.push_back(waiting_.front().path);
      call.reads.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    const CallId id = make_call_id(Caller::reads, ++last_call_);
    effects.sends.push_back({.id = id,
                             .address = donor->address,
                             .channel = Channel::bulk,
                             .timeout = options_.call_timeout,
                             .envelope = {.receiver = donor->instance},
                             .request = std::make_shared<const PeerRequest>(std::move(fetch))});
    asked_ += call.reads.size();
    calls_.emplace(id, std::move(call));
  }
}

void RemoteReads::returned(const PeerReturn& returned, const Replica::Terms& terms,
                           Effects& effects) {
  const auto at = calls_.find(returned.id);
  if (at == calls_.end()) {
    return;
  }
  Call call = std::move(at->second);
  calls_.erase(at);
  asked_ -= call.reads.size();
  const auto* const fetched = std::get_if<Fetched>(&returned.answer);
  if (returned.failure == PeerReturn::Failure::none && fetched != nullptr) {
    sort_out(call, *fetched, terms, effects);
  } else {
    KVS_PROBE("remote_reads: a member did not answer");
    for (Read& read : call.reads) {
      try_another(call.peer, std::move(read), effects);
    }
  }
  send_some(effects);
}

/// Records come in the order of the paths; of what follows the last one nothing is said if the
/// answer was cut.
void RemoteReads::sort_out(Call& call, const Fetched& answer, const Replica::Terms& terms,
                           Effects& effects) {
  auto record = answer.records.begin();
  for (Read& read : call.reads) {
    if (record != answer.records.end() && record->path == read.path) {
      found(read, *record, terms, effects);
      ++record;
    } else if (record == answer.records.end() && answer.cut && !answer.records.empty()) {
      KVS_PROBE("remote_reads: an answer was cut");
      waiting_.push_front(std::move(read));
    } else if (answer.partial || answer.cut) {
      try_another(call.peer, std::move(read), effects);
    } else {
      ++stats_.absent;
      this->answer(read, Fetched{}, effects);
    }
  }
}

void RemoteReads::try_another(Instance peer, Read read, Effects& effects) {
  read.tried.push_back(peer);
  if (choose_donor(read) == nullptr) {
    return refuse(read, Errc::syncing, effects);
  }
  waiting_.push_front(std::move(read));
}

void RemoteReads::found(const Read& read, const PeerRecord& record, const Replica::Terms& terms,
                        Effects& effects) {
  ++stats_.found;
  replica_.take_kept(record, terms, effects);
  effects.peer_replies.push_back(
      {.ticket = read.ticket, .envelope = {}, .answer = Fetched{.records = {record}}});
}

void RemoteReads::answer(const Read& read, PeerAnswer with, Effects& effects) {
  effects.answers.push_back({.ticket = read.ticket, .envelope = {}, .answer = std::move(with)});
}

void RemoteReads::refuse(const Read& read, Errc code, Effects& effects) {
  ++stats_.failed;
  answer(read, Refused{.code = code, .detail = std::string(sentence_for(code))}, effects);
}

}  // namespace kvs
