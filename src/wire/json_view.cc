#include "wire/json_view.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace kvs {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
}

/// Takes `c` off the front, after blanks.
bool take(std::string_view& text, char c) {
  skip_blanks(text);
  if (!text.starts_with(c)) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

/// Which bytes a walk has to look at: `"` and `\\` in strings, `"` and brackets outside.
enum class Stop : std::uint8_t { in_string = 1, outside = 2 };

constexpr std::array<std::uint8_t, 256> kStops = [] {
  std::array<std::uint8_t, 256> stops{};
  for (const char c : {'"', '\\'}) {
    stops[static_cast<unsigned char>(c)] |= static_cast<std::uint8_t>(Stop::in_string);
  }
  for (const char c : {'"', '{', '}', '[', ']'}) {
    stops[static_cast<unsigned char>(c)] |= static_cast<std::uint8_t>(Stop::outside);
  }
  return stops;
}();

/// Where the next byte stands that a walk has to look at; text.size() if there is none.
std::size_t find_stop(std::string_view text, std::size_t at, Stop where) {
  const auto mask = static_cast<std::uint8_t>(where);
  while (at < text.size() && (kStops[static_cast<unsigned char>(text[at])] & mask) == 0) {
    ++at;
  }
  return at;
}

/// The length of the string literal at the front, quotes included; 0 if there is no whole one.
std::size_t string_length(std::string_view text) {
  for (std::size_t at = 1; (at = find_stop(text, at, Stop::in_string)) < text.size();) {
    if (text[at] == '"') {
      return at + 1;
    }
    at += 2;
  }
  return 0;
}

/// The length of the object or array at the front; 0 if there is no whole one.
std::size_t container_length(std::string_view text) {
  std::size_t depth = 0;
  for (std::size_t at = 0; (at = find_stop(text, at, Stop::outside)) < text.size();) {
    const char c = text[at];
    if (c == '"') {
      const std::size_t length = string_length(text.substr(at));
      if (length == 0) {
        return 0;
      }
      at += length;
      continue;
    }
    ++at;
    if (c == '{' || c == '[') {
      ++depth;
    } else if (--depth == 0) {
      return at;
    }
  }
  return 0;
}

std::size_t value_length(std::string_view text) {
  if (text.starts_with('"')) {
    return string_length(text);
  }
  if (text.starts_with('{') || text.starts_with('[')) {
    return container_length(text);
  }
  return std::min(text.find_first_of(",]} \t\r\n"), text.size());
}

/// Takes the value at the front, after blanks. Nothing if there is no whole one.
std::optional<std::string_view> take_value(std::string_view& text) {
  skip_blanks(text);
  const std::size_t length = value_length(text);
  if (length == 0) {
    return std::nullopt;
  }
  const std::string_view value = text.substr(0, length);
  text.remove_prefix(length);
  return value;
}

/// Takes the comma after a value; without one nothing is left.
void take_separator(std::string_view& text) {
  if (!take(text, ',')) {
    text = {};
  }
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&out](std::uint32_t byte) {
    out.push_back(static_cast<char>(byte));
  };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0U | (point >> 6U));
    put(0x80U | (point & 0x3FU));
  } else if (point < 0x10000) {
    put(0xE0U | (point >> 12U));
    put(0x80U | ((point >> 6U) & 0x3FU));
    put(0x80U | (point & 0x3FU));
  } else {
    put(0xF0U | (point >> 18U));
    put(0x80U | ((point >> 12U) & 0x3FU));
    put(0x80U | ((point >> 6U) & 0x3FU));
    put(0x80U | (point & 0x3FU));
  }
}

/// Takes `\uXXXX` off the front.
std::optional<std::uint32_t> take_unit(std::string_view& text) {
  constexpr std::size_t kLength = 6;
  if (text.size() < kLength || !text.starts_with("\\u")) {
    return std::nullopt;
  }
  std::uint32_t unit = 0;
  const char* const end = text.data() + kLength;
  const auto [stopped, error] = std::from_chars(text.data() + 2, end, unit, 16);
  if (error != std::errc{} || stopped != end) {
    return std::nullopt;
  }
  text.remove_prefix(kLength);
  return unit;
}

