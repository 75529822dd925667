#include "core/mode.h"

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
      return WriteStatus::read_only;
    case Mode::syncing:
      return WriteStatus::syncing;
  }
  return std::nullopt;
}

}  // namespace kvs
