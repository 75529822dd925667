#include "sim/disk.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/mutant.h"
#include "base/probe.h"
#include "sim/table_cursor.h"
#include "wire/record_codec.h"
#include "wire/store_keys.h"

namespace kvs {

namespace {

std::vector<DiskWrite> encode(const Effects& effects) {
  std::vector<DiskWrite> writes;
  for (const RecordWrite& write : effects.writes) {
    std::string bytes;  // none: the key goes
    if (write.kind != RecordWrite::Kind::drop) {
      encode_record(write.key, write.record, bytes);
    }
    if (write.kind == RecordWrite::Kind::lose) {
      KVS_PROBE("disk: a record went to lost+found");
      const Dot dot = write.record.header.version.dot;
      writes.emplace_back(lost_record_key(write.key, dot, effects.closed_at),
                          std::exchange(bytes, {}));
    }
    const bool stores = !bytes.empty();
    writes.emplace_back(write.key.text(), std::move(bytes));
    if (stores && write.record.header.expires_ms != 0) {
      const ExpiryEntry entry{.place = place_of(write.record.header),
                              .path = std::string(write.key.text())};
      writes.emplace_back(expiry_key(entry.place), encode_expiry(entry));
    }
  }
  for (const ExpiryPlace& place : effects.expired) {
    writes.emplace_back(expiry_key(place), std::string());
  }
  for (const KnowledgeWrite& write : effects.knowledge) {
    writes.emplace_back(knowledge_key(write.origin), encode_knowledge(write.known));
  }
  if (effects.clock_reserve) {
    writes.emplace_back(kClockKey, encode_stamp(*effects.clock_reserve));
  }
  if (effects.expiry_reserve) {
    writes.emplace_back(kExpiryReserveKey, encode_expiry_reserve(*effects.expiry_reserve));
  }
  if (effects.identity) {
    writes.emplace_back(kIdentityKey, encode_identity(*effects.identity));
  }
  if (effects.root) {
    writes.emplace_back(kRootKey, encode_fingerprint(*effects.root));
  }
  if (effects.roster) {
    writes.emplace_back(kRosterKey, encode_roster(*effects.roster));
  }
  return writes;
}

/// False if the key is none of these.
Result<bool> decode_named(std::string_view key, std::string_view bytes, Recovered& state) {
  if (key == kClockKey) {
    state.clock_reserve = KVS_TRY(decode_stamp(bytes));
  } else if (key == kIdentityKey) {
    state.identity = KVS_TRY(decode_identity(bytes));
  } else if (key == kRootKey) {
    state.root = KVS_TRY(decode_fingerprint(bytes));
  } else if (key == kRosterKey) {
    state.roster = KVS_TRY(decode_roster(bytes));
  } else if (key == kExpiryReserveKey) {
    state.expiry_reserve = KVS_TRY(decode_expiry_reserve(bytes));
  } else {
    return false;
  }
  return true;
}

Result<void> decode_one(std::string_view key, std::string_view bytes, Recovered& state) {
  if (KVS_TRY(decode_named(key, bytes, state))) {
    return {};
  }
  if (const auto origin = origin_of(key)) {
    state.knowledge.set(*origin, KVS_TRY(decode_knowledge(bytes)));
  } else if (parse_expiry_key(key)) {
    KVS_TRY(decode_expiry(key, bytes));
  }
  return {};
}

void put_into(Disk::Table& table, std::string key, std::string bytes) {
  if (bytes.empty()) {
    table.erase(key);
  } else {
    table.insert_or_assign(std::move(key), std::move(bytes));
  }
}

Result<Recovered> decode_state(const Disk::Table& table) {
  Recovered state;
  for (auto it = table.begin(); it != table.end() && it->first < kFirstRecordKey; ++it) {
    KVS_TRY(decode_one(it->first, it->second, state));
  }
  return state;
}

void flip_bit(char& byte, std::uint64_t bit) {
  byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << bit));
}

Result<Record> decode(Key key, std::string_view bytes) {
  const RecordView view = KVS_TRY(decode_record(key, bytes));
  return Record{.header = view.header, .value = std::string(view.value)};
}

class DiskCursor final : public TableCursor {
 public:
  DiskCursor(const Disk& disk, std::shared_ptr<const Disk::Table> records)
      : TableCursor(std::move(records)), disk_(disk) {}

  [[nodiscard]] Result<RecordView> record() const override {
    read_ = KVS_TRY(disk_.read_given(key(), bytes()));
    return read_.view();
  }

 protected:
  [[nodiscard]] bool fails() override { return disk_.stops_cursor(); }

 private:
  const Disk& disk_;
  mutable Record read_;  // keeps the bytes that record() points to
};

}  // namespace

Result<Record> Disk::read(Key key, std::string_view bytes) const {
  if (prng_.chance(faults_.read_error_rate, 1000)) {
    read_fault_ = Errc::io_error;
    return fail(Errc::io_error, "the disk cannot read");
  }
  return read_given(key, bytes);
}

