#include "wire/url.h"

#include "base/hex.h"

namespace kvs {

namespace {

bool stays_plain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '.' || c == '_' || c == '~' || c == '/';
}

}  // namespace

bool percent_decode(std::string_view text, std::string& out, Plus plus) {
  for (;;) {
    const std::size_t plain = text.find_first_of(plus == Plus::space ? "%+" : "%");
    out.append(text.substr(0, plain));
    if (plain == std::string_view::npos) {
      return true;
    }
    text.remove_prefix(plain);
    if (text[0] == '+') {
      out.push_back(' ');
      text.remove_prefix(1);
      continue;
    }
    if (text.size() < 3 || hex_value(text[1]) < 0 || hex_value(text[2]) < 0) {
      return false;
    }
    out.push_back(static_cast<char>(16 * hex_value(text[1]) + hex_value(text[2])));
    text.remove_prefix(3);
  }
}

void percent_encode(std::string_view text, std::string& out) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    if (stays_plain(c)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
}

Result<std::optional<QueryReader::Pair>> QueryReader::next() {
  if (rest_.empty() && !pending_) {
    return std::optional<Pair>();
  }
  const std::size_t end = rest_.find('&');
  const std::string_view pair = rest_.substr(0, end);
  pending_ = end != std::string_view::npos;
  rest_ = pending_ ? rest_.substr(end + 1) : std::string_view();
  const std::size_t equals = pair.find('=');
  const std::string_view name = pair.substr(0, equals);
  if (name.empty()) {
    return fail(Errc::invalid_query, "empty name in the query");
  }
  return std::optional<Pair>(
      {.name = name,
       .value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1)});
}

}  // namespace kvs
