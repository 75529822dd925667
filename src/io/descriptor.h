// A file descriptor that is closed with its owner.
#pragma once

#include <utility>

namespace kvs {

class Descriptor {
 public:
  Descriptor() = default;

  /// Takes over `number`; negative: nothing.
  explicit Descriptor(int number) : number_(number) {}

  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  ~Descriptor() { close(); }

  [[nodiscard]] bool open() const { return number_ >= 0; }

  [[nodiscard]] int number() const { return number_; }

  /// The caller closes it.
  [[nodiscard]] int release() { return std::exchange(number_, -1); }

  void close();

 private:
  int number_ = -1;
};

}  // namespace kvs
