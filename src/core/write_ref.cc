#include "core/write_ref.h"

#include <tuple>
#include <utility>

#include "base/check.h"
#include "base/mutant.h"
#include "base/probe.h"

namespace kvs {

namespace {

constexpr std::size_t kHeaderBytes = 128;  // version, kind, lengths; generous
constexpr std::size_t kDotBytes = 20;
constexpr std::size_t kHeapOverhead = 16;

/// What a string takes beyond itself.
std::size_t heap_of(const std::string& text) {
  const std::size_t inside = std::string().capacity();
  return text.capacity() <= inside ? 0 : text.capacity() + 1 + kHeapOverhead;
}

}  // namespace

WriteRef ref_of(const Change& change) {
  KVS_CHECK(change.after || change.learnt, "a reference needs a write");
  const Version& version = change.after ? change.after->version : *change.learnt;
  return {.path = change.path,
          .dot = version.dot,
          .stamp = version.stamp,
          .votes = version.verdict.votes,
          .replaced = change.replaced};
}

bool reflects(const Version& current, const WriteRef& ref) {
  return current.dot == ref.dot ||
         std::tie(current.stamp, current.verdict.votes) > std::tie(ref.stamp, ref.votes) ||
         KVS_MUTATED(older_version_told_as_newer);
}

std::size_t memory_of(const WriteRef& ref) {
  const std::size_t dots = ref.replaced.empty() ? 0 : kHeapOverhead;
  return sizeof(WriteRef) + heap_of(ref.path) + dots + ref.replaced.capacity() * sizeof(Dot);
}

std::size_t message_bytes(const PeerRecord& record) {
  return kHeaderBytes + record.path.size() + record.record.value.size() +
         kDotBytes * record.replaced.size();
}

std::optional<PeerRecord> current_record(const StoreView& store, const WriteRef& ref) {
  std::optional<Record> held = store.get_record(Key::from_store(ref.path)).value_or(std::nullopt);
  if (!held || !reflects(held->header.version, ref)) {
    KVS_PROBE("write_ref: a path no longer holds a write, nor a newer one");
    return std::nullopt;
  }
  return PeerRecord{.path = ref.path, .record = *std::move(held), .replaced = {}};
}

bool RecordGatherer::add(const WriteRef& ref, Dot dot) {
  auto it = index_.find(ref.path);
  if (it == index_.end()) {
    auto current = current_record(store_, ref);
    if (!current) {
      return false;
    }
    it = index_.emplace(ref.path, records_.size()).first;
    records_.push_back(*std::move(current));
    bytes_ += message_bytes(records_.back());
  }
  PeerRecord& told = records_[it->second];
  if (!reflects(told.record.header.version, ref)) {
    return false;
  }
  if (told.record.header.version.dot != dot) {
    told.replaced.push_back(dot);
    bytes_ += kDotBytes;
  }
  return true;
}

std::vector<PeerRecord> RecordGatherer::take() {
  index_.clear();
  bytes_ = 0;
  return std::exchange(records_, {});
}

}  // namespace kvs
