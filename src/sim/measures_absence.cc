// Who was away for long, and returns: nothing deleted comes back, nothing unseen is lost (P4, P6).
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"
#include "sim/measures.h"
#include "sim/trial.h"

namespace kvs {

namespace {

constexpr std::int64_t kDayMs = 86'400'000;

/// Longer than a failed member stays listed.
constexpr Duration kRemoval = Duration::from_seconds(700);

using Contents = std::map<std::string, std::string>;

/// A trial, and what all of its machines have to hold in the end.
class Story {
 public:
  explicit Story(std::uint32_t machines) : trial_({.machines = machines, .seed = machines}) {
    trial_.gather();
    for (std::uint32_t i = 0; i < kKeys; ++i) {
      put(i % machines, key("shared", i), "first");
    }
    settle("a cluster that nothing disturbs is equal");
  }

  Trial& trial() { return trial_; }

  void put(std::uint32_t machine, const std::string& key, const std::string& text) {
    const std::string value = fmt::format(R"("{}, of {}")", text, machine);
    trial_.put(machine, key, value);
    expected_[key] = value;
    trial_.run_for(Duration::from_ms(5));
  }

  void del(std::uint32_t machine, const std::string& key) {
    trial_.del(machine, key);
    expected_.erase(key);
    deleted_.insert(key);
    trial_.run_for(Duration::from_ms(5));
  }

  /// A third of what all share is deleted at this machine, another third is written anew.
  void change_much(std::uint32_t machine, std::uint32_t first) {
    for (std::uint32_t i = first; i < kKeys; i += 6) {
      del(machine, key("shared", i));
      put(machine, key("shared", i + 1), "second");
    }
  }

  /// Writes that nobody sees but those who reach this machine.
  void write_unseen(std::uint32_t machine) {
    for (std::uint32_t i = 0; i < 10; ++i) {
      put(machine, fmt::format("unseen/{}/{}", machine, i), "alone");
    }
  }

  void let_days_pass(std::int64_t days) {
    trial_.run_for(kRemoval);
    for (std::uint32_t i = 0; i < trial_.size(); ++i) {
      trial_.machine(i).wall_clock().jump(trial_.now(), days * kDayMs);
    }
    trial_.run_for(Duration::from_seconds(300));
  }

  /// How many tombstones a machine keeps.
  [[nodiscard]] std::size_t tombstones(std::uint32_t machine) {
    std::size_t count = 0;
    for (const auto& [key, record] : trial_.machine(machine).disk().image().records) {
      count += record && !record->header.live() ? 1U : 0U;
    }
    return count;
  }

  /// What is wrong in the end; empty: nothing.
  [[nodiscard]] std::string verdict() {
    const auto calm = [this] {
      return trial_.together() && trial_.equal();
    };
    if (!trial_.run_until(calm, Duration::from_seconds(900), Duration::from_ms(500))) {
      return "not equal within 900 s";
    }
    trial_.run_for(Duration::from_seconds(60));
    for (std::uint32_t i = 0; i < trial_.size(); ++i) {
      const Contents held = contents(i);
      for (const auto& [key, value] : held) {
        if (!expected_.contains(key) && deleted_.contains(key)) {
          return fmt::format("`{}` came back at machine {}", key, i);
        }
      }
      if (held != expected_) {
        return fmt::format("machine {} holds {} records, not the {} that were written", i,
                           held.size(), expected_.size());
      }
    }
    return trial_.refused() > 0 ? "a write was refused" : "";
  }

  static std::string key(std::string_view folder, std::uint32_t number) {
    return fmt::format("{}/{:02}", folder, number);
  }

  void settle(const char* why) {
    KVS_CHECK(trial_.run_until([this] { return trial_.equal(); }, Duration::from_seconds(60),
                               Duration::from_ms(100)),
              why);
  }

 private:
  static constexpr std::uint32_t kKeys = 60;

  [[nodiscard]] Contents contents(std::uint32_t machine) {
    Contents held;
    for (const auto& [key, record] : trial_.machine(machine).disk().image().records) {
      KVS_CHECK(record, "nothing damaged these folders");
      if (record->header.live()) {
        held.emplace(key, record->value);
      }
    }
    return held;
  }

  Trial trial_;
  Contents expected_;
  std::set<std::string> deleted_;
};

void tell(std::string_view what, std::size_t tombstones, Story& story, const TakeFigure& take) {
  const std::string wrong = story.verdict();
  const bool met = wrong.empty() && tombstones == 0;
  take({.what = std::string(what),
        .wanted = "no deleted key returns, no unseen write is lost",
        .measured = !wrong.empty()   ? wrong
                    : tombstones > 0 ? fmt::format("{} tombstones were never collected", tombstones)
                                     : "none, although all tombstones had been collected",
        .met = met ? Figure::Met::yes : Figure::Met::no});
}

void away(const TakeFigure& take) {
  Story story(4);
  constexpr std::uint32_t kAway = 3;
  story.trial().cut_off(kAway);
  story.write_unseen(kAway);
  story.trial().machine(kAway).crash(Crash::power_loss);
  story.change_much(0, 0);
  story.let_days_pass(30);
  const std::size_t tombstones = story.tombstones(0);
  story.trial().network().heal();
  story.trial().machine(kAway).start_after({});
  tell("a node of 4 is away for 30 days and comes back", tombstones, story, take);
}

void restored(const TakeFigure& take) {
  Story story(3);
  constexpr std::uint32_t kRestored = 2;
  story.write_unseen(kRestored);
  story.settle("what was written before the backup is everywhere");
  const Disk::Folder backup = story.trial().machine(kRestored).disk().copy();
  story.change_much(0, 0);
  story.change_much(kRestored, 3);
  story.settle("what was written after the backup is everywhere");
  story.let_days_pass(60);
  const std::size_t tombstones = story.tombstones(0);
  story.trial().machine(kRestored).crash(Crash::kill);
  story.trial().machine(kRestored).swap_folder(backup, Swap::restored);
  story.trial().machine(kRestored).start_after({});
  tell("a node of 3 starts on a backup of 60 days ago", tombstones, story, take);
}

void half_away(const TakeFigure& take) {
  Story story(6);
  story.trial().split(3);
  story.change_much(0, 0);
  story.write_unseen(1);
  story.write_unseen(4);
  story.change_much(5, 3);
  story.let_days_pass(2);
  const std::size_t tombstones = story.tombstones(0) + story.tombstones(5);
  story.trial().network().heal();
  tell("two halves of 6 forget each other, both change and delete, and meet after 2 days",
       tombstones, story, take);
}

}  // namespace

void measure_absence(const MeasureSize& /*size*/, const TakeFigure& take) {
  away(take);
  restored(take);
  half_away(take);
}

}  // namespace kvs
