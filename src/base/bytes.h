// Fixed-width integers to and from bytes. Little-endian throughout: disk formats and the peer wire
// agree.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace kvs {

/// Appends `value` to `out`, least significant byte first.
template <class T>
  requires std::is_unsigned_v<T>
void put_le(std::string& out, T value) {
  char bytes[sizeof(T)];
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(bytes, &value, sizeof bytes);
  } else {
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      bytes[i] = static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
    }
  }
  out.append(bytes, sizeof bytes);  // one bounds check, not sizeof(T)
}

/// Reads a T from the first sizeof(T) bytes at `bytes`; the caller has checked that they are there.
template <class T>
  requires std::is_unsigned_v<T>
[[nodiscard]] T get_le(const char* bytes) {
  T value = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&value, bytes, sizeof value);
    return value;
  }
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(
        value | static_cast<T>(static_cast<T>(static_cast<unsigned char>(bytes[i])) << (8 * i)));
  }
  return value;
}

/// Takes values off the front of a byte string. Every read is checked; after the first that does
/// not fit, `ok()` is false and all further reads give zero or nothing.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  template <class T>
    requires std::is_unsigned_v<T>
  T take() {
    const std::string_view bytes = take_bytes(sizeof(T));
    return ok_ ? get_le<T>(bytes.data()) : T{0};
  }

  std::string_view take_bytes(std::size_t count) {
    if (count > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const std::string_view bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return bytes;
  }

  [[nodiscard]] std::string_view rest() const { return rest_; }

  [[nodiscard]] bool ok() const { return ok_; }

  /// True if every byte was taken and every read fitted.
  [[nodiscard]] bool finished() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace kvs
