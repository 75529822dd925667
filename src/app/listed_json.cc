#include "app/listed_json.h"

#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "app/human_text.h"
#include "core/key.h"
#include "wire/client_calls.h"
#include "wire/json_view.h"

namespace kvs {

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
  }
  if (!entry.data.empty()) {
    const bool has_breaks = entry.data.find_first_of("\r\n") != std::string_view::npos;
    out += R"(,"data":)";
    out += has_breaks ? on_one_line(entry.data) : entry.data;
    if (has_breaks) {
      out += R"(,"text":)";
      append_json_string(out, entry.data);
    }
  }
  out.push_back('}');
}

Result<ImportedRecord> ImportLineReader::read(std::string_view line) {
  std::optional<std::string> path;
  std::optional<std::string> value;
  std::optional<std::string> text;
  JsonMembers members(line);
  while (const auto member = members.next()) {
    if (member->name == "path") {
      path = json_string(member->value);
    } else if (member->name == "data") {
      value = std::string(member->value);
    } else if (member->name == "text") {
      text = json_string(member->value);
    }
  }
  if (!members.closed() || !path || !value) {
    return fail(Errc::invalid_json,
                R"(this is no record: write {"path":"...","data":...} on each line)");
  }
  KVS_TRY(Key::parse(*path, kKeyBytesMax));
  if (text) {
    value = std::move(text);
  }
  // The value by itself: within its line it would stand one deeper than it is.
  if (const auto checked = checker_.check(*value); !checked) {
    return fail(Errc::invalid_json, fmt::format("the value is no JSON: {}", checked.error().detail));
  }
  return ImportedRecord{.path = *std::move(path), .value = *std::move(value)};
}

}  // namespace kvs
