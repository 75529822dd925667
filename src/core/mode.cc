#include "core/mode.h"

#include "base/mutant.h"
#include "base/probe.h"

namespace kvs {

std::string_view to_string(Mode mode) {
  switch (mode) {
    case Mode::normal:
      return "normal";
    case Mode::read_only:
      return "read-only";
    case Mode::syncing:
      return "syncing";
  }
  return "unknown";
}

std::optional<WriteStatus> write_refusal(Mode mode) {
  switch (mode) {
    case Mode::normal:
      return std::nullopt;
    case Mode::read_only:
      if (KVS_MUTATED(read_only_writes)) {
        return std::nullopt;
      }
      KVS_PROBE("mode: a read-only node refused a write");
      return WriteStatus::read_only;
    case Mode::syncing:
      return WriteStatus::syncing;
  }
  return std::nullopt;
}

}  // namespace kvs
