// Character classes of RFC 9110 and the two scans that a head spends its time in.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <type_traits>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace kvs::http_chars {

enum class Class : std::uint8_t {
  token = 1,   // tchar
  field = 2,   // HTAB, SP, VCHAR, obs-text
  target = 4,  // printable ASCII but space and '#'
  host = 8,    // uri-host and port
};
using enum Class;

constexpr std::uint8_t classes_of(unsigned c) {
  const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  const auto in = [c](std::string_view set) {
    return c < 0x80 && set.find(static_cast<char>(c)) != std::string_view::npos;
  };
  unsigned bits = 0;
  const auto add = [&bits](Class klass, bool belongs) {
    bits |= belongs ? static_cast<unsigned>(klass) : 0;
  };
  add(token, alnum || in("!#$%&'*+-.^_`|~"));
  add(field, (c >= 0x20 && c != 0x7F) || c == '\t');
  add(target, c > 0x20 && c < 0x7F && c != '#');
  add(host, alnum || in("-._~!$&'()*+,;=%:[]"));
  return static_cast<std::uint8_t>(bits);
}

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0; c < classes.size(); ++c) {
    classes[c] = classes_of(c);
  }
  return classes;
}

inline constexpr std::array<std::uint8_t, 256> kClasses = make_classes();

[[nodiscard]] inline bool is(char c, Class wanted) {
  return (kClasses[static_cast<unsigned char>(c)] & static_cast<std::uint8_t>(wanted)) != 0;
}

[[nodiscard]] inline const char* skip(const char* p, const char* end, Class wanted) {
  while (p != end && is(*p, wanted)) {
    ++p;
  }
  return p;
}

[[nodiscard]] inline bool all(std::string_view text, Class wanted) {
  return skip(text.data(), text.data() + text.size(), wanted) == text.data() + text.size();
}

#ifdef __SSE2__
/// Bit i is set if byte i may not stand in a field value.
[[nodiscard]] inline unsigned stops(__m128i bytes, std::integral_constant<Class, field>) {
  const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
  const __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
  const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, low), del)));
}

/// Bit i is set if byte i may not stand in a target. The comparison is signed: 0x80.. are below 0.
[[nodiscard]] inline unsigned stops(__m128i bytes, std::integral_constant<Class, target>) {
  const __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x21));
  const __m128i hash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('#'));
  const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, hash), del)));
}
#endif

/// The first byte in [p, end) that is not of the class; `end` if all are.
template <Class Wanted>
[[nodiscard]] const char* skip_fast(const char* p, const char* end) {
#ifdef __SSE2__
  while (end - p >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const unsigned mask = stops(bytes, std::integral_constant<Class, Wanted>{});
    if (mask != 0) {
      return p + __builtin_ctz(mask);
    }
    p += 16;
  }
#endif
  return skip(p, end, Wanted);
}

}  // namespace kvs::http_chars
