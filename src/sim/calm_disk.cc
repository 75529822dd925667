#include "sim/calm_disk.h"

#include <algorithm>
#include <string>
#include <utility>

#include "wire/record_codec.h"
#include "wire/store_keys.h"

namespace kvs {

namespace {

class CalmCursor final : public RecordCursor {
 public:
  explicit CalmCursor(std::shared_ptr<const Disk::Table> records) : records_(std::move(records)) {}

  void seek(std::string_view text) override {
    at_ = records_->lower_bound(std::max<std::string_view>(text, kFirstRecordKey));
  }

  void next() override { ++at_; }

  [[nodiscard]] bool valid() const override { return at_ != records_->end(); }

  [[nodiscard]] Result<void> status() const override { return {}; }

  [[nodiscard]] Key key() const override { return Key::from_store(at_->first); }

  [[nodiscard]] Result<RecordView> record() const override {
    return decode_record(key(), at_->second);
  }

 private:
  std::shared_ptr<const Disk::Table> records_;
  Disk::Table::const_iterator at_ = records_->end();
};

}  // namespace

Result<std::optional<Record>> CalmDisk::get_record(Key key) const {
  const auto records = disk_.table_shown();
  const auto it = records->find(key.text());
  if (it == records->end()) {
    return std::nullopt;
  }
  const RecordView view = KVS_TRY(decode_record(key, it->second));
  return Record{.header = view.header, .value = std::string(view.value)};
}

Result<std::optional<RecordHeader>> CalmDisk::find(Key key) const {
  const auto records = disk_.table_shown();
  const auto it = records->find(key.text());
  if (it == records->end()) {
    return std::nullopt;
  }
  return KVS_TRY(decode_record(key, it->second)).header;
}

Result<std::vector<ExpiryEntry>> CalmDisk::expiries(const ExpiryPlace& after,
                                                    std::size_t max) const {
  return disk_.expiries(after, max);
}

std::unique_ptr<RecordCursor> CalmDisk::cursor() const {
  return std::make_unique<CalmCursor>(disk_.table_shown());
}

}  // namespace kvs
