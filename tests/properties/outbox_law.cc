// Whatever is written, dropped, lost, late or never answered: an outbox stays within its bounds,
// and its frames, in any order and with any loss, never make a receiver cover a write that its
// state does not reflect.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/outbox.h"
#include "properties/generators.h"
#include "support/memory_store.h"

namespace kvs {
namespace {

struct Event {
  enum class Kind : std::uint8_t { write, forward, drop, answer, lose, members, heard, time };

  Kind kind = Kind::write;
  std::uint64_t choice = 0;
};

void showValue(const Event& event, std::ostream& out) {
  constexpr std::string_view kNames[] = {"write", "forward", "drop",  "answer",
                                         "lose",  "members", "heard", "time"};
  out << kNames[static_cast<std::size_t>(event.kind)] << " " << event.choice;
}

rc::Gen<Event> events() {
  using enum Event::Kind;
  return rc::gen::map(
      rc::gen::pair(rc::gen::weightedElement<Event::Kind>({{40, write},
                                                           {10, forward},
                                                           {8, drop},
                                                           {8, answer},
                                                           {4, lose},
                                                           {2, members},
                                                           {2, heard},
                                                           {2, time}}),
                    rc::gen::inRange<std::uint64_t>(0, 1000)),
      [](const auto& parts) { return Event{.kind = parts.first, .choice = parts.second}; });
}

/// One sender; it keeps what it ever wrote, and each frame it ever sent.
class Sender {
 public:
  explicit Sender(const OutboxOptions& options) : options_(options), outbox_(options, store_) {
    see(3);
  }

  void happen(const Event& event) {
    using enum Event::Kind;
    switch (event.kind) {
      case write:
        add(event, Change::Cause::client);
        break;
      case forward:
        add(event, Change::Cause::push);
        break;
      case drop:
        store_.damage(path_of(event), Errc::not_found);
        held_.erase(path_of(event));
        break;
      case answer:
      case lose:
        end_call(event);
        break;
      case members:
        see(1 + event.choice % 25);
        break;
      case heard:
        outbox_.peer_heard(Instance{1 + event.choice % 25});
        break;
      case time:
        now_.instant = now_.instant + Duration::from_ms(static_cast<std::int64_t>(event.choice));
        break;
    }
    outbox_.tick(now_, effects_);
    outbox_.flush(now_, effects_);
    collect();
  }

  void end_all() {
    for (int i = 0; i < 10'000 && outbox_.owes_anything(); ++i) {
      now_.instant = now_.instant + Duration::from_seconds(2);
      while (!waiting_.empty()) {
        end_call({.kind = Event::Kind::answer, .choice = 0});
      }
      outbox_.flush(now_, effects_);
      collect();
    }
  }

  [[nodiscard]] const Outbox& outbox() const { return outbox_; }

  [[nodiscard]] const std::vector<Push>& frames() const { return frames_; }

  [[nodiscard]] std::size_t bytes_max() const {
    return options_.queue_bytes_max * (1 + options_.queues_max);
  }

  /// At most one call is on its way in each lane.
  [[nodiscard]] std::size_t calls_max() const {
    return (1 + options_.queues_max) * std::max(options_.direct_members_max, options_.parts + 1);
  }

  [[nodiscard]] std::size_t calls_of_this_view() const {
    return static_cast<std::size_t>(std::ranges::count(views_, view_));
  }

  /// True if a path that holds `held` (or nothing) reflects the write named `dot`.
  [[nodiscard]] bool reflected(Dot dot, const std::map<std::string, Version>& held) const {
    const auto written = written_.find(dot);
    if (written == written_.end()) {
      return false;
    }
    const auto it = held.find(written->second.first);
    return it != held.end() && it->second >= written->second.second;
  }

 private:
  static std::string path_of(const Event& event) {
    return std::string(1 + event.choice % 3 * 20, static_cast<char>('a' + event.choice % 4));
  }

  // Only the newest version of a path is stored, so the store may hold something newer than what
  // the outbox was told, but for paths that were dropped in between.
  void add(const Event& event, Change::Cause cause) {
    const std::string path = path_of(event);
    std::vector<Dot> replaced;
    if (cause == Change::Cause::push) {
      replaced.push_back(write(path, event.choice));
    }
    const Dot dot = write(path, event.choice);
    const Version version = written_.at(dot).second;
    const auto held = held_.find(path);
    if (held != held_.end() && held->second > version) {
      return;
    }
    held_[path] = version;
    const RecordHeader header{.version = version, .kind = RecordKind::value};
    store_.set(path, {.header = header, .value = std::string(event.choice % 300, 'x')});
    const Change change{.path = path,
                        .before = {},
                        .after = header,
                        .cause = cause,
                        .replaced = std::move(replaced)};
    if (cause == Change::Cause::client) {
      outbox_.add({&change, 1});
    } else {
      outbox_.forward({.first = ring_position(Instance{1}),
                       .last = ring_position(Instance{1 + event.choice % 25})},
                      {&change, 1});
    }
  }

  Dot write(const std::string& path, std::uint64_t jitter) {
    ++seq_;
    Version version = MemoryStore::version_of(10 * seq_ + jitter % 400);
    version.dot.seq = seq_;
    written_[version.dot] = {path, version};
    return version.dot;
  }

