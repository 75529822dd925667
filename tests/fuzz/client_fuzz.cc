// Any bytes from a server: what the client reads of them does not depend on how they are cut, and
// the parts of any text lie within it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "wire/answer_reader.h"
#include "wire/json.h"
#include "wire/json_view.h"
#include "wire/list_page_reader.h"

namespace kvs {
namespace {

constexpr std::size_t kBodyMax = 1000;
constexpr std::size_t kEntryMax = 200;

struct Read {
  std::vector<std::string> parts;  // bodies or entries
  std::string rest;                // what followed, or the cursor
  bool failed = false;

  bool operator==(const Read&) const = default;
};

Read read_answers(std::string_view bytes, std::size_t step) {
  Read read;
  AnswerReader reader(kBodyMax);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size()))) {
    std::string_view piece = bytes.substr(0, step);
    while (!piece.empty() && reader.state() != AnswerReader::State::failed) {
      const std::size_t before = piece.size();
      const auto state = reader.take(piece);
      KVS_CHECK(piece.size() < before || state == AnswerReader::State::failed, "no step forward");
      if (state == AnswerReader::State::complete) {
        KVS_CHECK(reader.head().status >= 200, "an interim answer is none");
        read.parts.push_back(reader.take_body());
        reader.next();
      }
    }
  }
  read.failed = reader.state() == AnswerReader::State::failed;
  return read;
}

Read read_page(std::string_view bytes, std::size_t step) {
  Read read;
  ListPageReader reader(kEntryMax);
  const auto take = [&read](std::string_view entry) -> Result<void> {
    KVS_CHECK(!entry.empty(), "an empty entry");
    read.parts.emplace_back(entry);
    return {};
  };
  for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size()))) {
    if (!reader.take(bytes.substr(0, step), take)) {
      read.failed = true;
      return read;
    }
  }
  const auto next = reader.finish();
  read.failed = !next;
  read.rest = next ? *next : "";
  return read;
}

bool lies_within(std::string_view part, std::string_view text) {
  return part.data() >= text.data() && part.data() + part.size() <= text.data() + text.size();
}

void check_parts(std::string_view text) {
  JsonMembers members(text);
  while (const auto member = members.next()) {
    KVS_CHECK(lies_within(member->value, text), "a value from elsewhere");
    KVS_CHECK(lies_within(member->raw, text), "a value from elsewhere");
    KVS_CHECK(lies_within(member->value, member->raw), "blanks are not around the value");
  }
  JsonElements elements(text);
  while (const auto element = elements.next()) {
    KVS_CHECK(lies_within(*element, text), "an element from elsewhere");
  }
  JsonChecker checker;
  if (text.starts_with('"') && text.ends_with('"') && checker.check(text)) {
    KVS_CHECK(json_string(text).has_value(), "a valid string is not read");
  }
  std::string written;
  append_json_string(written, text);
  KVS_CHECK(json_string(written).has_value(), "what was written is not read");
  (void)parse_listed_entry(text);
}

}  // namespace
}  // namespace kvs

// The input: how long the pieces are, and the bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t step = std::size_t{data[0]} + 1;
  const kvs::Read answers = kvs::read_answers(bytes, bytes.size() + 1);
  KVS_CHECK(kvs::read_answers(bytes, step) == answers, "answers depend on how they are cut");
  const kvs::Read page = kvs::read_page(bytes, bytes.size() + 1);
  KVS_CHECK(kvs::read_page(bytes, step) == page, "a page depends on how it is cut");
  kvs::check_parts(bytes);
  return 0;
}
