#include "wire/record_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "core/key.h"
#include "wire/api.h"
#include "wire/base64url.h"
#include "wire/json_view.h"
#include "wire/record_codec.h"

namespace kvs {

namespace {

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

void append_value(std::string& out, std::string_view stored) {
  const std::string_view value = without_blanks(stored);
  const std::size_t begin = out.append(R"(,"data":)").size();
  out.append(value);
  const bool has_breaks = value.find_first_of("\r\n") != std::string_view::npos;
  if (has_breaks) {  // which stand only between tokens
    std::replace_if(
        out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(),
        [](char c) { return c == '\r' || c == '\n'; }, ' ');
  }
  if (has_breaks || value.size() != stored.size()) {
    out.append(R"(,"text":)");
    append_json_string(out, stored);
  }
}

void append_version(std::string& out, std::string_view path, const RecordView& record) {
  char uuid[Uuid::kTextSize];
  format_uuid(record.header.version.uuid, uuid);
  std::array<char, 20> digits{};
  char* const end =
      std::to_chars(digits.data(), digits.data() + digits.size(), record.header.version.stamp.ms())
          .ptr;
  out.append(R"(,"uuid":")").append(uuid, sizeof uuid);
  out.append(R"(","timestamp":)").append(digits.data(), end);
  append_expires_member(out, record.header.expires_ms);
  std::string stored;
  encode_record(Key::from_store(path), record, stored);
  stored.resize(stored.size() - record.value.size());
  out.append(R"(,"version":")");
  encode_base64url(stored, out);
  out.push_back('"');
}

}  // namespace

void append_record_line(std::string& out, std::string_view path, const RecordView& record) {
  out.append(R"({"path":)");
  append_json_string(out, path);
  append_version(out, path, record);
  if (record.header.live()) {
    append_value(out, record.value);
  } else {
    out.append(R"(,"deleted":true)");
  }
  out.append("}\n");
}

Result<RecordLine> RecordLineReader::read(std::string_view line) {
  std::optional<std::string> path;
  std::optional<std::string> value;
  std::optional<std::string> text;
  RecordLine read;
  JsonMembers members(line);
  while (const auto member = members.next()) {
    if (member->name == "path") {
      path = json_string(member->value);
    } else if (member->name == "data") {
      value = std::string(member->value);
    } else if (member->name == "text") {
      text = json_string(member->value);
    } else if (member->name == "version") {
      read.version = json_string(member->value);
    } else if (member->name == "deleted") {
      read.deleted = member->value == "true";
    } else if (member->name == "expires") {
      const auto ms = json_integer(member->value);
      read.expires_ms = ms && *ms > 0 && *ms <= kExpiresMsMax ? *ms : 0;
    }
  }
  if (!members.closed() || !path || value.has_value() == read.deleted) {
    return fail(Errc::invalid_json,
                R"(this is no record: write {"path":"...","data":...} on each line)");
  }
  KVS_TRY(Key::parse(*path, key_bytes_max_));
  read.path = *std::move(path);
  if (read.deleted) {
    return read;
  }
  read.value = text ? *std::move(text) : *std::move(value);
  // The value by itself: within its line it would stand one deeper than it is.
  if (const auto checked = checker_.check(read.value); !checked) {
    return fail(Errc::invalid_json,
                fmt::format("the value is no JSON: {}", checked.error().detail));
  }
  return read;
}

Result<PeerRecord> record_of(RecordLine line) {
  std::string stored;
  const bool readable = line.version && decode_base64url(*line.version, stored);
  stored.append(line.value);
  const auto record =
      readable ? decode_record(Key::from_store(line.path), stored) : fail(Errc::corrupt_data, "");
  const bool sound = record && record->header.live() != line.deleted &&
                     record->value == line.value && record->header.version.dot.seq > 0 &&
                     record->header.version.dot.origin != Origin{};
  if (!sound) {
    return fail(Errc::bad_request,
                fmt::format("{}: path, value and version do not belong together, as in a line that "
                            "was edited: import it without versions",
                            line.path));
  }
  return PeerRecord{.path = std::move(line.path),
                    .record = {.header = record->header, .value = std::move(line.value)},
                    .replaced = {}};
}

}  // namespace kvs
