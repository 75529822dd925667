#include <cstdlib>

#include <gtest/gtest.h>

#include "support/sanitized.h"

int main(int argc, char** argv) {
  // The same cases in every run, unless somebody asks for others.
  const char* const params =
      kvs::testing::kSanitized ? "seed=1 max_success=200" : "seed=1 max_success=1000";
  ::setenv("RC_PARAMS", params, 0);  // NOLINT(concurrency-mt-unsafe)
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
