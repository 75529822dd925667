#include "io/wal_check.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <map>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/bytes.h"
#include "io/descriptor.h"
#include "wire/record_codec.h"

namespace kvs {

namespace {

constexpr std::size_t kHeaderBytes = 7;      // CRC 4, length 2, type 1
constexpr std::size_t kBatchHeadBytes = 12;  // sequence 8, count 4
constexpr std::size_t kSectorBytes = 512;
constexpr std::size_t kUnwrittenBytesMin = 64;  // no sound batch holds so many zeros in a row

/// RocksDB stores CRCs masked (util/crc32c.h).
std::uint32_t masked(std::uint32_t crc) {
  return std::rotr(crc, 15) + 0xa282ead8U;
}

/// Of the fragment at the head of `rest`, if it had a body of `length` bytes.
bool checksum_fits(std::string_view rest, std::size_t length) {
  return get_le<std::uint32_t>(rest.data()) ==
         masked(crc32c(rest.substr(kHeaderBytes - 1, length + 1)));
}

bool all_zero(std::string_view bytes) {
  return std::ranges::all_of(bytes, [](char c) { return c == '\0'; });
}

/// True if one flipped bit in the length explains why a fragment reaches past what was written:
/// then it is not a torn write, but a whole one that was damaged.
bool is_whole_but_for_its_length(std::string_view rest) {
  const auto length = get_le<std::uint16_t>(rest.data() + sizeof(std::uint32_t));
  for (unsigned bit = 0; bit < 16; ++bit) {
    const std::size_t other = length ^ (1U << bit);
    if (kHeaderBytes + other <= rest.size() && checksum_fits(rest, other)) {
      return true;
    }
  }
  return false;
}

/// True if the fragment of `size` bytes at the head of `rest`, which reaches to the end of the file
/// and begins at `offset` of its block, runs into sectors that were allotted and never written.
bool runs_into_unwritten(std::string_view rest, std::size_t offset, std::size_t size) {
  const std::size_t written = rest.find_last_not_of('\0') + 1;  // npos + 1 is 0
  const std::size_t sector = (offset + written + kSectorBytes - 1) / kSectorBytes * kSectorBytes;
  return sector < offset + size && sector + kUnwrittenBytesMin <= offset + rest.size();
}

}  // namespace

WalChecker::WalChecker(std::optional<std::uint64_t> next_sequence) {
  result_.next_sequence = next_sequence;
}

void WalChecker::feed(std::string_view bytes) {
  result_.bytes += bytes.size();
  while (!bytes.empty()) {
    if (block_.size() == kBlockBytes) {
      close_block();
    }
    const std::size_t count = std::min(bytes.size(), kBlockBytes - block_.size());
    block_.append(bytes.substr(0, count));
    bytes.remove_prefix(count);
  }
}

void WalChecker::close_block() {
  if (all_zero(block_)) {
    ++zero_blocks_;
  } else {
    check_closed();
    closed_.swap(block_);
  }
  block_.clear();
}

/// More that was written is to come.
void WalChecker::check_closed() {
  check_block(closed_, Last::no);
  block_offset_ += closed_.size();
  if (zero_blocks_ > 0) {
    offset_ = 0;
    damage("zeros");
    block_offset_ += std::exchange(zero_blocks_, 0) * kBlockBytes;
  }
}

WalCheck WalChecker::finish() {
  if (!block_.empty()) {
    close_block();  // the last, whatever its size
    cut_off_ = zero_blocks_ > 0;
  }
  check_block(closed_, Last::yes);
  const bool incomplete = in_batch_ || cut_off_;
  if (incomplete && result_.state == WalCheck::State::sound) {
    result_.state = WalCheck::State::torn;
  }
  return std::move(result_);
}

void WalChecker::check_block(std::string_view block, Last last) {
  offset_ = 0;
  while (block.size() - offset_ >= kHeaderBytes) {
    const std::size_t taken = check_fragment(block.substr(offset_), last);
    if (taken == 0) {
      return;  // nothing more can be made of this block
    }
    offset_ += taken;
  }
  const bool whole_block = block.size() == kBlockBytes;
  if (!whole_block && offset_ < block.size()) {
    cut_off_ = true;  // inside a header
  }
}

std::size_t WalChecker::check_fragment(std::string_view rest, Last last) {
  const auto length = get_le<std::uint16_t>(rest.data() + sizeof(std::uint32_t));
  const auto type = static_cast<std::uint8_t>(rest[kHeaderBytes - 1]);
  const std::size_t size = kHeaderBytes + length;
  if (size > kBlockBytes - offset_) {
    damage("a length beyond its block");
    return 0;
  }
  if (size > rest.size()) {
    cut_off(rest);
    return 0;
  }
  if (type == 0 && length == 0) {
    // Beyond what was written, or in a header whose first bytes were the last ones of a sector.
    if (last == Last::yes && (all_zero(rest) || runs_into_unwritten(rest, offset_, size))) {
      cut_off(rest);
    } else {
      damage("zeros");
    }
    return 0;
  }
  if (!checksum_fits(rest, length)) {
    if (last == Last::yes && runs_into_unwritten(rest, offset_, size)) {
      cut_off(rest);
    } else {
      damage("a wrong checksum");
    }
    return 0;  // the length may be what is wrong
  }
  if (type < std::to_underlying(Fragment::full) || type > std::to_underlying(Fragment::last)) {
    damage("an unknown kind of entry");
    return size;
  }
  take(Fragment{type}, rest.substr(kHeaderBytes, length));
  return size;
}

void WalChecker::cut_off(std::string_view rest) {
  if (is_whole_but_for_its_length(rest)) {
    damage("a wrong length");
  } else {
    cut_off_ = true;
  }
}

void WalChecker::take(Fragment type, std::string_view body) {
  const bool begins = type == Fragment::full || type == Fragment::first;
  if (begins == in_batch_ && !after_damage_) {
    damage(begins ? "a batch without its end" : "a batch without its beginning");
  }
  if (begins) {
    head_.clear();
    after_damage_ = false;
  } else if (after_damage_) {
    return;
  }
  in_batch_ = type == Fragment::first || type == Fragment::middle;
  head_.append(body.substr(0, kBatchHeadBytes - std::min(kBatchHeadBytes, head_.size())));
  if (!in_batch_) {
    take_batch_head();
  }
}

void WalChecker::take_batch_head() {
  if (head_.size() < kBatchHeadBytes) {
    damage("a batch without a head");
    return;
  }
  const auto sequence = get_le<std::uint64_t>(head_.data());
  const auto count = get_le<std::uint32_t>(head_.data() + sizeof(std::uint64_t));
  const std::uint64_t expected = result_.next_sequence.value_or(sequence);
  if (sequence != expected) {
    damage("a gap in the sequence");
    result_.lost += sequence > expected ? sequence - expected : 0;
  }
  ++result_.batches;
  result_.operations += count;
  result_.next_sequence = sequence + count;
}

void WalChecker::damage(std::string_view what) {
  in_batch_ = false;
  after_damage_ = true;
  if (result_.state != WalCheck::State::damaged) {
    result_.state = WalCheck::State::damaged;
    result_.what = fmt::format("{} at byte {}", what, block_offset_ + offset_);
  }
}

namespace {

/// The logs of a folder by number, from `first` on.
Result<std::map<std::uint64_t, std::string>> logs_in(const std::string& folder,
                                                     std::uint64_t first) {
  std::map<std::uint64_t, std::string> logs;
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  if (error == std::errc::no_such_file_or_directory) {
    return logs;
  }
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    std::uint64_t number = 0;
    const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (bad == std::errc{} && std::string_view(end) == ".log" && number >= first) {
      logs[number] = entries->path().string();
    }
  }
  if (error) {
    return fail(Errc::io_error, fmt::format("{} cannot be read: {}", folder, error.message()));
  }
  return logs;
}

Result<WalCheck> check_wal(const std::string& path, std::optional<std::uint64_t> next_sequence) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.open()) {
    return fail(Errc::io_error, fmt::format("{} cannot be opened", path));
  }
  WalChecker checker(next_sequence);
  std::array<char, WalChecker::kBlockBytes> buffer{};
  ssize_t count = 0;
  do {
    count = ::read(file.number(), buffer.data(), buffer.size());
    checker.feed({buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))});
  } while (count > 0 || (count < 0 && errno == EINTR));
  if (count < 0) {
    return fail(Errc::io_error, fmt::format("{} cannot be read", path));
  }
  return checker.finish();
}

