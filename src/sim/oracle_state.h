// What the state as a whole must be: K exact, one outcome in any order, one identity.
#pragma once

#include <set>

#include "base/prng.h"
#include "core/config.h"
#include "sim/oracle.h"
#include "sim/scenario.h"

namespace kvs {

/// K covers exactly what the state reflects, in memory and on disk.
///
/// A batch that the disk refused may lie on it all the same, and later ones say again what K was
/// before it. So a start may find a record that K does not cover, and that record only. The sum of
/// all records then differs from the stored one, which is taken for damage: K is given up. Only for
/// that, or where damage can be met, may it be.
class KnowledgeIsExact final : public Oracle {
 public:
  KnowledgeIsExact(Durability durability, const FaultSet& faults, const History& history,
                   Findings& findings)
      : Oracle("K covers what the state reflects", history, findings),
        durability_(durability),
        may_meet_damage_(faults.contains(Fault::rot_record) || faults.contains(Fault::read_flip) ||
                         faults.contains(Fault::read_error)) {}

  void closed(const Batch& batch) override;
  void durable(const Batch& batch) override;
  void failed(const Batch& batch, Errc why) override;
  void idle(const Knowledge& knowledge, const Disk& disk) override;
  void crashed(Crash crash) override;
  void recovered(const Image& image) override;

  void ended(const Image& image) override { recovered(image); }

 private:
  void disown(const KnowledgeWrite& write);
  void find_left_over(const Image& image);
  void check_noticed();
  void check_known(const Knowledge& knowledge);
  void check_reflected(const Image& image);
  void check_complete(const Image& image);

  Durability durability_;
  bool may_meet_damage_;  // what cannot be read while records are counted is taken for damaged
  std::set<Dot> given_;
  std::set<Dot> given_up_;  // given before K was emptied
  std::set<Dot> durable_;
  std::set<Dot> refused_;    // by the disk in this run; it may have them all the same
  std::set<Dot> disowned_;   // of those: K was written without them since
  std::set<Dot> left_over_;  // of those: the last start found them
  bool voiding_ = false;     // of batches that fail together the disk met the first only
  bool committed_ = false;   // not failed: the last batch that ended
  bool power_lost_ = false;
  bool disk_knows_more_ = false;  // the batch that gave K up failed
};

/// P5: the same writes, in any order and any number of times, merge into the same bytes, and these
/// are what the node holds.
class OneOutcome final : public Oracle {
 public:
  OneOutcome(std::uint64_t seed, const History& history, Findings& findings)
      : Oracle("P5 one outcome", history, findings), prng_(seed) {}

  void ended(const Image& image) override;

 private:
  using Contents = std::map<std::string, Record>;
  using Deliveries = std::vector<std::pair<std::string, Record>>;

  Contents merged(const Deliveries& deliveries);
  Deliveries tied_versions();

  Prng prng_;
};

/// A folder's identity, once durable, never changes.
class IdentityStays final : public Oracle {
 public:
  IdentityStays(const History& history, Findings& findings)
      : Oracle("identity stays", history, findings) {}

  void durable(const Batch& batch) override;
  void recovered(const Image& image) override;

 private:
  void see(const Identity& identity);

  std::optional<Identity> identity_;
};

/// At the end the folder holds exactly the newest durable write of each key, and no damage.
class EndsAsTheModel final : public Oracle {
 public:
  EndsAsTheModel(const History& history, Findings& findings)
      : Oracle("the end equals the model", history, findings) {}

  void ended(const Image& image) override;
};

}  // namespace kvs
