// Watchers over the nodes of tests/support/exchange_world: they come, break off, and go on with
// their cursors on any node. What must hold: an older version never follows a newer one, no version
// comes twice, and whoever has caught up holds what the node holds.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/watcher.h"
#include "support/exchange_node.h"
#include "support/watch_client.h"

namespace kvs {

class WatchCrowd {
 public:
  struct Plan {
    std::uint64_t seed = 0;
    int watchers = 0;
    bool exact = true;  // no event forgets what nobody can tell: clients hold what nodes hold
    std::vector<std::string> paths;  // all below the root
    std::function<bool(Dot)> excused;
  };

  WatchCrowd(std::vector<ExchangeNode*> nodes, Plan plan)
      : nodes_(std::move(nodes)), plan_(std::move(plan)), prng_(plan_.seed ^ 0x77617463ULL) {
    guests_.resize(static_cast<std::size_t>(plan_.watchers));
  }

  /// A little of everything. What is wrong; empty if nothing is.
  std::string turn(const Now& now) {
    for (std::size_t i = 0; i < guests_.size() && wrong_.empty(); ++i) {
      const std::uint64_t dice = prng_.below(100);
      if (!guests_[i].watcher && guests_[i].away > 0) {
        --guests_[i].away;
      } else if (dice < 40) {
        step(i, now, static_cast<int>(1 + prng_.below(4)));
      } else if (dice < 44) {
        leave(i);
      }
    }
    return wrong_;
  }

  /// The process of a node ends.
  void node_ends(std::size_t node) {
    for (std::size_t i = 0; i < guests_.size(); ++i) {
      if (guests_[i].watcher && guests_[i].node == node) {
        leave(i);
      }
    }
  }

  /// Nothing changes any more: everybody comes to hold what there is.
  std::string finish(const Now& now) {
    for (std::size_t i = 0; i < guests_.size() && wrong_.empty(); ++i) {
      for (int n = 0; n < 1000 && !step(i, now, 1'000'000) && wrong_.empty(); ++n) {
      }
      if (wrong_.empty() && plan_.exact) {
        compare(i, "does not end with what there is");
      }
    }
    return wrong_;
  }

  [[nodiscard]] std::size_t events() const { return sum(&WatchClient::events); }

  [[nodiscard]] std::size_t resets() const { return sum(&WatchClient::resets); }

  [[nodiscard]] std::size_t resumed() const { return resumed_; }

  [[nodiscard]] std::size_t caught_up() const { return caught_up_; }

 private:
  struct Guest {
    std::size_t node = 0;
    std::uint64_t away = 0;  // turns until it comes again
    std::unique_ptr<Watcher> watcher;
    std::unique_ptr<WatchClient> client = std::make_unique<WatchClient>();
  };

  [[nodiscard]] std::size_t sum(std::size_t (WatchClient::*figure)() const) const {
    std::size_t sum = 0;
    for (const Guest& guest : guests_) {
      sum += ((*guest.client).*figure)();
    }
    return sum;
  }

  void come(Guest& guest) {
    guest.node = prng_.below(nodes_.size());
    ExchangeNode& node = *nodes_[guest.node];
    WatchRequest request;
    if (guest.client->cursor()) {
      request.begin = WatchRequest::Begin::cursor;
      request.cursor = *guest.client->cursor();
      ++resumed_;
    } else if (prng_.chance(1, 2)) {
      request.begin = WatchRequest::Begin::all;
      guest.client = std::make_unique<WatchClient>();
    } else {
      guest.client = std::make_unique<WatchClient>();
      read_all(node, *guest.client);
    }
    guest.watcher = std::make_unique<Watcher>(node.feed(), std::move(request));
  }

  /// A client reads what is there, and then watches from now on. While K does not cover a record,
  /// as after damage, the cursor of now says nothing of it (docs/consistency.md, "Watching").
  static void read_all(ExchangeNode& node, WatchClient& client) {
    const WatchSource::Head head = node.feed().head();
    for (const auto& [path, header] : node.headers()) {
      // What has expired, and will be told, is there until then.
      const bool live = header.live() && !has_expired(node, header);
      if (live && head.known->covers(header.version.dot)) {
        client.assume(path, header.version);
      } else if (live) {
        client.hold(path, header.version);
      }
    }
  }

  void leave(std::size_t i) {
    guests_[i].watcher.reset();
    guests_[i].away = prng_.chance(1, 4) ? prng_.below(300) : 0;
    guests_[i].client->disconnected();
  }

  /// True if the guest has caught up with its node.
  bool step(std::size_t i, const Now& now, int appetite) {
    Guest& guest = guests_[i];
    if (!guest.watcher) {
      come(guest);
    }
    (void)nodes_[guest.node]->feed();  // it hears of an emptied K
    guest.client->set_appetite(appetite);
    const auto progress = guest.watcher->step(now, 1 + prng_.below(5), *guest.client);
    if (const auto wrong = guest.client->take_wrong()) {
      if (!plan_.excused(wrong->dot)) {
        wrong_ = fmt::format("watcher {} at node {}: {}", i, guest.node, wrong->text);
      }
    }
    if (progress == Watcher::Progress::ended) {
      leave(i);
      return false;
    }
    const bool follows = progress == Watcher::Progress::idle &&
                         guest.watcher->cursor().place.run == nodes_[guest.node]->feed().run();
    if (follows && plan_.exact && wrong_.empty()) {
      compare(i, "has caught up and holds something else");
    }
    caught_up_ += follows ? 1 : 0;
    return follows;
  }

  /// True if it is known at the node, and was told there, that its time is over.
  static bool has_expired(ExchangeNode& node, const RecordHeader& header) {
    return header.expires_ms != 0 && place_of(header) <= node.expirer().told();
  }

  /// True while nobody can say whether the client holds it: its time is over to the client and not
  /// to the node, or the node hides it and will tell that later.
  static bool is_between(ExchangeNode& node, const RecordHeader& header,
                         const WatchCursor& cursor) {
    return header.expires_ms != 0 && !has_expired(node, header) &&
           (!header.shows(node.expirer().clock()) || place_of(header) <= cursor.expired);
  }

  static WatchCursor cursor_of(const Guest& guest) {
    return guest.watcher ? guest.watcher->cursor() : guest.client->cursor().value_or(WatchCursor{});
  }

  void compare(std::size_t i, std::string_view what) {
    const Guest& guest = guests_[i];
    ExchangeNode& node = *nodes_[guest.node];
    std::map<std::string, Uuid> held;
    std::set<std::string> open;
    for (const auto& [path, header] : node.headers()) {
      if (is_between(node, header, cursor_of(guest))) {
        open.insert(path);
      } else if (header.live() && !has_expired(node, header)) {
        held.emplace(path, header.version.uuid);
      }
    }
    std::map<std::string, Uuid> told;
    for (const auto& [path, version] : guest.client->live()) {
      if (!open.contains(path)) {
        told.emplace(path, version.uuid);
      }
    }
    if (held != told) {
      wrong_ = fmt::format("watcher {} at node {} {}", i, guest.node, what);
      for (const auto& [path, uuid] : held) {
        wrong_ += fmt::format("; the node: {} {}", path, to_string(uuid));
      }
      for (const auto& [path, uuid] : told) {
        wrong_ += fmt::format("; the watcher: {} {}", path, to_string(uuid));
      }
    }
  }

  std::vector<ExchangeNode*> nodes_;
  Plan plan_;
  Prng prng_;
  std::vector<Guest> guests_;
  std::string wrong_;
  std::size_t resumed_ = 0;
  std::size_t caught_up_ = 0;
};

}  // namespace kvs
