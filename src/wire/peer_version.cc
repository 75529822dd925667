#include "wire/peer_version.h"

namespace kvs {

std::uint16_t peer_protocol() {
  return 1;
}

std::string_view peer_additions() {
  return {};
}

}  // namespace kvs
