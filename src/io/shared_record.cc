#include "io/shared_record.h"

#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

#include <malloc.h>

#include "base/check.h"

namespace kvs {

RecordBlock* RecordBlock::make(Key key, const RecordView& record) {
  KVS_CHECK(key.text().size() <= std::numeric_limits<std::uint16_t>::max(), "key too long");
  KVS_CHECK(record.value.size() <= std::numeric_limits<std::uint32_t>::max(), "value too long");
  const std::size_t verdict = record.header.version.verdict.given() ? sizeof(Verdict) : 0;
  const std::size_t expiry = record.header.expires_ms != 0 ? sizeof(std::int64_t) : 0;
  const std::size_t size =
      sizeof(RecordBlock) + key.text().size() + verdict + expiry + record.value.size();
  void* memory = std::malloc(size);  // NOLINT(cppcoreguidelines-no-malloc): header and bytes in one
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return new (memory) RecordBlock(key, record);
}

RecordBlock::RecordBlock(Key key, const RecordView& record)
    : kind_(record.header.kind),
      decided_(record.header.version.verdict.given()),
      expires_(record.header.expires_ms != 0),
      key_size_(static_cast<std::uint16_t>(key.text().size())),
      value_size_(static_cast<std::uint32_t>(record.value.size())),
      stamp_(record.header.version.stamp),
      uuid_(record.header.version.uuid),
      dot_(record.header.version.dot) {
  std::memcpy(bytes(), key.text().data(), key_size_);
  if (decided_) {
    std::memcpy(bytes() + key_size_, &record.header.version.verdict, sizeof(Verdict));
  }
  if (expires_) {
    std::memcpy(bytes() + expiry_offset(), &record.header.expires_ms, sizeof(std::int64_t));
  }
  if (value_size_ != 0) {
    std::memcpy(bytes() + value_offset(), record.value.data(), value_size_);
  }
}

void RecordBlock::drop_reference() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    this->~RecordBlock();
    std::free(this);  // NOLINT(cppcoreguidelines-no-malloc)
  }
}

std::size_t RecordBlock::expiry_offset() const {
  return key_size_ + (decided_ ? sizeof(Verdict) : 0);
}

std::size_t RecordBlock::value_offset() const {
  return expiry_offset() + (expires_ ? sizeof(std::int64_t) : 0);
}

RecordHeader RecordBlock::header() const {
  RecordHeader header{.version = {.stamp = stamp_, .verdict = {}, .uuid = uuid_, .dot = dot_},
                      .kind = kind_};
  if (decided_) {
    std::memcpy(&header.version.verdict, bytes() + key_size_, sizeof(Verdict));
  }
  if (expires_) {
    std::memcpy(&header.expires_ms, bytes() + expiry_offset(), sizeof(std::int64_t));
  }
  return header;
}

std::string_view RecordBlock::value() const {
  return {bytes() + value_offset(), value_size_};
}

std::size_t RecordBlock::footprint() const {
  constexpr std::size_t kAllocatorWord = 8;
  return malloc_usable_size(const_cast<RecordBlock*>(this)) + kAllocatorWord;
}

}  // namespace kvs
