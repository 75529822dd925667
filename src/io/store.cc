#include "io/store.h"

#include <chrono>
#include <exception>
#include <filesystem>
#include <limits>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>

#include "base/bytes.h"
#include "io/os.h"
#include "io/rocks_options.h"
#include "io/slices.h"
#include "io/store_cursor.h"
#include "io/store_errors.h"
#include "wire/record_codec.h"
#include "wire/store_keys.h"

namespace kvs {

namespace {

/// Of the cache's bytes, what RocksDB's own cache of blocks gets.
constexpr std::uint64_t kBlockCacheFraction = 8;

/// Below this much free space nothing more is written. See Store::check_space.
constexpr std::uint64_t kSpaceMarginBytes = 2 * kWriteBufferBytes;

/// How long a commit waits for a throttled RocksDB before it fails.
constexpr std::chrono::milliseconds kStallWait(1);
constexpr int kStallWaitsMax = 250;

void put_state(const Effects& effects, rocksdb::WriteBatch& batch) {
  for (const KnowledgeWrite& write : effects.knowledge) {
    if (write.known.empty()) {
      batch.Delete(knowledge_key(write.origin));
    } else {
      batch.Put(knowledge_key(write.origin), encode_knowledge(write.known));
    }
  }
  if (effects.clock_reserve) {
    batch.Put(slice(kClockKey), encode_stamp(*effects.clock_reserve));
  }
  if (effects.root) {
    batch.Put(slice(kRootKey), encode_fingerprint(*effects.root));
  }
  if (effects.expiry_reserve) {
    batch.Put(slice(kExpiryReserveKey), encode_expiry_reserve(*effects.expiry_reserve));
  }
  if (effects.roster) {
    batch.Put(slice(kRosterKey), encode_roster(*effects.roster));
  }
  if (effects.identity) {
    batch.Put(slice(kIdentityKey), encode_identity(*effects.identity));
  }
}

/// About how much a copy of the logs takes.
std::uint64_t bytes_of_logs(const std::string& folder) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code gone;  // a log that was just removed has no size
    const bool log = it->path().extension() == ".log";
    const std::uintmax_t size = log ? it->file_size(gone) : 0;
    bytes += gone ? 0 : size;
  }
  return bytes;
}

void put_expiry(const RecordWrite& write, rocksdb::WriteBatch& batch) {
  if (write.record.header.expires_ms != 0) {
    const ExpiryEntry entry{.place = place_of(write.record.header),
                            .path = std::string(write.key.text())};
    batch.Put(expiry_key(entry.place), encode_expiry(entry));
  }
}

/// How many records go to lost+found.
std::uint64_t put_records(const Effects& effects, rocksdb::DB& database,
                          rocksdb::WriteBatch& batch) {
  std::string encoded;
  std::uint64_t lost = 0;
  for (const RecordWrite& write : effects.writes) {
    if (write.kind == RecordWrite::Kind::drop) {
      batch.Delete(slice(write.key.text()));
      continue;
    }
    if (write.kind == RecordWrite::Kind::lose) {
      const rocksdb::Status found =
          database.Get(rocksdb::ReadOptions(), slice(write.key.text()), &encoded);
      if (found.ok()) {
        const Dot dot = write.record.header.version.dot;
        batch.Put(lost_record_key(write.key, dot, effects.closed_at), encoded);
        ++lost;
      }
      batch.Delete(slice(write.key.text()));
      continue;
    }
    encoded.clear();
    encode_record(write.key, write.record, encoded);
    batch.Put(slice(write.key.text()), encoded);
    put_expiry(write, batch);
  }
  for (const ExpiryPlace& place : effects.expired) {
    batch.Delete(expiry_key(place));
  }
  return lost;
}

}  // namespace

Store::Store(DataFolder folder, OpenedDatabase opened, const StoreOptions& options)
    : folder_(std::move(folder)),
      database_(std::move(opened.database)),
      report_(std::move(opened.report)),
      durability_(options.durability),
      cache_(options.cache_bytes - options.cache_bytes / kBlockCacheFraction) {}

Store::~Store() {
  static_cast<void>(database_->Close());
}

