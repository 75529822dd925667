// A walk over the records of one moment of a simulated disk: later commits do not show in it.
#pragma once

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "core/store_view.h"
#include "sim/disk.h"
#include "wire/store_keys.h"

namespace kvs {

/// All of a cursor but how a record is read.
class TableCursor : public RecordCursor {
 public:
  void seek(std::string_view text) final {
    at_ = records_->lower_bound(std::max<std::string_view>(text, kFirstRecordKey));
    stuck_ = at_ != records_->end() && fails();
  }

  void next() final {
    ++at_;
    stuck_ = at_ != records_->end() && fails();
  }

  [[nodiscard]] bool valid() const final { return !stuck_ && at_ != records_->end(); }

  [[nodiscard]] Result<void> status() const final {
    return stuck_ ? fail(Errc::io_error, "the disk cannot read") : Result<void>{};
  }

  [[nodiscard]] Key key() const final { return Key::from_store(at_->first); }

 protected:
  explicit TableCursor(std::shared_ptr<const Disk::Table> records) : records_(std::move(records)) {}

  [[nodiscard]] std::string_view bytes() const { return at_->second; }

  /// True if the disk does not give what the cursor has come to.
  [[nodiscard]] virtual bool fails() { return false; }

 private:
  std::shared_ptr<const Disk::Table> records_;
  Disk::Table::const_iterator at_ = records_->end();
  bool stuck_ = false;
};

}  // namespace kvs
