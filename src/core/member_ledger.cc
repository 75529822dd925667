#include "core/member_ledger.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "base/probe.h"
#include "core/view.h"

namespace kvs {

MemberLedger::MemberLedger(const Member& own, Duration probe_interval, Instant now,
                           const MemberLimits& limits)
    : table_(own, now, limits), news_(table_), probe_interval_(probe_interval) {}

void MemberLedger::take(const Now& now, std::span<const Member> rows, const NewsSource& source) {
  teller_ = source.sender;
  for (const Member& row : rows) {
    const bool about_self = row.instance == table_.self();
    if (!is_plausible(row, about_self ? nullptr : std::as_const(table_).find(row.instance))) {
      KVS_PROBE("members: an implausible row is refused");
      ++stats_.rows_refused;
      continue;
    }
    if (about_self) {
      take_about_self(now, row);
      continue;
    }
    if (source.kind == NewsSource::Kind::list && row.state == MemberState::failed &&
        !KVS_MUTATED(member_list_kills)) {
      Member doubted = row;
      doubted.state = MemberState::suspect;
      doubted.accuser = source.sender;
      take_row(now, doubted);
    } else {
      take_row(now, row);
    }
    if (row.instance == source.sender && row.run == source.sender_run) {
      take_from_itself(row);
    }
  }
  teller_ = {};
}

/// What only the member itself can say. That it lives, too: others may not have heard yet that a
/// predecessor of this node, with its id, is dead.
void MemberLedger::take_from_itself(const Member& row) {
  if (table_.spoken(row)) {
    ++digest_version_;
  }
  if (row.node_id != table_.own().node_id || !is_live(row.state)) {
    return;
  }
  const MemberEntry* noted = std::as_const(table_).find(clash_);
  const bool still_there = noted != nullptr && noted->listed && is_live(noted->member.state);
  if (!still_there) {
    clash_ = row.instance;
    note(MemberEvent::Kind::id_in_use, row);
  }
}

void MemberLedger::take_about_self(const Now& now, const Member& row) {
  Member own = table_.own();
  const bool other_process = row.run != own.run;
  if (other_process && row.address != own.address) {
    outcome_.twin_address = row.address;
  }
  const bool leaving = own.state == MemberState::left;
  const bool accused = other_process || row.state != MemberState::alive;
  if (row.incarnation < own.incarnation || (row.incarnation == own.incarnation && !accused) ||
      (leaving && row.state == MemberState::left)) {
    return;
  }
  if (KVS_MUTATED(accusation_not_refuted)) {
    return;
  }
  KVS_PROBE("members: this node refutes news of itself");
  own.incarnation = std::min(row.incarnation + 1, kIncarnationMax);
  table_.set_own(own, now.instant);
  bring_news(own);
  if (!other_process && !leaving) {
    ++outcome_.refutations;
    ++stats_.refutations;
    note(MemberEvent::Kind::accused_self, row);
  }
}

void MemberLedger::take_row(const Now& now, const Member& row) {
  const MemberEntry* held = std::as_const(table_).find(row.instance);
  if (held != nullptr && !overrides(row, held->member)) {
    // Most rows are no news: nothing of the held one has to be kept for comparison.
    digest_version_ += table_.merge(row, now.instant) == MemberTable::Merged::fresher ? 1U : 0U;
    return confirm(now, row);
  }
  const MemberEntry before = held != nullptr ? *held : MemberEntry{.member = row, .listed = false};
  const MemberTable::Merged merged = table_.merge(row, now.instant);
  switch (merged) {
    case MemberTable::Merged::refused:
      ++stats_.rows_overflow;
      return;
    case MemberTable::Merged::known:
    case MemberTable::Merged::fresher:
      return;
    case MemberTable::Merged::changed:
    case MemberTable::Merged::added:
    case MemberTable::Merged::hidden:
      bring_news(row);
      settle(now, before, merged);
      return;
  }
}

void MemberLedger::bring_news(const Member& row) {
  const bool about_self = row.instance == table_.self();
  news_.rumors().add(row, about_self ? Instance{} : teller_);
  ++version_;
}

/// Another accuser of a member that is suspect here as well.
void MemberLedger::confirm(const Now& now, const Member& row) {
  const Member& held = std::as_const(table_).find(row.instance)->member;
  if (row.state != MemberState::suspect || held.state != MemberState::suspect ||
      row.incarnation != held.incarnation) {
    return;
  }
  if (suspicions_.accuse(now.instant, row.instance, row.accuser,
                         suspicion_times(table_.live_count(), probe_interval_))) {
    news_.rumors().add(row, teller_);
  }
}

/// What follows from a change of the table.
void MemberLedger::settle(const Now& now, const MemberEntry& before, MemberTable::Merged merged) {
  const Instance instance = before.member.instance;
  suspicions_.end(instance);
  MemberEntry* entry = table_.find(instance);
  if (merged == MemberTable::Merged::hidden) {
    if (before.listed) {
      note(MemberEvent::Kind::left, before.member);
    }
    return;
  }
  const Member& member = entry->member;
  if (merged == MemberTable::Merged::added) {
    note(MemberEvent::Kind::appeared, member);
  } else if (before.member.run != member.run) {
    note(MemberEvent::Kind::restarted, member);
  }
  switch (member.state) {
    case MemberState::alive:
      entry->last_seen_ms = now.wall.ms;
      if (before.listed && before.member.state != MemberState::alive) {
        note(MemberEvent::Kind::cleared, member);
      }
      return;
    case MemberState::suspect:
      ++stats_.suspicions;
      suspicions_.accuse(now.instant, instance, member.accuser,
                         suspicion_times(table_.live_count(), probe_interval_));
      note(MemberEvent::Kind::suspected, member);
      return;
    case MemberState::failed:
      ++stats_.failures;
      outcome_.lost = true;
      next_removal_ = std::min(next_removal_, now.instant);
      note(MemberEvent::Kind::failed, member);
      return;
    case MemberState::left:
      return;
  }
}

void MemberLedger::accuse(const Now& now, Instance instance) {
  const MemberEntry* entry = std::as_const(table_).find(instance);
  if (entry == nullptr || !entry->listed || !is_live(entry->member.state)) {
    return;
  }
  Member row = entry->member;
  row.state = MemberState::suspect;
  row.accuser = table_.self();
  take_row(now, row);
}

void MemberLedger::declare(const Now& now, Instance instance, MemberState state) {
  const MemberEntry* entry = std::as_const(table_).find(instance);
  if (entry == nullptr) {
    return;
  }
  Member row = entry->member;
  row.state = state;
  take_row(now, row);
}

void MemberLedger::retire(const Now& now, Instance instance) {
  declare(now, instance, MemberState::left);
}

void MemberLedger::tick(const Now& now, Duration failed_kept) {
  for (const Instance suspect : suspicions_.take_expired(now.instant)) {
    declare(now, suspect, MemberState::failed);
  }
  if (next_removal_ > now.instant) {
    return;
  }
  next_removal_ = Instant::never();
  std::vector<Instance> over;
  for (const MemberEntry& entry : table_.entries()) {
    if (!entry.listed || entry.member.state != MemberState::failed) {
      continue;
    }
    if (entry.since + failed_kept <= now.instant) {
      over.push_back(entry.member.instance);
    } else {
      next_removal_ = std::min(next_removal_, entry.since + failed_kept);
    }
  }
  for (const Instance instance : over) {
    note(MemberEvent::Kind::removed, table_.find(instance)->member);
    table_.hide(instance, now.instant);
    ++version_;
  }
}

Instant MemberLedger::next_deadline() const {
  return std::min(next_removal_, suspicions_.next_deadline());
}

void MemberLedger::leave(const Now& now) {
  Member own = table_.own();
  own.state = MemberState::left;
  table_.set_own(own, now.instant);
  bring_news(own);
}

void MemberLedger::become(const Now& now, const Member& own) {
  news_.rumors().drop(table_.self());
  table_.set_own(own, now.instant);
  suspicions_.end(own.instance);
  bring_news(own);
}

void MemberLedger::update_own(const StateDigest& digest, Mode mode) {
  MemberEntry* entry = table_.find(table_.self());
  if (entry->member.digest == digest && entry->member.mode == mode) {
    return;
  }
  entry->member.digest = digest;
  entry->member.mode = mode;
  ++digest_version_;
}

void MemberLedger::note(MemberEvent::Kind kind, const Member& member) {
  note({.kind = kind,
        .instance = member.instance,
        .node_id = member.node_id,
        .address = member.address});
}

void MemberLedger::note(MemberEvent event) {
  if (events_.size() < kEventsMax) {
    events_.push_back(std::move(event));
  } else {
    ++stats_.events_lost;
  }
}

MemberLedger::Outcome MemberLedger::take_outcome() {
  return std::exchange(outcome_, {});
}

std::vector<MemberEvent> MemberLedger::take_events() {
  return std::exchange(events_, {});
}

}  // namespace kvs