Result<std::unique_ptr<Store>> Store::open(const StoreOptions& options) {
  DataFolder folder = KVS_TRY(DataFolder::open(options.data_dir));
  OpenedDatabase opened = KVS_TRY(open_database(folder, options.cache_bytes / kBlockCacheFraction));
  std::unique_ptr<Store> store(new Store(std::move(folder), std::move(opened), options));
  KVS_TRY(store->recover());
  return store;
}

Result<void> Store::recover() {
  counters_.lost_records = count_lost(*database_);
  if (const auto clock = KVS_TRY(read_state(kClockKey))) {
    const auto reserve = decode_stamp(*clock);
    if (!reserve) {
      note_damage("the clock reserve is damaged");
    }
    recovered_.clock_reserve = reserve.value_or(Stamp::from_ms(wall_now().ms));
  }
  if (const auto text = KVS_TRY(read_state(kIdentityKey))) {
    const auto identity = decode_identity(*text);
    if (identity) {
      recovered_.identity = *identity;
    } else {
      note_damage("the identity is damaged; the node takes a new one");
    }
  }
  if (const auto text = KVS_TRY(read_state(kRootKey))) {
    if (const auto root = decode_fingerprint(*text)) {
      recovered_.root = *root;
    } else {
      note_damage("the fingerprint of all records is damaged");
    }
  }
  if (const auto text = KVS_TRY(read_state(kRosterKey))) {
    if (auto roster = decode_roster(*text)) {
      recovered_.roster = *std::move(roster);
    } else {
      note_damage("the list of members is damaged");
    }
  }
  if (const auto text = KVS_TRY(read_state(kExpiryReserveKey))) {
    // Damaged it is done without: the clock tells what has expired.
    recovered_.expiry_reserve = decode_expiry_reserve(*text).value_or(WallTime{});
  }
  KVS_TRY(recover_knowledge());
  if (folder_.marked_damaged() && report_.damage.empty()) {
    note_damage("an earlier start found a damaged log and ended before it was dealt with");
  }
  return folder_.marked_damaged() || !report_.damage.empty() ? empty_knowledge() : Result<void>();
}

void Store::note_damage(std::string_view what) {
  report_.damage += fmt::format("{}{}", report_.damage.empty() ? "" : "; ", what);
}

/// The stored bytes of a state key. What is damaged reads as empty text.
Result<std::optional<std::string>> Store::read_state(std::string_view key) {
  std::string value;
  const rocksdb::Status status = database_->Get(rocksdb::ReadOptions(), slice(key), &value);
  if (status.IsNotFound()) {
    return std::nullopt;
  }
  if (status.IsCorruption()) {
    return std::string();
  }
  if (!status.ok()) {
    return std::unexpected(read_error(status));
  }
  return value;
}

Result<void> Store::recover_knowledge() {
  const std::unique_ptr<rocksdb::Iterator> it(database_->NewIterator(rocksdb::ReadOptions()));
  for (it->Seek(slice(kKnowledgePrefix)); it->Valid(); it->Next()) {
    const auto origin = origin_of(view(it->key()));
    if (!origin) {
      break;
    }
    auto known = decode_knowledge(view(it->value()));
    if (!known) {
      note_damage("K is damaged");
      break;
    }
    recovered_.knowledge.set(*origin, *std::move(known));
  }
  if (it->status().IsCorruption()) {
    note_damage(fmt::format("K cannot be read ({})", it->status().ToString()));
  } else if (!it->status().ok()) {
    return std::unexpected(read_error(it->status()));
  }
  return {};
}

/// A node that lost records but kept its K would make others drop theirs.
Result<void> Store::empty_knowledge() {
  rocksdb::WriteBatch batch;
  const std::unique_ptr<rocksdb::Iterator> it(database_->NewIterator(rocksdb::ReadOptions()));
  for (it->Seek(slice(kKnowledgePrefix)); it->Valid() && origin_of(view(it->key())); it->Next()) {
    batch.Delete(it->key());
  }
  rocksdb::WriteOptions options;
  options.sync = true;
  const rocksdb::Status status = database_->Write(options, &batch);
  recovered_.knowledge = Knowledge();
  report_.knowledge_emptied = true;
  if (status.IsCorruption()) {
    return {};  // a damaged table has ended all writes already: reads go on, the next start tries
  }
  if (!status.ok()) {
    return std::unexpected(write_error(status));
  }
  return folder_.forget_damage();
}

