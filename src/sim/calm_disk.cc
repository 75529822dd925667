#include "sim/calm_disk.h"

#include <string>
#include <utility>

#include "sim/table_cursor.h"
#include "wire/record_codec.h"

namespace kvs {

namespace {

class CalmCursor final : public TableCursor {
 public:
  explicit CalmCursor(std::shared_ptr<const Disk::Table> records)
      : TableCursor(std::move(records)) {}

  [[nodiscard]] Result<RecordView> record() const override { return decode_record(key(), bytes()); }
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
