// Reading through pending writes shows the newest of them: what a plain list of batches shows.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/pending.h"
#include "properties/generators.h"

namespace kvs {
namespace {

struct Event {
  enum class Kind : std::uint8_t { add, close, commit, fail };

  Kind kind = Kind::add;
  std::string key;
};

void showValue(const Event& event, std::ostream& out) {
  constexpr std::string_view kNames[] = {"add", "close", "commit", "fail"};
  out << kNames[static_cast<std::size_t>(event.kind)] << " " << event.key;
}

rc::Gen<Event> events() {
  return rc::gen::map(
      rc::gen::pair(rc::gen::weightedElement<Event::Kind>({{8, Event::Kind::add},
                                                           {3, Event::Kind::close},
                                                           {3, Event::Kind::commit},
                                                           {1, Event::Kind::fail}}),
                    rc::gen::elementOf(std::vector<std::string>{"a", "b", "c"})),
      [](const auto& parts) { return Event{.kind = parts.first, .key = parts.second}; });
}

/// The plain list of batches, the open one last.
class Model {
 public:
  void add(const std::string& key, const RecordHeader& header) { batches_.back()[key] = header; }

  void close() { batches_.emplace_back(); }

  void commit() { batches_.erase(batches_.begin()); }

  void clear() { batches_.assign(1, {}); }

  [[nodiscard]] std::size_t closed() const { return batches_.size() - 1; }

  [[nodiscard]] std::optional<RecordHeader> find(const std::string& key) const {
    std::optional<RecordHeader> newest;
    for (const auto& batch : batches_) {
      const auto it = batch.find(key);
      newest = it == batch.end() ? newest : std::optional(it->second);
    }
    return newest;
  }

 private:
  std::vector<std::map<std::string, RecordHeader>> batches_{1};
};

TEST(law_pending, ShowsWhatAListOfBatchesShows) {
  EXPECT_TRUE(rc::check([] {
    Pending pending;
    Model model;
    std::uint64_t stamp = 0;
    for (const Event& event : *rc::gen::container<std::vector<Event>>(events())) {
      RecordHeader header;
      header.version.stamp.bits = ++stamp;
      if (event.kind == Event::Kind::add) {
        pending.add(Key::from_store(event.key), header);
        model.add(event.key, header);
      } else if (event.kind == Event::Kind::close) {
        pending.close_batch();
        model.close();
      } else if (event.kind == Event::Kind::commit && model.closed() > 0) {
        pending.commit_oldest();
        model.commit();
      } else if (event.kind == Event::Kind::fail) {
        pending.clear();
        model.clear();
      }
      for (const char* key : {"a", "b", "c"}) {
        const Pending::Held* const found = pending.find(Key::from_store(key));
        RC_ASSERT((found != nullptr ? *found : std::nullopt) == model.find(key));
      }
      RC_ASSERT(pending.batches() == model.closed());
    }
  }));
}

}  // namespace
}  // namespace kvs
