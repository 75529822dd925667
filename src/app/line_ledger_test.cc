#include "app/line_ledger.h"

#include <gtest/gtest.h>

namespace kvs {
namespace {

TEST(LineLedger, TheFirstOpenLineIsTheFirstThatHasNotEnded) {
  LineLedger ledger(1);
  EXPECT_EQ(ledger.first_open(), 1U);
  for (int line = 1; line <= 4; ++line) {
    ledger.begin();
  }
  ledger.end(2);
  ledger.end(4);
  EXPECT_EQ(ledger.first_open(), 1U);
  ledger.end(1);
  EXPECT_EQ(ledger.first_open(), 3U);
  ledger.end(3);
  EXPECT_EQ(ledger.first_open(), 5U);
  ledger.begin();
  ledger.end(5);
  EXPECT_EQ(ledger.first_open(), 6U);
}

TEST(LineLedgerDeathTest, OnlyOpenLinesEnd) {
  LineLedger ledger(3);
  ledger.begin();
  EXPECT_DEATH(ledger.end(2), "no such line is open");
  EXPECT_DEATH(ledger.end(4), "no such line is open");
}

}  // namespace
}  // namespace kvs
