#include <cstdlib>

#include <gtest/gtest.h>

int main(int argc, char** argv) {
  // The same cases in every run, unless somebody asks for others.
  ::setenv("RC_PARAMS", "seed=1 max_success=1000", 0);  // NOLINT(concurrency-mt-unsafe)
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
