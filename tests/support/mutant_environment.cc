// A test program that this is linked into breaks the rule that KVS_MUTANT names, before any test:
// tests/mutants proves that some test notices.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/mutant.h"

namespace kvs {

namespace {

bool break_named_rule() {
  const char* const name = std::getenv("KVS_MUTANT");
  if (name == nullptr) {
    return false;
  }
  for (const MutantInfo& info : mutants()) {
    if (info.name == std::string_view(name)) {
      set_mutant(info.mutant);
      return true;
    }
  }
  std::fprintf(stderr, "KVS_MUTANT=%s is no mutant\n", name);
  std::exit(0);  // success is what a run with a mutant must not end with
}

[[maybe_unused]] const bool kBroken = break_named_rule();

}  // namespace

}  // namespace kvs
