// A fingerprint tree over a store in memory, both driven batch by batch, and what the tree should
// answer, found by looking at every record.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/fingerprint_tree.h"
#include "support/memory_store.h"

namespace kvs {

/// A MemoryStore that counts how many records are read through its cursors.
class WatchedStore final : public StoreView {
 public:
  MemoryStore memory;

  [[nodiscard]] Result<std::optional<RecordHeader>> find(Key key) const override {
    return memory.find(key);
  }

  [[nodiscard]] Result<std::optional<Record>> get_record(Key key) const override {
    return memory.get_record(key);
  }

  [[nodiscard]] Result<std::vector<ExpiryEntry>> expiries(const ExpiryPlace& after,
                                                          std::size_t max) const override {
    return memory.expiries(after, max);
  }

  [[nodiscard]] std::unique_ptr<RecordCursor> cursor() const override;

  /// Records read since the last call.
  std::size_t take_reads() { return std::exchange(reads_, 0); }

 private:
  friend class WatchedCursor;
  mutable std::size_t reads_ = 0;
};

class WatchedCursor final : public RecordCursor {
 public:
  explicit WatchedCursor(const WatchedStore& store) : store_(store), cursor_(store.memory) {}

  void seek(std::string_view text) override { cursor_.seek(text); }

  void next() override { cursor_.next(); }

  [[nodiscard]] bool valid() const override { return cursor_.valid(); }

  [[nodiscard]] Result<void> status() const override { return cursor_.status(); }

  [[nodiscard]] Key key() const override { return cursor_.key(); }

  [[nodiscard]] Result<RecordView> record() const override {
    ++store_.reads_;
    return cursor_.record();
  }

 private:
  const WatchedStore& store_;
  MemoryCursor cursor_;
};

inline std::unique_ptr<RecordCursor> WatchedStore::cursor() const {
  return std::make_unique<WatchedCursor>(*this);
}

class TreeDriver {
 public:
  explicit TreeDriver(const BlockLimits& limits = {}) : tree_(store_, limits) {}

  FingerprintTree& tree() { return tree_; }

  WatchedStore& store() { return store_; }

  /// Writes of the open batch.
  void put(const std::string& path) { change(path, header(RecordKind::value)); }

  void bury(const std::string& path) { change(path, header(RecordKind::tombstone)); }

  void drop(const std::string& path) { change(path, std::nullopt); }

  /// The open batch becomes durable: the store shows it, the tree does not know yet.
  void commit() {
    for (const Change& each : open_) {
      const Key key = Key::from_store(each.path);
      Effects effects;
      effects.writes.push_back(
          {.key = key,
           .record = {.header = each.after.value_or(RecordHeader{}), .value = {}},
           .kind = each.after ? RecordWrite::Kind::store : RecordWrite::Kind::drop});
      store_.memory.commit(effects);
    }
    durable_.insert(durable_.end(), open_.begin(), open_.end());
    open_.clear();
  }

  /// The tree is told what became durable.
  void apply() {
    tree_.apply(durable_);
    durable_.clear();
  }

  void commit_and_apply() {
    commit();
    apply();
  }

  void build(std::size_t records_max = 1000) {
    while (!tree_.built()) {
      if (!tree_.build_some(records_max)) {
        return;
      }
    }
  }

  /// Of all readable records in the store.
  [[nodiscard]] Fingerprint expected(const KeyRange& range = {.begin = {}, .end = {}}) const {
    Fingerprint sum;
    for (const auto& [path, slot] : store_.memory.slots()) {
      if (!slot.damage && path >= range.begin && (range.end.empty() || path < range.end)) {
        sum.add(fingerprint_of(path, slot.record.header));
      }
    }
    return sum;
  }

 private:
  RecordHeader header(RecordKind kind) {
    return {.version = MemoryStore::version_of(++seq_), .kind = kind};
  }

  /// What the open batch has left under a path, or else the store.
  [[nodiscard]] std::optional<RecordHeader> held(const std::string& path) const {
    for (auto it = open_.rbegin(); it != open_.rend(); ++it) {
      if (it->path == path) {
        return it->after;
      }
    }
    return store_.find(Key::from_store(path)).value_or(std::nullopt);
  }

  void change(const std::string& path, const std::optional<RecordHeader>& after) {
    const auto before = held(path);
    if (before || after) {
      open_.push_back({.path = path, .before = before, .after = after});
    }
  }

  WatchedStore store_;
  FingerprintTree tree_;
  std::uint64_t seq_ = 0;
  std::vector<Change> open_;
  std::vector<Change> durable_;
};

}  // namespace kvs
