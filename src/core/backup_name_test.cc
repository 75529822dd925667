#include "core/backup_name.h"

#include <string>

#include <gtest/gtest.h>

namespace kvs {
namespace {

TEST(BackupName, IsALetterOrDigitAndFewOtherCharacters) {
  for (const char* const name : {"a", "Z", "0", "2026-11-28", "node.alpha_1", "a..b", "x-"}) {
    EXPECT_TRUE(is_backup_name(name)) << name;
  }
  EXPECT_TRUE(is_backup_name(std::string(kBackupNameBytesMax, 'a')));
}

TEST(BackupName, NeverLeadsOutOfItsFolder) {
  for (const char* const name : {"", ".", "..", "../a", "a/b", "/a", "a/", ".hidden", "-rf", "_a",
                                 "a b", "a\nb", "a\\b", "\xC3\xA9", "a:b", "a*"}) {
    EXPECT_FALSE(is_backup_name(name)) << name;
  }
  EXPECT_FALSE(is_backup_name(std::string(kBackupNameBytesMax + 1, 'a')));
  EXPECT_FALSE(is_backup_name(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace kvs
