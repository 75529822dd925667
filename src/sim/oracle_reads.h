// P7, P8, P13 and the model: what reads may show.
#pragma once

#include "core/config.h"
#include "sim/oracle.h"

namespace kvs {

/// P7: reads of a key never go back, across restarts too; with durability `os`, loss of power may
/// take them back.
class MonotonicReads final : public Oracle {
 public:
  MonotonicReads(Durability durability, const History& history, Findings& findings)
      : Oracle("P7 reads never go back", history, findings), durability_(durability) {}

  void got(const Reading& reading) override;
  void listed(const Listing& listing) override;
  void crashed(Crash crash) override;
  void recovered(const Image& image) override;

 private:
  void see(std::string_view key, const Version& version);

  Durability durability_;
  Floors seen_;
  bool power_lost_ = false;
};

/// P8: after an acknowledgement, GET and listing show that write or a newer one.
class ReadYourWrites final : public Oracle {
 public:
  ReadYourWrites(const History& history, Findings& findings)
      : Oracle("P8 read your writes", history, findings) {}

  void answered(const Operation& operation, const WriteOutcome& outcome) override;
  void got(const Reading& reading) override;
  void listed(const Listing& listing) override;
  void recovered(const Image& image) override;

 private:
  Floors acknowledged_;
};

/// P13: damage is an error, never data; and nothing but damage and read errors is an error.
class NothingDamagedServed final : public Oracle {
 public:
  NothingDamagedServed(const History& history, Findings& findings)
      : Oracle("P13 damage is never served", history, findings) {}

  void got(const Reading& reading) override;
  void listed(const Listing& listing) override;
  void damage_unnoticed() override;

 private:
  void check_error(std::string_view key, Errc code, std::optional<Errc> fault);
};

/// A read shows exactly the newest durable write of each key.
class ReadsShowTheModel final : public Oracle {
 public:
  ReadsShowTheModel(const History& history, Findings& findings)
      : Oracle("reads equal the model", history, findings) {}

  void got(const Reading& reading) override;
  void listed(const Listing& listing) override;
};

}  // namespace kvs
