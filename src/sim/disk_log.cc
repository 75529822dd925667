#include "sim/disk_log.h"

#include <cstdint>

#include "base/bytes.h"
#include "wire/record_codec.h"

namespace kvs {

namespace {

constexpr std::size_t kHeadBytes = 3 * sizeof(std::uint32_t);

std::string size_field(std::size_t size) {
  std::string field;
  put_le(field, static_cast<std::uint32_t>(size));
  return field;
}

bool read_payload(std::string_view payload, std::vector<DiskWrite>& writes) {
  ByteReader reader(payload);
  while (reader.ok() && !reader.rest().empty()) {
    const auto key_size = reader.take<std::uint32_t>();
    const auto value_size = reader.take<std::uint32_t>();
    const std::string_view key = reader.take_bytes(key_size);
    writes.emplace_back(key, reader.take_bytes(value_size));
  }
  return reader.finished();
}

}  // namespace

void append_entry(std::span<const DiskWrite> writes, std::string& log) {
  std::string payload;
  for (const auto& [key, value] : writes) {
    put_le(payload, static_cast<std::uint32_t>(key.size()));
    put_le(payload, static_cast<std::uint32_t>(value.size()));
    payload.append(key).append(value);
  }
  const std::string size = size_field(payload.size());
  log.append(size);
  put_le(log, crc32c(size));
  put_le(log, crc32c(payload));
  log.append(payload);
}

Result<LogContents> read_log(std::string_view log) {
  LogContents contents;
  while (log.size() >= kHeadBytes) {
    ByteReader head(log);
    const auto size = head.take<std::uint32_t>();
    const auto size_crc = head.take<std::uint32_t>();
    const auto payload_crc = head.take<std::uint32_t>();
    if (crc32c(size_field(size)) != size_crc) {
      return fail(Errc::corrupt_data, "a log entry's head is damaged");
    }
    if (head.rest().size() < size) {
      break;
    }
    const std::string_view payload = head.take_bytes(size);
    if (crc32c(payload) != payload_crc || !read_payload(payload, contents.writes)) {
      return fail(Errc::corrupt_data, "a log entry is damaged");
    }
    contents.complete_bytes += kHeadBytes + size;
    log.remove_prefix(kHeadBytes + size);
  }
  return contents;
}

}  // namespace kvs
