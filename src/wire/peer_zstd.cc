#include "wire/peer_zstd.h"

#include <algorithm>
#include <memory>

#include <zstd.h>

#include "base/check.h"

namespace kvs {

namespace {

constexpr int kLevel = 1;
constexpr int kWindowLog = 19;     // what level 1 uses; larger ones cost the reader memory
constexpr int kWindowLogMax = 20;  // of what is read
constexpr std::size_t kFirstBytes = std::size_t{64} * 1024;

struct FreeCompressor {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

struct FreeDecompressor {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

bool failed(std::size_t result) {
  return ZSTD_isError(result) != 0;
}

/// Room for what comes next, and for one byte too many.
void grow(std::string& plain, std::size_t bytes_max) {
  plain.resize(std::min(std::max(2 * plain.size(), kFirstBytes), bytes_max + 1));
}

}  // namespace

std::optional<std::string> deflate(std::string_view plain) {
  const std::unique_ptr<ZSTD_CCtx, FreeCompressor> context(ZSTD_createCCtx());
  KVS_CHECK(context != nullptr, "no memory for zstd");
  KVS_CHECK(!failed(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel)), "");
  KVS_CHECK(!failed(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, kWindowLog)), "");
  std::string compressed(plain.empty() ? 0 : plain.size() - 1, '\0');
  const std::size_t size = ZSTD_compress2(context.get(), compressed.data(), compressed.size(),
                                          plain.data(), plain.size());
  if (failed(size)) {
    return std::nullopt;  // there was no room for it
  }
  compressed.resize(size);
  return compressed;
}

Result<std::string> inflate(std::string_view compressed, std::size_t bytes_max) {
  const std::unique_ptr<ZSTD_DCtx, FreeDecompressor> context(ZSTD_createDCtx());
  KVS_CHECK(context != nullptr, "no memory for zstd");
  KVS_CHECK(!failed(ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kWindowLogMax)), "");
  ZSTD_inBuffer input{.src = compressed.data(), .size = compressed.size(), .pos = 0};
  std::string plain;
  std::size_t size = 0;
  for (std::size_t more = 1; more != 0;) {
    if (size == plain.size()) {
      grow(plain, bytes_max);
    }
    ZSTD_outBuffer output{.dst = plain.data(), .size = plain.size(), .pos = size};
    more = ZSTD_decompressStream(context.get(), &output, &input);
    size = output.pos;
    if (failed(more)) {
      return fail(Errc::bad_request, "the compressed body is damaged");
    }
    if (size > bytes_max) {
      return fail(Errc::bad_request, "the compressed body unfolds into too much");
    }
    if (more != 0 && size < plain.size() && input.pos == input.size) {
      return fail(Errc::bad_request, "the compressed body ends too early");
    }
  }
  if (input.pos != input.size) {
    return fail(Errc::bad_request, "something follows the compressed body");
  }
  plain.resize(size);
  return plain;
}

}  // namespace kvs
