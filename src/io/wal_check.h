// Is a write-ahead log whole? RocksDB's answer is not enough: its strict recovery refuses what an
// ordinary kill or power cut leaves (a batch cut off at the end, which nobody was told is durable),
// and passes over zeroed stretches in silence. So every log is read here first.
//
// Format: RocksDB 7.8, db/log_format.h. Blocks of 32 KiB hold fragments: masked CRC-32C over type
// and bytes, length, type; batches begin with a sequence number and a count of operations, which
// follow on from one another without a gap. A file of another format counts as damaged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kvs {

/// What a log, or the logs of a folder together, turned out to be.
struct WalCheck {
  enum class State : std::uint8_t {
    sound,    // every byte accounted for
    torn,     // sound, but for a batch cut off at the very end
    damaged,  // something that was written is missing or altered
  };

  State state = State::sound;
  std::uint64_t batches = 0;     // whole ones
  std::uint64_t operations = 0;  // in them
  std::uint64_t lost = 0;        // operations known to be missing between sound batches
  std::uint64_t bytes = 0;       // read
  std::string what;              // damaged: what and where, for a person
  std::optional<std::uint64_t> next_sequence;  // that should follow; nothing before the first batch
};

/// Checks one log, fed with its content in pieces of any size.
class WalChecker {
 public:
  static constexpr std::size_t kBlockBytes = 32768;

  /// `next_sequence`: the first batch must have it; nothing: any.
  explicit WalChecker(std::optional<std::uint64_t> next_sequence);

  void feed(std::string_view bytes);

  /// The verdict; feed nothing after it.
  WalCheck finish();

 private:
  enum class Fragment : std::uint8_t { full = 1, first = 2, middle = 3, last = 4 };
  enum class Last : std::uint8_t { no, yes };

  void close_block();
  void check_closed();
  void check_block(std::string_view block, Last last);
  std::size_t check_fragment(std::string_view rest, Last last);
  void take(Fragment type, std::string_view body);
  void take_batch_head();
  void cut_off(std::string_view rest);
  void damage(std::string_view what);

  WalCheck result_;
  std::string block_;            // not yet complete
  std::string closed_;           // the last one that is, but for those of zeros alone
  std::size_t zero_blocks_ = 0;  // after it: the unwritten end of the file, if nothing follows
  std::string head_;             // the first bytes of the batch being put together
  bool in_batch_ = false;        // fragments are missing yet
  bool after_damage_ = false;    // until the next beginning of a batch
  bool cut_off_ = false;         // the file ends inside a fragment
  std::uint64_t block_offset_ = 0;
  std::size_t offset_ = 0;  // in the block
};

/// Checks the logs (NUMBER.log) of a RocksDB folder in their order, from the number `first` on. A
/// log may be torn only if nothing that was written after the torn batch is in a later one. Errors:
/// io_error if one cannot be read. A folder that does not exist is sound.
Result<WalCheck> check_wals(const std::string& folder, std::uint64_t first = 0);

}  // namespace kvs