bool Disk::stops_cursor() const {
  const bool stops = faults_.read_error_rate > 0 && prng_.chance(faults_.read_error_rate, 1000);
  read_fault_ = stops && !read_fault_ ? Errc::io_error : read_fault_;  // the first one counts
  return stops;
}

Result<Record> Disk::read_given(Key key, std::string_view bytes) const {
  auto record = decode(key, bytes);
  // A second flip could undo the first: damage stays as it is.
  if (!record || !prng_.chance(faults_.read_flip_rate, 1000)) {
    return record;
  }
  KVS_PROBE("disk: a bit flipped on the way from the disk");
  read_fault_ = Errc::corrupt_data;
  std::string flipped(bytes);
  flip_bit(flipped[prng_.below(flipped.size())], prng_.below(8));
  return decode(key, flipped);
}

Result<std::optional<Record>> Disk::get(Key key) const {
  const Table& table = KVS_MUTATED(stale_read) ? table_ : shown();
  const auto it = table.find(key.text());
  if (it == table.end()) {
    return std::nullopt;
  }
  return KVS_TRY(read(key, it->second));
}

Result<std::optional<RecordHeader>> Disk::find(Key key) const {
  const auto it = shown().find(key.text());
  if (it == shown().end()) {
    return std::nullopt;
  }
  return KVS_TRY(read(key, it->second)).header;
}

Result<std::vector<ExpiryEntry>> Disk::expiries(const ExpiryPlace& after, std::size_t max) const {
  std::vector<ExpiryEntry> entries;
  for (auto it = shown().upper_bound(expiry_key(after));
       it != shown().end() && entries.size() < max && parse_expiry_key(it->first); ++it) {
    entries.push_back(KVS_TRY(decode_expiry(it->first, it->second)));
  }
  return entries;
}

std::unique_ptr<RecordCursor> Disk::cursor() const {
  return std::make_unique<DiskCursor>(*this, shown_);
}

Disk::Table& Disk::shown_to_change() {
  if (shown_.use_count() > 1) {
    shown_ = std::make_shared<Table>(*shown_);
  }
  return *shown_;
}

void Disk::begin(const Effects& effects) {
  KVS_CHECK(entry_.empty(), "one commit at a time");
  batch_ = encode(effects);
  append_entry(batch_, entry_);
}

Result<void> Disk::write() {
  log_.resize(log_end_);  // remains of a failed write are written over
  if (faults_.full) {
    leave_remains(true);
    return fail(Errc::disk_full, "no space left");
  }
  if (prng_.chance(faults_.overload_rate, 1000)) {
    entry_.clear();
    return fail(Errc::overloaded, "too much to write");
  }
  if (prng_.chance(faults_.write_error_rate, 1000)) {
    leave_remains(true);
    return fail(Errc::io_error, "the disk cannot write");
  }
  log_.append(std::exchange(entry_, {}));
  log_end_ = log_.size();
  return {};
}

/// A part of the batch reaches the log, perhaps all of it.
void Disk::leave_remains(bool may_be_whole) {
  const std::string entry = std::exchange(entry_, {});
  if (may_be_whole && prng_.chance(1, 4)) {
    KVS_PROBE("disk: a write that failed is in the log all the same");
    log_.append(entry);
    log_end_ = log_.size();
  } else if (prng_.chance(1, 2)) {
    log_.append(entry, 0, prng_.below(entry.size()));
  }
}

Result<void> Disk::sync() {
  if (prng_.chance(faults_.sync_error_rate, 1000)) {
    KVS_PROBE("disk: a sync failed");
    sync_broken_ = true;
    return fail(Errc::io_error, "the disk cannot sync");
  }
  if (!sync_broken_) {
    log_synced_ = log_end_;
  }
  return {};
}

void Disk::apply() {
  Table& table = shown_to_change();
  for (auto& [key, bytes] : std::exchange(batch_, {})) {
    put_into(table, std::move(key), std::move(bytes));
  }
}

void Disk::checkpoint() {
  table_ = shown();
  log_.clear();
  log_end_ = 0;
  log_synced_ = 0;
  flips_.clear();
}

void Disk::kill() {
  if (!entry_.empty()) {
    log_.resize(log_end_);
    leave_remains(false);
  }
  batch_.clear();
  shown_ = std::make_shared<Table>();
}

void Disk::lose_power() {
  kill();
  const std::size_t at_risk = log_.size() - log_synced_;
  const std::uint64_t dice = prng_.below(4);  // the rest survives whole, not at all, or in part
  const std::size_t kept = dice == 0 ? at_risk : dice == 1 ? 0 : prng_.below(at_risk + 1);
  log_.resize(log_synced_ + kept);
  if (log_.size() < log_end_) {
    KVS_PROBE("disk: loss of power took written batches");
  }
  log_end_ = std::min(log_end_, log_.size());
  forget_flips();
}

