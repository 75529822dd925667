// Sets of faults, and their names on the command line.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/result.h"

namespace kvs {

/// A set of members of an enumeration of at most 64 that count from 0.
template <class Enum>
class FaultSetOf {
 public:
  [[nodiscard]] bool contains(Enum fault) const { return ((bits_ >> index(fault)) & 1ULL) != 0; }

  void insert(Enum fault) { bits_ |= 1ULL << index(fault); }

  void erase(Enum fault) { bits_ &= ~(1ULL << index(fault)); }

  bool operator==(const FaultSetOf&) const = default;

 private:
  static unsigned index(Enum fault) { return static_cast<unsigned>(fault); }

  std::uint64_t bits_ = 0;
};

/// Names joined by commas; "none" if empty. `names` are those of all members, in order.
template <class Enum>
[[nodiscard]] std::string join_faults(const FaultSetOf<Enum>& faults,
                                      std::span<const std::string_view> names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (faults.contains(static_cast<Enum>(i))) {
      text.append(text.empty() ? "" : ",").append(names[i]);
    }
  }
  return text.empty() ? "none" : text;
}

/// Reads that form. Error: invalid_config, naming the word that is no fault.
template <class Enum>
Result<FaultSetOf<Enum>> split_faults(std::string_view text,
                                      std::span<const std::string_view> names) {
  FaultSetOf<Enum> faults;
  if (text == "none") {
    return faults;
  }
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    const auto name = std::ranges::find(names, word);
    if (name == names.end()) {
      return fail(Errc::invalid_config, fmt::format("`{}` is no fault", word));
    }
    faults.insert(static_cast<Enum>(name - names.begin()));
    begin = end + 1;
  }
  return faults;
}

}  // namespace kvs
