// A running 64-bit hash of what happened in a run: two runs of one seed must agree on it.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace kvs {

class Digest {
 public:
  void mix(std::uint64_t value) {
    constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15U;
    value_ = std::rotl((value_ ^ value) * kMultiplier, 29);
  }

  void mix(std::string_view bytes) {
    mix(bytes.size());
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
      mix(get_le<std::uint64_t>(bytes.data()));
    }
    for (const char c : bytes) {
      mix(static_cast<std::uint64_t>(static_cast<unsigned char>(c)));
    }
  }

  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0x6b76732d73696d00U;  // "kvs-sim"
};

}  // namespace kvs
