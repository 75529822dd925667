// JSON texts: is one valid, and how to write one.
//
// There is one validator, for every text that enters the node by any door; two that disagree about
// duplicate keys let an attacker show each part of a system a different document. A value is kept
// and handed back as the bytes that came, so nothing here builds a tree.
//
// Accepted: RFC 8259, exactly one value, in valid UTF-8 without a byte order mark, nested at most
// kMaxJsonDepth deep, no key twice in one object (compared after unescaping), no lone surrogates.
// Numbers may have any size; an exponent beyond +-2^31 is refused.
//
// Thread: none of its own. A checker keeps its buffers between texts; give each thread one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kvs {

/// Arrays and objects may stand inside one another this deep: `[]` is 1 deep, `[[]]` is 2.
inline constexpr std::size_t kMaxJsonDepth = 512;

/// The keys of the objects that are open while a text is walked through, to find one that stands
/// twice in its object. Sorting, not hashing: no choice of keys makes it slow.
class OpenKeys {
 public:
  /// Forgets everything; `text_bytes` is the length of the next text.
  void reset(std::size_t text_bytes);

  void open_object();
  /// Adds unescaped bytes to the key that is being read.
  void add_part(std::string_view part);
  /// Ends the key that is being read.
  void end_key();
  /// A key that stands twice in the innermost object, valid until reset(), or nothing. Closes the
  /// object.
  std::optional<std::string_view> close_object();

  /// Gives back buffers larger than `bytes`.
  void shrink(std::size_t bytes);

 private:
  std::string bytes_;          // never grows beyond what reset() reserved: keys_ point here
  std::size_t key_start_ = 0;  // of the key that is being read
  std::vector<std::string_view> keys_;  // of all open objects, outermost first
  std::vector<std::size_t> firsts_;     // index in keys_ of each open object's first key
};

/// Validates JSON texts. Time is O(n log n) in the length of the text, whatever it holds.
class JsonChecker {
 public:
  /// Buffers that grew beyond this are given back after each check.
  static constexpr std::size_t kKeptBytes = 128UL * 1024;

  /// Ok, or Errc::invalid_json with a sentence that says what is wrong and where (the first byte
  /// is 0). `text` is not kept.
  Result<void> check(std::string_view text);

 private:
  OpenKeys keys_;
};

/// Appends `text` as a JSON string, quotes included. `text` is UTF-8; what is not is replaced by
/// U+FFFD, so that the result is always valid.
void append_json_string(std::string& out, std::string_view text);

/// Writes one JSON text onto the end of a string and puts the commas. Nested at most 64 deep. The
/// caller keeps the order: in an object, key() before each value.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();

  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view value);
  JsonWriter& number(std::int64_t value);
  JsonWriter& boolean(bool value);
  /// Appends `json`, a valid JSON text, as it is.
  JsonWriter& raw(std::string_view json);

 private:
  void separate();
  void open(char bracket);
  void close(char bracket);

  std::string& out_;
  std::uint64_t has_elements_ = 0;  // bit n: the container at depth n has an element already
  unsigned depth_ = 0;
  bool after_key_ = false;
};

}  // namespace kvs
