// Any bytes as a stored record or a stored state: they are refused, or they are exactly what
// encoding gives for what was read. The checksum would hide all behind it from a fuzzer, so half of
// the inputs get a right one.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "wire/record_codec.h"

namespace kvs {
namespace {

/// `bytes` with the checksum that it would need to pass for one stored under `salt`.
std::string sealed(std::string_view bytes, std::string_view salt) {
  constexpr std::size_t kHead = 1 + sizeof(std::uint32_t);
  std::string out(bytes);
  if (out.size() >= kHead) {
    out[0] = 1;
    std::string crc;
    put_le(crc, crc32c(bytes.substr(kHead), crc32c(salt)));
    out.replace(1, crc.size(), crc);
  }
  return out;
}

void check_record(std::string_view bytes) {
  const Key key = Key::from_store("users/john");
  const auto record = decode_record(key, bytes);
  if (!record) {
    KVS_CHECK(record.error().code == Errc::corrupt_data, "damage has one code");
    return;
  }
  std::string again;
  encode_record(key, *record, again);
  const auto reread = decode_record(key, again);
  KVS_CHECK(reread && reread->header == record->header && reread->value == record->value,
            "what was read cannot be written");
}

void check_states(std::string_view bytes) {
  if (const auto known = decode_knowledge(bytes)) {
    const auto again = decode_knowledge(encode_knowledge(*known));
    KVS_CHECK(again && *again == *known, "knowledge changes");
  }
  if (const auto identity = decode_identity(bytes)) {
    KVS_CHECK(encode_identity(*identity) == bytes, "identity changes");
  }
  if (const auto stamp = decode_stamp(bytes)) {
    KVS_CHECK(encode_stamp(*stamp) == bytes, "a stamp changes");
  }
}

}  // namespace
}  // namespace kvs

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  kvs::check_record(bytes);
  kvs::check_record(kvs::sealed(bytes, "users/john"));
  kvs::check_states(bytes);
  for (const char* salt : {"knowledge", "identity", "stamp"}) {
    kvs::check_states(kvs::sealed(bytes, salt));
  }
  return 0;
}
