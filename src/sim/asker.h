// What one client of a simulation wants: PUT, DELETE, GET and listings on few keys.
//
// It conditions writes on the version that it saw last. What it asks depends on its own stream of
// the seed and on the answers it got.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/prng.h"
#include "sim/operation.h"
#include "sim/scenario.h"

namespace kvs {

/// The keys of a run, some above and below others.
[[nodiscard]] std::string key_name(std::uint64_t number);

/// What the clients of a run have in common.
struct Wishes {
  Mix mix;
  std::uint64_t keys = 1;
  std::uint64_t value_bytes_max = 100;
};

class Asker {
 public:
  Asker(const Wishes& wishes, std::uint64_t seed) : wishes_(wishes), prng_(seed) {}

  /// The next operation; `number` is written into values and differs for each operation of a run.
  [[nodiscard]] Operation draw(std::uint64_t number);

  /// An answer told of this version.
  void saw(const std::string& key, const Uuid& uuid) { seen_[key] = uuid; }

  Prng& prng() { return prng_; }

 private:
  [[nodiscard]] Condition draw_condition(const Operation& operation);

  Wishes wishes_;
  Prng prng_;
  std::map<std::string, Uuid> seen_;
};

}  // namespace kvs
