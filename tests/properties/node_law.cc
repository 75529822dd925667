// A node is a map: whatever is put, deleted, committed, lost or restarted, each answer is that of a
// plain map that knows which batches have become durable.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "properties/generators.h"
#include "support/node_driver.h"

namespace kvs {
namespace {

struct Event {
  enum class Kind : std::uint8_t {
    put,
    put_if_absent,
    put_if_match,
    del,
    close,
    commit,
    fail,
    crash
  };

  Kind kind = Kind::put;
  std::string key;
  std::int64_t clock_ms = 0;  // how the wall clock moves before it
};

void showValue(const Event& event, std::ostream& out) {
  constexpr std::string_view kNames[] = {"put",   "put_if_absent", "put_if_match", "del",
                                         "close", "commit",        "fail",         "crash"};
  out << kNames[static_cast<std::size_t>(event.kind)] << " " << event.key << " " << event.clock_ms;
}

rc::Gen<Event> events() {
  using enum Event::Kind;
  return rc::gen::map(rc::gen::tuple(rc::gen::weightedElement<Event::Kind>({{6, put},
                                                                            {2, put_if_absent},
                                                                            {2, put_if_match},
                                                                            {3, del},
                                                                            {3, close},
                                                                            {3, commit},
                                                                            {1, fail},
                                                                            {1, crash}}),
                                     rc::gen::elementOf(std::vector<std::string>{"a", "a/b", "c"}),
                                     rc::gen::inRange<std::int64_t>(-2000, 2000)),
                      [](const auto& parts) {
                        const auto& [kind, key, clock_ms] = parts;
                        return Event{.kind = kind, .key = key, .clock_ms = clock_ms};
                      });
}

/// The live versions, as they were at the end of each batch.
class Model {
 public:
  using Live = std::map<std::string, Uuid>;

  Live& now() { return states_.back(); }

  void close() { states_.push_back(states_.back()); }

  void commit() { states_.erase(states_.begin()); }

  /// Back to what is durable.
  void rewind() { states_.assign(2, states_.front()); }

  [[nodiscard]] bool can_commit() const { return states_.size() > 2; }

 private:
  std::vector<Live> states_{2};  // durable, that of each closed batch, open
};

class Story {
 public:
  void happen(const Event& event) {
    driver_.wall().ms += event.clock_ms;
    switch (event.kind) {
      case Event::Kind::close:
        driver_.close();
        model_.close();
        break;
      case Event::Kind::commit:
        if (model_.can_commit()) {
          driver_.commit();
          model_.commit();
        }
        break;
      case Event::Kind::fail:
        driver_.fail(WriteStatus::io_error);
        model_.rewind();
        break;
      case Event::Kind::crash:
        driver_.restart();
        model_.rewind();
        break;
      default:
        write(event);
    }
  }

 private:
  void write(const Event& event) {
    Model::Live& live = model_.now();
    const auto held = live.find(event.key);
    const bool is_live = held != live.end();
    if (event.kind == Event::Kind::del) {
      const WriteOutcome outcome = driver_.del(event.key);
      RC_ASSERT(outcome.status == (is_live ? WriteStatus::deleted : WriteStatus::not_found));
      live.erase(event.key);
      return;
    }
    Condition condition;
    bool passes = true;
    if (event.kind == Event::Kind::put_if_absent) {
      condition.kind = Condition::Kind::if_absent;
      passes = !is_live;
    } else if (event.kind == Event::Kind::put_if_match) {
      condition = {.kind = Condition::Kind::if_match, .uuid = is_live ? held->second : Uuid{}};
      passes = is_live;
    }
    const WriteOutcome outcome = driver_.put(event.key, "1", condition);
    if (!passes) {
      RC_ASSERT(outcome.status == WriteStatus::version_mismatch);
      return;
    }
    RC_ASSERT(outcome.status == (is_live ? WriteStatus::replaced : WriteStatus::created));
    RC_ASSERT((outcome.stamp > last_stamp_ || restarted_stamp_ok(outcome.stamp)));
    last_stamp_ = outcome.stamp;
    live[event.key] = outcome.uuid;
  }

  /// Stamps of batches that never became durable may be given again after a crash, no others.
  [[nodiscard]] bool restarted_stamp_ok(Stamp stamp) const {
    for (const auto& [key, slot] : driver_.store().slots()) {
      if (stamp <= slot.record.header.version.stamp) {
        return false;
      }
    }
    return true;
  }

  NodeDriver driver_;
  Model model_;
  Stamp last_stamp_;
};

TEST(law_node, AnswersAreThoseOfAMap) {
  EXPECT_TRUE(rc::check([] {
    Story story;
    for (const Event& event : *rc::gen::container<std::vector<Event>>(events())) {
      story.happen(event);
    }
  }));
}

}  // namespace
}  // namespace kvs
