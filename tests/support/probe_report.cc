// A test program that this is linked into prints at its end how often each mark (KVS_PROBE) was
// reached, as kvs-sim --probes does, if KVS_PROBES is set: tests/seeds/probes.cmake counts on those
// that no simulation reaches.
#include <cstdlib>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/probe.h"

namespace kvs {

namespace {

class ProbeReport final : public ::testing::Environment {
 public:
  void TearDown() override {
    if (std::getenv("KVS_PROBES") == nullptr) {  // NOLINT(concurrency-mt-unsafe)
      return;
    }
    for (const ProbeCount& probe : probe_counts()) {
      fmt::print("{:>12}  {}\n", probe.hits, probe.name);
    }
  }
};

// NOLINTNEXTLINE(cert-err58-cpp): GoogleTest's own way, and it owns the environment.
[[maybe_unused]] const auto* const kReport = ::testing::AddGlobalTestEnvironment(
    new ProbeReport);  // NOLINT(cppcoreguidelines-owning-memory)

}  // namespace

}  // namespace kvs