Result<Recovered> Disk::open() {
  if (prng_.chance(faults_.read_error_rate, 1000)) {
    return fail(Errc::io_error, "the disk cannot read");
  }
  const LogContents contents = KVS_TRY(read_log(log_));
  if (faults_.full && !log_.empty()) {
    KVS_PROBE("disk: a start found the disk full");
    return fail(Errc::disk_full, "no space left");
  }
  if (contents.complete_bytes < log_.size()) {
    KVS_PROBE("disk: a torn tail was cut off");
  }
  Table recovered = table_;
  for (const auto& [key, bytes] : contents.writes) {
    put_into(recovered, key, bytes);
  }
  Recovered state = KVS_TRY(decode_state(recovered));
  shown_ = std::make_shared<Table>(std::move(recovered));
  checkpoint();
  sync_broken_ = false;
  return state;
}

Image Disk::image() const {
  Image image{.records = {}, .state = {}};
  for (auto it = shown().lower_bound(kFirstRecordKey); it != shown().end(); ++it) {
    image.records.emplace(it->first, decode(Key::from_store(it->first), it->second));
  }
  image.state = state();
  return image;
}

Recovered Disk::state() const {
  auto decoded = decode_state(shown());
  KVS_CHECK(decoded, "the state that a process shows was checked when it started");
  return *std::move(decoded);
}

bool Disk::flip_in(std::string& bytes, const Flip& flip) {
  if (flip.offset >= bytes.size()) {
    return false;
  }
  flip_bit(bytes[flip.offset], flip.bit);
  return true;
}

Disk::Flip Disk::random_flip(std::string key, std::size_t size) {
  return {.key = std::move(key),
          .offset = prng_.below(size),
          .bit = static_cast<unsigned>(prng_.below(8))};
}

std::optional<std::string> Disk::rot_record() {
  std::vector<Table::iterator> sound;  // and shown as it is on the disk, if a process runs
  for (auto it = table_.lower_bound(kFirstRecordKey); it != table_.end(); ++it) {
    const auto visible = shown().find(it->first);
    const bool current =
        shown().empty() || (visible != shown().end() && visible->second == it->second);
    if (current && decode_record(Key::from_store(it->first), it->second)) {
      sound.push_back(it);
    }
  }
  if (sound.empty()) {
    return std::nullopt;
  }
  const auto it = sound[prng_.below(sound.size())];
  const Flip flip = random_flip(it->first, it->second.size());
  static_cast<void>(flip_in(it->second, flip));
  Table& table = shown_to_change();
  if (const auto visible = table.find(it->first); visible != table.end()) {
    visible->second = it->second;
  }
  return it->first;
}

bool Disk::rot_log() {
  return log_end_ > 0 && rot(log_, random_flip({}, log_end_));
}

bool Disk::rot_state() {
  const auto end = table_.lower_bound(kFirstRecordKey);
  const auto count = static_cast<std::uint64_t>(std::distance(table_.begin(), end));
  if (count == 0) {
    return false;
  }
  const auto it = std::next(table_.begin(), static_cast<std::ptrdiff_t>(prng_.below(count)));
  return rot(it->second, random_flip(it->first, it->second.size()));
}

/// Flips a bit and remembers it; the same bit twice would be sound again.
bool Disk::rot(std::string& bytes, Flip flip) {
  if (std::ranges::find(flips_, flip) != flips_.end()) {
    return false;
  }
  flips_.push_back(std::move(flip));
  return flip_in(bytes, flips_.back());
}

/// Flipped bits that were cut off are gone.
void Disk::forget_flips() {
  std::erase_if(flips_,
                [&](const Flip& flip) { return flip.key.empty() && flip.offset >= log_.size(); });
}

bool Disk::must_notice() const {
  std::string sound = log_;
  for (const Flip& flip : flips_) {
    if (flip.key.empty()) {
      static_cast<void>(flip_in(sound, flip));
    }
  }
  const auto contents = read_log(sound);
  KVS_CHECK(contents, "the log is damaged, and nobody damaged it");
  const auto in_log = [&](const std::string& key) {
    return std::ranges::find(contents->writes, key, &DiskWrite::first) != contents->writes.end();
  };
  return std::ranges::any_of(flips_, [&](const Flip& flip) {
    return flip.key.empty() ? flip.offset < contents->complete_bytes : !in_log(flip.key);
  });
}

void Disk::repair() {
  for (const Flip& flip : std::exchange(flips_, {})) {
    std::string& bytes = flip.key.empty() ? log_ : table_.find(flip.key)->second;
    static_cast<void>(flip_in(bytes, flip));
  }
}

void Disk::replace(Folder folder) {
  kill();
  table_ = std::move(folder.table);
  log_ = std::move(folder.log);
  log_end_ = log_.size();
  log_synced_ = log_end_;
  sync_broken_ = false;
  flips_.clear();
}

}  // namespace kvs
