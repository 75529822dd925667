#include "app/table.h"

#include <algorithm>

#include "app/human_text.h"
#include "base/check.h"

namespace kvs {

namespace {

constexpr std::size_t kGap = 2;

void append_aligned(std::string& out, const std::vector<std::string>& cells,
                    const std::vector<std::size_t>& widths) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    out += cells[i];
    if (i + 1 < cells.size()) {
      out.append(widths[i] - columns_of(cells[i]) + kGap, ' ');
    }
  }
  out.erase(out.find_last_not_of(' ') + 1);
  out.push_back('\n');
}

void append_plain(std::string& out, const std::vector<std::string>& cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    out += i == 0 ? "" : "\t";
    out += cells[i];
  }
  out.push_back('\n');
}

}  // namespace

void Table::add(const std::vector<std::string>& cells) {
  KVS_CHECK(cells.size() == titles_.size(), "a row has a cell for each title");
  std::vector<std::string>& row = rows_.emplace_back();
  for (const std::string& cell : cells) {
    row.push_back(on_one_line(cell));
  }
}

std::string Table::text(Style style) const {
  std::string out;
  if (style == Style::plain) {
    for (const auto& row : rows_) {
      append_plain(out, row);
    }
    return out;
  }
  std::vector<std::size_t> widths;
  std::vector<std::vector<std::string>> shown{titles_};
  for (const auto& row : rows_) {
    std::ranges::transform(row, std::back_inserter(shown.emplace_back()), harmless);
  }
  for (std::size_t i = 0; i < titles_.size(); ++i) {
    std::size_t width = 0;
    for (const auto& row : shown) {
      width = std::max(width, columns_of(row[i]));
    }
    widths.push_back(width);
  }
  for (const auto& row : shown) {
    append_aligned(out, row, widths);
  }
  return out;
}

}  // namespace kvs
