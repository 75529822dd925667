#include "core/effects.h"

namespace kvs {

void Effects::clear() {
  writes.clear();
  knowledge.clear();
  clock_reserve.reset();
  identity.reset();
  root.reset();
  expiry_reserve.reset();
  expired.clear();
  roster.reset();
  closed_at = {};
  kept.clear();
  replies.clear();
  peer_replies.clear();
  sends.clear();
  answers.clear();
  trace.clear();
  watched.clear();
}

}  // namespace kvs
