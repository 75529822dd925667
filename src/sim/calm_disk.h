// What a disk shows, without the faults of the moment: rotten records are damaged, but nothing else
// fails, and nothing is drawn. For readers that must not change what the rest of a run draws.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/store_view.h"
#include "sim/disk.h"

namespace kvs {

class CalmDisk final : public StoreView {
 public:
  /// `disk` outlives it.
  explicit CalmDisk(const Disk& disk) : disk_(disk) {}

  [[nodiscard]] Result<std::optional<RecordHeader>> find(Key key) const override;
  [[nodiscard]] Result<std::optional<Record>> get_record(Key key) const override;
  [[nodiscard]] std::unique_ptr<RecordCursor> cursor() const override;
  [[nodiscard]] Result<std::vector<ExpiryEntry>> expiries(const ExpiryPlace& after,
                                                          std::size_t max) const override;

 private:
  const Disk& disk_;
};

}  // namespace kvs