Result<void> Store::check_space(std::uint64_t bytes) const {
  // The log must never meet the end of the disk: a batch cut off in its middle would have to be
  // told from damage after a kill. And what is in memory must find room in tables.
  if (folder_.free_bytes() < kSpaceMarginBytes + bytes) {
    return fail(Errc::disk_full, fmt::format("less than {} MiB left on the disk of the data folder",
                                             kSpaceMarginBytes >> 20U));
  }
  return {};
}

/// Writes, waiting a little while RocksDB throttles writers.
rocksdb::Status Store::write(rocksdb::WriteBatch& batch, const rocksdb::WriteOptions& options) {
  rocksdb::Status status = database_->Write(options, &batch);
  for (int wait = 0; status.IsIncomplete() && wait < kStallWaitsMax; ++wait) {
    std::this_thread::sleep_for(kStallWait);
    status = database_->Write(options, &batch);
  }
  return status;
}

Result<void> Store::commit(const Effects& effects) {
  stop_counting_in_this_thread();
  const Instant begin = monotonic_now();
  rocksdb::WriteBatch batch;
  put_state(effects, batch);
  const std::uint64_t lost = put_records(effects, *database_, batch);
  const std::uint64_t expired = lost_sweep_.step(*database_, effects.closed_at, batch);
  auto space = check_space(batch.GetDataSize());
  if (!space) {
    counters_.disk_full = true;
    ++counters_.commits_failed;
    return space;
  }

  rocksdb::WriteOptions options;
  options.sync = durability_ == Durability::sync || effects.clock_reserve || effects.identity;
  options.no_slowdown = true;
  cache_.begin_writes(effects.writes);
  const rocksdb::Status status = write(batch, options);
  cache_.end_writes(effects.writes,
                    status.ok() ? RecordCache::Outcome::written : RecordCache::Outcome::failed);
  counters_.disk_full = status.IsNoSpace();
  if (!status.ok()) {
    ++counters_.commits_failed;
    return std::unexpected(write_error(status));
  }
  counters_.lost_records += lost - expired;
  ++counters_.commits;
  counters_.commits_synced += options.sync ? 1 : 0;
  counters_.batch_records.add(effects.writes.size());
  counters_.commit_micros.add(static_cast<std::uint64_t>((monotonic_now() - begin).ns / 1000));
  return {};
}

Result<std::optional<RecordHeader>> Store::find(Key key) const {
  if (auto header = cache_.peek(key)) {
    return header;
  }
  const SharedRecord record = KVS_TRY(read(key));
  return record ? std::optional(record.header()) : std::nullopt;
}

Result<std::optional<Record>> Store::get_record(Key key) const {
  const SharedRecord record = KVS_TRY(get(key));
  if (!record) {
    return std::optional<Record>();
  }
  return std::optional(Record{.header = record.header(), .value = std::string(record.value())});
}

Result<SharedRecord> Store::get(Key key) const {
  RecordCache::Lookup cached = cache_.lookup(key);
  if (cached.record) {
    return std::move(cached.record);
  }
  SharedRecord record = KVS_TRY(read(key));
  if (record) {
    cache_.fill(cached.miss, record);
  }
  return record;
}

Result<SharedRecord> Store::read(Key key) const {
  stop_counting_in_this_thread();
  rocksdb::PinnableSlice value;
  const rocksdb::Status status = database_->Get(
      rocksdb::ReadOptions(), database_->DefaultColumnFamily(), slice(key.text()), &value);
  if (status.IsNotFound()) {
    return SharedRecord();
  }
  if (!status.ok()) {
    ++counters_.damaged_reads;
    return std::unexpected(read_error(status));
  }
  const auto record = decode_record(key, view(value));
  if (!record) {
    ++counters_.damaged_reads;
    return std::unexpected(record.error());
  }
  return SharedRecord(key, *record);
}

