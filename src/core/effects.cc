#include "core/effects.h"

namespace kvs {

void Effects::clear() {
  writes.clear();
  knowledge.clear();
  clock_reserve.reset();
  identity.reset();
  replies.clear();
  trace.clear();
}

}  // namespace kvs
