// Values to bytes of the peer protocol and back, with bounds. docs/protocol.md is normative.
//
// A reader trusts no number that it reads: counts are held against the bytes that are left before
// anything is reserved, and whatever takes more memory than bytes is charged to a budget, so no
// message unfolds into much more than itself. The first fault ends the reading: from then on every
// take gives zero or nothing, and fault() says what it was.
//
// Paths are told as what differs from the path before, origins as "the same as before": writer and
// reader remember the last ones.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"

namespace kvs {

/// The longest path of a record.
inline constexpr std::size_t kPeerPathBytesMax = 4096;

/// The longest boundary between paths: the text just above the longest path.
inline constexpr std::size_t kPeerBoundaryBytesMax = kPeerPathBytesMax + 1;

/// Appends to a string that it is given.
class PeerWriter {
 public:
  explicit PeerWriter(std::string& out) : out_(out) {}

  void put_byte(std::uint8_t byte) { out_.push_back(static_cast<char>(byte)); }

  void put_flag(std::same_as<bool> auto flag) { put_byte(flag ? 1 : 0); }

  /// Eight bytes.
  void put_word(std::uint64_t word) { put_le(out_, word); }

  /// Four bytes.
  void put_half_word(std::uint32_t half) { put_le(out_, half); }

  void put_word(Instance instance) { put_word(static_cast<std::uint64_t>(instance)); }

  void put_word(Origin origin) { put_word(static_cast<std::uint64_t>(origin)); }

  /// LEB128: seven bits a byte, the lowest first.
  void put_number(std::uint64_t number);

  /// Numbers near zero, of either sign, in few bytes (zigzag).
  void put_signed(std::int64_t number);

  /// The bytes alone.
  void put_bytes(std::string_view bytes) { out_.append(bytes); }

  /// Size and bytes.
  void put_text(std::string_view text);

  /// A path or a boundary.
  void put_path(std::string_view path);

  /// True if `origin` is the one of the last call: then the reader knows it.
  bool repeats(Origin origin);

 private:
  std::string& out_;
  std::string_view path_before_;  // its owner outlives the writing of one message
  Origin origin_before_{};
};

/// Takes values off the front of a byte string that outlives it.
class PeerReader {
 public:
  /// `memory_max` bounds what lists and paths may take, in bytes.
  PeerReader(std::string_view bytes, std::size_t memory_max)
      : rest_(bytes), memory_left_(memory_max) {}

  std::uint8_t take_byte() {
    const std::string_view byte = take_bytes(1);
    return ok() ? static_cast<std::uint8_t>(byte.front()) : std::uint8_t{0};
  }

  /// 0 or 1.
  bool take_flag() { return take_below(2, "a flag is neither 0 nor 1") != 0; }

  /// A byte below `bound`; `complaint` if it is not.
  std::uint8_t take_below(std::uint8_t bound, std::string_view complaint);

  std::uint64_t take_word() {
    const std::string_view bytes = take_bytes(sizeof(std::uint64_t));
    return ok() ? get_le<std::uint64_t>(bytes.data()) : 0;
  }

  std::uint32_t take_half_word() {
    const std::string_view bytes = take_bytes(sizeof(std::uint32_t));
    return ok() ? get_le<std::uint32_t>(bytes.data()) : 0;
  }

  /// In its shortest form, at most `max`.
  std::uint64_t take_number(std::uint64_t max = ~std::uint64_t{0});

  std::int64_t take_signed();

  /// A view into the input.
  std::string_view take_text(std::size_t bytes_max);

  /// A path of a record: a sound key.
  std::string take_key();

  /// Any bytes, kPeerBoundaryBytesMax at most.
  std::string take_boundary();

  Origin take_origin() { return origin_before_ = Origin{take_word()}; }

  [[nodiscard]] Origin origin_before() const { return origin_before_; }

  /// How many elements follow, each at least `bytes_min` bytes here and `memory` bytes unfolded.
  std::size_t take_count(std::size_t bytes_min, std::size_t memory);

  /// A count, then as many elements, which `take_one(*this)` takes, each at least `bytes_min`
  /// bytes.
  template <std::invocable<PeerReader&> TakeOne>
  auto take_list(std::size_t bytes_min, TakeOne take_one) {
    std::vector<std::invoke_result_t<TakeOne, PeerReader&>> list;
    const std::size_t count = take_count(bytes_min, sizeof(list[0]));
    list.reserve(count);
    for (std::size_t i = 0; i < count && ok(); ++i) {
      list.push_back(take_one(*this));
    }
    return list;
  }

  /// Ends the reading, unless it has ended. `complaint` is static.
  void refuse(std::string_view complaint);

  [[nodiscard]] bool ok() const { return fault_.empty(); }

  /// What is wrong; empty if nothing is.
  [[nodiscard]] std::string_view fault() const { return fault_; }

  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view take_bytes(std::size_t count) {
    if (count > rest_.size()) {
      refuse("it ends too early");
      return {};
    }
    const std::string_view bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return bytes;
  }

  void take_path(std::size_t bytes_max);
  void charge(std::size_t memory);

  std::string_view rest_;
  std::size_t memory_left_;
  std::string_view fault_;
  std::string path_before_;
  Origin origin_before_{};
};

}  // namespace kvs
