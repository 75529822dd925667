#include "wire/json.h"

#include <algorithm>
#include <iterator>

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

#include "base/check.h"
#include "base/utf8.h"

namespace kvs {
namespace {

using boost::json::error_code;

/// What Boost.JSON's parser calls on its way through the text. The parser checks the grammar and
/// UTF-8; only the keys are watched here.
class KeyWatcher {
 public:
  using Text = boost::json::string_view;

  static constexpr std::size_t kUnlimited = static_cast<std::size_t>(-1);
  // NOLINTBEGIN(readability-identifier-naming): the parser asks for these names.
  static constexpr std::size_t max_array_size = kUnlimited;
  static constexpr std::size_t max_object_size = kUnlimited;
  static constexpr std::size_t max_string_size = kUnlimited;
  static constexpr std::size_t max_key_size = kUnlimited;

  // NOLINTEND(readability-identifier-naming)

  explicit KeyWatcher(OpenKeys& keys) : keys_(keys) {}

  [[nodiscard]] std::optional<std::string_view> duplicate() const { return duplicate_; }

  bool on_object_begin(error_code& /*ec*/) {
    keys_.open_object();
    return true;
  }

  bool on_object_end(std::size_t /*count*/, error_code& ec) {
    duplicate_ = keys_.close_object();
    if (duplicate_) {
      ec = boost::json::error::syntax;
    }
    return !duplicate_;
  }

  bool on_key_part(Text part, std::size_t /*size*/, error_code& /*ec*/) {
    keys_.add_part({part.data(), part.size()});
    return true;
  }

  bool on_key(Text last_part, std::size_t /*size*/, error_code& /*ec*/) {
    keys_.add_part({last_part.data(), last_part.size()});
    keys_.end_key();
    return true;
  }

  bool on_document_begin(error_code& /*ec*/) { return true; }

  bool on_document_end(error_code& /*ec*/) { return true; }

  bool on_array_begin(error_code& /*ec*/) { return true; }

  bool on_array_end(std::size_t /*count*/, error_code& /*ec*/) { return true; }

  bool on_string_part(Text /*part*/, std::size_t /*size*/, error_code& /*ec*/) { return true; }

  bool on_string(Text /*part*/, std::size_t /*size*/, error_code& /*ec*/) { return true; }

  bool on_number_part(Text /*part*/, error_code& /*ec*/) { return true; }

  bool on_int64(std::int64_t /*value*/, Text /*digits*/, error_code& /*ec*/) { return true; }

  bool on_uint64(std::uint64_t /*value*/, Text /*digits*/, error_code& /*ec*/) { return true; }

  bool on_double(double /*value*/, Text /*digits*/, error_code& /*ec*/) { return true; }

  bool on_bool(bool /*value*/, error_code& /*ec*/) { return true; }

  bool on_null(error_code& /*ec*/) { return true; }

  bool on_comment_part(Text /*part*/, error_code& /*ec*/) { return true; }

  bool on_comment(Text /*part*/, error_code& /*ec*/) { return true; }

 private:
  OpenKeys& keys_;
  std::optional<std::string_view> duplicate_;
};

using Parser = boost::json::basic_parser<KeyWatcher>;
constexpr boost::json::parse_options kOptions = {.max_depth = kMaxJsonDepth};

/// Feeds `text` to the parser in pieces of `step` bytes; the offset of the piece that it refuses,
/// or text.size().
std::size_t feed(Parser& parser, std::string_view text, std::size_t step) {
  for (std::size_t at = 0; at < text.size(); at += step) {
    const std::string_view piece = text.substr(at, step);
    error_code ec;
    parser.write_some(true, piece.data(), piece.size(), ec);
    if (ec) {
      return at;
    }
  }
  return text.size();
}

/// The offset of the byte at which the parser refuses `text`. The parser does not tell, so the text
/// is walked through twice more: to the bad block, then bytewise to the bad byte.
std::size_t find_bad_byte(std::string_view text, OpenKeys& keys) {
  constexpr std::size_t kBlock = 1024;
  keys.reset(text.size());
  Parser by_block(kOptions, keys);
  const std::size_t block = feed(by_block, text, kBlock);
  keys.reset(text.size());
  Parser by_byte(kOptions, keys);
  feed(by_byte, text.substr(0, block), text.size());
  return block + feed(by_byte, text.substr(block, kBlock), 1);
}

using KeyIterator = std::vector<std::string_view>::iterator;

/// A key that stands twice in [first, last), or last. Reorders the keys.
KeyIterator find_twice(KeyIterator first, KeyIterator last) {
  constexpr std::ptrdiff_t kFewKeys = 8;
  if (last - first > kFewKeys) {
    std::sort(first, last);
    return std::adjacent_find(first, last);
  }
  for (auto key = first; key != last; ++key) {
    if (std::find(first, key, *key) != key) {
      return key;
    }
  }
  return last;
}

/// The longest front of `text` of at most `bytes` bytes that does not split a character.
std::string_view cut(std::string_view text, std::size_t bytes) {
  const auto continues = [text](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
  };
  if (text.size() <= bytes) {
    return text;
  }
  while (bytes > 0 && continues(bytes)) {
    --bytes;
  }
  return text.substr(0, bytes);
}

std::string describe_duplicate(std::string_view key) {
  constexpr std::size_t kShownBytes = 64;
  std::string detail = "an object has the key ";
  append_json_string(detail, cut(key, kShownBytes));
  detail += key.size() > kShownBytes ? "... twice" : " twice";
  return detail;
}

std::string describe(const error_code& ec, std::size_t bad_byte) {
  if (ec == boost::json::error::too_deep) {
    return fmt::format("byte {}: nested more than {} deep", bad_byte, kMaxJsonDepth);
  }
  return fmt::format("byte {}: {}", bad_byte, ec.message());
}

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
  }
}