  void see(std::uint64_t count) {
    View view{.members = {}, .self = Instance{1}};
    for (std::uint64_t i = 1; i <= count; ++i) {
      Member member{.instance = Instance{i}, .address = "n" + std::to_string(i)};
      member.state = i > 1 && i % 7 == 0 ? MemberState::suspect : MemberState::alive;
      view.members.push_back(member);
    }
    outbox_.set_view(std::make_shared<const View>(std::move(view)));
    ++view_;
  }

  void end_call(const Event& event) {
    if (waiting_.empty()) {
      return;
    }
    const std::size_t number = event.choice % waiting_.size();
    PeerReturn back{.id = waiting_[number], .answer = Done{}};
    if (event.kind == Event::Kind::lose) {
      back.failure = PeerReturn::Failure::timed_out;
    }
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(number));
    views_.erase(views_.begin() + static_cast<std::ptrdiff_t>(number));
    outbox_.returned(now_, back, effects_);
    collect();
  }

  void collect() {
    for (const PeerSend& send : std::exchange(effects_.sends, {})) {
      waiting_.push_back(send.id);
      views_.push_back(view_);
      frames_.push_back(std::get<Push>(*send.request));
    }
  }

  OutboxOptions options_;
  MemoryStore store_;
  Outbox outbox_;
  Effects effects_;
  Now now_;
  std::uint64_t seq_ = 0;
  std::uint64_t view_ = 0;
  std::map<std::string, Version> held_;
  std::map<Dot, std::pair<std::string, Version>> written_;
  std::vector<CallId> waiting_;
  std::vector<std::uint64_t> views_;  // in which each of them was sent
  std::vector<Push> frames_;
};

OutboxOptions small_options() {
  return {.direct_members_max = 6,
          .parts = 3,
          .frame_bytes = 1000,
          .queue_bytes_max = *rc::gen::elementOf(std::vector<std::size_t>{2000, 1'000'000}),
          .queues_max = 2};
}

TEST(law_outbox, NoReceiverCoversWhatItDoesNotReflect) {
  EXPECT_TRUE(rc::check([] {
    Sender sender(small_options());
    for (const Event& event : *rc::gen::container<std::vector<Event>>(events())) {
      sender.happen(event);
    }
    std::vector<Push> frames = sender.frames();
    Prng prng(*rc::gen::arbitrary<std::uint32_t>());
    for (std::size_t i = frames.size(); i > 1; --i) {
      std::swap(frames[i - 1], frames[prng.below(i)]);
    }
    std::map<std::string, Version> held;
    std::vector<Dot> covered;
    for (const Push& frame : frames) {
      if (prng.chance(1, 4)) {
        continue;
      }
      for (const PeerRecord& record : frame.records) {
        const Version& version = record.record.header.version;
        const auto it = held.try_emplace(record.path, version).first;
        it->second = std::max(it->second, version);
        covered.push_back(version.dot);
        covered.insert(covered.end(), record.replaced.begin(), record.replaced.end());
      }
      for (const Dot dot : covered) {
        RC_ASSERT(sender.reflected(dot, held));
      }
    }
    RC_CLASSIFY(covered.size() > 20);
  }));
}

TEST(law_outbox, StaysWithinItsBounds) {
  EXPECT_TRUE(rc::check([] {
    const OutboxOptions options = small_options();
    Sender sender(options);
    for (const Event& event : *rc::gen::container<std::vector<Event>>(events())) {
      sender.happen(event);
      RC_ASSERT(sender.outbox().stats().bytes <= sender.bytes_max());
    }
    for (const Push& frame : sender.frames()) {
      std::size_t bytes = 0;
      std::size_t largest = 0;
      for (const PeerRecord& record : frame.records) {
        bytes += message_bytes(record);
        largest = std::max(largest, message_bytes(record));
      }
      RC_ASSERT(!frame.records.empty());
      RC_ASSERT(bytes <= options.frame_bytes + largest);
    }
  }));
}

TEST(law_outbox, PeersThatNeverAnswerCostABoundedAmount) {
  EXPECT_TRUE(rc::check([] {
    Sender sender(small_options());
    for (Event event : *rc::gen::container<std::vector<Event>>(events())) {
      if (event.kind == Event::Kind::answer || event.kind == Event::Kind::lose) {
        event.kind = Event::Kind::write;
      }
      sender.happen(event);
      RC_ASSERT(sender.outbox().stats().bytes <= sender.bytes_max());
      RC_ASSERT(sender.calls_of_this_view() <= sender.calls_max());
    }
  }));
}

TEST(law_outbox, WhenPeersAnswerNothingIsOwed) {
  EXPECT_TRUE(rc::check([] {
    Sender sender(small_options());
    for (const Event& event : *rc::gen::container<std::vector<Event>>(events())) {
      sender.happen(event);
    }
    sender.end_all();
    RC_ASSERT(!sender.outbox().owes_anything());
    RC_ASSERT(sender.outbox().stats().bytes == 0);
    RC_ASSERT(sender.outbox().lags().empty());
  }));
}

}  // namespace
}  // namespace kvs
