#include "app/line_ledger.h"

#include "base/check.h"

namespace kvs {

void LineLedger::end(std::uint64_t line) {
  KVS_CHECK(line >= first_open_ && line - first_open_ < ended_.size(), "no such line is open");
  ended_[line - first_open_] = true;
  while (!ended_.empty() && ended_.front()) {
    ended_.pop_front();
    ++first_open_;
  }
}

}  // namespace kvs
