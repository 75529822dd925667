// Members: what peers ask, and what came of its own calls.
#include <algorithm>
#include <array>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/mutant.h"
#include "base/probe.h"
#include "core/members.h"

namespace kvs {

namespace {

constexpr std::size_t kListRowsMax = kMembersMax + kHiddenMembersMax;
constexpr std::uint64_t kDoorstepAttempts = 2;

/// How long one that helps waits for the target: the answer has to be back before the prober, who
/// allows a probe timeout, gives up and takes the helper for silent (Lifeguard).
Duration help_timeout(Duration probe_timeout) {
  return KVS_MUTATED(helper_waits_too_long) ? probe_timeout : Duration{probe_timeout.ns / 5 * 4};
}

/// The rows on any answer of the members' rooms.
const std::vector<Member>* rows_of(const PeerAnswer& answer) {
  if (const auto* pong = std::get_if<Pong>(&answer)) {
    return &pong->news;
  }
  if (const auto* no_pong = std::get_if<NoPong>(&answer)) {
    return &no_pong->news;
  }
  const auto* rows = std::get_if<MemberRows>(&answer);
  return rows != nullptr ? &rows->rows : nullptr;
}

}  // namespace

// --- requests

void Members::reply(Ticket ticket, PeerAnswer answer, Effects& effects) {
  effects.answers.push_back({.ticket = ticket, .envelope = {}, .answer = std::move(answer)});
}

void Members::refuse(Ticket ticket, Errc code, std::string_view detail, Effects& effects) {
  ++calls_refused_;
  reply(ticket, Refused{.code = code, .detail = std::string(detail)}, effects);
}

void Members::called(const Now& now, const PeerCall& call, Effects& effects) {
  const PeerEnvelope& envelope = call.envelope;
  if (envelope.cluster != cluster_) {
    refuse(call.ticket, Errc::cluster_mismatch, "this node belongs to another cluster", effects);
    return;
  }
  if (envelope.receiver != Instance{} && envelope.receiver != ledger_.table().self()) {
    refuse(call.ticket, Errc::not_found, "another instance listens here", effects);
    return;
  }
  heard_from(now, envelope);
  if (const auto* ping = std::get_if<Ping>(&call.request)) {
    answer_ping(now, call, *ping, effects);
  } else if (const auto* ask = std::get_if<PingOther>(&call.request)) {
    answer_ping_other(now, call, *ask, effects);
  } else if (const auto* join = std::get_if<Join>(&call.request)) {
    answer_join(now, call, *join, effects);
  } else if (const auto* compare = std::get_if<CompareMembers>(&call.request)) {
    answer_compare(call, *compare, effects);
  } else if (const auto* rows = std::get_if<MemberRows>(&call.request)) {
    answer_rows(now, call, *rows, effects);
  } else {
    refuse(call.ticket, Errc::not_implemented, "not a call about members", effects);
  }
  follow_up(now, effects);
}

void Members::answer_ping(const Now& now, const PeerCall& call, const Ping& ping,
                          Effects& effects) {
  if (ping.news.size() > kNewsRowsMax) {
    refuse(call.ticket, Errc::bad_request, "too many rows on a ping", effects);
    return;
  }
  take(now, ping.news, NewsSource::Kind::rumors, call.envelope);
  reply(call.ticket, Pong{.news = ledger_.news().for_answer(ping.news, call.envelope.sender)},
        effects);
}

void Members::answer_ping_other(const Now& now, const PeerCall& call, const PingOther& ask,
                                Effects& effects) {
  if (ask.news.size() > kNewsRowsMax) {
    refuse(call.ticket, Errc::bad_request, "too many rows on a ping", effects);
    return;
  }
  take(now, ask.news, NewsSource::Kind::rumors, call.envelope);
  if (ask.target == ledger_.table().self()) {
    reply(call.ticket, Pong{.news = ledger_.news().for_answer(ask.news, call.envelope.sender)},
          effects);
    return;
  }
  // Only members are pinged, and where this node knows them to be: nobody can make it call others.
  const Member* target = find(ask.target);
  if (target == nullptr || calls_.count(MemberCall::Kind::helping) >= kHelpingMax) {
    KVS_PROBE("members: help to ping is not given");
    reply(call.ticket, NoPong{.news = ledger_.news().for_answer(ask.news, call.envelope.sender)},
          effects);
    return;
  }
  calls_.send(now.instant,
              {.kind = MemberCall::Kind::helping,
               .target = target->instance,
               .address = target->address,
               .ticket = call.ticket},
              help_timeout(options_.probe_timeout),
              Ping{.news = ledger_.news().for_ping(target->instance)}, effects);
}

void Members::answer_join(const Now& now, const PeerCall& call, const Join& join,
                          Effects& effects) {
  const Member& row = join.joiner;
  if (!is_plausible(row) || row.state != MemberState::alive ||
      row.instance != call.envelope.sender) {
    refuse(call.ticket, Errc::bad_request, "this is no row of a joining member", effects);
    return;
  }
  if (leaving()) {
    refuse(call.ticket, Errc::shutting_down, "this node is leaving", effects);
    return;
  }
  open_door(now, {.ticket = call.ticket, .row = row}, effects);
}

const Member* Members::holder_of_id(const Member& joiner) const {
  for (const MemberEntry& entry : ledger_.table().entries()) {
    const Member& member = entry.member;
    if (entry.listed && member.instance != joiner.instance && member.node_id == joiner.node_id) {
      return &member;
    }
  }
  return nullptr;
}

/// Lets a joiner in, unless another member has its id and lives. One that has failed makes room;
/// one that is held to live is pinged first.
void Members::open_door(const Now& now, Joiner joiner, Effects& effects) {
  const Member* holder = holder_of_id(joiner.row);
  while (holder != nullptr && holder->state == MemberState::failed) {
    ledger_.retire(now, holder->instance);
    holder = holder_of_id(joiner.row);
  }
  if (holder == nullptr || KVS_MUTATED(member_id_used_twice)) {
    admit(now, joiner, effects);
    return;
  }
  if (holder->instance == ledger_.table().self()) {
    refuse(joiner.ticket, Errc::id_in_use, "the node that answers has this id", effects);
    return;
  }
  if (joiners_.size() >= options_.joiners_max) {
    KVS_PROBE("members: too many joiners wait");
    refuse(joiner.ticket, Errc::overloaded, "too many nodes are joining", effects);
    return;
  }
  joiner.holder = holder->instance;
  ++joiner.attempts;
  calls_.send(now.instant,
              {.kind = MemberCall::Kind::doorstep,
               .target = holder->instance,
               .address = holder->address,
               .ticket = joiner.ticket},
              options_.probe_timeout, Ping{.news = ledger_.news().for_ping(holder->instance)},
              effects);
  joiners_.push_back(std::move(joiner));
}

void Members::admit(const Now& now, const Joiner& joiner, Effects& effects) {
  const std::vector<Member> told{joiner.row};
  std::vector<Member> rows = ledger_.table().contradictions(told);
  std::erase_if(rows, [this](const Member& row) { return find(row.instance) != nullptr; });
  ledger_.take(now, told,
               {.kind = NewsSource::Kind::rumors,
                .sender = joiner.row.instance,
                .sender_run = joiner.row.run});
  // All that is listed, and if the joiner had been taken off the list, what it has to outbid.
  const std::vector<Member> listed = ledger_.table().listed_rows();
  rows.insert(rows.begin(), listed.begin(), listed.end());
  reply(joiner.ticket, MemberRows{.rows = std::move(rows)}, effects);
}

void Members::answer_compare(const PeerCall& call, const CompareMembers& compare,
                             Effects& effects) {
  if (compare.bucket_hashes.size() != kMemberBuckets) {
    refuse(call.ticket, Errc::bad_request, "not the number of buckets", effects);
    return;
  }
  const BucketHashes& mine = ledger_.table().bucket_hashes();
  MemberRows answer;
  if (!std::ranges::equal(mine, compare.bucket_hashes)) {
    for (Member& row : ledger_.table().listed_rows()) {
      const std::size_t bucket = bucket_of(row.instance);
      // This node's own row always comes first: it says who answers.
      if (answer.rows.empty() || mine[bucket] != compare.bucket_hashes[bucket]) {
        answer.rows.push_back(std::move(row));
      }
    }
    // What the caller itself has to outbid, if it had been taken off the list.
    const MemberEntry* caller = ledger_.table().find(call.envelope.sender);
    if (caller != nullptr && !caller->listed) {
      answer.rows.push_back(caller->member);
    }
  }
  reply(call.ticket, std::move(answer), effects);
}

void Members::answer_rows(const Now& now, const PeerCall& call, const MemberRows& rows,
                          Effects& effects) {
  if (rows.rows.size() > kListRowsMax) {
    refuse(call.ticket, Errc::bad_request, "more rows than members can be", effects);
    return;
  }
  std::vector<Member> newer = ledger_.table().contradictions(rows.rows);
  take(now, rows.rows, NewsSource::Kind::list, call.envelope);
  if (newer.empty()) {
    reply(call.ticket, Done{}, effects);
  } else {
    reply(call.ticket, MemberRows{.rows = std::move(newer)}, effects);
  }
}

void Members::take(const Now& now, const std::vector<Member>& rows, NewsSource::Kind kind,
                   const PeerEnvelope& envelope) {
  ledger_.take(now, rows,
               {.kind = kind, .sender = envelope.sender, .sender_run = envelope.sender_run});
}

// --- returns

bool Members::is_answer_of(const PeerReturn& returned, Instance target) const {
  return returned.failure == PeerReturn::Failure::none && returned.envelope.cluster == cluster_ &&
         returned.envelope.sender == target && !std::holds_alternative<Refused>(returned.answer);
}

void Members::returned(const Now& now, const PeerReturn& returned, Effects& effects) {
  const std::optional<MemberCall> call = calls_.take(returned.id);
  if (!call) {
    return;
  }
  const bool answered =
      returned.failure == PeerReturn::Failure::none && returned.envelope.cluster == cluster_;
  if (answered) {
    heard_from(now, returned.envelope);
    measure(now, *call, returned);
  }
  dispatch(now, *call, returned, effects);
  follow_up(now, effects);
}

void Members::dispatch(const Now& now, const MemberCall& call, const PeerReturn& returned,
                       Effects& effects) {
  const std::vector<Member>* rows = rows_of(returned.answer);
  const bool answered = is_answer_of(returned, returned.envelope.sender) && rows != nullptr;
  const bool by_target = answered && returned.envelope.sender == call.target;
  if (answered && rows->size() <= kNewsRowsMax &&
      !std::holds_alternative<MemberRows>(returned.answer)) {
    take(now, *rows, NewsSource::Kind::rumors, returned.envelope);
  }
  switch (call.kind) {
    case MemberCall::Kind::probe:
      detector_.probe_returned(
          now.instant, call,
          by_target ? FailureDetector::Pinged::answered : FailureDetector::Pinged::not_answered,
          effects);
      return;
    case MemberCall::Kind::helped_probe: {
      using Help = FailureDetector::Help;
      const bool pong = answered && std::holds_alternative<Pong>(returned.answer);
      const bool no_pong = answered && std::holds_alternative<NoPong>(returned.answer);
      detector_.help_returned(now.instant, call,
                              pong      ? Help::answered
                              : no_pong ? Help::not_answered
                                        : Help::none);
      return;
    }
    case MemberCall::Kind::helping:
      helped(now, call, returned, effects);
      return;
    case MemberCall::Kind::doorstep:
      doorstep_returned(now, call, returned, effects);
      return;
    case MemberCall::Kind::twin:
      twin_returned(returned);
      return;
    case MemberCall::Kind::join:
      join_returned(now, call, returned);
      return;
    case MemberCall::Kind::compare:
      compare_returned(now, call, returned, effects);
      return;
    case MemberCall::Kind::rows:
      if (answered && rows->size() <= kListRowsMax) {
        take(now, *rows, NewsSource::Kind::list, returned.envelope);
      }
      return;
    case MemberCall::Kind::spread:
      if (by_target) {
        detector_.answered(call.target);
      }
      return;
    case MemberCall::Kind::farewell:
      return;
  }
}

void Members::measure(const Now& now, const MemberCall& call, const PeerReturn& returned) {
  MemberEntry* entry = ledger_.table().find(returned.envelope.sender);
  // An answer to Join or to PingOther may have waited for something else.
  const bool prompt = call.kind == MemberCall::Kind::probe || call.kind == MemberCall::Kind::spread;
  if (entry == nullptr || !prompt || returned.envelope.sender != call.target) {
    return;
  }
  const bool first = entry->round_trip == Duration{};
  entry->round_trip = std::max(now.instant - call.sent, Duration{1});
  const std::int64_t ahead_ms =
      returned.envelope.wall_ms - (now.wall.ms - entry->round_trip.ms() / 2);
  clocks_moved_ += first || entry->clock_ahead_ms != ahead_ms ? 1U : 0U;
  entry->clock_ahead_ms = ahead_ms;
}

void Members::helped(const Now& /*now*/, const MemberCall& call, const PeerReturn& returned,
                     Effects& effects) {
  std::vector<Member> news = ledger_.news().for_ping(Instance{});
  if (is_answer_of(returned, call.target)) {
    reply(call.ticket, Pong{.news = std::move(news)}, effects);
  } else {
    reply(call.ticket, NoPong{.news = std::move(news)}, effects);
  }
}

void Members::doorstep_returned(const Now& now, const MemberCall& call, const PeerReturn& returned,
                                Effects& effects) {
  const auto it = std::ranges::find(joiners_, call.ticket, &Joiner::ticket);
  if (it == joiners_.end()) {
    return;
  }
  Joiner joiner = std::move(*it);
  joiners_.erase(it);
  if (is_answer_of(returned, call.target)) {
    refuse(joiner.ticket, Errc::id_in_use,
           fmt::format("the live member at {} has this id", call.address), effects);
    return;
  }
  if (returned.failure != PeerReturn::Failure::timed_out || joiner.attempts >= kDoorstepAttempts) {
    KVS_PROBE("members: a joiner takes the id of a dead member");
    ledger_.retire(now, joiner.holder);
  }
  open_door(now, std::move(joiner), effects);
}

void Members::join_returned(const Now& now, const MemberCall& call, const PeerReturn& returned) {
  using Joined = Meetings::Joined;
  const PeerEnvelope& envelope = returned.envelope;
  const Member& own = ledger_.table().own();
  if (const auto* refused = std::get_if<Refused>(&returned.answer);
      refused != nullptr && returned.failure == PeerReturn::Failure::none) {
    const bool clash = refused->code == Errc::id_in_use;
    const bool stranger = refused->code == Errc::cluster_mismatch;
    if (clash || stranger) {
      ledger_.note(
          {.kind = clash ? MemberEvent::Kind::id_in_use : MemberEvent::Kind::cluster_mismatch,
           .instance = envelope.sender,
           .node_id = own.node_id,
           .address = call.address,
           .detail = refused->detail});
    }
    meetings_.join_returned(now.instant, call,
                            clash || stranger ? Joined::refused : Joined::unreachable);
    return;
  }
  const auto* list = std::get_if<MemberRows>(&returned.answer);
  if (!is_answer_of(returned, envelope.sender) || list == nullptr ||
      list->rows.size() > kListRowsMax) {
    meetings_.join_returned(now.instant, call, Joined::unreachable);
    return;
  }
  if (envelope.sender == own.instance && envelope.sender_run == own.run) {
    meetings_.join_returned(now.instant, call, Joined::itself);
    return;
  }
  // For a node that stood alone the list is no news to anybody else.
  const bool was_alone = ledger_.table().live_count() == 1;
  take(now, list->rows, NewsSource::Kind::list, envelope);
  if (was_alone) {
    ledger_.news().rumors().keep_only(own.instance);
  }
  meetings_.join_returned(now.instant, call, Joined::let_in);
}

void Members::compare_returned(const Now& now, const MemberCall& call, const PeerReturn& returned,
                               Effects& effects) {
  const auto* answer = std::get_if<MemberRows>(&returned.answer);
  const Member& own = ledger_.table().own();
  if (!is_answer_of(returned, returned.envelope.sender) || answer == nullptr ||
      answer->rows.empty() || answer->rows.size() > kListRowsMax) {
    return;
  }
  if (returned.envelope.sender == own.instance && returned.envelope.sender_run == own.run) {
    meetings_.forget_seed(call.address);
    return;
  }
  meetings_.differed(now.instant);
  std::vector<Member> newer = ledger_.table().contradictions(answer->rows);
  take(now, answer->rows, NewsSource::Kind::list, returned.envelope);
  calls_.send(
      now.instant,
      {.kind = MemberCall::Kind::rows, .target = returned.envelope.sender, .address = call.address},
      Meetings::kCallTimeout, MemberRows{.rows = rows_for(answer->rows, std::move(newer))},
      effects);
}

/// What to tell a node that told `told`: this node's own row, what is newer than it said, and what
/// it did not name, of the buckets that it named; of a small table whatever it did not name.
std::vector<Member> Members::rows_for(const std::vector<Member>& told,
                                      std::vector<Member> newer) const {
  std::set<Instance> named;
  std::array<bool, kMemberBuckets> buckets{};
  for (const Member& row : told) {
    named.insert(row.instance);
    buckets[bucket_of(row.instance)] = true;
  }
  const bool whole = ledger_.table().listed_count() <= kWholeTableRows;
  std::vector<Member> rows{ledger_.table().own()};
  for (Member& row : ledger_.table().listed_rows()) {
    const bool asked = whole || buckets[bucket_of(row.instance)];
    if (asked && row.instance != ledger_.table().self() && !named.contains(row.instance)) {
      rows.push_back(std::move(row));
    }
  }
  std::erase_if(newer,
                [this](const Member& row) { return row.instance == ledger_.table().self(); });
  rows.insert(rows.end(), newer.begin(), newer.end());
  return rows;
}

void Members::twin_returned(const PeerReturn& returned) {
  const Member own = ledger_.table().own();
  const std::vector<Member>* rows = rows_of(returned.answer);
  if (!is_answer_of(returned, own.instance) || returned.envelope.sender_run == own.run ||
      rows == nullptr || rows->empty() || rows->front().instance != own.instance) {
    return;
  }
  KVS_PROBE("members: another process lives on a copy of this data folder");
  const Member& twin = rows->front();
  ledger_.note({.kind = MemberEvent::Kind::twin,
                .instance = own.instance,
                .node_id = twin.node_id,
                .address = twin.address});
  new_instance_wanted_ = new_instance_wanted_ ||
                         std::tie(own.started_ms, own.run) > std::tie(twin.started_ms, twin.run);
}

}  // namespace kvs
