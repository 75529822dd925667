// A stored record that many may hold at once: one immutable allocation, counted references.
//
// It is what a read hands out and what the record cache keeps, so a cached read copies nothing and
// a record stays readable after it was evicted or replaced. References may be copied and dropped on
// any thread. Key and value lie behind the header in the same allocation.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <utility>

#include "core/key.h"
#include "core/record.h"

namespace kvs {

/// The allocation behind SharedRecord. Only SharedRecord and the cache touch it.
class RecordBlock {
 public:
  /// Copies key, header and value into one new block with one reference.
  static RecordBlock* make(Key key, const RecordView& record);

  void add_reference() { references_.fetch_add(1, std::memory_order_relaxed); }

  void drop_reference();

  [[nodiscard]] Key key() const { return Key::from_store({bytes(), key_size_}); }

  [[nodiscard]] RecordHeader header() const;
  [[nodiscard]] std::string_view value() const;

  /// Bytes that this block takes from the allocator.
  [[nodiscard]] std::size_t footprint() const;

  RecordBlock(const RecordBlock&) = delete;
  RecordBlock& operator=(const RecordBlock&) = delete;

  // For the cache, under its lock: the chain of a bucket, and whether it was read lately.
  RecordBlock* next_in_bucket = nullptr;
  bool read_lately = false;

 private:
  RecordBlock(Key key, const RecordView& record);
  ~RecordBlock() = default;

  [[nodiscard]] const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }

  [[nodiscard]] char* bytes() { return reinterpret_cast<char*>(this + 1); }

  [[nodiscard]] std::size_t expiry_offset() const;
  [[nodiscard]] std::size_t value_offset() const;

  RecordKind kind_;
  bool decided_;  // a verdict lies between key and value: rare, so not worth 24 bytes in each block
  bool expires_;  // likewise the time, behind it
  std::uint16_t key_size_;
  std::uint32_t value_size_;
  std::atomic<std::uint32_t> references_{1};
  Stamp stamp_;
  Uuid uuid_;
  Dot dot_;
};

/// A counted reference to a record, or none.
// NOLINTNEXTLINE(cppcoreguidelines-special-member-functions): one assignment copies and moves.
class SharedRecord {
 public:
  SharedRecord() = default;

  /// A new record with copies of what is given.
  SharedRecord(Key key, const RecordView& record) : block_(RecordBlock::make(key, record)) {}

  /// One more reference to `block`.
  explicit SharedRecord(RecordBlock* block) : block_(block) { block_->add_reference(); }

  SharedRecord(const SharedRecord& other) : block_(other.block_) {
    if (block_ != nullptr) {
      block_->add_reference();
    }
  }

  SharedRecord(SharedRecord&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}

  SharedRecord& operator=(const SharedRecord& other) { return *this = SharedRecord(other); }

  SharedRecord& operator=(SharedRecord&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }

  ~SharedRecord() {
    if (block_ != nullptr) {
      block_->drop_reference();
    }
  }

  /// False if there is no record.
  explicit operator bool() const { return block_ != nullptr; }

  // Of a record that is there. The views live as long as any reference does.
  [[nodiscard]] Key key() const { return block_->key(); }

  [[nodiscard]] RecordHeader header() const { return block_->header(); }

  [[nodiscard]] std::string_view value() const { return block_->value(); }

  [[nodiscard]] bool live() const { return header().live(); }

  [[nodiscard]] RecordBlock* block() const { return block_; }

 private:
  RecordBlock* block_ = nullptr;
};

}  // namespace kvs
