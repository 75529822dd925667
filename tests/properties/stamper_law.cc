// Stamps increase, whatever the wall clock does and however often the node restarts; a stamp that
// left the node is never above the reserve that the disk has.
#include <vector>

#include <gtest/gtest.h>

#include "core/stamper.h"
#include "properties/generators.h"

namespace kvs {
namespace {

/// One thing that happens to a clock.
struct Event {
  enum class Kind : std::uint8_t { stamp, observe, batch_durable, batch_lost, restart };

  Kind kind = Kind::stamp;
  std::int64_t ms = 0;
};

void showValue(const Event& event, std::ostream& out) {
  out << static_cast<int>(event.kind) << "@" << event.ms;
}

rc::Gen<Event> events() {
  return rc::gen::map(
      rc::gen::pair(rc::gen::weightedElement<Event::Kind>({{8, Event::Kind::stamp},
                                                           {2, Event::Kind::observe},
                                                           {4, Event::Kind::batch_durable},
                                                           {1, Event::Kind::batch_lost},
                                                           {1, Event::Kind::restart}}),
                    rc::gen::inRange<std::int64_t>(-3000, 6000)),
      [](const auto& parts) { return Event{.kind = parts.first, .ms = parts.second}; });
}

/// A stamper, its disk, and the stamps that have left.
class Clock {
 public:
  void happen(const Event& event) {
    switch (event.kind) {
      case Event::Kind::stamp:
        waiting_.push_back(stamper_.next({event.ms}));
        if (waiting_.size() > 1) {
          RC_ASSERT(waiting_.back() > waiting_[waiting_.size() - 2]);
        }
        RC_ASSERT(waiting_.back() > last_left_);
        break;
      case Event::Kind::observe:
        stamper_.observe(Stamp::from_ms(event.ms));
        break;
      case Event::Kind::batch_durable:
        durable_ = stamper_.take_due_reserve().value_or(durable_);
        leave();
        break;
      case Event::Kind::batch_lost:
        static_cast<void>(stamper_.take_due_reserve());
        stamper_.forget_reserve();
        waiting_.clear();
        break;
      case Event::Kind::restart:
        stamper_ = Stamper(durable_);
        waiting_.clear();
        break;
    }
  }

 private:
  void leave() {
    for (const Stamp stamp : waiting_) {
      RC_ASSERT(stamp > last_left_);
      RC_ASSERT(stamp <= durable_);
      last_left_ = stamp;
    }
    waiting_.clear();
  }

  Stamper stamper_{{}};
  Stamp durable_;
  Stamp last_left_;
  std::vector<Stamp> waiting_;
};

TEST(law_stamper, StampsThatLeaveIncreaseAndAreReserved) {
  EXPECT_TRUE(rc::check([] {
    Clock clock;
    for (const Event& event : *rc::gen::container<std::vector<Event>>(events())) {
      clock.happen(event);
    }
  }));
}

TEST(law_stamper, AStampIsNeverBeforeTheWallClock) {
  EXPECT_TRUE(rc::check([] {
    Stamper stamper({*below(1'000'000)});
    const auto ms = *rc::gen::inRange<std::int64_t>(0, 1'000'000);
    RC_ASSERT(stamper.next({ms}).ms() >= ms);
  }));
}

}  // namespace
}  // namespace kvs