/// Takes one `\uXXXX`, or two that make a pair.
bool take_unicode_escape(std::string_view& text, std::string& out) {
  constexpr std::uint32_t kReplacement = 0xFFFD;
  const auto high = [](std::uint32_t unit) {
    return unit >= 0xD800 && unit < 0xDC00;
  };
  const auto low = [](std::uint32_t unit) {
    return unit >= 0xDC00 && unit < 0xE000;
  };
  const auto first = take_unit(text);
  if (!first) {
    return false;
  }
  if (!high(*first)) {
    append_utf8(out, low(*first) ? kReplacement : *first);
    return true;
  }
  std::string_view after = text;
  const auto second = take_unit(after);
  if (second && low(*second)) {
    text = after;
    append_utf8(out, 0x10000 + ((*first - 0xD800) << 10U) + (*second - 0xDC00));
  } else {
    append_utf8(out, kReplacement);
  }
  return true;
}

/// Takes one escape off the front, which begins with a backslash.
bool take_escape(std::string_view& text, std::string& out) {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  if (text.starts_with("\\u")) {
    return take_unicode_escape(text, out);
  }
  const std::size_t which = text.size() < 2 ? std::string_view::npos : kLetters.find(text[1]);
  if (which == std::string_view::npos) {
    return false;
  }
  out.push_back(kMeanings[which]);
  text.remove_prefix(2);
  return true;
}

}  // namespace

JsonMembers::JsonMembers(std::string_view object) : rest_(object) {
  if (!take(rest_, '{')) {
    rest_ = {};
  }
  take_end();
}

void JsonMembers::take_end() {
  if (take(rest_, '}')) {
    skip_blanks(rest_);
    closed_ = rest_.empty();
    rest_ = {};
  }
}

std::optional<JsonMembers::Member> JsonMembers::next() {
  const auto name = take_value(rest_);
  auto text = name ? json_string(*name) : std::nullopt;
  if (!text || !take(rest_, ':')) {
    rest_ = {};
    return std::nullopt;
  }
  const std::string_view behind_colon = rest_;
  const auto value = take_value(rest_);
  if (!value) {
    rest_ = {};
    return std::nullopt;
  }
  skip_blanks(rest_);
  const std::string_view raw = behind_colon.substr(0, behind_colon.size() - rest_.size());
  if (!take(rest_, ',')) {
    take_end();
    rest_ = {};
  }
  return Member{.name = *std::move(text), .value = *value, .raw = raw};
}

bool JsonWalk::take(char c) {
  return kvs::take(rest_, c);
}

std::optional<std::string_view> JsonWalk::take_value() {
  return kvs::take_value(rest_);
}

JsonElements::JsonElements(std::string_view array) : rest_(array) {
  if (!take(rest_, '[')) {
    rest_ = {};
  }
}

std::optional<std::string_view> JsonElements::next() {
  const auto value = take_value(rest_);
  if (!value) {
    rest_ = {};
    return std::nullopt;
  }
  take_separator(rest_);
  return value;
}

std::optional<std::string_view> json_member(std::string_view object, std::string_view name) {
  JsonMembers members(object);
  while (const auto member = members.next()) {
    if (member->name == name) {
      return member->value;
    }
  }
  return std::nullopt;
}

bool append_unquoted(std::string_view text, std::string& out) {
  if (!text.starts_with('"') || string_length(text) != text.size()) {
    return false;
  }
  text.remove_prefix(1);
  text.remove_suffix(1);
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find('\\'), text.size());
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (!text.empty() && !take_escape(text, out)) {
      return false;
    }
  }
  return true;
}

std::optional<std::string> json_string(std::string_view text) {
  std::string out;
  return append_unquoted(text, out) ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<std::int64_t> json_integer(std::string_view text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && stopped == end ? std::optional(number) : std::nullopt;
}

std::optional<std::string> json_string_member(std::string_view object, std::string_view name) {
  const auto value = json_member(object, name);
  return value ? json_string(*value) : std::nullopt;
}

std::optional<std::int64_t> json_integer_member(std::string_view object, std::string_view name) {
  const auto value = json_member(object, name);
  return value ? json_integer(*value) : std::nullopt;
}

}  // namespace kvs
