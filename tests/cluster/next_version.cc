// The versions of the peer protocol as a node of the next one might have them: linked into kvs-next
// in place of wire/peer_version.cc, for test_upgrade.py.
#include "wire/peer_version.h"

namespace kvs {

std::uint16_t peer_protocol() {
  return 2;
}

std::string_view peer_additions() {
  return "fields of a later version";
}

}  // namespace kvs
