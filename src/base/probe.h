// Marks on rare branches: KVS_PROBE("what happened") proves that the simulator went there.
//
// Only test builds (KVS_SIM_BUILD) contain them; elsewhere the macro is nothing. Every mark of the
// program registers itself before main begins, so a run can tell which were never reached. Marks
// are pure observation: no rule may depend on one. Not thread-safe: they stand only in code that
// one thread runs.
#pragma once

#ifdef KVS_SIM_BUILD

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace kvs {

/// How often one mark was reached since the program began.
struct ProbeCount {
  std::string_view name;
  std::uint64_t hits = 0;
};

/// All marks of the program, ordered by name; a name that stands in several places is one mark.
[[nodiscard]] std::vector<ProbeCount> probe_counts();

/// One mark, in the program's list of them.
class ProbeMark {
 public:
  explicit ProbeMark(const char* name);

  void hit() { ++hits_; }

  [[nodiscard]] const ProbeMark* next() const { return next_; }

  [[nodiscard]] ProbeCount count() const { return {.name = name_, .hits = hits_}; }

 private:
  const char* name_;
  const ProbeMark* next_;
  std::uint64_t hits_ = 0;
};

/// A string literal as a template argument.
template <std::size_t N>
struct ProbeName {
  explicit consteval ProbeName(const char (&literal)[N]) {
    for (std::size_t i = 0; i < N; ++i) {
      text[i] = literal[i];
    }
  }

  char text[N] = {};
};

/// Being a static member of a template, the mark exists even where it is never reached.
template <ProbeName Name>
struct ProbeSite {
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): see the head of this file.
  static inline ProbeMark mark{Name.text};
};

}  // namespace kvs

#define KVS_PROBE(name) ::kvs::ProbeSite<::kvs::ProbeName{name}>::mark.hit()

#else

#define KVS_PROBE(name) static_cast<void>(0)

#endif
