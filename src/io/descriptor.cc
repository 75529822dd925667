#include "io/descriptor.h"

#include <unistd.h>

namespace kvs {

void Descriptor::close() {
  if (open()) {
    ::close(release());
  }
}

}  // namespace kvs