/// The length of the front of `text` that is ASCII and needs no escape.
std::size_t plain_length(std::string_view text) {
  const auto plain = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
  };
  return static_cast<std::size_t>(std::ranges::find_if_not(text, plain) - text.begin());
}

}  // namespace

void OpenKeys::reset(std::size_t text_bytes) {
  // Unescaping never lengthens, so all keys of a text fit.
  bytes_.clear();
  bytes_.reserve(text_bytes);
  key_start_ = 0;
  keys_.clear();
  firsts_.clear();
}

void OpenKeys::open_object() {
  firsts_.push_back(keys_.size());
}

void OpenKeys::add_part(std::string_view part) {
  KVS_DCHECK(bytes_.size() + part.size() <= bytes_.capacity(), "keys longer than their text");
  bytes_.append(part);
}

void OpenKeys::end_key() {
  keys_.push_back(std::string_view(bytes_).substr(key_start_));
  key_start_ = bytes_.size();
}

std::optional<std::string_view> OpenKeys::close_object() {
  const auto first = keys_.begin() + static_cast<std::ptrdiff_t>(firsts_.back());
  const auto twice = find_twice(first, keys_.end());
  std::optional<std::string_view> duplicate;
  if (twice != keys_.end()) {
    duplicate = *twice;
  }
  keys_.erase(first, keys_.end());
  firsts_.pop_back();
  return duplicate;
}

void OpenKeys::shrink(std::size_t bytes) {
  if (bytes_.capacity() > bytes) {
    std::string().swap(bytes_);
  }
  if (keys_.capacity() * sizeof(std::string_view) > bytes) {
    std::vector<std::string_view>().swap(keys_);
  }
}

Result<void> JsonChecker::check(std::string_view text) {
  keys_.reset(text.size());
  Parser parser(kOptions, keys_);
  error_code ec;
  const std::size_t end = parser.write_some(false, text.data(), text.size(), ec);
  const std::optional<std::string_view> duplicate = parser.handler().duplicate();

  Result<void> result;
  if (duplicate) {
    result = fail(Errc::invalid_json, describe_duplicate(*duplicate));
  } else if (ec == boost::json::error::incomplete) {
    result = fail(Errc::invalid_json,
                  fmt::format("byte {}: the text ends before its value does", text.size()));
  } else if (ec) {
    result = fail(Errc::invalid_json, describe(ec, find_bad_byte(text, keys_)));
  } else if (end != text.size()) {
    result = fail(Errc::invalid_json, fmt::format("byte {}: more text after the value", end));
  }
  keys_.shrink(kKeptBytes);
  return result;
}

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    std::size_t taken = plain_length(text);
    out.append(text.substr(0, taken));
    text.remove_prefix(taken);
    if (text.empty()) {
      break;
    }
    taken = utf8_length(text);
    if (taken == 0) {
      out += "\uFFFD";
    } else if (taken == 1) {
      append_escape(out, text.front());
    } else {
      out.append(text.substr(0, taken));
    }
    text.remove_prefix(std::max<std::size_t>(taken, 1));
  }
  out.push_back('"');
}

JsonWriter& JsonWriter::begin_object() {
  open('{');
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  close('}');
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  open('[');
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  close(']');
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_.push_back(':');
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view value) {
  separate();
  append_json_string(out_, value);
  return *this;
}

JsonWriter& JsonWriter::number(std::int64_t value) {
  separate();
  fmt::format_to(std::back_inserter(out_), "{}", value);
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

void JsonWriter::separate() {
  const std::uint64_t bit = std::uint64_t{1} << depth_;
  if (!after_key_ && (has_elements_ & bit) != 0) {
    out_.push_back(',');
  }
  after_key_ = false;
  has_elements_ |= bit;
}

void JsonWriter::open(char bracket) {
  separate();
  out_.push_back(bracket);
  ++depth_;
  KVS_CHECK(depth_ < 64, "JsonWriter nested too deep");
  has_elements_ &= ~(std::uint64_t{1} << depth_);
}

void JsonWriter::close(char bracket) {
  KVS_CHECK(depth_ > 0, "JsonWriter closed more than it opened");
  out_.push_back(bracket);
  --depth_;
}

}  // namespace kvs
