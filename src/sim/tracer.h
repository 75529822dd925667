// Prints a run as it happens, one line an event, to standard output.
#pragma once

#include "sim/observer.h"
#include "sim/world.h"

namespace kvs {

class Tracer final : public Observer {
 public:
  void asked(const Operation& operation) override;
  void decided(const Decision& decision) override;
  void closed(const Batch& batch) override;
  void durable(const Batch& batch) override;
  void failed(const Batch& batch, Errc why) override;
  void answered(const Operation& operation, const WriteOutcome& outcome) override;
  void got(const Reading& reading) override;
  void listed(const Listing& listing) override;
  void crashed(Crash crash) override;
  void recovered(const Image& image) override;
  void unopened(Errc why) override;
  void damage_unnoticed() override;
  void rotted(std::string_view key) override;
  void space_gone() override;
  void space_back() override;
  void healed() override;
  void ended(const Image& image) override;
};

}  // namespace kvs
