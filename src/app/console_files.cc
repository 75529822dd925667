#include "app/console_files.h"

#include <algorithm>

namespace kvs {

const ConsoleFile* find_console_file(std::string_view name) {
  const auto* const end = console_files().data() + console_files().size();
  const auto* const found =
      std::ranges::lower_bound(console_files().data(), end, name, {}, &ConsoleFile::name);
  return found != end && found->name == name ? found : nullptr;
}

}  // namespace kvs
