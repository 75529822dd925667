#include "core/ballot.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mutant.h"
#include "base/probe.h"
#include "core/call.h"

namespace kvs {

namespace {

Voter voter_of(const Member& member) {
  return {.instance = member.instance, .joined_ms = member.joined_ms, .node_id = member.node_id};
}

/// A version that may win, so that whoever asks has probably met it, is named by its hash.
CastVote cast(std::string_view path, const std::optional<RecordHeader>& held, bool briefly) {
  if (!held) {
    return std::monostate{};
  }
  if (briefly && !held->version.verdict.given()) {
    return short_hash(fingerprint_of(path, *held));
  }
  return *held;
}

/// Highest random weight (Thaler, Ravishankar 1998).
std::uint64_t weight_of(std::string_view path, Instance instance) {
  return XXH3_64bits_withSeed(path.data(), path.size(), static_cast<std::uint64_t>(instance));
}

}  // namespace

std::string_view to_string(Ruling::Kind kind) {
  switch (kind) {
    case Ruling::Kind::majority:
      return "majority";
    case Ruling::Kind::oldest:
      return "oldest node";
    case Ruling::Kind::found:
      return "an earlier decision";
  }
  return "unknown";
}

std::string describe(const Ruling& ruling) {
  std::string text =
      fmt::format("{}: {} wins by {}", ruling.winner.path,
                  to_string(ruling.winner.record.header.version.uuid), to_string(ruling.kind));
  for (const Ruling::Candidate& candidate : ruling.candidates) {
    fmt::format_to(std::back_inserter(text), "; {} had {} vote(s)",
                   to_string(candidate.header.version.uuid), candidate.votes);
  }
  return text;
}

Ballots::Ballots(const BallotOptions& options, const StoreView& store, Prng& prng)
    : options_(options), store_(store), prng_(prng) {}

// --- ties

void Ballots::opened(const Now& now, std::string_view path, const RecordHeader& mine,
                     const PeerRecord& theirs) {
  const Stamp stamp = mine.version.stamp;
  if (const auto known = ties_.find(path); known != ties_.end()) {
    if (known->second.stamp >= stamp) {
      return;
    }
    close(known);
  }
  if (ties_.size() >= options_.open_max) {
    KVS_PROBE("ballot: too many open ties");
    ++stats_.turned_away;
    return;
  }
  ++stats_.ties;
  Tie tie{.stamp = stamp, .mine = mine, .theirs = theirs.record.header, .kept = {}};
  if (kept_bytes_ + theirs.record.value.size() <= options_.kept_bytes_max) {
    tie.kept = theirs.record;
    kept_bytes_ += theirs.record.value.size();
  }
  tie.rank = static_cast<std::int64_t>(rank_of(path));
  const Duration turn{options_.step_in.ns * tie.rank};
  schedule(*ties_.emplace(path, std::move(tie)).first, now.instant + options_.gather + turn);
}

void Ballots::hurry(const Now& now) {
  for (Ties::value_type& entry : ties_) {
    const Tie& tie = entry.second;
    if (tie.waits_turn && tie.due != Instant::never()) {
      const Duration turn{options_.hurry.ns * tie.rank};
      schedule(entry, std::min(tie.due, now.instant + options_.gather + turn));
    }
  }
}

std::size_t Ballots::rank_of(std::string_view path) const {
  if (!view_) {
    return 0;
  }
  const std::uint64_t own = weight_of(path, view_->self);
  std::size_t rank = 0;
  for (const Member& member : view_->members) {
    if (is_live(member.state) && member.instance != view_->self) {
      const std::uint64_t weight = weight_of(path, member.instance);
      rank += weight > own || (weight == own && member.instance < view_->self) ? 1U : 0U;
    }
  }
  return rank;
}

void Ballots::schedule(Ties::value_type& entry, Instant due) {
  auto& [path, tie] = entry;
  if (tie.due != Instant::never()) {
    due_.erase({tie.due, path});
  }
  tie.due = due;
  if (due != Instant::never()) {
    due_.emplace(due, path);
  }
}

void Ballots::close(Ties::iterator at) {
  schedule(*at, Instant::never());
  if (const std::optional<Record>& kept = at->second.kept; kept) {
    kept_bytes_ -= kept->value.size();
  }
  ties_.erase(at);
}

void Ballots::put_off(std::string_view path, Stamp tied, Instant due) {
  --in_work_;
  const auto at = ties_.find(path);
  if (at != ties_.end() && at->second.stamp == tied) {
    schedule(*at, due);
  }
}

void Ballots::settled(std::span<const Change> changes) {
  for (const Change& change : changes) {
    if (ties_.empty()) {
      return;
    }
    const auto at = ties_.find(change.path);
    if (at != ties_.end() && !change.learnt &&
        (!change.after || is_decisive(change.after->version, at->second.stamp))) {
      close(at);
    }
  }
}

/// Only once, so that no asker who never comes to an end holds it up.
void Ballots::leave_to_asker(const Now& now, std::string_view path) {
  const auto at = ties_.find(path);
  if (at == ties_.end() || !std::exchange(at->second.waits_turn, false) ||
      KVS_MUTATED(ballots_side_by_side)) {
    return;
  }
  const Duration turn{options_.hurry.ns * at->second.rank};
  schedule(*at, std::max(at->second.due, now.instant + options_.step_in + turn));
}

Votes Ballots::answer(const Now& now, const AskVotes& question) {
  Votes votes;
  votes.votes.reserve(question.paths.size());
  for (const std::string& path : question.paths) {
    leave_to_asker(now, path);
    const Held held =
        has_vote() ? store_.find(Key::from_store(path)).value_or(std::nullopt) : std::nullopt;
    votes.votes.push_back(cast(path, held, question.briefly));
  }
  return votes;
}

bool Ballots::has_vote() const {
  return mode_ != Mode::syncing || KVS_MUTATED(syncing_votes);
}

std::vector<Ruling> Ballots::take_rulings() {
  ruling_bytes_ = 0;
  return std::exchange(rulings_, {});
}

Instant Ballots::next_deadline() const {
  if (!view_) {
    return Instant::never();
  }
  if (!questions_.empty()) {
    return Instant{};
  }
  return due_.empty() || in_work_ >= options_.in_work_max ? Instant::never() : due_.begin()->first;
}

void Ballots::tick(const Now& now, Effects& effects) {
  if (!view_) {
    return;
  }
  const std::size_t slice = std::min(options_.slice, questions_.size());
  for (std::size_t i = 0; i < slice && ruling_bytes_ < options_.ruling_bytes_max; ++i) {
    Question question = std::move(questions_.front());
    questions_.pop_front();
    consider(now, std::move(question));
  }
  fetch_values(effects);
  if (!due_.empty() && due_.begin()->first <= now.instant && in_work_ < options_.in_work_max) {
    begin_round(now, effects);
  }
}

// --- rounds

void Ballots::begin_round(const Now& now, Effects& effects) {
  Round round{.view = view_, .request = {}, .asked = {}};
  for (const Member& member : view_->members) {
    if (is_live(member.state) && member.instance != view_->self) {
      round.asked.push_back({.voter = voter_of(member), .address = member.address, .votes = {}});
    }
  }
  std::vector<std::string> paths = gather(now, round.asked.size());
  if (paths.empty()) {
    return;
  }
  stats_.ballots += paths.size();
  round.request =
      std::make_shared<const PeerRequest>(AskVotes{.paths = std::move(paths), .briefly = true});
  round.waiting = round.asked.size();
  if (round.waiting == 0) {
    KVS_PROBE("ballot: nobody else to ask");
    count(now, round);
    return;
  }
  const std::uint64_t number = ++last_round_;
  const std::size_t voters = rounds_.emplace(number, std::move(round)).first->second.asked.size();
  for (std::size_t voter = 0; voter < voters; ++voter) {
    ask(number, voter, effects);
  }
}

/// Paths that are due, in path order; they are in work now.
std::vector<std::string> Ballots::gather(const Now& now, std::size_t voters) {
  const std::size_t by_votes = std::max<std::size_t>(options_.votes_max / (voters + 1), 1);
  const std::size_t room = options_.in_work_max - in_work_;
  const std::size_t keys = std::min({options_.keys_max, by_votes, room});
  std::vector<std::string> paths;
  std::size_t bytes = 0;
  while (paths.size() < keys && !due_.empty() && due_.begin()->first <= now.instant) {
    const auto at = ties_.find(due_.begin()->second);
    const auto own = store_.find(Key::from_store(at->first)).value_or(std::nullopt);
    if (own && is_decisive(own->version, at->second.stamp)) {
      KVS_PROBE("ballot: settled before it began");
      close(at);
      continue;
    }
    if (!paths.empty() && bytes + at->first.size() > options_.path_bytes_max) {
      break;
    }
    bytes += at->first.size();
    paths.push_back(at->first);
    at->second.waits_turn = false;
    schedule(*at, Instant::never());
    ++in_work_;
  }
  std::ranges::sort(paths);
  return paths;
}

void Ballots::ask(std::uint64_t number, std::size_t voter, Effects& effects) {
  const Round& round = rounds_.at(number);
  const Asked& asked = round.asked[voter];
  std::shared_ptr<const PeerRequest> request = round.request;
  if (!asked.unclear.empty()) {
    AskVotes whole;
    for (const std::size_t place : asked.unclear) {
      whole.paths.push_back(round.paths()[place]);
    }
    request = std::make_shared<const PeerRequest>(std::move(whole));
  }
  send(asked.address, std::move(request), {.round = number, .voter = voter}, effects);
}

void Ballots::send(std::string_view address, std::shared_ptr<const PeerRequest> request,
                   const Call& call, Effects& effects) {
  const CallId id = make_call_id(Caller::ballot, ++last_call_);
  calls_.emplace(id, call);
  effects.sends.push_back({.id = id,
                           .address = std::string(address),
                           .channel = Channel::bulk,
                           .timeout = options_.deadline,
                           .envelope = {},
                           .request = std::move(request)});
}

void Ballots::returned(const Now& now, const PeerReturn& result, Effects& effects) {
  const auto at = calls_.find(result.id);
  if (at == calls_.end()) {
    return;
  }
  const Call call = at->second;
  calls_.erase(at);
  if (call.round != 0) {
    voted(now, result, call, effects);
  } else {
    fetched(now, result, call, effects);
  }
  tick(now, effects);
}

void Ballots::voted(const Now& now, const PeerReturn& result, const Call& call, Effects& effects) {
  Round& round = rounds_.at(call.round);
  Asked& asked = round.asked[call.voter];
  const Votes* votes = std::get_if<Votes>(&result.answer);
  const std::size_t expected = asked.unclear.empty() ? round.paths().size() : asked.unclear.size();
  if (result.failure == PeerReturn::Failure::none && votes != nullptr &&
      votes->votes.size() == expected) {
    take_votes(round, asked, *votes);
    asked.again = true;
    if (!asked.unclear.empty()) {
      return ask(call.round, call.voter, effects);
    }
  } else if (std::exchange(asked.again, false)) {
    KVS_PROBE("ballot: a voter is asked again");
    return ask(call.round, call.voter, effects);
  }
  asked.missing = !asked.unclear.empty();
  if (--round.waiting == 0) {
    const Round whole = std::move(round);
    rounds_.erase(call.round);
    count(now, whole);
  }
}

/// Of an answer to the whole question, or to what was unclear in that. What stays unclear is asked
/// about next; a hash in the place of what was asked for whole is no vote.
void Ballots::take_votes(const Round& round, Asked& asked, const Votes& answer) const {
  const bool first = asked.unclear.empty();
  const std::vector<std::size_t> places = std::exchange(asked.unclear, {});
  auto votes = std::move(asked.votes).value_or(std::vector<Held>(answer.votes.size()));
  for (std::size_t i = 0; i < answer.votes.size(); ++i) {
    const std::size_t place = first ? i : places[i];
    const std::string& path = round.paths()[place];
    Held& vote = votes[place];
    if (const auto* header = std::get_if<RecordHeader>(&answer.votes[i])) {
      vote = *header;
    } else if (const auto* hash = std::get_if<ShortHash>(&answer.votes[i]); hash && first) {
      vote = version_named(path, *hash);
      if (!vote && ties_.contains(path) && !KVS_MUTATED(unclear_vote_is_none)) {
        asked.unclear.push_back(place);
      }
    }
  }
  asked.votes = std::move(votes);
}

/// The version of a tie that has this hash; nothing if none or both have.
Ballots::Held Ballots::version_named(std::string_view path, ShortHash hash) const {
  const auto at = ties_.find(path);
  if (at == ties_.end()) {
    return std::nullopt;
  }
  const Tie& tie = at->second;
  const bool is_mine = short_hash(fingerprint_of(path, tie.mine)) == hash;
  const bool is_theirs = short_hash(fingerprint_of(path, tie.theirs)) == hash;
  if (is_mine == is_theirs) {
    return std::nullopt;
  }
  return is_mine ? tie.mine : tie.theirs;
}

void Ballots::count(const Now& now, const Round& round) {
  const Member& self = round.view->own();
  std::vector<Vote> votes;
  for (std::size_t i = 0; i < round.paths().size(); ++i) {
    const std::string& path = round.paths()[i];
    const auto at = ties_.find(path);
    if (at == ties_.end()) {
      --in_work_;
      continue;
    }
    votes.clear();
    if (is_live(self.state) && has_vote()) {
      votes.push_back({.voter = voter_of(self),
                       .held = store_.find(Key::from_store(path)).value_or(std::nullopt)});
    }
    for (const Asked& asked : round.asked) {
      if (asked.votes) {
        votes.push_back({.voter = asked.voter, .held = (*asked.votes)[i]});
      }
    }
    const Stamp tied = at->second.stamp;
    raise_question(now, {.path = path, .tied = tied, .tally = count_votes(tied, votes)}, round);
  }
}

void Ballots::raise_question(const Now& now, Question question, const Round& round) {
  if (KVS_MUTATED(ballot_ignores_decided) && !question.tally.standings.empty()) {
    question.tally.found.reset();
  }
  if (question.tally.found || !question.tally.standings.empty()) {
    question.first = static_cast<std::size_t>(prng_.below(question.wanted().holders.size()));
    questions_.push_back(std::move(question));
    return;
  }
  put_off(question.path, question.tied, now.instant + options_.patience);
  const bool complete = std::ranges::all_of(
      round.asked, [](const Asked& asked) { return asked.votes.has_value() && !asked.missing; });
  if (const auto at = ties_.find(question.path); complete && at != ties_.end()) {
    KVS_PROBE("ballot: nobody holds what tied");
    close(at);
    return;
  }
  ++stats_.without_end;
}

}  // namespace kvs
