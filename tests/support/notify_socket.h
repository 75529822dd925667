// The supervisor's end of the protocol of notification, for a test.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "io/descriptor.h"

namespace kvs::testing {

class NotifySocket {
 public:
  /// A path, or a name after '@'.
  explicit NotifySocket(std::string name)
      : name_(std::move(name)), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name_.data(), name_.size());
    if (name_.front() == '@') {
      address.sun_path[0] = '\0';
    }
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
    const auto* const target = reinterpret_cast<const sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_.number(), target, size), 0) << name_;
  }

  [[nodiscard]] const std::string& name() const { return name_; }

  /// The oldest message that was not read yet; waits for it.
  std::string receive() { return take(0); }

  /// The same, or nothing if there is none.
  std::string receive_now() { return take(MSG_DONTWAIT); }

 private:
  std::string take(int flags) {
    std::array<char, 4096> bytes{};
    const ssize_t size = ::recv(socket_.number(), bytes.data(), bytes.size(), flags);
    return size < 0 ? std::string() : std::string(bytes.data(), static_cast<std::size_t>(size));
  }

  std::string name_;
  Descriptor socket_;
};

}  // namespace kvs::testing
