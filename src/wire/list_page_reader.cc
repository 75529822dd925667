#include "wire/list_page_reader.h"

#include <algorithm>

#include "wire/json.h"
#include "wire/json_view.h"

namespace kvs {

namespace {

constexpr std::size_t kEnvelopeBytesMax = std::size_t{64} * 1024;

std::unexpected<Error> no_page() {
  return fail(Errc::bad_request, "what came is no page of a listing");
}

}  // namespace

std::optional<ListedEntry> parse_listed_entry(std::string_view text) {
  ListedEntry entry;
  JsonMembers members(text);
  while (const auto member = members.next()) {
    if (member->name == "name") {
      entry.name = json_string(member->value).value_or("");
    } else if (member->name == "uuid") {
      entry.uuid = json_string(member->value).value_or("");
    } else if (member->name == "timestamp") {
      entry.timestamp_ms = json_integer(member->value).value_or(0);
    } else if (member->name == "expires") {
      entry.expires_ms = json_integer(member->value).value_or(0);
    } else if (member->name == "data") {
      entry.data = member->raw;
    }
  }
  return entry.name.empty() ? std::nullopt : std::optional(std::move(entry));
}

Result<void> ListPageReader::take(std::string_view bytes, const TakeEntry& take_entry) {
  while (!bytes.empty()) {
    std::size_t taken = 1;
    if (within_entry()) {
      taken = KVS_TRY(take_inner(bytes, take_entry));
    } else {
      KVS_TRY(take_outer(bytes.front()));
    }
    bytes.remove_prefix(taken);
  }
  return {};
}

Result<std::string> ListPageReader::finish() const {
  JsonChecker checker;
  const auto entries = json_member(envelope_, "entries");
  if (depth_ != 0 || !checker.check(envelope_) || !entries || !entries->starts_with('[') ||
      JsonElements(*entries).next()) {
    return no_page();
  }
  return json_string_member(envelope_, "next").value_or("");
}

void ListPageReader::step(char c) {
  if (escaped_) {
    escaped_ = false;
  } else if (in_string_) {
    escaped_ = c == '\\';
    in_string_ = c != '"';
  } else if (c == '"') {
    in_string_ = true;
  } else if (c == '{' || c == '[') {
    ++depth_;
  } else if ((c == '}' || c == ']') && depth_ > 0) {
    --depth_;
  }
}

Result<void> ListPageReader::take_outer(char c) {
  const std::size_t depth_before = depth_;
  step(c);
  if (within_entry()) {
    entry_.assign(1, c);
    return {};
  }
  if (depth_before < kEntriesDepth && depth_ == kEntriesDepth) {
    in_entries_ = c == '[' && envelope_.ends_with(R"("entries":)");
  } else if (depth_ < kEntriesDepth) {
    in_entries_ = false;
  } else if (in_entries_ && c == ',') {
    return {};  // between two entries
  }
  if (envelope_.size() == kEnvelopeBytesMax) {
    return no_page();
  }
  envelope_.push_back(c);
  return {};
}

Result<std::size_t> ListPageReader::take_inner(std::string_view bytes,
                                               const TakeEntry& take_entry) {
  std::size_t at = 0;
  while (at < bytes.size() && within_entry()) {
    if (!escaped_) {
      at = std::min(bytes.find_first_of(in_string_ ? "\"\\" : "\"{}[]", at), bytes.size());
    }
    if (at < bytes.size()) {
      step(bytes[at++]);
    }
  }
  if (entry_.size() + at > entry_bytes_max_) {
    return no_page();
  }
  entry_.append(bytes.substr(0, at));
  if (!within_entry()) {
    KVS_TRY(take_entry(entry_));
    entry_.clear();
  }
  return at;
}

}  // namespace kvs
