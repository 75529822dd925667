#include "io/backup_note.h"

#include <gtest/gtest.h>

namespace kvs {
namespace {

BackupNote note() {
  return {.id = {.high = 7, .low = 9},
          .taken = {.ms = 1'764'000'000'123},
          .node_id = "node alpha",
          .version = "0.1.0",
          .files = {{.name = "000012.sst", .bytes = 4096, .crc32c = {}},
                    {.name = "000013.log", .bytes = 77, .crc32c = 0x00C0FFEE},
                    {.name = "CURRENT", .bytes = 16, .crc32c = 1}}};
}

TEST(BackupNote, ComesBackAsItWasWritten) {
  const auto parsed = parse_backup_note(format_backup_note(note()));
  ASSERT_TRUE(parsed) << parsed.error().detail;
  EXPECT_EQ(*parsed, note());
  EXPECT_EQ(parsed->bytes(), 4096U + 77 + 16);
}

TEST(BackupNote, NoPartOfItIsTakenForAWholeOne) {
  const std::string text = format_backup_note(note());
  for (std::size_t size = 0; size + 1 < text.size(); ++size) {
    const auto parsed = parse_backup_note(text.substr(0, size));
    ASSERT_FALSE(parsed) << size;
    EXPECT_EQ(parsed.error().code, Errc::corrupt_data) << size;
  }
}

TEST(BackupNote, OfALaterFormatIsRefused) {
  const auto parsed = parse_backup_note("kvs backup, format 2\nwhatever\n");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, Errc::format_too_new);
}

TEST(BackupNote, NamesNoFileOutsideOfItsFolder) {
  for (const char* const line :
       {"file 1 00000001 ../x", "file 1 00000001 a/b", "file 1 00000001 ..", "file 1 00000001 ",
        "file 1 - CURRENT", "file 1 zz CURRENT", "file x - 1.sst", "file -1 - 1.sst", "file 1",
        "owner me", "end", "id 5"}) {
    std::string text = format_backup_note(note());
    text.insert(text.find("file"), std::string(line) + "\n");
    EXPECT_FALSE(parse_backup_note(text)) << line;
  }
}

}  // namespace
}  // namespace kvs
