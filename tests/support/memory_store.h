// A store for tests: an ordered map behind StoreView and RecordCursor, with records that can be
// damaged and reads that are counted.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/effects.h"
#include "core/store_view.h"

namespace kvs {

class MemoryStore final : public StoreView {
 public:
  struct Slot {
    Record record;
    std::optional<Errc> damage;  // what reading it gives instead
  };

  using Slots = std::map<std::string, Slot, std::less<>>;

  [[nodiscard]] Result<std::optional<RecordHeader>> find(Key key) const override {
    const auto it = slots_.find(key.text());
    if (it == slots_.end()) {
      return std::optional<RecordHeader>();
    }
    if (it->second.damage) {
      return fail(*it->second.damage, "the test says so");
    }
    return std::optional(it->second.record.header);
  }

  [[nodiscard]] Result<std::optional<Record>> get_record(Key key) const override {
    const auto header = find(key);
    if (!header) {
      return std::unexpected(header.error());
    }
    return *header ? std::optional(slots_.find(key.text())->second.record) : std::nullopt;
  }

  [[nodiscard]] std::unique_ptr<RecordCursor> cursor() const override;

  [[nodiscard]] Result<std::vector<ExpiryEntry>> expiries(const ExpiryPlace& after,
                                                          std::size_t max) const override {
    std::vector<ExpiryEntry> entries;
    for (auto it = expiries_.upper_bound(after); it != expiries_.end() && entries.size() < max;
         ++it) {
      entries.push_back({.place = it->first, .path = it->second});
    }
    return entries;
  }

  void set(const std::string& key, Record record) {
    if (record.header.expires_ms != 0) {
      expiries_[place_of(record.header)] = key;
    }
    slots_[key] = {std::move(record), {}};
  }

  /// A live record whose fields follow from `seq`.
  void put(const std::string& key, std::uint64_t seq, std::string value = "1") {
    set(key, {.header = {.version = version_of(seq), .kind = RecordKind::value},
              .value = std::move(value)});
  }

  void put_tombstone(const std::string& key, std::uint64_t seq) {
    set(key, {.header = {.version = version_of(seq), .kind = RecordKind::tombstone}, .value = {}});
  }

  void erase(const std::string& key) { slots_.erase(key); }

  void damage(const std::string& key, Errc code) { slots_[key].damage = code; }

  void commit(const Effects& effects) {
    for (const RecordWrite& write : effects.writes) {
      if (write.kind != RecordWrite::Kind::store) {
        slots_.erase(std::string(write.key.text()));
        continue;
      }
      set(std::string(write.key.text()),
          {.header = write.record.header, .value = std::string(write.record.value)});
    }
    for (const ExpiryPlace& place : effects.expired) {
      expiries_.erase(place);
    }
  }

  [[nodiscard]] const Slots& slots() const { return slots_; }

  static Version version_of(std::uint64_t seq) {
    return {.stamp = Stamp::from_ms(static_cast<std::int64_t>(seq)),
            .verdict = {},
            .uuid = {.high = seq, .low = seq},
            .dot = {.origin = Origin{1}, .seq = seq}};
  }

 private:
  Slots slots_;
  std::map<ExpiryPlace, std::string> expiries_;
};

/// Walks the store as it is, not as it was.
class MemoryCursor final : public RecordCursor {
 public:
  explicit MemoryCursor(const MemoryStore& store) : slots_(store.slots()), at_(slots_.end()) {}

  void seek(std::string_view text) override {
    at_ = slots_.lower_bound(text);
    ++moves_.seeks;
  }

  void next() override {
    ++at_;
    ++moves_.steps;
  }

  [[nodiscard]] bool valid() const override { return at_ != slots_.end() && !fails(); }

  [[nodiscard]] Result<void> status() const override {
    return fails() ? Result<void>(fail(Errc::io_error, "the test says so")) : Result<void>();
  }

  [[nodiscard]] Key key() const override { return Key::from_store(at_->first); }

  [[nodiscard]] Result<RecordView> record() const override {
    if (at_->second.damage) {
      return fail(*at_->second.damage, "the test says so");
    }
    return at_->second.record.view();
  }

  struct Moves {
    std::size_t seeks = 0;
    std::size_t steps = 0;
  };

  [[nodiscard]] Moves moves() const { return moves_; }

  /// Seeks and steps so far.
  [[nodiscard]] std::size_t steps() const { return moves_.seeks + moves_.steps; }

 private:
  /// The disk fails where a slot says so.
  [[nodiscard]] bool fails() const {
    return at_ != slots_.end() && at_->second.damage == Errc::io_error;
  }

  const MemoryStore::Slots& slots_;
  MemoryStore::Slots::const_iterator at_;
  Moves moves_;
};

inline std::unique_ptr<RecordCursor> MemoryStore::cursor() const {
  return std::make_unique<MemoryCursor>(*this);
}

}  // namespace kvs
