// Ballots, second half: what was voted for becomes a ruling, once its value is here.
#include <algorithm>
#include <iterator>

#include "base/mutant.h"
#include "base/probe.h"
#include "core/ballot.h"

namespace kvs {

namespace {

/// Records of an answer by path.
class RecordIndex {
 public:
  explicit RecordIndex(const std::vector<PeerRecord>& records) {
    for (const PeerRecord& record : records) {
      sorted_.push_back(&record);
    }
    std::ranges::sort(sorted_, {}, path_of);
  }

  [[nodiscard]] const PeerRecord* find(std::string_view path) const {
    const auto at = std::ranges::lower_bound(sorted_, path, {}, path_of);
    return at != sorted_.end() && (*at)->path == path ? *at : nullptr;
  }

 private:
  static std::string_view path_of(const PeerRecord* record) { return record->path; }

  std::vector<const PeerRecord*> sorted_;
};

}  // namespace

/// Rules if the wanted value is here, else queues the question for a holder's value; if no holder
/// is left, the next candidate is wanted.
void Ballots::consider(const Now& now, Question question) {
  const auto at = ties_.find(question.path);
  if (at == ties_.end() || at->second.stamp != question.tied) {
    --in_work_;
    return;
  }
  for (;;) {
    if (std::optional<Record> record = value_here(question, at->second)) {
      rule(now, question, {.path = question.path, .record = *std::move(record), .replaced = {}});
      return;
    }
    if (const Member* member = next_holder(question)) {
      suppliers_[member->instance].waiting.push_back(std::move(question));
      return;
    }
    KVS_PROBE("ballot: a value cannot be had");
    ++stats_.lost_values;
    if (question.tally.found || ++question.place == question.tally.standings.size()) {
      ++stats_.without_end;
      put_off(question.path, question.tied, now.instant + options_.patience);
      return;
    }
    question.holder = 0;
  }
}

std::optional<Record> Ballots::value_here(const Question& question, const Tie& tie) const {
  const RecordHeader& wanted = question.wanted().header;
  if (!wanted.live() || KVS_MUTATED(verdict_without_value)) {
    return Record{.header = wanted, .value = {}};
  }
  const Key key = Key::from_store(question.path);
  if (store_.find(key).value_or(std::nullopt) == wanted) {
    if (auto record = store_.get_record(key).value_or(std::nullopt)) {
      return record;
    }
  }
  return tie.kept && tie.kept->header == wanted ? tie.kept : std::nullopt;
}

const Member* Ballots::next_holder(Question& question) const {
  const std::vector<Instance>& holders = question.wanted().holders;
  while (question.holder < holders.size()) {
    const Instance holder = holders[(question.first + question.holder++) % holders.size()];
    const Member* member = view_->find(holder);
    if (holder != view_->self && member != nullptr && is_live(member->state)) {
      return member;
    }
  }
  return nullptr;
}

void Ballots::rule(const Now& now, const Question& question, PeerRecord winner) {
  Ruling ruling{.kind = Ruling::Kind::found, .winner = std::move(winner), .candidates = {}};
  ruling.candidates = candidates_of(question);
  Record& record = ruling.winner.record;
  if (is_decisive(record.header.version, question.tied)) {
    ++stats_.found;
  } else {
    const bool oldest = question.tally.rule_of(question.place) == Rule::oldest;
    ruling.kind = oldest ? Ruling::Kind::oldest : Ruling::Kind::majority;
    ++(oldest ? stats_.by_oldest : stats_.by_majority);
    record.header.version.verdict = question.tally.verdict_for(question.place);
    std::vector<Dot>& replaced = ruling.winner.replaced;
    replaced.reserve(replaced.size() + ruling.candidates.size());
    for (const Ruling::Candidate& candidate : ruling.candidates) {
      replaced.push_back(candidate.header.version.dot);
    }
    std::ranges::sort(replaced);
    replaced.erase(std::ranges::unique(replaced).begin(), replaced.end());
  }
  ruling_bytes_ += record.value.size() + ruling.winner.path.size();
  rulings_.push_back(std::move(ruling));
  put_off(question.path, question.tied, now.instant + options_.patience);
}

/// Everything that was met, the candidates with their votes first.
std::vector<Ruling::Candidate> Ballots::candidates_of(const Question& question) const {
  std::vector<Ruling::Candidate> candidates;
  candidates.reserve(question.tally.standings.size() + 2);
  for (const Standing& standing : question.tally.standings) {
    candidates.push_back(
        {.header = standing.header, .votes = static_cast<std::uint32_t>(standing.holders.size())});
  }
  const auto at = ties_.find(question.path);
  if (at == ties_.end()) {
    return candidates;
  }
  for (const RecordHeader& header : {at->second.mine, at->second.theirs}) {
    const bool listed = std::ranges::any_of(candidates, [&](const Ruling::Candidate& candidate) {
      return candidate.header.version.uuid == header.version.uuid;
    });
    if (!listed) {
      candidates.push_back({.header = header});
    }
  }
  return candidates;
}

// --- fetching

void Ballots::fetch_values(Effects& effects) {
  for (auto it = suppliers_.begin(); it != suppliers_.end();) {
    Supplier& supplier = it->second;
    if (supplier.asked.empty() && !supplier.waiting.empty()) {
      std::size_t bytes = 0;
      while (!supplier.waiting.empty() && supplier.asked.size() < options_.keys_max &&
             bytes < options_.path_bytes_max) {
        bytes += supplier.waiting.front().path.size();
        supplier.asked.push_back(std::move(supplier.waiting.front()));
        supplier.waiting.pop_front();
      }
      std::ranges::sort(supplier.asked, {}, &Question::path);
      Fetch fetch;
      std::ranges::transform(supplier.asked, std::back_inserter(fetch.paths), &Question::path);
      supplier.request = std::make_shared<const PeerRequest>(std::move(fetch));
      supplier.again = true;
      if (!fetch_from(it->first, supplier, effects)) {
        std::ranges::move(supplier.asked, std::back_inserter(questions_));
        supplier.asked.clear();
      }
    }
    it = supplier.asked.empty() && supplier.waiting.empty() ? suppliers_.erase(it) : std::next(it);
  }
}

/// Makes the call; false if the member is gone.
bool Ballots::fetch_from(Instance holder, const Supplier& supplier, Effects& effects) {
  const Member* member = view_->find(holder);
  if (member == nullptr || !is_live(member->state)) {
    KVS_PROBE("ballot: a holder is gone");
    return false;
  }
  send(member->address, supplier.request, {.supplier = holder}, effects);
  return true;
}

void Ballots::fetched(const Now& now, const PeerReturn& result, const Call& call,
                      Effects& effects) {
  Supplier& supplier = suppliers_.at(call.supplier);
  const Fetched* answer = std::get_if<Fetched>(&result.answer);
  if (result.failure == PeerReturn::Failure::none && answer != nullptr) {
    sort_out(now, supplier, *answer);
    return;
  }
  if (std::exchange(supplier.again, false) && fetch_from(call.supplier, supplier, effects)) {
    KVS_PROBE("ballot: values are asked for again");
    return;
  }
  std::ranges::move(supplier.asked, std::back_inserter(questions_));
  supplier.asked.clear();
}

/// Gives each question that was asked its record. What a full answer had no room for is asked
/// again, as long as each answer brings something.
void Ballots::sort_out(const Now& now, Supplier& supplier, const Fetched& answer) {
  const RecordIndex index(answer.records);
  std::vector<Question> asked = std::exchange(supplier.asked, {});
  const bool useful = std::ranges::any_of(
      asked, [&](const Question& question) { return index.find(question.path) != nullptr; });
  for (Question& question : asked) {
    const PeerRecord* record = index.find(question.path);
    if (record == nullptr && answer.cut && useful && question.path > answer.records.back().path) {
      KVS_PROBE("ballot: values come in parts");
      supplier.waiting.push_back(std::move(question));
      continue;
    }
    received(now, std::move(question), record);
  }
}

/// `record` is what a holder gave; nothing if it no longer has the path.
void Ballots::received(const Now& now, Question question, const PeerRecord* record) {
  if (record == nullptr || !ties_.contains(question.path)) {
    questions_.push_back(std::move(question));
    return;
  }
  const Version& version = record->record.header.version;
  const Version& wanted = question.wanted().header.version;
  const bool chosen =
      !question.tally.found && is_candidate(version, question.tied) && version.uuid == wanted.uuid;
  const bool better = is_decisive(version, question.tied) && version >= wanted;
  if (chosen || better) {
    rule(now, question, *record);
  } else {
    questions_.push_back(std::move(question));
  }
}

}  // namespace kvs
