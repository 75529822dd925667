// Whether this program watches its own memory: then a tenth of the work shows as much of that, and
// the optimised build does the whole of it.
#pragma once

namespace kvs::testing {

#ifdef __has_feature  // clang
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KVS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)  // g++
#define KVS_SANITIZED 1
#endif

#ifdef KVS_SANITIZED
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace kvs::testing
