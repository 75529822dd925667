#include "app/listed_json.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "app/human_text.h"
#include "wire/json.h"

namespace kvs {

namespace {

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

}  // namespace

std::string full_path(std::string_view folder, std::string_view name) {
  return folder.empty() ? std::string(name) : fmt::format("{}/{}", folder, name);
}

void append_listed_json(std::string& out, std::string_view folder, const ListedEntry& entry) {
  out += R"({"path":)";
  append_json_string(out, full_path(folder, entry.name));
  if (entry.is_key()) {
    out += R"(,"uuid":)";
    append_json_string(out, entry.uuid);
    fmt::format_to(std::back_inserter(out), R"(,"timestamp":{})", entry.timestamp_ms);
    if (entry.expires_ms != 0) {
      fmt::format_to(std::back_inserter(out), R"(,"expires":{})", entry.expires_ms);
    }
  }
  if (!entry.data.empty()) {
    const std::string_view value = without_blanks(entry.data);
    const bool has_breaks = value.find_first_of("\r\n") != std::string_view::npos;
    out += R"(,"data":)";
    if (has_breaks) {
      out += on_one_line(value);
    } else {
      out += value;
    }
    if (has_breaks || value.size() != entry.data.size()) {
      out += R"(,"text":)";
      append_json_string(out, entry.data);
    }
  }
  out.push_back('}');
}

}  // namespace kvs