Result<std::vector<ExpiryEntry>> Store::expiries(const ExpiryPlace& after, std::size_t max) const {
  std::vector<ExpiryEntry> entries;
  const std::string from = expiry_key(after);
  const std::unique_ptr<rocksdb::Iterator> it(database_->NewIterator(rocksdb::ReadOptions()));
  it->Seek(from);
  if (it->Valid() && view(it->key()) == from) {
    it->Next();
  }
  for (; it->Valid() && entries.size() < max && parse_expiry_key(view(it->key())); it->Next()) {
    if (auto entry = decode_expiry(view(it->key()), view(it->value()))) {
      entries.push_back(*std::move(entry));
    } else {
      ++counters_.damaged_reads;  // its record is hidden in time all the same
    }
  }
  if (!it->status().ok()) {
    return std::unexpected(read_error(it->status()));
  }
  return entries;
}

std::unique_ptr<RecordCursor> Store::cursor() const {
  // A scan of everything must not push out what single reads use.
  return std::make_unique<StoreCursor>(*database_, StoreCursor::Keeps::nothing);
}

std::unique_ptr<RecordCursor> Store::page_cursor() const {
  return std::make_unique<StoreCursor>(*database_, StoreCursor::Keeps::blocks);
}

std::shared_ptr<const StoreMoment> Store::moment() const {
  return std::make_shared<const StoreMoment>(*database_);
}

Result<LostPage> Store::lost(const LostRange& range) const {
  return list_lost(*database_, range);
}

Result<void> Store::checkpoint(const std::string& path) const {
  // Its K says more than it holds until that was emptied, which could not be written.
  if (folder_.marked_damaged()) {
    return fail(Errc::corrupt_data,
                "the data folder is damaged: there is nothing whole to back up");
  }
  KVS_TRY(check_space(bytes_of_logs(folder_.database_path())));
  try {
    rocksdb::Checkpoint* created = nullptr;
    rocksdb::Status status = rocksdb::Checkpoint::Create(database_.get(), &created);
    const std::unique_ptr<rocksdb::Checkpoint> checkpoint(created);
    if (status.ok()) {
      // Nothing is flushed: a flush that finds no space would end all writes.
      status = checkpoint->CreateCheckpoint(path, std::numeric_limits<std::uint64_t>::max());
    }
    if (status.IsNoSpace()) {
      return fail(Errc::disk_full, "no space left on the disk of the data folder");
    }
    if (!status.ok()) {
      return std::unexpected(read_error(status));
    }
    return {};
  } catch (const std::exception& error) {
    return fail(Errc::io_error, error.what());
  }
}

StoreFigures Store::stats() const {
  StoreFigures stats;
  const auto number = [this](const std::string& property) {
    std::uint64_t value = 0;
    database_->GetIntProperty(property, &value);
    return value;
  };
  stats.records_estimate = number("rocksdb.estimate-num-keys");
  stats.disk_bytes = number("rocksdb.total-sst-files-size");
  stats.memory_bytes = number("rocksdb.cur-size-all-mem-tables") +
                       number("rocksdb.estimate-table-readers-mem") +
                       number("rocksdb.block-cache-usage");
  stats.background_errors = number("rocksdb.background-errors");
  stats.stalled =
      number("rocksdb.is-write-stopped") != 0 || number("rocksdb.actual-delayed-write-rate") != 0;
  const RecordCache::Stats cache = cache_.stats();
  stats.cache_hits = cache.hits;
  stats.cache_misses = cache.misses;
  stats.cache_records = cache.records;
  stats.cache_bytes = cache.bytes;
  stats.memory_bytes += cache.bytes;
  stats.commits = counters_.commits;
  stats.commits_synced = counters_.commits_synced;
  stats.commits_failed = counters_.commits_failed;
  stats.damaged_reads = counters_.damaged_reads;
  stats.disk_full = counters_.disk_full;
  stats.lost_records = counters_.lost_records;
  stats.batch_records = counters_.batch_records.read();
  stats.commit_micros = counters_.commit_micros.read();
  return stats;
}

}  // namespace kvs
