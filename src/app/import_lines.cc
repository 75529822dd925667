#include "app/import_lines.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "wire/record_line.h"

namespace kvs {

namespace {

/// Cluster time may be read a little before a record is merged by it.
constexpr std::int64_t kClockMarginMs = 1000;

/// Where clients' writes are refused, so is an import.
Result<void> check_mode(Mode mode) {
  switch (mode) {
    case Mode::read_only:
      return fail(Errc::read_only, "this node is read-only: import at another");
    case Mode::syncing:
      return fail(Errc::syncing, "this node still fetches data: import at another, or later");
    case Mode::normal:
      break;
  }
  return {};
}

Result<PeerRecord> read_line(RecordLineReader& reader, std::string_view line,
                             const ImportTerms& terms) {
  RecordLine read = KVS_TRY(reader.read(line));
  PeerRecord record = KVS_TRY(record_of(std::move(read)));
  const std::size_t bytes = record.record.value.size();
  if (bytes > terms.config.max_value_bytes) {
    return fail(Errc::value_too_large,
                fmt::format("the value has {} bytes, {} are allowed (max_value_bytes)", bytes,
                            terms.config.max_value_bytes));
  }
  if (record.record.header.expires_ms != 0 && !terms.takes_expiry) {
    return fail(Errc::ttl_unsupported,
                "a member of an earlier version could not read a record that expires");
  }
  const std::int64_t newest_ms =
      terms.cluster_ms + terms.config.max_clock_skew.ms() - kClockMarginMs;
  if (record.record.header.version.stamp.ms() > newest_ms) {
    return fail(Errc::overloaded,
                "the timestamp is ahead of the cluster's time: send it again when that is near");
  }
  return record;
}

}  // namespace

Result<std::vector<PeerRecord>> read_import(std::string_view lines, const ImportTerms& terms) {
  KVS_TRY(check_mode(terms.mode));
  std::vector<PeerRecord> records;
  RecordLineReader reader(terms.config.max_key_bytes);
  for (std::size_t number = 1; !lines.empty(); ++number) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
      continue;
    }
    auto record = read_line(reader, line, terms);
    if (!record) {
      return fail(record.error().code, fmt::format("line {}: {}", number, record.error().detail));
    }
    records.push_back(*std::move(record));
  }
  return records;
}

}  // namespace kvs
