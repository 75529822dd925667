#include "io/wal_check.h"

#include <bit>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/prng.h"
#include "support/store_files.h"
#include "support/temporary_folder.h"
#include "wire/record_codec.h"

namespace kvs {
namespace {

namespace fs = std::filesystem;
using State = WalCheck::State;

WalCheck check(std::string_view log) {
  WalChecker checker(std::nullopt);
  checker.feed(log);
  return checker.finish();
}

/// A log as RocksDB writes it, of the writes [1, last).
std::string make_log(std::uint64_t last) {
  const TemporaryFolder folder;
  auto store = Store::open({.data_dir = folder / "d", .durability = Durability::os});
  EXPECT_TRUE(store);
  write_records(**store, 1, last);
  const auto logs = files_like(folder / "d/db", ".log");
  EXPECT_EQ(logs.size(), 1U);
  return read_file(logs.at(0));
}

/// One of a few batches, one of several blocks.
const std::string& small_log() {
  static const std::string kLog = make_log(9);
  return kLog;
}

const std::string& large_log() {
  static const std::string kLog = make_log(700);
  return kLog;
}

TEST(WalCheck, WholeLogsAreSound) {
  EXPECT_EQ(check("").state, State::sound);
  EXPECT_EQ(check(small_log()).state, State::sound);
  EXPECT_EQ(check(small_log()).batches, 8U);
  EXPECT_GT(large_log().size(), 3 * WalChecker::kBlockBytes);
  EXPECT_EQ(check(large_log()).state, State::sound);
  EXPECT_EQ(check(large_log()).batches, 699U);
  EXPECT_EQ(check(large_log()).bytes, large_log().size());
}

TEST(WalCheck, FedInAnyPiecesItSaysTheSame) {
  Prng prng(1);
  for (int round = 0; round < 20; ++round) {
    WalChecker checker(std::nullopt);
    std::string_view rest = large_log();
    while (!rest.empty()) {
      const std::size_t count = std::min<std::size_t>(rest.size(), 1 + prng.below(50'000));
      checker.feed(rest.substr(0, count));
      rest.remove_prefix(count);
    }
    const WalCheck result = checker.finish();
    EXPECT_EQ(result.state, State::sound) << result.what;
    EXPECT_EQ(result.batches, 699U);
  }
}

TEST(WalCheck, ALogCutOffAnywhereIsTornNotDamaged) {
  const auto offsets = fragment_offsets(small_log());
  for (std::size_t size = 0; size <= small_log().size(); ++size) {
    const WalCheck result = check(std::string_view(small_log()).substr(0, size));
    const bool between = std::ranges::find(offsets, size) != offsets.end();
    ASSERT_EQ(result.state, between ? State::sound : State::torn) << size << result.what;
  }
  Prng prng(2);
  for (int i = 0; i < 300; ++i) {
    const WalCheck result = check(large_log().substr(0, prng.below(large_log().size())));
    ASSERT_NE(result.state, State::damaged) << result.what;
  }
}

TEST(WalCheck, EveryFlippedBitIsNoticed) {
  for (std::size_t bit = 0; bit < small_log().size() * 8; ++bit) {
    const WalCheck result = check(with_flipped_bit(small_log(), bit));
    ASSERT_EQ(result.state, State::damaged) << "bit " << bit;
    ASSERT_FALSE(result.what.empty());
  }
}

TEST(WalCheck, FlippedBitsInALargeLogAreNoticedOrHarmless) {
  Prng prng(3);
  int harmless = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::size_t bit = prng.below(large_log().size() * 8);
    const WalCheck result = check(with_flipped_bit(large_log(), bit));
    // The last six bytes of a block may belong to no fragment.
    const bool in_trailer = bit / 8 % WalChecker::kBlockBytes >= WalChecker::kBlockBytes - 6;
    harmless += result.state == State::sound ? 1 : 0;
    ASSERT_TRUE(result.state == State::damaged || (result.state == State::sound && in_trailer))
        << "bit " << bit;
  }
  EXPECT_LE(harmless, 2);
}

TEST(WalCheck, AMissingBatchIsNoticedAndCounted) {
  const auto offsets = fragment_offsets(small_log());
  for (std::size_t i = 1; i + 2 < offsets.size(); ++i) {
    std::string log = small_log();
    log.erase(offsets[i], offsets[i + 1] - offsets[i]);
    const WalCheck result = check(log);
    EXPECT_EQ(result.state, State::damaged);
    EXPECT_EQ(result.lost, 2U);  // a record and the K that covers it
  }
}

TEST(WalCheck, TwoBatchesInTheWrongOrderAreNoticed) {
  const auto offsets = fragment_offsets(small_log());
  const std::string first = small_log().substr(offsets[2], offsets[3] - offsets[2]);
  const std::string second = small_log().substr(offsets[3], offsets[4] - offsets[3]);
  const std::string log =
      small_log().substr(0, offsets[2]) + second + first + small_log().substr(offsets[4]);
  EXPECT_EQ(check(log).state, State::damaged);
}

// RocksDB itself passes over these in silence.
TEST(WalCheck, ZeroedSectorsInTheMiddleAreNoticed) {
  for (std::size_t sector = 0; (sector + 2) * 512 < large_log().size(); ++sector) {
    std::string log = large_log();
    log.replace(sector * 512, 512, 512, '\0');
    ASSERT_EQ(check(log).state, State::damaged) << sector;
  }
}

TEST(WalCheck, UnwrittenSectorsAtTheEndAreATornTail) {
  const std::size_t end = small_log().size();
  const std::size_t sector = end / 512 * 512;
  ASSERT_LT(sector, end - 64);
  std::string log = small_log();
  log.replace(sector, end - sector, end - sector, '\0');
  EXPECT_EQ(check(log).state, State::torn);
  EXPECT_EQ(check(small_log() + std::string(4096, '\0')).state, State::torn);
  EXPECT_EQ(check(std::string(4096, '\0')).state, State::torn);
}

// A crash leaves them where the file system had made the file longer before it wrote it.
TEST(WalCheck, ALongUnwrittenEndIsATornTail) {
  Prng prng(4);
  for (const std::size_t zeros : {1UL, 512UL, WalChecker::kBlockBytes - 1, WalChecker::kBlockBytes,
                                  5 * WalChecker::kBlockBytes + 100}) {
    const std::string end(zeros, '\0');
    EXPECT_EQ(check(end).state, State::torn) << zeros;
    EXPECT_EQ(check(large_log() + end).state, State::torn) << zeros;
    EXPECT_EQ(check(large_log() + end).batches, 699U) << zeros;
    for (int i = 0; i < 100; ++i) {
      const std::size_t sectors = prng.below(large_log().size() / 512);
      const WalCheck result = check(large_log().substr(0, sectors * 512) + end);
      ASSERT_NE(result.state, State::damaged) << sectors << " sectors, " << zeros << result.what;
    }
  }
}

TEST(WalCheck, ALongStretchOfZerosBeforeTheEndIsNoticed) {
  constexpr std::size_t kBlock = WalChecker::kBlockBytes;
  for (const std::size_t blocks : {1U, 2U}) {
    std::string log = large_log();
    log.replace(kBlock, blocks * kBlock, blocks * kBlock, '\0');
    EXPECT_EQ(check(log).state, State::damaged);
    EXPECT_EQ(check(log).what, fmt::format("zeros at byte {}", kBlock));
  }
  EXPECT_EQ(check(std::string(kBlock, '\0') + large_log()).state, State::damaged);
  EXPECT_EQ(check(large_log() + std::string(3 * kBlock, '\0') + "x").state, State::damaged);
}

TEST(WalCheck, AHeaderCutInTwoByTheEndOfASectorIsATornTail) {
  const std::string batch = small_log().substr(0, fragment_offsets(small_log()).at(1));
  for (std::size_t written = 1; written < 7; ++written) {
    // Fragments of one body of any length, so that the next header straddles two sectors.
    std::string log = batch.substr(7, 12) + std::string(512 - written - 7 - 12, 'x');
    const auto length = static_cast<std::uint16_t>(log.size());
    const std::uint32_t crc = std::rotr(crc32c(log, crc32c("\x01")), 15) + 0xa282ead8U;
    std::string head;
    put_le(head, crc);
    put_le(head, length);
    log = head + '\x01' + log;
    ASSERT_EQ(check(log).state, State::sound);
    log += batch.substr(0, written);
    ASSERT_EQ(log.size(), 512U);
    EXPECT_EQ(check(log + std::string(1024, '\0')).state, State::torn) << written;
  }
}

TEST(WalCheck, ZerosAtTheEndDoNotHideDamageBeforeThem) {
  for (std::size_t bit = 0; bit < 200 * 8; ++bit) {
    const WalCheck result = check(with_flipped_bit(small_log(), bit) + std::string(4096, '\0'));
    ASSERT_EQ(result.state, State::damaged) << bit;
  }
}

class WalFolder : public ::testing::Test {
 protected:
  void put_log(int number, const std::string& bytes) {
    write_file(fs::path(folder_.path()) / fmt::format("{:06}.log", number), bytes);
  }

  State state() {
    const auto result = check_wals(folder_.path());
    EXPECT_TRUE(result);
    return result->state;
  }

  /// The first and the second half of a log.
  void put_halves(std::size_t cut_off) {
    const auto offsets = fragment_offsets(small_log());
    const std::size_t half = offsets[4];
    put_log(9, small_log().substr(0, half - cut_off));
    put_log(10, small_log().substr(half));
  }

  TemporaryFolder folder_;
};

TEST_F(WalFolder, NoFolderAndNoLogsAreSound) {
  EXPECT_EQ(state(), State::sound);
  EXPECT_EQ(check_wals(folder_ / "absent")->state, State::sound);
  write_file(folder_ / "LOG", "text");
  write_file(folder_ / "x.log", "text");
  EXPECT_EQ(state(), State::sound);
}

TEST_F(WalFolder, LogsFollowOnByNumberNotByName) {
  put_halves(0);
  EXPECT_EQ(state(), State::sound);
  EXPECT_EQ(check_wals(folder_.path())->batches, 8U);
}

TEST_F(WalFolder, OnlyTheLastLogMayBeTorn) {
  put_halves(1);
  EXPECT_EQ(state(), State::damaged);
  put_log(10, "");
  EXPECT_EQ(state(), State::torn);
}

// What a power cut leaves soon after a start that recovered from another one.
TEST_F(WalFolder, ATornLogThatWasRecoveredFromMayStillBeThere) {
  const auto offsets = fragment_offsets(small_log());
  put_log(9, small_log().substr(0, offsets[5] - 1));
  put_log(10, small_log().substr(offsets[4]));
  EXPECT_EQ(state(), State::torn);
  put_log(10, small_log().substr(offsets[4], offsets[5] - offsets[4] - 1));
  EXPECT_EQ(state(), State::torn);
  put_log(9, small_log().substr(0, 20));
  put_log(10, small_log().substr(offsets[1]));
  EXPECT_EQ(state(), State::damaged);
}

TEST_F(WalFolder, AMissingLogInTheMiddleIsNoticed) {
  const auto offsets = fragment_offsets(small_log());
  put_log(1, small_log().substr(0, offsets[2]));
  put_log(3, small_log().substr(offsets[4]));
  EXPECT_EQ(state(), State::damaged);
  EXPECT_EQ(check_wals(folder_.path())->lost, 4U);
}

TEST_F(WalFolder, ARealFolderIsSoundAtEveryMoment) {
  auto store = Store::open({.data_dir = folder_ / "d", .durability = Durability::os});
  ASSERT_TRUE(store);
  for (std::uint64_t seq = 1; seq < 2000; seq += 100) {
    write_records(**store, seq, seq + 100);
    ASSERT_EQ(check_wals(folder_ / "d/db")->state, State::sound);
  }
}

}  // namespace
}  // namespace kvs
