// A record as a line of JSON, with its version: what an export gives and an import takes. Pure.
//
//   {"path":"a/b","uuid":"...","timestamp":1672531200000,"version":"AQ...","data":{"a":1}}
//   {"path":"a/c","uuid":"...","timestamp":1672531200000,"version":"AQ...","deleted":true}
//
// `version` is the record's stored form (wire/record_codec) up to its value, in base64url: stamp,
// verdict, uuid, dot, and the checksum of all of it, of the path and of the value. So a line whose
// path or value was edited is not taken for the version that it names. A value with line breaks
// between its tokens, or blanks around it, has its exact text as a string in `text` behind `data`.
// `expires` (Unix ms) stands behind `timestamp` where the record expires; what has expired is a
// deletion.
// docs/api.md is normative.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "core/peer_message.h"
#include "core/record.h"
#include "wire/json.h"

namespace kvs {

/// Their media type.
inline constexpr std::string_view kRecordLinesType = "application/x-ndjson";

/// Appends the line with its line break.
void append_record_line(std::string& out, std::string_view path, const RecordView& record);

/// What a line says.
struct RecordLine {
  std::string path;
  std::string value;                   // JSON text; empty for a deletion
  std::optional<std::string> version;  // as it stands there
  bool deleted = false;
  std::int64_t expires_ms = 0;  // of a value; 0: never
};

/// Reads lines. Keeps buffers between them.
class RecordLineReader {
 public:
  explicit RecordLineReader(std::size_t key_bytes_max) : key_bytes_max_(key_bytes_max) {}

  /// Members that it does not know are passed over. Errors: invalid_json if the line is no such
  /// object; invalid_key, key_too_large.
  Result<RecordLine> read(std::string_view line);

 private:
  std::size_t key_bytes_max_;
  JsonChecker checker_;
};

/// The record of a line that has a version. Error: bad_request if path, value and version do not
/// belong together.
[[nodiscard]] Result<PeerRecord> record_of(RecordLine line);

}  // namespace kvs
