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
  }

  void next() final { ++at_; }

  [[nodiscard]] bool valid() const final { return at_ != records_->end(); }

  [[nodiscard]] Result<void> status() const final { return {}; }

  [[nodiscard]] Key key() const final { return Key::from_store(at_->first); }

 protected:
  explicit TableCursor(std::shared_ptr<const Disk::Table> records) : records_(std::move(records)) {}

  [[nodiscard]] std::string_view bytes() const { return at_->second; }

 private:
  std::shared_ptr<const Disk::Table> records_;
  Disk::Table::const_iterator at_ = records_->end();
};

}  // namespace kvs
