// The store: what a node keeps on disk, in RocksDB, behind StoreView.
//
// Invariants: a commit is one atomic batch, records and the state that covers them; every value is
// checked with its checksum wherever it is read; what cannot be read is an error, never a wrong or
// a missing record. docs/storage.md is normative for files, layout, recovery and a full disk.
// Threads: commit() is called by one thread, everything else by any.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/config.h"
#include "core/effects.h"
#include "core/replica.h"
#include "core/store_view.h"
#include "io/committer.h"
#include "io/data_folder.h"
#include "io/lost_found.h"
#include "io/record_cache.h"
#include "io/shared_record.h"
#include "io/store_moment.h"
#include "io/store_open.h"
#include "io/store_stats.h"
#include "wire/metrics.h"

namespace kvs {

struct StoreOptions {
  std::string data_dir;
  Durability durability = Durability::sync;
  std::uint64_t cache_bytes = 256ULL << 20U;
};

class Store final : public StoreView, public Committer {
 public:
  /// Opens the data folder, making it if it is absent, and repeats what its log holds.
  /// Errors: data_dir_unusable, format_too_new; corrupt_data if the database cannot be opened;
  /// disk_full, io_error. Each says what to do.
  static Result<std::unique_ptr<Store>> open(const StoreOptions& options);

  ~Store() override;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  Store(Store&&) = delete;
  Store& operator=(Store&&) = delete;

  [[nodiscard]] const OpenReport& open_report() const { return report_; }

  /// What the run before left: K, the clock reserve, the identity.
  [[nodiscard]] const Recovered& recovered() const { return recovered_; }

  /// See Committer. With durability `sync`, or if a clock reserve or an identity is in it, the
  /// batch has survived loss of power when this returns; else death of the process.
  Result<void> commit(const Effects& effects) override;

  [[nodiscard]] Result<std::optional<RecordHeader>> find(Key key) const override;
  [[nodiscard]] Result<std::optional<Record>> get_record(Key key) const override;
  [[nodiscard]] Result<std::vector<ExpiryEntry>> expiries(const ExpiryPlace& after,
                                                          std::size_t max) const override;

  /// The record under `key`, tombstones included; empty if there is none.
  /// Errors: corrupt_data if it is damaged, io_error if it cannot be read.
  [[nodiscard]] Result<SharedRecord> get(Key key) const;

  /// These keys will be read next: what is known of them in memory is fetched from there, without
  /// waiting for it.
  void prefetch(std::span<const std::string_view> keys) const { cache_.prefetch(keys); }

  /// A cursor over the records of this moment, before the first. It keeps disk space of what is
  /// replaced meanwhile, so hold it for seconds, not hours. The store outlives it.
  [[nodiscard]] std::unique_ptr<RecordCursor> cursor() const override;

  /// The same for a page that may well be asked for again: what it reads stays in memory for a
  /// while.
  [[nodiscard]] std::unique_ptr<RecordCursor> page_cursor() const;

  /// All that is committed now, to be walked for as long as the moment lives. It keeps disk space
  /// of what is replaced meanwhile, but no memory. The store outlives it.
  [[nodiscard]] std::shared_ptr<const StoreMoment> moment() const;

  /// Live records that exchanges dropped, of the last 30 days. Any thread.
  [[nodiscard]] Result<LostPage> lost(const LostRange& range) const;

  /// Makes the folder `path`, on the file system of the data folder, a copy of the database as of
  /// now: links to its tables, copies of its logs. Every commit that has ended is in it. Any
  /// thread, one at a time. Errors, with nothing left: disk_full, corrupt_data, io_error.
  [[nodiscard]] Result<void> checkpoint(const std::string& path) const;

  /// The data folder's path.
  [[nodiscard]] const std::string& folder() const { return folder_.path(); }

  /// Figures of this moment; costs some microseconds.
  [[nodiscard]] StoreFigures stats() const;

 private:
  Store(DataFolder folder, OpenedDatabase opened, const StoreOptions& options);

  Result<void> recover();
  Result<void> recover_knowledge();
  Result<void> empty_knowledge();
  Result<std::optional<std::string>> read_state(std::string_view key);
  void note_damage(std::string_view what);
  Result<SharedRecord> read(Key key) const;
  Result<void> check_space(std::uint64_t bytes) const;
  rocksdb::Status write(rocksdb::WriteBatch& batch, const rocksdb::WriteOptions& options);

  DataFolder folder_;
  std::unique_ptr<rocksdb::DB> database_;
  LostSweep lost_sweep_;  // of the committing thread
  OpenReport report_;
  Recovered recovered_;
  Durability durability_;
  mutable RecordCache cache_;
  mutable StoreCounters counters_;
};

}  // namespace kvs
