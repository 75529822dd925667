// A fingerprint is a sum over a set: what is in it matters, not how it came there.
#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/fingerprint.h"
#include "properties/generators.h"

namespace kvs {
namespace {

using Item = std::pair<std::string, RecordHeader>;

rc::Gen<RecordHeader> headers() {
  return rc::gen::map(rc::gen::tuple(versions(), below(2)), [](const auto& parts) {
    const auto& [version, kind] = parts;
    return RecordHeader{.version = version,
                        .kind = kind == 0 ? RecordKind::value : RecordKind::tombstone};
  });
}

rc::Gen<std::vector<Item>> items() {
  return rc::gen::container<std::vector<Item>>(rc::gen::pair(path_texts(), headers()));
}

Fingerprint sum_of(const std::vector<Item>& items) {
  Fingerprint sum;
  for (const auto& [path, header] : items) {
    sum.add(fingerprint_of(path, header));
  }
  return sum;
}

Fingerprint plus(Fingerprint a, const Fingerprint& b) {
  a.add(b);
  return a;
}

Fingerprint minus(Fingerprint a, const Fingerprint& b) {
  a.remove(b);
  return a;
}

rc::Gen<Fingerprint> fingerprints() {
  const auto number = rc::gen::arbitrary<std::uint64_t>;
  return rc::gen::map(rc::gen::tuple(number(), number(), number()), [](const auto& parts) {
    const auto& [high, low, count] = parts;
    return Fingerprint{.high = high, .low = low, .count = count};
  });
}

TEST(law_fingerprint, SumsAreAGroup) {
  EXPECT_TRUE(rc::check([] {
    const Fingerprint a = *fingerprints();
    const Fingerprint b = *fingerprints();
    const Fingerprint c = *fingerprints();
    RC_ASSERT(plus(a, b) == plus(b, a));
    RC_ASSERT(plus(plus(a, b), c) == plus(a, plus(b, c)));
    RC_ASSERT(minus(plus(a, b), b) == a);
    RC_ASSERT(plus(minus(a, b), b) == a);
    RC_ASSERT(plus(a, Fingerprint{}) == a);
  }));
}

TEST(law_fingerprint, OrderDoesNotMatter) {
  EXPECT_TRUE(rc::check([] {
    const auto added = *items();
    auto sorted = added;
    std::ranges::sort(sorted, {}, [](const Item& item) {
      return std::tuple(item.first, item.second.version, item.second.kind);
    });
    RC_ASSERT(sum_of(added) == sum_of(sorted));
    RC_ASSERT(sum_of(added).count == added.size());
  }));
}

TEST(law_fingerprint, EqualOnlyForEqualRecords) {
  EXPECT_TRUE(rc::check([] {
    const auto [path, header] = *rc::gen::pair(path_texts(), headers());
    const auto [other_path, other_header] = *rc::gen::pair(path_texts(), headers());
    const bool same = path == other_path && header == other_header;
    RC_ASSERT((fingerprint_of(path, header) == fingerprint_of(other_path, other_header)) == same);
  }));
}

TEST(law_fingerprint, SetsThatDifferHaveSumsThatDiffer) {
  EXPECT_TRUE(rc::check([] {
    const auto first = *items();
    const auto second = *items();
    const std::map<std::string, RecordHeader> a(first.begin(), first.end());
    const std::map<std::string, RecordHeader> b(second.begin(), second.end());
    RC_ASSERT((sum_of({a.begin(), a.end()}) == sum_of({b.begin(), b.end()})) == (a == b));
  }));
}

}  // namespace
}  // namespace kvs
