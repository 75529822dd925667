// An ordered index of blocks with sums: the paths cut into consecutive ranges, and for each range
// the fingerprint of the records in it.
//
// A B+ tree of two levels: a vector of chunks, each with a sum and a vector of blocks. An update is
// two binary searches and three sums; a sum over many blocks adds whole chunks. Nothing is kept for
// a single record, and a block's range begins with the shortest text that parts it from the one
// before, so 128 records cost about 100 bytes. Invariants: there is a block; the first begins with
// the empty text; no chunk is empty; sums of chunks and the total are those of their blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "core/fingerprint.h"

namespace kvs {

/// How large blocks and chunks are. `max` is at least twice `fill`.
struct BlockLimits {
  std::uint64_t fill = 128;     // records in a new block
  std::uint64_t max = 256;      // a block with more is to be split
  std::size_t chunk_max = 256;  // blocks in a chunk

  /// A block with fewer records joins a neighbour, if both have no more than `joined` together.
  [[nodiscard]] std::uint64_t min() const { return fill / 2; }

  [[nodiscard]] std::uint64_t joined() const { return fill + fill / 2; }
};

struct Block {
  std::string begin;  // of its range, which ends where the next one begins
  Fingerprint sum;
  std::uint64_t split_above = 0;  // records; more than max after a split that failed
};

/// The shortest text that is above `left` and not above `right`, where `left` < `right`. It need
/// be neither a key nor UTF-8.
[[nodiscard]] std::string_view separator(std::string_view left, std::string_view right);

class BlockIndex {
 public:
  /// The place of a block, until blocks are added or taken away.
  struct Spot {
    std::size_t chunk = 0;
    std::size_t block = 0;

    auto operator<=>(const Spot&) const = default;
  };

  /// Consecutive blocks: their sum, and the place of the block that follows them.
  struct Stretch {
    Fingerprint sum;
    Spot next;
  };

  static constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();

  explicit BlockIndex(const BlockLimits& limits);

  /// Back to one empty block.
  void clear();

  /// The block whose range contains `text`.
  [[nodiscard]] Spot find(std::string_view text) const;

  /// The block whose range contains the last texts before `end`; an empty `end` is above all texts.
  [[nodiscard]] Spot find_before(std::string_view end) const;

  [[nodiscard]] Spot last() const;

  /// The place after `spot`. After the last block: a place that is equal to no block's.
  [[nodiscard]] Spot next(Spot spot) const;

  [[nodiscard]] const Block& at(Spot spot) const;

  /// Where the range of a block ends; empty for the last one.
  [[nodiscard]] std::string_view end_of(Spot spot) const;

  /// Blocks from `from` on, but not `until` (not before `from`), as many as are needed to have
  /// `count` records together.
  [[nodiscard]] Stretch take(Spot from, Spot until, std::uint64_t count) const;

  /// Adds to the sum of a block. A difference is a Fingerprint too: sums and counts wrap.
  void add(Spot spot, const Fingerprint& difference);

  /// Adds an empty block whose range begins at `begin`, inside the range of the last one.
  void append(std::string_view begin);

  /// Puts these pieces where a block stood. They are consecutive, the first begins where that one
  /// did, and their sums are its sum.
  void replace(Spot spot, std::vector<Block> pieces);

  /// Says that a block could not be split: it is due again when it has twice as many records.
  void postpone_split(Spot spot);

  /// Joins the block that contains `text` with a neighbour, if it is small and a neighbour has
  /// room.
  void join_small(std::string_view text);

  [[nodiscard]] const Fingerprint& total() const { return total_; }

  [[nodiscard]] std::size_t size() const { return size_; }

  [[nodiscard]] const BlockLimits& limits() const { return limits_; }

  /// What the index has allocated, without the allocator's own overhead.
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct Chunk {
    Fingerprint sum;
    std::vector<Block> blocks;
  };

  void join_small_chunk(std::size_t chunk);
  void divide_large_chunk(std::size_t chunk);

  BlockLimits limits_;
  std::vector<Chunk> chunks_;
  Fingerprint total_;
  std::size_t size_ = 0;        // blocks
  std::size_t text_bytes_ = 0;  // allocated by begins
};

}  // namespace kvs
