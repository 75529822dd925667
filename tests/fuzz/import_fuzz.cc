// Any bytes as the body of POST /import: what is taken of them keeps the node's limits, and is the
// same once exported. The checksum of a version would hide all behind it from a fuzzer, so the
// input is also made into a record: its line is taken exactly if the record is one that a node may
// hold, and then is that record.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/import_lines.h"
#include "base/check.h"
#include "core/key.h"
#include "wire/json.h"
#include "wire/record_line.h"

namespace kvs {
namespace {

constexpr std::int64_t kNow = 4'000'000'000'000;  // after the stamps of the corpus
constexpr std::size_t kHeadBytes = 4;

/// Small, so that the fuzzer reaches the limits.
Config limits() {
  Config config;
  config.max_key_bytes = 20;
  config.max_value_bytes = 50;
  return config;
}

Result<std::vector<PeerRecord>> import(std::string_view lines) {
  static const Config kConfig = limits();
  return read_import(lines, {.config = kConfig, .mode = Mode::normal, .cluster_ms = kNow});
}

/// True for a record that a node with these limits may hold.
bool is_sound(std::string_view path, const RecordView& record) {
  const Config config = limits();
  const bool is_value = record.value.size() <= config.max_value_bytes &&
                        JsonChecker().check(record.value).has_value();
  return Key::parse(path, config.max_key_bytes).has_value() && record.header.version.dot.seq > 0 &&
         record.header.version.dot.origin != Origin{} &&
         (record.header.live() ? is_value : record.value.empty());
}

void check_lines(std::string_view lines) {
  const auto records = import(lines);
  if (!records) {
    KVS_CHECK(records.error().detail.starts_with("line "), "a refusal that names no line");
    return;
  }
  const auto breaks = std::ranges::count(lines, '\n');
  KVS_CHECK(records->size() <= static_cast<std::size_t>(breaks) + 1, "more records than lines");
  std::string exported;
  for (const PeerRecord& one : *records) {
    KVS_CHECK(is_sound(one.path, one.record.view()), "a record that no node may hold");
    append_record_line(exported, one.path, one.record.view());
  }
  const auto again = import(exported);
  KVS_CHECK(again && *again == *records, "what was taken is another once exported");
}

/// The first bytes: the version. Then a path, a line break, and a value.
void check_made(std::string_view bytes) {
  if (bytes.size() < kHeadBytes) {
    return;
  }
  const auto number = [&](std::size_t at) {
    return static_cast<std::uint8_t>(bytes[at]);
  };
  RecordHeader header;
  header.kind = number(0) % 2 == 0 ? RecordKind::value : RecordKind::tombstone;
  header.version = {.stamp = Stamp::from_ms(kNow - number(1)),
                    .verdict = {},
                    .uuid = {.high = number(2), .low = number(3)},
                    .dot = {.origin = Origin{number(2)}, .seq = number(3)}};
  if (number(0) >= 128) {
    header.version.verdict = {.votes = number(1) + 1U, .oldest_join_ms = kNow, .voters_hash = 5};
  }
  bytes.remove_prefix(kHeadBytes);
  const std::size_t end = std::min(bytes.find('\n'), bytes.size());
  const std::string_view path = bytes.substr(0, end);
  const RecordView made{.header = header, .value = bytes.substr(std::min(end + 1, bytes.size()))};
  std::string line;
  append_record_line(line, path, made);
  KVS_CHECK(std::ranges::count(line, '\n') == 1, "a record takes one line");

  const auto taken = import(line);
  KVS_CHECK(taken.has_value() == is_sound(path, made), "a sound record is taken, and no other");
  if (taken) {
    const PeerRecord& one = taken->at(0);
    KVS_CHECK(taken->size() == 1 && one.path == path && one.record.header == header &&
                  one.record.value == made.value,
              "another record than the one that was exported");
  }
}

}  // namespace
}  // namespace kvs

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  kvs::check_lines(bytes);
  kvs::check_made(bytes);
  return 0;
}
