#include "app/table.h"

#include <gtest/gtest.h>

namespace kvs {
namespace {

TEST(Table, OnATerminalColumnsAreAligned) {
  Table table({"NAME", "N", "LAST"});
  EXPECT_EQ(table.text(Table::Style::terminal), "NAME  N  LAST\n");
  table.add({"a", "1000", "x"});
  table.add({"\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9", "1", ""});
  EXPECT_EQ(table.text(Table::Style::terminal),
            "NAME    N     LAST\n"
            "a       1000  x\n"
            "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9  1\n");
}

TEST(Table, InAPipeThereAreTabsAndNoTitles) {
  Table table({"NAME", "VALUE"});
  EXPECT_TRUE(table.empty());
  EXPECT_EQ(table.text(Table::Style::plain), "");
  table.add({"a", "{\n\t1}"});
  table.add({"", "\u009b"});
  EXPECT_EQ(table.text(Table::Style::plain), "a\t{  1}\n\t\u009b\n");
}

TEST(Table, NoCellCommandsTheTerminal) {
  Table table({"A", "B"});
  table.add({"\u009b2J", "b\x1b"});
  EXPECT_EQ(table.text(Table::Style::terminal), "A    B\n\uFFFD2J  b\uFFFD\n");
}

}  // namespace
}  // namespace kvs
