// The model: which writes were decided, what became of each, and what a read must show.
//
// It follows from what the run's parts report (batch closed, durable, failed, recovered), not from
// the node's own state. Writes stay in memory for the whole run; pointers to them stay valid.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/knowledge.h"
#include "sim/observer.h"

namespace kvs {

enum class Fate : std::uint8_t {
  pending,  // decided; its batch is neither durable nor failed
  durable,
  failed,  // its batch failed; a restart may still find it
  gone,    // a restart did not find it: it must never be seen again
};

struct Write {
  Ticket ticket{};
  std::string key;
  Record record;
  std::uint64_t batch = 0;
  Fate fate = Fate::pending;
  bool power_proof = false;  // was synced: survives loss of power

  [[nodiscard]] const Version& version() const { return record.header.version; }
};

/// One step of the node, with what it was decided upon.
struct Step {
  Decision decision;
  const Write* basis = nullptr;     // the newest write of the key at that time that had not failed
  Fate basis_fate = Fate::durable;  // at that time
};

class History final : public Observer {
 public:
  /// The write with this uuid, whatever became of it; nullptr: there never was one.
  [[nodiscard]] const Write* find(const Uuid& uuid) const;

  /// What a read of the key must show now; nullptr: nothing was ever stored.
  [[nodiscard]] const Write* stored(std::string_view key) const;

  /// What the node must decide upon: the newest write that is durable or pending.
  [[nodiscard]] const Write* newest(std::string_view key) const;

  /// True if the stored record of the key may be damaged.
  [[nodiscard]] bool rotten(std::string_view key) const;

  /// The step that decided a ticket; nullptr: it was not stepped.
  [[nodiscard]] const Step* step(Ticket ticket) const;

  /// All writes in the order of their decision.
  [[nodiscard]] const std::deque<Write>& writes() const { return writes_; }

  /// True if K covers less with this batch than before, or is written without a write of the batch
  /// itself: the node gave it up. Some of what it held K may cover again in the same batch, where
  /// that was replaced. To say again what K was before a batch that failed gives nothing up.
  [[nodiscard]] bool gives_up_knowledge(const Batch& batch) const {
    return giving_up_.contains(batch.number);
  }

  /// All keys that were ever written or asked for.
  [[nodiscard]] std::vector<std::string_view> keys() const;

  void decided(const Decision& decision) override;
  void closed(const Batch& batch) override;
  void durable(const Batch& batch) override;
  void failed(const Batch& batch, Errc why) override;
  void rotted(std::string_view key) override;
  void recovered(const Image& image) override;

 private:
  struct KeyState {
    std::vector<Write*> writes;  // in order of decision
    Write* stored = nullptr;
    Write* newest = nullptr;
    bool rotten = false;       // what is shown is damaged
    bool ever_rotted = false;  // loss of power may bring the damage back
  };

  KeyState& state(std::string_view key);
  void add_write(const Decision& decision, const WriteOutcome& outcome);
  void settle(KeyState& state, const Image& image, std::string_view key);
  void make_power_proof();
  [[nodiscard]] bool shrinks(const Batch& batch, const Knowledge& before) const;
  [[nodiscard]] static bool shows(const Image& image, const Write& write);
  [[nodiscard]] std::size_t last_shown(const Image& image) const;

  std::deque<Write> writes_;
  std::map<Uuid, Write*> by_uuid_;
  std::map<std::string, KeyState, std::less<>> keys_;
  std::map<Ticket, Step> steps_;
  std::map<std::uint64_t, std::vector<Write*>> open_batches_;
  std::size_t first_not_power_proof_ = 0;
  Knowledge known_;                    // closed batches included
  Knowledge known_durably_;            // what the disk has
  std::set<std::uint64_t> giving_up_;  // batches
  std::size_t given_up_ = 0;           // writes made before K was last given up
};

}  // namespace kvs
