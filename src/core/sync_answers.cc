#include "core/sync_answers.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "base/probe.h"

namespace kvs {

namespace {

constexpr std::size_t kPageRecordsSeenMax = 20'000;
constexpr int kDamageFoundAtOnceMax = 100;

const Refused kOtherRun{.code = Errc::version_mismatch,
                        .detail = "this exchange began before my present run"};

}  // namespace

bool SyncAnswers::answers(const PeerRequest& request) {
  return std::holds_alternative<Hello>(request) || std::holds_alternative<AskDelta>(request) ||
         std::holds_alternative<Compare>(request) || std::holds_alternative<Fetch>(request) ||
         std::holds_alternative<Settle>(request) || std::holds_alternative<Finish>(request) ||
         std::holds_alternative<AskPage>(request);
}

void SyncAnswers::called(const PeerCall& call, Mode mode, const Replica::Terms& terms,
                         Effects& effects) {
  ++stats_.asked;
  const auto at_once = [&](PeerAnswer given) {
    effects.answers.push_back({.ticket = call.ticket, .envelope = {}, .answer = std::move(given)});
  };
  const auto when_durable = [&](PeerAnswer given) {
    effects.peer_replies.push_back(
        {.ticket = call.ticket, .envelope = {}, .answer = std::move(given)});
  };
  if (const auto* hello = std::get_if<Hello>(&call.request)) {
    at_once(answer(*hello, mode, terms, effects));
  } else if (const auto* ask = std::get_if<AskDelta>(&call.request)) {
    Delta delta =
        holdings_.journal().answer(replica_.durable_knowledge(), ask->knowledge, holdings_.store());
    stats_.records_sent += delta.records.size();
    at_once(std::move(delta));
  } else if (const auto* compare = std::get_if<Compare>(&call.request)) {
    at_once(answer(*compare));
  } else if (const auto* fetch = std::get_if<Fetch>(&call.request)) {
    at_once(answer(*fetch));
  } else if (const auto* page = std::get_if<AskPage>(&call.request)) {
    at_once(answer(*page));
  } else if (const auto* settle = std::get_if<Settle>(&call.request)) {
    when_durable(answer(*settle, terms, effects));
  } else if (const auto* finish = std::get_if<Finish>(&call.request)) {
    when_durable(answer(*finish, terms, effects));
  }
}

PeerAnswer SyncAnswers::refusal(const Error& error) {
  ++stats_.refused;
  return Refused{.code = error.code, .detail = error.detail};
}

void SyncAnswers::take(const std::vector<PeerRecord>& records, const Replica::Terms& terms,
                       Effects& effects) {
  for (const PeerRecord& record : records) {
    replica_.take(record, terms, effects);
  }
  stats_.records_received += records.size();
}

PeerAnswer SyncAnswers::answer(const Hello& hello, Mode mode, const Replica::Terms& terms,
                               Effects& effects) {
  told_dead_.erase(terms.from);  // by an exchange that broke off
  replica_.observe(std::min(hello.digest.newest, terms.newest_allowed));
  take(hello.latest, terms, effects);
  if (hello.recount) {
    KVS_PROBE("sync_answers: a peer found that too much would be dropped");
    holdings_.recount();
  }
  Greeting greeting{.digest = holdings_.digest(), .mode = mode, .knowledge = {}, .latest = {}};
  const bool equal_knowledge = greeting.digest.knowledge_hash == hello.digest.knowledge_hash;
  if (!equal_knowledge) {
    greeting.knowledge = replica_.durable_knowledge();
  }
  const bool counted = greeting.digest.counted && hello.digest.counted;
  if (!equal_knowledge || !counted || greeting.digest.root != hello.digest.root) {
    greeting.latest = holdings_.journal().latest(kLatestRecords, holdings_.store());
  }
  stats_.records_sent += greeting.latest.size();
  return greeting;
}

PeerAnswer SyncAnswers::answer(const Compare& compare) {
  if (compare.run != holdings_.run()) {
    return kOtherRun;
  }
  auto compared = answer_compare(holdings_.source(), compare);
  // What is damaged must not look deleted: K goes, and with it every exchange under way.
  for (int i = 0; i < kDamageFoundAtOnceMax; ++i) {
    if (compared || compared.error().code != Errc::corrupt_data) {
      break;
    }
    KVS_PROBE("sync_answers: a comparison met a damaged record");
    holdings_.found_damage(compared.error().detail);
    compared = answer_compare(holdings_.source(), compare);
  }
  if (compare.run != holdings_.run()) {
    return kOtherRun;
  }
  return compared ? PeerAnswer(*std::move(compared)) : refusal(compared.error());
}

PeerAnswer SyncAnswers::answer(const Fetch& fetch) {
  Fetched answer{.records = {}, .cut = false, .partial = !holdings_.complete()};
  std::size_t bytes = 0;
  for (const std::string& path : fetch.paths) {
    if (bytes > options_.answer_bytes_max) {
      answer.cut = true;
      break;
    }
    auto record = holdings_.store().get_record(Key::from_store(path));
    if (!record && record.error().code == Errc::corrupt_data) {
      holdings_.found_damage(path);
    }
    if (!record) {
      return refusal(record.error());
    }
    if (auto held = *std::move(record)) {
      bytes += path.size() + held->value.size() + sizeof(RecordHeader);
      if (bytes > options_.answer_bytes_max && !answer.records.empty()) {
        KVS_PROBE("sync_answers: a record goes into the next answer");
        answer.cut = true;
        break;
      }
      answer.records.push_back({.path = path, .record = *std::move(held), .replaced = {}});
    }
  }
  stats_.records_sent += answer.records.size();
  return answer;
}

PeerAnswer SyncAnswers::answer(const AskPage& ask) {
  Page page;
  std::size_t bytes = 0;
  std::size_t seen = 0;
  const std::size_t bytes_max = std::min<std::size_t>(ask.bytes_max, options_.answer_bytes_max);
  const auto cursor = holdings_.store().cursor();
  cursor->seek(ask.after);
  if (cursor->valid() && cursor->key().text() == ask.after) {
    cursor->next();
  }
  for (; cursor->valid(); cursor->next()) {
    const std::string path(cursor->key().text());
    const auto record = cursor->record();
    if (record && record->header.version.stamp >= ask.oldest) {
      bytes += path.size() + record->value.size() + sizeof(RecordHeader);
      page.records.push_back(
          {.path = path,
           .record = {.header = record->header, .value = std::string(record->value)},
           .replaced = {}});
    } else if (!record && record.error().code == Errc::corrupt_data) {
      holdings_.found_damage(path);
    }
    if (bytes >= bytes_max || ++seen >= kPageRecordsSeenMax) {
      page.next = path;
      break;
    }
  }
  if (const auto status = cursor->status(); !status) {
    return refusal(status.error());
  }
  stats_.records_sent += page.records.size();
  return page;
}

PeerAnswer SyncAnswers::answer(const Settle& settle, const Replica::Terms& terms,
                               Effects& effects) {
  if (settle.run != holdings_.run()) {
    return kOtherRun;
  }
  take(settle.records, terms, effects);
  keep_until_the_end(terms.from, settle.drops);
  return Done{};
}

/// An earlier node wants them dropped at once. Before the join of its K nothing would hold off what
/// is older (docs/decisions/0027), and without them that K would only hide that they are dead.
void SyncAnswers::keep_until_the_end(Instance peer, const std::vector<PeerItem>& dead) {
  std::size_t kept = 0;
  for (const auto& [other, items] : told_dead_) {
    kept += items.size();
  }
  const std::size_t taken =
      std::min(dead.size(), options_.told_dead_max - std::min(options_.told_dead_max, kept));
  if (taken == 0) {
    return;
  }
  KVS_PROBE("sync_answers: an earlier node told of dead records before the end");
  std::vector<PeerItem>& mine = told_dead_[peer];
  mine.insert(mine.end(), dead.begin(), dead.begin() + static_cast<std::ptrdiff_t>(taken));
}

PeerAnswer SyncAnswers::answer(const Finish& finish, const Replica::Terms& terms,
                               Effects& effects) {
  if (finish.run != holdings_.run() && !KVS_MUTATED(old_session_finished)) {
    KVS_PROBE("sync_answers: a session ended that an earlier run began");
    return kOtherRun;
  }
  std::vector<PeerItem> dead = finish.drops;
  if (auto told = told_dead_.extract(terms.from)) {
    dead.insert(dead.end(), told.mapped().begin(), told.mapped().end());
  }
  replica_.join(finish.knowledge, dead, terms, effects);
  return Done{};
}

}  // namespace kvs
