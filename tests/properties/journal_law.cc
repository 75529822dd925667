// Whatever was written, replaced and dropped: who takes a journal's answers covers no write that
// its state does not reflect, and after a whole answer covers all that the journal's node does.
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/journal.h"
#include "properties/generators.h"
#include "support/memory_store.h"

namespace kvs {
namespace {

struct Event {
  enum class Kind : std::uint8_t { write, drop, learn_dot };

  Kind kind = Kind::write;
  std::uint64_t path = 0;
  std::uint64_t stamp = 0;
};

void showValue(const Event& event, std::ostream& out) {
  constexpr std::string_view kNames[] = {"write", "drop", "learn"};
  out << kNames[static_cast<std::size_t>(event.kind)] << " " << event.path << "@" << event.stamp;
}

rc::Gen<Event> events() {
  return rc::gen::map(
      rc::gen::tuple(
          rc::gen::weightedElement<Event::Kind>(
              {{40, Event::Kind::write}, {8, Event::Kind::drop}, {1, Event::Kind::learn_dot}}),
          below(3), below(200)),
      [](const auto& parts) {
        const auto& [kind, path, stamp] = parts;
        return Event{.kind = kind, .path = path, .stamp = stamp};
      });
}

/// A node as far as the journal sees it.
class Writer {
 public:
  explicit Writer(const JournalOptions& options) : journal_(options) {}

  void happen(const Event& event) {
    const std::string path(1, static_cast<char>('a' + event.path));
    if (event.kind == Event::Kind::drop) {
      store_.damage(path, Errc::not_found);
      held_.erase(path);
      return;
    }
    Version version = MemoryStore::version_of(event.stamp + 10 * ++seq_);
    version.dot.seq = seq_;
    mine_.add(version.dot);
    if (event.kind == Event::Kind::learn_dot) {
      return;
    }
    written_[version.dot] = {path, version};
    const RecordHeader header{.version = version, .kind = RecordKind::value};
    const auto held = held_.find(path);
    if (held == held_.end() || held->second < version) {
      held_[path] = version;
      store_.set(path, {.header = header, .value = "1"});
      const Change change{.path = path, .before = {}, .after = header, .replaced = {}};
      journal_.add({&change, 1});
    }
  }

  [[nodiscard]] Delta answer(const Knowledge& theirs) const {
    return journal_.answer(mine_, theirs, store_);
  }

  [[nodiscard]] const Knowledge& mine() const { return mine_; }

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
  MemoryStore store_;
  Journal journal_;
  Knowledge mine_;
  std::uint64_t seq_ = 0;
  std::map<std::string, Version> held_;
  std::map<Dot, std::pair<std::string, Version>> written_;
};

struct Reader {
  void take(const PeerRecord& record) {
    Version& version = held[record.path];
    version = std::max(version, record.record.header.version);
    told.push_back(record.record.header.version.dot);
    told.insert(told.end(), record.replaced.begin(), record.replaced.end());
  }

  std::map<std::string, Version> held;
  std::vector<Dot> told;
};

TEST(law_journal, WhoTakesTheAnswersCoversWhatItsStateReflects) {
  EXPECT_TRUE(rc::check([] {
    const JournalOptions options{.dots_max = *rc::gen::elementOf(std::vector<std::size_t>{5, 999}),
                                 .answer_records = 1 + *below(4)};
    Writer writer(options);
    Knowledge theirs;
    for (const Event& event : *rc::gen::container<std::vector<Event>>(events())) {
      writer.happen(event);
      if (*below(8) == 0) {
        theirs = writer.mine();
        theirs.cut_from({.origin = Origin{1}, .seq = 1 + *below(8)});
      }
    }
    Reader reader;
    Delta delta{.extent = Delta::Extent::part, .records = {}};
    for (int rounds = 0; delta.extent == Delta::Extent::part && rounds < 200; ++rounds) {
      delta = writer.answer(theirs);
      for (const PeerRecord& record : delta.records) {
        reader.take(record);
      }
      for (const Dot dot : reader.told) {
        RC_ASSERT(writer.reflected(dot, reader.held));
        theirs.add(dot);
      }
    }
    RC_ASSERT(delta.extent != Delta::Extent::part);
    if (delta.extent == Delta::Extent::whole) {
      RC_ASSERT(theirs.covers(writer.mine()));
    } else {
      RC_ASSERT(delta.records.empty());
    }
    RC_CLASSIFY(delta.extent == Delta::Extent::whole);
    RC_CLASSIFY(!reader.told.empty());
  }));
}

}  // namespace
}  // namespace kvs