/// Adds the check of a log to that of the logs before it.
///
/// A torn log may have later ones beside it: RocksDB recovers, begins a new log with an empty batch
/// that bears the sequence number of the one cut off, and only then removes the torn log. Had
/// anything else been written after the torn batch, there would be a gap.
void append(WalCheck& all, const std::string& path, const WalCheck& log) {
  const bool torn_before = all.state == WalCheck::State::torn;
  const bool follows_on = all.next_sequence.has_value() || log.operations == 0;
  if (all.state != WalCheck::State::damaged) {
    all.state = torn_before && log.state == WalCheck::State::sound ? all.state : log.state;
    all.what = log.what.empty() ? "" : fmt::format("{}: {}", path, log.what);
  }
  if (torn_before && !follows_on && all.state != WalCheck::State::damaged) {
    all.state = WalCheck::State::damaged;
    all.what = fmt::format("{}: the log before it is cut off", path);
  }
  all.batches += log.batches;
  all.operations += log.operations;
  all.lost += log.lost;
  all.bytes += log.bytes;
  all.next_sequence = log.next_sequence;
}

}  // namespace

Result<WalCheck> check_wals(const std::string& folder, std::uint64_t first) {
  WalCheck all;
  for (const auto& [number, path] : KVS_TRY(logs_in(folder, first))) {
    append(all, path, KVS_TRY(check_wal(path, all.next_sequence)));
  }
  return all;
}

}  // namespace kvs
