// The one thing that the core needs synchronously: what the store holds.
//
// It shows committed records only. What the core has decided and the disk has not yet made durable
// the core remembers itself (core/pending).
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/expiry.h"
#include "core/key.h"
#include "core/record.h"

namespace kvs {

/// Walks the records of one moment in key order, tombstones included; later commits do not show.
/// One thread at a time.
class RecordCursor {
 public:
  virtual ~RecordCursor() = default;

  /// Moves to the first record whose key is `text` or follows it.
  virtual void seek(std::string_view text) = 0;
  virtual void next() = 0;

  /// False past the last record, and after an error; status() tells which.
  [[nodiscard]] virtual bool valid() const = 0;
  [[nodiscard]] virtual Result<void> status() const = 0;

  /// Of a valid cursor, until it moves. Error: corrupt_data if this record is damaged.
  [[nodiscard]] virtual Key key() const = 0;
  [[nodiscard]] virtual Result<RecordView> record() const = 0;

 protected:
  RecordCursor() = default;
  RecordCursor(const RecordCursor&) = default;
  RecordCursor& operator=(const RecordCursor&) = default;
};

class StoreView {
 public:
  virtual ~StoreView() = default;

  /// The header of the record under `key`, tombstones included; nothing if there is none.
  /// Errors: corrupt_data if the record is damaged, io_error if it cannot be read.
  [[nodiscard]] virtual Result<std::optional<RecordHeader>> find(Key key) const = 0;

  /// The same with the value.
  [[nodiscard]] virtual Result<std::optional<Record>> get_record(Key key) const = 0;

  /// A cursor over what is committed now.
  [[nodiscard]] virtual std::unique_ptr<RecordCursor> cursor() const = 0;

  /// The index of what expires: up to `max` entries after `after`, in their order. Each record that
  /// was stored with an expiry has one from the same commit on, until an Effects::expired takes it
  /// out; an entry whose record was replaced stays until then. Error: io_error.
  [[nodiscard]] virtual Result<std::vector<ExpiryEntry>> expiries(const ExpiryPlace& after,
                                                                  std::size_t max) const = 0;

 protected:
  StoreView() = default;
  StoreView(const StoreView&) = default;
  StoreView& operator=(const StoreView&) = default;
};

}  // namespace kvs
