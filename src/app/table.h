// Rows as text: aligned columns under titles for a terminal; one row a line, tabs between its cells
// and no titles, for a pipe. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kvs {

class Table {
 public:
  enum class Style : std::uint8_t { terminal, plain };

  explicit Table(std::vector<std::string> titles) : titles_(std::move(titles)) {}

  /// As many cells as there are titles. What could disturb a line is taken out.
  void add(const std::vector<std::string>& cells);

  [[nodiscard]] bool empty() const { return rows_.empty(); }

  /// Ends in a line break unless there are no rows; on a terminal titles stand even then.
  [[nodiscard]] std::string text(Style style) const;

 private:
  std::vector<std::string> titles_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace kvs
