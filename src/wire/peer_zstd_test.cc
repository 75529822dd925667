#include "wire/peer_zstd.h"

#include <string>

#include <gtest/gtest.h>
#include <zstd.h>

#include "base/prng.h"

namespace kvs {
namespace {

std::string text(std::size_t size) {
  std::string text;
  for (int i = 0; text.size() < size; ++i) {
    text += "{\"number\":" + std::to_string(i) + "}";
  }
  text.resize(size);
  return text;
}

std::string noise(std::size_t size) {
  Prng prng(1);
  std::string noise(size, '\0');
  for (char& byte : noise) {
    byte = static_cast<char>(prng.next());
  }
  return noise;
}

/// Compressed as KVS does not do it.
std::string compressed(const std::string& plain, int window_log) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  std::string out(ZSTD_compressBound(plain.size()), '\0');
  ZSTD_inBuffer input{.src = plain.data(), .size = plain.size(), .pos = 0};
  ZSTD_outBuffer output{.dst = out.data(), .size = out.size(), .pos = 0};
  while (input.pos < input.size) {
    ZSTD_compressStream2(context, &output, &input, ZSTD_e_continue);
  }
  while (ZSTD_compressStream2(context, &output, &input, ZSTD_e_end) != 0) {
  }
  ZSTD_freeCCtx(context);
  out.resize(output.pos);
  return out;
}

TEST(PeerZstd, WhatShrinksComesBack) {
  for (const std::size_t size : {200U, 1'000U, 65'536U, 65'537U, 131'072U, 5'000'000U}) {
    const auto smaller = deflate(text(size));
    ASSERT_TRUE(smaller) << size;
    EXPECT_LT(smaller->size(), size);
    const auto plain = inflate(*smaller, size);
    ASSERT_TRUE(plain) << plain.error().detail;
    EXPECT_TRUE(*plain == text(size)) << size;
  }
}

TEST(PeerZstd, WhatDoesNotShrinkIsLeftAlone) {
  EXPECT_FALSE(deflate(noise(5'000)));
  EXPECT_FALSE(deflate("x"));
  EXPECT_FALSE(deflate(""));
}

TEST(PeerZstd, TheLimitIsExact) {
  for (const std::size_t size : {200U, 65'535U, 65'536U, 200'000U}) {
    const std::string smaller = deflate(text(size)).value();
    EXPECT_TRUE(inflate(smaller, size)) << size;
    EXPECT_FALSE(inflate(smaller, size - 1)) << size;
  }
}

TEST(PeerZstd, ABombIsRefused) {
  const std::string bomb = deflate(std::string(std::size_t{64} << 20U, '0')).value();
  EXPECT_LT(bomb.size(), 10'000U);
  EXPECT_EQ(inflate(bomb, 1'000'000).error().code, Errc::bad_request);
}

TEST(PeerZstd, EveryTruncationIsRefused) {
  const std::string smaller = deflate(text(3'000)).value();
  for (std::size_t size = 0; size < smaller.size(); ++size) {
    EXPECT_FALSE(inflate(smaller.substr(0, size), 10'000)) << size;
  }
}

TEST(PeerZstd, OneFrameAndNothingElse) {
  const std::string smaller = deflate(text(3'000)).value();
  EXPECT_FALSE(inflate(smaller + '\0', 10'000));
  EXPECT_FALSE(inflate(smaller + smaller, 10'000));
  EXPECT_FALSE(inflate("no zstd", 10'000));
  EXPECT_FALSE(inflate("", 10'000));
}

// A window is memory that the reader has to give before it has seen anything.
TEST(PeerZstd, LargeWindowsAreRefused) {
  const std::string plain = text(std::size_t{9} << 20U);
  EXPECT_TRUE(inflate(compressed(plain, 20), plain.size()));
  EXPECT_FALSE(inflate(compressed(plain, 23), plain.size()));
}

}  // namespace
}  // namespace kvs
