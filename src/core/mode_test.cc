#include "core/mode.h"

#include <gtest/gtest.h>

namespace kvs {
namespace {

TEST(Mode, NamesAreThoseOfHealth) {
  EXPECT_EQ(to_string(Mode::normal), "normal");
  EXPECT_EQ(to_string(Mode::read_only), "read-only");
  EXPECT_EQ(to_string(Mode::syncing), "syncing");
}

TEST(Mode, OnlyNormalLetsWritesPass) {
  EXPECT_EQ(write_refusal(Mode::normal), std::nullopt);
  EXPECT_EQ(write_refusal(Mode::read_only), WriteStatus::read_only);
  EXPECT_EQ(write_refusal(Mode::syncing), WriteStatus::syncing);
}

TEST(Mode, OnlyThreeOutcomesChangeTheStore) {
  for (int i = 0; i <= static_cast<int>(WriteStatus::io_error); ++i) {
    const auto status = static_cast<WriteStatus>(i);
    EXPECT_EQ(succeeded(status), status == WriteStatus::created ||
                                     status == WriteStatus::replaced ||
                                     status == WriteStatus::deleted);
  }
}

}  // namespace
}  // namespace kvs
