#include "wire/peer_bytes.h"

#include <algorithm>

#include "core/key.h"

namespace kvs {

namespace {

constexpr unsigned kNumberBits = 64;
constexpr unsigned kBitsPerByte = 7;
constexpr std::size_t kNumberBytesMax = 10;
constexpr std::uint8_t kMoreFollows = 0x80;

std::size_t common_prefix(std::string_view mine, std::string_view theirs) {
  const auto [end, other] = std::ranges::mismatch(mine, theirs);
  return static_cast<std::size_t>(end - mine.begin());
}

}  // namespace

void PeerWriter::put_number(std::uint64_t number) {
  char bytes[kNumberBytesMax];
  std::size_t size = 0;
  while (number >= kMoreFollows) {
    bytes[size++] = static_cast<char>((number & 0x7fU) | kMoreFollows);
    number >>= kBitsPerByte;
  }
  bytes[size++] = static_cast<char>(number);
  out_.append(bytes, size);
}

void PeerWriter::put_signed(std::int64_t number) {
  const auto bits = static_cast<std::uint64_t>(number);
  put_number((bits << 1U) ^ (number < 0 ? ~std::uint64_t{0} : 0));
}

void PeerWriter::put_text(std::string_view text) {
  put_number(text.size());
  out_.append(text);
}

void PeerWriter::put_path(std::string_view path) {
  const std::size_t shared = common_prefix(path, path_before_);
  put_number(shared);
  put_text(path.substr(shared));
  path_before_ = path;
}

bool PeerWriter::repeats(Origin origin) {
  const bool same = origin == origin_before_;
  origin_before_ = origin;
  return same;
}

std::uint8_t PeerReader::take_below(std::uint8_t bound, std::string_view complaint) {
  const std::uint8_t byte = take_byte();
  if (byte >= bound) {
    refuse(complaint);
    return 0;
  }
  return byte;
}

std::uint64_t PeerReader::take_number(std::uint64_t max) {
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < kNumberBits; shift += kBitsPerByte) {
    const std::uint8_t byte = take_byte();
    const std::uint64_t bits = byte & 0x7fU;
    number |= bits << shift;
    if (byte < kMoreFollows) {
      const bool overlong = byte == 0 && shift > 0;
      const bool lost = (bits << shift) >> shift != bits;
      if (overlong || lost || number > max) {
        refuse("a number is out of range or not in its shortest form");
      }
      return ok() ? number : 0;
    }
  }
  refuse("a number has too many bytes");
  return 0;
}

std::int64_t PeerReader::take_signed() {
  const std::uint64_t bits = take_number();
  return static_cast<std::int64_t>((bits >> 1U) ^ ((bits & 1U) != 0 ? ~std::uint64_t{0} : 0));
}

std::string_view PeerReader::take_text(std::size_t bytes_max) {
  const std::uint64_t size = take_number();
  if (size > bytes_max) {
    refuse("a text is too long");
  }
  return take_bytes(ok() ? size : 0);
}

std::string PeerReader::take_key() {
  take_path(kPeerPathBytesMax);
  if (ok() && !Key::parse(path_before_, kPeerPathBytesMax)) {
    refuse("a path is not a key");
  }
  return ok() ? path_before_ : std::string();
}

std::string PeerReader::take_boundary() {
  take_path(kPeerBoundaryBytesMax);
  return ok() ? path_before_ : std::string();
}

void PeerReader::take_path(std::size_t bytes_max) {
  const std::uint64_t shared = take_number(path_before_.size());
  const std::string_view suffix = take_text(bytes_max);
  if (ok() && shared + suffix.size() > bytes_max) {
    refuse("a path is too long");
  }
  charge(shared + suffix.size());
  if (ok()) {
    path_before_.resize(shared);
    path_before_ += suffix;
  }
}

std::size_t PeerReader::take_count(std::size_t bytes_min, std::size_t memory) {
  const std::uint64_t count = take_number();
  if (count > rest_.size() / bytes_min) {
    refuse("a list is longer than what is left");
    return 0;
  }
  charge(count * memory);
  return ok() ? count : 0;
}

void PeerReader::charge(std::size_t memory) {
  if (memory > memory_left_) {
    refuse("it would unfold into too much");
    return;
  }
  memory_left_ -= memory;
}

void PeerReader::refuse(std::string_view complaint) {
  if (ok()) {
    fault_ = complaint;
    rest_ = {};
  }
}

}  // namespace kvs
